"""The ways to say one model: formula, columns, labels and both estimators give one fit."""

from __future__ import annotations

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, RandomInterceptRegressor, mixedlm

from .checks import assert_same_fit
from .reference import shared_case

INTERCEPTS = {
    "sleep_ri": ["Days"],
    "pigs_ri_ml": ["week"],
    "gpa_ri": ["occasion"],
    "dyestuff": [],
    "math_null": [],
    "machines_ri": ["Machine"],
    "weights_sim": ["F1", "F2", "F3"],
    "weights_sim_ml": ["F1", "F2", "F3"],
}
DIAGONAL = {"covariance": "diagonal"}
SLOPES = {
    "sleep_rs": ("Days", {}),
    "sleep_rs_ml": ("Days", {}),
    "sleep_indep": ("Days", DIAGONAL),
    "weights_sleep": ("Days", {}),
    "pigs_rs": ("week", {}),
    "gpa_rs_indep": ("occasion", DIAGONAL),
    "form_uncorr": ("x", DIAGONAL),
    "form_slope_only": ("x", {"random_intercept": False}),
    "oxboys": ("age", {}),
    "math_ses": ("SES", {}),
}


@pytest.fixture(scope="module")
def case(request, shared):
    return shared_case(shared, request.param)


@pytest.fixture(scope="module")
def rows(case):
    """Return response and labels of a case."""
    response, _, terms = case.formula.partition(" ~ ")
    return case.data[response], case.data[terms.rpartition("|")[2].strip(" )")]


@pytest.mark.parametrize(("case", "columns"), INTERCEPTS.items(), indirect=["case"], scope="module")
class TestIntercepts:
    @pytest.mark.parametrize("estimator", [RandomInterceptRegressor, MixedLM])
    def test_labels_beside_the_columns(self, case, columns, rows, fitted, estimator):
        y, labels = rows
        model = estimator(method=case.method)
        model.fit(predictors(case, columns), y, groups=labels, sample_weight=case.weights)
        assert_same_fit(model.lmm_fit_, fitted.results.fit)

    def test_labels_as_a_column(self, case, columns, rows, fitted):
        y, labels = rows
        X = predictors(case, columns).assign(label=labels)
        model = RandomInterceptRegressor("label", method=case.method)
        model.fit(X, y, sample_weight=case.weights)
        assert_same_fit(model.lmm_fit_, fitted.results.fit)


@pytest.mark.parametrize(("case", "slope"), SLOPES.items(), indirect=["case"], scope="module")
class TestSlopes:
    def test_columns(self, case, slope, rows, fitted):
        column, options = slope
        y, labels = rows
        model = MixedLM("label", random_slopes=column, method=case.method, **options)
        X = case.data[[column]].assign(label=labels)
        model.fit(X, y, sample_weight=case.weights)
        assert_same_fit(model.lmm_fit_, fitted.results.fit)

    def test_arrays(self, case, slope, rows, fitted):
        column, options = slope
        y, labels = rows[0].to_numpy(), rows[1].to_numpy()
        X = case.data[[column]].to_numpy()
        model = MixedLM(random_slopes=0, method=case.method, **options)
        model.fit(X, y, groups=labels, sample_weight=case.weights)
        results = fitted.results
        assert_allclose(model.log_likelihood_, results.llf, rtol=1e-12)
        assert_allclose([model.intercept_, *model.coef_], results.params, rtol=1e-8)
        assert_allclose(model.theta_, results.theta, rtol=1e-8, atol=1e-8)
        assert_allclose(
            model.predict(X, groups=labels), results.fittedvalues, atol=1e-8 * results.sigma
        )


@pytest.mark.parametrize("case", ["sleep_rs", "pigs_rs_ml", "weights_sleep"], indirect=True)
def test_arguments_of_statsmodels(case, fitted):
    fixed, _, bar = case.formula.rpartition(" + (")
    effects, _, label = bar.rstrip(")").partition(" | ")
    results = mixedlm(
        fixed,
        case.data,
        groups=label,
        re_formula=f"~{effects}",
        method=case.method,
        weights=case.weights,
    )
    assert_same_fit(results.fit, fitted.results.fit)


def predictors(case, columns):
    """Return columns of the data, factors as columns of 0 and 1 under R's names."""
    if not columns:
        return case.data[columns]
    return pd.get_dummies(case.data[columns], prefix_sep="", drop_first=True, dtype=float)
