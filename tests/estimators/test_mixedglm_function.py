"""Formula and data frame to results of a generalised model."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import SingularFitWarning, mixedglm

FORMULA = "count ~ x + (1 | g)"


def test_statsmodels_arguments(outcomes):
    results = mixedglm(FORMULA, outcomes, family="poisson")
    other = mixedglm("count ~ x", outcomes, family=sm.families.Poisson(), groups="g")
    assert other.llf == pytest.approx(results.llf)
    labels = mixedglm("count ~ x", outcomes, family="poisson", groups=outcomes["g"].to_numpy())
    assert_allclose(labels.params, results.params)
    with pytest.warns(SingularFitWarning):
        slopes = mixedglm("value ~ x", outcomes, family="gaussian", groups="g", re_formula="~ x")
    assert len(slopes.theta) == 3
    with pytest.raises(ValueError, match="needs groups="):
        mixedglm("count ~ x", outcomes, re_formula="~ x")


def test_it_keeps_its_rows_and_plugs_in_modes(outcomes):
    results = mixedglm(FORMULA, outcomes, family="poisson", exposure="time")
    fitted = results.fittedvalues
    assert_array_equal(fitted.index, outcomes.index)
    again = results.predict(outcomes, exposure=outcomes["time"])
    assert_allclose(fitted, again)
    assert_allclose(fitted, np.exp(results.predict_link(outcomes, exposure=outcomes["time"])))
    assert results.fitted_model.rows.model.design.n_rows == 240
    assert results.df_method == "normal"


def test_offsets_in_the_formula_beside_it_and_exposure_add_up(outcomes):
    time = outcomes["time"]
    one = mixedglm(FORMULA, outcomes, family="poisson", exposure="time")
    for other in (
        mixedglm(FORMULA, outcomes, family="poisson", offset=np.log(time)),
        mixedglm(
            f"{FORMULA} + offset(0.5 * log(time))", outcomes, family="poisson", exposure=time**0.5
        ),
    ):
        assert other.llf == pytest.approx(one.llf, abs=1e-9)
        assert_allclose(other.fittedvalues, one.fittedvalues, rtol=1e-6)


def test_trials_and_frequencies(outcomes):
    data = outcomes.assign(p=outcomes["successes"] / outcomes["trials"])
    results = [
        mixedglm("p ~ x + (1 | g)", data, weights="trials"),
        mixedglm("successes / trials ~ x + (1 | g)", data),
        mixedglm("cbind(successes, trials - successes) ~ x + (1 | g)", data),
    ]
    assert_allclose([one.llf for one in results], results[0].llf)
    assert [one.nobs for one in results] == [240] * 3
    twice = mixedglm("y ~ x + (1 | g)", outcomes, weights=np.full(240, 2.0))
    assert twice.nobs == 480


def test_a_labelled_response(outcomes):
    labels = mixedglm("answer ~ x + (1 | g)", outcomes)
    numbers = mixedglm("y ~ x + (1 | g)", outcomes)
    assert_array_equal(labels.params, numbers.params)


def test_missing_values(outcomes):
    gaps = outcomes.assign(
        x=outcomes["x"].where(outcomes.index != 3),
        z=outcomes["z"].where(outcomes.index != 5),
        time=outcomes["time"].where(outcomes.index != 7),
    )
    options = {"family": "negative_binomial", "dispersion": "~ z", "exposure": "time"}
    with pytest.raises(ValueError, match="NaN"):
        mixedglm(FORMULA, gaps, **options)
    with pytest.raises(ValueError, match="missing must be"):
        mixedglm(FORMULA, gaps, missing="ignore")
    results = mixedglm(FORMULA, gaps, missing="drop", **options)
    assert results.n_dropped == 3
    complete = mixedglm(FORMULA, gaps.drop(index=[3, 5, 7]), **options)
    assert results.llf == complete.llf
    fitted = results.fittedvalues
    assert list(fitted.index[fitted.isna()]) == [3, 5, 7]
    assert_allclose(fitted.dropna(), complete.fittedvalues)


def test_functions_of_the_caller_and_of_strangers(outcomes):
    def doubled(x):
        return 2 * x

    text = "count ~ doubled(x) + (1 | g)"
    results = mixedglm(text, outcomes, family="poisson")
    assert_allclose(
        2 * results.params.iloc[1],
        mixedglm(FORMULA, outcomes, family="poisson").params.iloc[1],
        rtol=1e-6,
    )
    with pytest.raises(ValueError, match="doubled"):
        mixedglm(text, outcomes, family="poisson", environment={})


def test_a_formula_without_a_response(outcomes):
    with pytest.raises(ValueError, match="response"):
        mixedglm("~ x + (1 | g)", outcomes)
