"""Functions of inference take whatever has a fitted model."""

from __future__ import annotations

import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal, assert_series_equal

from skmixed import MixedLM, inference, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference.inputs import fitted_model_of, rows_of, with_rows

FORMULA = "Reaction ~ Days + (Days | Subject)"
DATA = load_sleepstudy()


@pytest.fixture(scope="module")
def results():
    return mixedlm(FORMULA, DATA)


@pytest.fixture(scope="module")
def estimator():
    return MixedLM(formula=FORMULA).fit(DATA)


def test_all_have_one(results, estimator):
    assert fitted_model_of(results) is results.fitted_model
    assert fitted_model_of(results.fitted_model) is results.fitted_model
    assert fitted_model_of(estimator).fit is estimator.lmm_fit_
    assert fitted_model_of(results.fit).fit is results.fit
    fitted_here = fitted_model_of(results.model)
    assert_allclose(fitted_here.fit.log_likelihood, results.llf)
    assert fitted_here.rows.model is results.model


@pytest.mark.parametrize(
    "function",
    [
        lambda fitted: inference.t_test(fitted, "Days = 10"),
        lambda fitted: inference.wald_test(fitted, "Days = 10"),
        inference.anova_terms,
        lambda fitted: inference.marginal_means(fitted, "Days").tidy(),
        inference.variance_decomposition,
        inference.ranova,
        lambda fitted: inference.residuals(fitted).to_frame(),
        lambda fitted: inference.bootstrap(fitted, 3, random_state=0).draws,
    ],
)
def test_a_fitted_model_is_as_good_as_results(results, function):
    by_residual_df = results.with_df_method("residual")
    found, expected = function(by_residual_df.fitted_model), function(by_residual_df)
    assert_frame_equal(found, expected)


def test_a_model_with_rows_needs_no_results(results):
    expected = inference.residuals(results)
    assert_series_equal(inference.residuals(results.model), expected, check_index=False)
    test = inference.exact_rlrt(mixedlm("Reaction ~ (1 | Subject)", DATA).model, n_sim=10)
    assert len(test) == 1


def test_rows_are_those_of_fit(estimator):
    found = with_rows(estimator, DATA, None)
    assert_frame_equal(rows_of(found).data, DATA)
    assert estimator.fitted_model.rows is None


@pytest.mark.parametrize("other", [None, "Days", MixedLM(formula=FORMULA), pd.DataFrame()])
def test_nothing_else_is_taken(other):
    expected = rf"Expected a fitted mixed model, got {type(other).__name__}"
    with pytest.raises(TypeError, match=expected):
        inference.t_test(other, "Days = 0")


def test_rows_belong_to_estimators(results, estimator):
    with pytest.raises(TypeError, match="X and y belong to an estimator, and got MixedLMResults"):
        inference.residuals(results, DATA)
    with pytest.raises(TypeError, match=r"MixedLM does not keep\. Pass what it was fitted to"):
        inference.residuals(estimator)
    with pytest.raises(TypeError, match=r"MixedLM does not keep\. Fit with mixedlm"):
        inference.simulate(estimator)


@pytest.mark.parametrize("kind", ["parametric", "case"])
def test_a_statistic_of_the_bootstrap_predicts(results, kind):
    new = DATA.iloc[[0]]

    def statistic(replicate):
        (label,) = new["Subject"]
        effects = replicate.random_effects["Subject"]
        own = effects.loc[label, "Intercept"] if label in effects.index else 0.0
        expected = replicate.params["Intercept"] + own
        return {"predicted": replicate.predict(new)[0], "expected": expected}

    draws = inference.bootstrap(results, 6, kind=kind, statistic=statistic, random_state=0).draws
    assert_allclose(draws["predicted"], draws["expected"], rtol=1e-10)
    assert draws["predicted"].nunique() == 6
