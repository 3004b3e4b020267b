"""Generalised mixed models as a regressor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_regressor
from sklearn.metrics import d2_tweedie_score, r2_score

from skmixed import FractionalResponseWarning, MixedGLM, MixedLM, mixedglm
from skmixed.families import Binomial, Poisson

COLUMNS = ["x", "g"]


@pytest.fixture(scope="module")
def counts(outcomes):
    return MixedGLM("g", family="poisson").fit(
        outcomes[COLUMNS], outcomes["count"], exposure=outcomes["time"]
    )


def test_it_is_the_model_that_a_formula_describes(counts, outcomes):
    results = mixedglm(
        "count ~ x + offset(log(time)) + (1 | g)",
        outcomes,
        family="poisson",
        environment={},
    )
    assert_allclose([counts.intercept_, *counts.coef_], results.params, rtol=1e-6)
    assert counts.log_likelihood_ == pytest.approx(results.llf, abs=1e-9)
    formula = MixedGLM(formula="count ~ x + offset(log(time)) + (1 | g)", family="poisson")
    formula.fit(outcomes)
    X, time = outcomes[COLUMNS], outcomes["time"]
    assert_allclose(formula.predict(outcomes), counts.predict(X, exposure=time), rtol=1e-6)
    assert formula.score(outcomes) == pytest.approx(
        counts.score(X, outcomes["count"], exposure=time)
    )
    assert is_regressor(counts)


def test_offsets_and_exposures_of_new_rows(counts, outcomes):
    X = outcomes[COLUMNS].head(3)
    once = counts.predict(X)
    assert_allclose(counts.predict(X, exposure=[2.0, 2.0, 2.0]), 2.0 * once)
    assert_allclose(counts.predict(X, offset=[1.0, 0.0, 0.0]), once * [np.e, 1.0, 1.0])
    assert_allclose(
        counts.predict_link(X, exposure=[2.0, 1.0, 1.0]),
        counts.predict_link(X) + np.log([2.0, 1.0, 1.0]),
    )
    with pytest.raises(ValueError, match="exposure= needs the log link"):
        MixedGLM("g", family="poisson", link="sqrt").fit(X, [1, 2, 3], exposure=[1.0, 1.0, 1.0])


def test_averages_of_a_log_link_are_those_of_log_normal_variables(counts, outcomes):
    new = outcomes[COLUMNS].assign(g="new")
    eta = counts.predict_link(new)
    assert_allclose(counts.predict(new), np.exp(eta + 0.5 * counts.theta_[0] ** 2))
    assert_allclose(counts.predict(new, average=False), np.exp(eta))
    assert (
        counts.predict(outcomes[COLUMNS]) > counts.predict(outcomes[COLUMNS], average=False)
    ).all()


def test_predictions_have_uncertainty(counts, outcomes):
    X = outcomes[COLUMNS].head(4)
    mean, std = counts.predict(X, return_std=True)
    assert_allclose(mean, counts.predict(X))
    assert (std > np.sqrt(mean)).all()
    low, high = counts.predict_interval(X, coverage=0.9).T
    quantiles = counts.predict_quantiles(X, quantiles=[0.05, 0.95])
    assert_array_equal(np.column_stack([low, high]), quantiles)
    assert_array_equal(quantiles, np.round(quantiles))
    _, of_mean = counts.predict(X, return_std=True, kind="mean")
    assert (of_mean < std).all()
    _, of_eta = counts.predict_link(X, return_std=True)
    assert (of_eta > 0).all()


def test_gaussian_identity_is_the_linear_model(outcomes):
    X, y = outcomes[COLUMNS], outcomes["value"]
    a, b = MixedGLM("g").fit(X, y), MixedLM("g", method="ml").fit(X, y)
    assert a.log_likelihood_ == pytest.approx(b.log_likelihood_, abs=1e-8)
    assert_allclose(a.coef_, b.coef_, rtol=1e-7)
    assert_allclose(a.predict(X), b.predict(X), rtol=1e-6)
    assert a.sigma_ == pytest.approx(b.sigma_, rel=1e-6)
    assert a.residual_variance_ == a.dispersion_
    assert a.score(X, y) == pytest.approx(r2_score(y, a.predict(X)))


def test_the_score_is_explained_deviance(counts, outcomes):
    X, y, time = outcomes[COLUMNS], outcomes["count"], outcomes["time"]
    predicted = counts.predict(X, exposure=time)
    assert counts.score(X, y, exposure=time) == pytest.approx(
        d2_tweedie_score(y, predicted, power=1)
    )
    weights = 1.0 + np.arange(len(y)) % 4
    assert counts.score(X, y, exposure=time, sample_weight=weights) == pytest.approx(
        d2_tweedie_score(y, predicted, power=1, sample_weight=weights)
    )
    assert counts.score(X.head(2), [3, 3]) in (0.0, 1.0)


@pytest.mark.parametrize(
    ("family", "response"),
    [
        ("negative_binomial", "count"),
        ("nbinom1", "count"),
        ("gamma", "amount"),
        ("inverse_gaussian", "amount"),
        (Poisson(), "count"),
    ],
)
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_families_with_and_without_a_dispersion(outcomes, family, response):
    model = MixedGLM("g", family=family, link="log").fit(outcomes[COLUMNS], outcomes[response])
    assert model.dispersion_ > 0
    assert (model.predict(outcomes[COLUMNS]) > 0).all()
    assert 0 < model.score(outcomes[COLUMNS], outcomes[response]) < 1


def test_proportions_with_their_trials(outcomes):
    share = outcomes["successes"] / outcomes["trials"]
    arrays = MixedGLM("g", family="binomial").fit(
        outcomes[COLUMNS], share, sample_weight=outcomes["trials"]
    )
    failures = outcomes["trials"] - outcomes["successes"]
    data = outcomes.assign(failures=failures)
    counted = MixedGLM(formula="cbind(successes, failures) ~ x + (1 | g)", family=Binomial())
    counted.fit(data)
    assert_allclose(arrays.coef_, counted.coef_, rtol=1e-6)
    assert arrays.log_likelihood_ == pytest.approx(counted.log_likelihood_)
    assert_allclose(counted.observed_response(data), share)
    with pytest.warns(FractionalResponseWarning, match="Pass weights="):
        MixedGLM("g", family="binomial").fit(outcomes[COLUMNS], share)
    few = counted.predict_interval(data.head(1), trials=[1])
    assert_array_equal(few, [[0.0, 1.0]])


def test_trials_of_zero_and_weights_of_zero_drop_rows(outcomes):
    data = outcomes.assign(failures=outcomes["trials"] - outcomes["successes"])
    empty = data.head(3).assign(successes=0, failures=0, g="only here")
    formula = "cbind(successes, failures) ~ x + (1 | g)"
    model = MixedGLM(formula=formula, family="binomial").fit(data)
    padded = MixedGLM(formula=formula, family="binomial").fit(_stacked(data, empty))
    assert_allclose(padded.coef_, model.coef_, rtol=1e-8)
    assert "only here" not in padded.groups_["g"]
    chosen = MixedGLM(formula=formula, family="binomial")
    chosen.fit(_stacked(data, data.head(5)), sample_weight=np.r_[np.ones(240), np.zeros(5)])
    assert_allclose(chosen.coef_, model.coef_, rtol=1e-8)
    with pytest.raises(ValueError, match="brings its numbers of trials"):
        model.fit(data, sample_weight=np.full(240, 2.0))
    with pytest.raises(ValueError, match="No row is left"):
        model.fit(empty)


def _stacked(one, other):
    return pd.concat([one, other], ignore_index=True)


def test_zero_inflation_of_columns(outcomes):
    X, y = outcomes[["x", "z", "g"]], outcomes["zeros"]
    model = MixedGLM("g", family="poisson", zero_inflation="~ z").fit(X, y)
    results = mixedglm("zeros ~ x + z + (1 | g)", outcomes, family="poisson", zero_inflation="~ z")
    assert model.log_likelihood_ == pytest.approx(results.llf, abs=1e-8)
    zero, of_counts = model.lmm_fit_.extra[0], model.predict_link(X)
    p = 1.0 / (1.0 + np.exp(-(zero.coefficients[0] + zero.coefficients[1] * X["z"])))
    assert_allclose(model.predict(X, average=False), (1.0 - p) * np.exp(of_counts))
    assert model.family_.name == "zero_inflated_poisson"
    assert 0 < model.score(X, y) < 1
    with pytest.raises(TypeError, match="data frame"):
        MixedGLM(2, family="poisson", zero_inflation="~ z").fit(
            outcomes[["x", "z", "h"]].to_numpy(), y
        )


def test_a_model_of_the_dispersion(outcomes):
    formula = "value ~ x + (1 | g)"
    model = MixedGLM(formula=formula, dispersion="~ z").fit(outcomes)
    variance = np.exp(
        np.column_stack([np.ones(240), outcomes["z"]]) @ model.lmm_fit_.extra[0].coefficients
    )
    _, std = model.predict(outcomes, return_std=True)
    _, of_mean = model.predict(outcomes, return_std=True, kind="mean")
    assert_allclose(std**2, of_mean**2 + variance, rtol=1e-8)
    with pytest.raises(AttributeError, match="differs from row to row"):
        _ = model.dispersion_
    with pytest.raises(ValueError, match="'z'"):
        model.predict(outcomes.drop(columns="z"))


@pytest.mark.parametrize(
    ("parameters", "response", "message"),
    [
        ({"family": "poison"}, "count", "Did you mean 'poisson'"),
        ({"family": "poisson", "dispersion": "~ x"}, "count", "has none"),
        ({"zero_inflation": "~ 1"}, "value", "needs counts"),
        ({"family": "poisson", "zero_inflation": "~ (1 | g)"}, "count", "random effects are not"),
        ({"family": "poisson"}, "value", "negative values"),
        ({"family": "gamma"}, "value", "must be positive"),
        ({"family": "binomial"}, "answer", "Use MixedLogisticRegression"),
        ({"family": "binomial"}, "h", r"outside of \[0, 1\]"),
    ],
)
def test_responses_and_families_that_do_not_fit(outcomes, parameters, response, message):
    with pytest.raises(ValueError, match=message):
        MixedGLM("g", **parameters).fit(outcomes[COLUMNS], outcomes[response])


def test_counts_that_are_not_whole_are_fitted_with_a_warning(outcomes):
    with pytest.warns(FractionalResponseWarning, match="exposure="):
        MixedGLM("g", family="poisson").fit(outcomes[COLUMNS], outcomes["count"] / 2)


def test_positive_families_say_so_to_scikit_learn():
    tags = [MixedGLM(family=f).__sklearn_tags__().target_tags for f in ("poisson", "gaussian")]
    assert [one.positive_only for one in tags] == [True, False]
