"""Rows 1 to 13 of the promised features: models and formulas, in every spelling, against R."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.checks import assert_same_fit
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from skmixed import MixedLM, NoGroupsWarning, RandomInterceptRegressor, mixedlm
from skmixed.datasets import load_pastes
from skmixed.results import MixedLMResults

from .cases import fit_as_in_r, site_case


def with_cases(*names: str) -> pytest.MarkDecorator:
    """Run a test on each of these cases, ``"source/name"``."""
    return pytest.mark.parametrize("case", names, indirect=True)


def assert_same_spellings(
    data: pd.DataFrame, first: str, *others: str, method: str = "reml"
) -> MixedLMResults:
    """Check that formulas say one model, by function and by estimator; return the first's fit."""
    expected = mixedlm(first, data, method=method)
    for formula in others:
        assert_same_fit(mixedlm(formula, data, method=method).fit, expected.fit)
        assert_same_fit(MixedLM(formula=formula, method=method).fit(data).lmm_fit_, expected.fit)
    return expected


def assert_same_predictions(
    model: MixedLM | Pipeline, results: MixedLMResults, rows: pd.DataFrame
) -> None:
    """Check fit and predictions of an estimator whose columns may have other names, to 1e-8."""
    regressor = model[-1] if isinstance(model, Pipeline) else model
    atol = 1e-8 * results.sigma
    assert_allclose(regressor.log_likelihood_, results.llf, rtol=1e-12)
    assert_allclose(model.predict(rows), results.predict(rows), atol=atol)
    assert_allclose(
        model.predict(rows, include_random_effects=False),
        results.predict(rows, include_random_effects=False),
        atol=atol,
    )


def on_columns(*transformers: tuple, model: MixedLM) -> Pipeline:
    """Put transformers of some columns before a model that needs the others as they are."""
    columns = make_column_transformer(*transformers, remainder="passthrough")
    return make_pipeline(columns.set_output(transform="pandas"), model)


def deviations(results: MixedLMResults, data: pd.DataFrame, covariate: str) -> np.ndarray:
    """Add up what the groups of each row deviate by: intercepts, and slopes times a covariate."""
    total = np.zeros(len(data))
    for factor, effects in results.random_effects.items():
        values = effects.loc[data[factor]].to_numpy()
        columns = [1.0 if name == "Intercept" else data[covariate] for name in effects]
        total += sum(values[:, j] * column for j, column in enumerate(columns))
    return total


class TestRow01RandomInterceptWithSingletons:
    """A random intercept and one slope for all; groups of any size, some of a single row."""

    @with_cases("sites/singletons", "shared/weights_sim", "shared/pigs_ri", "shared/gpa_ri")
    def test_row_01_random_intercept_with_singletons(self, case):
        fit_as_in_r(case)

    def test_calls(self, sites):
        results = mixedlm("y ~ x + (1 | owner)", sites)
        y, labels = sites["y"], sites["owner"]
        models = [
            RandomInterceptRegressor().fit(sites[["x"]], y, groups=labels),
            RandomInterceptRegressor("owner").fit(sites[["x", "owner"]], y),
            MixedLM().fit(sites[["x"]], y, groups=labels),
            MixedLM("owner").fit(sites[["owner", "x"]], y),
            MixedLM(formula="y ~ x + (1|g)").fit(sites.assign(g=labels)),
            MixedLM(formula="~ x + (1 | owner)").fit(sites, y),
        ]
        for model in models:
            assert_same_fit(model.lmm_fit_, results.fit)

    def test_shrinkage_of_singletons(self, sites):
        """A group of n rows keeps n / (n + sigma^2 / tau^2) of its mean residual."""
        results = mixedlm("y ~ x + (1 | owner)", sites)
        residuals = sites["y"] - results.predict(sites, include_random_effects=False)
        groups = residuals.groupby(sites["owner"], observed=True)
        n = groups.size()
        assert (n == 1).sum() == 20
        assert n.max() > 5
        kept = n / (n + 1.0 / results.theta[0] ** 2)
        assert_allclose(
            results.random_effects["owner"]["Intercept"].loc[n.index],
            kept * groups.mean(),
            atol=1e-10 * results.sigma,
        )


class TestRow02NoPredictor:
    """Variance components alone: the mean, the groups and the residuals."""

    @with_cases(
        "sites/no_predictor",
        "bundled/dyestuff",
        "bundled/dyestuff2",
        "bundled/dyestuff_ml",
        "shared/math_null",
    )
    def test_row_02_no_predictor_variance_components(self, case):
        fit_as_in_r(case)

    def test_calls(self, sites):
        results = mixedlm("y ~ 1 + (1 | site)", sites)
        y, labels, nothing = sites["y"], sites["site"], np.empty((len(sites), 0))
        for model in [
            RandomInterceptRegressor().fit(nothing, y, groups=labels),
            RandomInterceptRegressor("site").fit(sites[["site"]], y),
            MixedLM().fit(nothing, y, groups=labels),
            MixedLM(formula="y ~ 1 + (1|site)").fit(sites),
            MixedLM(formula="y ~ (1 | site)").fit(sites),
        ]:
            assert_same_fit(model.lmm_fit_, results.fit)
            assert model.coef_.shape == (0,)


class TestRow03FactorPredictor:
    """A factor among the fixed effects: its levels but one become columns."""

    @with_cases("sites/kind", "shared/machines_ri", "shared/weights_sim", "shared/gpa_ri_sex")
    def test_row_03_factor_predictor(self, case):
        fit_as_in_r(case)

    @pytest.mark.parametrize("dtype", [object, "category"])
    def test_one_column_for_each_level_but_the_first(self, sites, dtype):
        data = sites.astype({"kind": dtype})
        results = mixedlm("y ~ kind + x + (1 | site)", data)
        assert list(results.params.index) == ["Intercept", "kind[T.moist]", "kind[T.wet]", "x"]
        assert_same_fit(results.fit, mixedlm(site_case("kind").formula, sites).fit)

    @pytest.mark.parametrize("estimator", [RandomInterceptRegressor, MixedLM])
    def test_one_hot_encoder_in_a_pipeline(self, sites, estimator):
        known, new = sites[:250], sites[250:]
        model = on_columns(
            (OneHotEncoder(drop="first", sparse_output=False), ["kind"]),
            model=estimator("site"),
        )
        model.fit(known[["kind", "x", "site"]], known["y"])
        assert_same_predictions(model, mixedlm("y ~ kind + x + (1 | site)", known), new)


class TestRow04CorrelatedSlope:
    """A random intercept and a random slope, correlated."""

    @with_cases(
        "sites/slope",
        "bundled/sleep_slopes",
        "bundled/sleep_slopes_ml",
        "shared/ogorek_plain",
        "shared/form_rs",
        "shared/sim757_full",
        "shared/pigs_rs",
        "shared/gpa_rs",
    )
    def test_row_04_random_intercept_and_slope(self, case):
        fit_as_in_r(case)

    def test_calls(self, sites):
        results = assert_same_spellings(
            sites,
            "y ~ x + (x | site)",
            "y ~ x + (1 + x | site)",
            "y ~ x + us(1 + x | site)",
        )
        assert_same_fit(mixedlm("y ~ x", sites, groups="site", re_formula="~x").fit, results.fit)
        y, labels = sites["y"], sites["site"]
        for model in [
            MixedLM("site", random_slopes=["x"]).fit(sites[["x", "site"]], y),
            MixedLM("site", random_slopes={"site": "x"}).fit(sites[["x", "site"]], y),
            MixedLM(random_slopes=["x"]).fit(sites[["x"]], y, groups=labels),
        ]:
            assert_same_fit(model.lmm_fit_, results.fit)


class TestRow05SlopeOnly:
    """A slope that varies between groups, from an intercept that does not."""

    @with_cases(
        "sites/slope_only",
        "bundled/sleep_slopes_only",
        "shared/form_slope_only",
        "shared/sim757_slope",
    )
    def test_row_05_random_slope_only(self, case):
        results = fit_as_in_r(case)
        assert len(results.theta) == 1

    def test_calls(self, sites):
        results = assert_same_spellings(
            sites,
            "y ~ x + (0 + x | site)",
            "y ~ x + (x - 1 | site)",
            "y ~ x + (-1 + x | site)",
        )
        model = MixedLM("site", random_slopes="x", random_intercept=False)
        model.fit(sites[["x", "site"]], sites["y"])
        assert_same_fit(model.lmm_fit_, results.fit)


class TestRow06UncorrelatedSlope:
    """A random intercept and a random slope without a correlation."""

    @with_cases(
        "sites/uncorrelated",
        "bundled/sleep_independent",
        "bundled/sleep_two_terms_ml",
        "shared/form_uncorr",
        "shared/pigs_rs_indep",
        "shared/gpa_rs_indep",
    )
    def test_row_06_uncorrelated_intercept_and_slope(self, case):
        results = fit_as_in_r(case)
        assert results.variance_components["name2"].isna().all()

    def test_calls(self, sites):
        results = assert_same_spellings(
            sites,
            "y ~ x + (1 | site) + (0 + x | site)",
            "y ~ x + (x || site)",
            "y ~ x + (1 + x || site)",
            "y ~ x + diag(1 + x | site)",
        )
        for covariance in ["diag", "diagonal", {"site": "diagonal"}]:
            model = MixedLM("site", random_slopes="x", covariance=covariance)
            model.fit(sites[["x", "site"]], sites["y"])
            assert_same_fit(model.lmm_fit_, results.fit)


class TestRow07Nested:
    """Blocks within sites, numbered anew in each: intercepts, or slopes as well."""

    @with_cases(
        "sites/nested",
        "sites/nested_slopes",
        "bundled/pastes_nested",
        "shared/form_nested",
        "shared/form_nested_slopes",
        "shared/nurses_slash",
        "shared/pastes",
        "shared/oats",
    )
    def test_row_07_nested_factors(self, case):
        fit_as_in_r(case)

    def test_calls(self, sites):
        results = assert_same_spellings(
            sites,
            "y ~ x + (1 | site/block)",
            "y ~ x + (1 | site) + (1 | site:block)",
            "y ~ x + (1 | site:block) + (1 | site)",
        )
        assert results.n_groups == {"site:block": 60, "site": 12}
        X, y = sites[["x", "site", "block"]], sites["y"]
        for groups in ["site/block", ["site/block"], ["site", "site:block"]]:
            assert_same_fit(MixedLM(groups).fit(X, y).lmm_fit_, results.fit)
        labels = pd.DataFrame({"site": sites["site"], "site:block": sites["plot"]})
        by_labels = MixedLM().fit(sites[["x"]], y, groups=labels)
        assert_allclose(by_labels.log_likelihood_, results.llf, rtol=1e-12)
        assert_allclose(by_labels.theta_, results.theta, rtol=1e-8)

    def test_calls_with_slopes(self, sites):
        results = assert_same_spellings(
            sites,
            "y ~ x + (x | site/block)",
            "y ~ x + (1 + x | site/block)",
            "y ~ x + (x | site) + (x | site:block)",
        )
        X, y = sites[["x", "site", "block"]], sites["y"]
        for slopes in ["x", {"site": "x", "site:block": ["x"]}]:
            model = MixedLM("site/block", random_slopes=slopes).fit(X, y)
            assert_same_fit(model.lmm_fit_, results.fit)


class TestRow08Interaction:
    """The combinations of two columns as one factor; unique labels need none."""

    @with_cases(
        "bundled/pastes_interaction_ml",
        "shared/nurses_hierach",
        "shared/nurses_hierach2",
        "shared/nurses_nested",
        "shared/cake",
    )
    def test_row_08_interaction_as_a_factor(self, case):
        fit_as_in_r(case)

    @pytest.mark.parametrize("factor", ["site:block", "site:plot", "plot"])
    def test_three_parameterisations_agree(self, sites, factor):
        """Levels sort by their labels, which differ: they are compared row by row."""
        expected = mixedlm("y ~ x + (1 | site) + (1 | site:block)", sites)
        results = mixedlm(f"y ~ x + (1 | site) + (1 | {factor})", sites)
        columns = ["x", "site", factor.removeprefix("site:")]
        model = MixedLM(["site", factor]).fit(sites[columns], sites["y"])
        for other in (results, model.results_):
            assert_allclose(other.llf, expected.llf, rtol=1e-12)
            assert_allclose(other.theta, expected.theta, rtol=1e-8)
            assert_allclose(other.sigma, expected.sigma, rtol=1e-8)
        for name in ("params", "bse", "fittedvalues"):
            assert_allclose(getattr(results, name), getattr(expected, name), rtol=1e-8)

    def test_labels_that_repeat_are_another_model(self):
        """The casks a, b, c of every batch are taken for three casks in all."""
        pastes = load_pastes()
        right = mixedlm("strength ~ 1 + (1 | batch) + (1 | sample)", pastes)
        wrong = mixedlm("strength ~ 1 + (1 | batch) + (1 | cask)", pastes)
        assert right.n_groups == {"sample": 30, "batch": 10}
        assert wrong.n_groups == {"batch": 10, "cask": 3}
        assert right.llf - wrong.llf > 10.0


class TestRow09Crossed:
    """Two factors whose levels meet: each has a variance of its own."""

    @with_cases(
        "sites/crossed",
        "bundled/penicillin",
        "bundled/sleep_crossed",
        "shared/form_crossed",
        "shared/pupils",
        "shared/pupils_ml",
    )
    def test_row_09_crossed_factors(self, case):
        fit_as_in_r(case)

    def test_calls(self, sites):
        results = assert_same_spellings(
            sites,
            "y ~ x + (1 | site) + (1 | item)",
            "y ~ (1 | item) + x + (1 | site)",
        )
        X, y = sites[["x", "site", "item"]], sites["y"]
        for groups in [["site", "item"], ("item", "site"), lambda X: X.columns[1:]]:
            assert_same_fit(MixedLM(groups).fit(X, y).lmm_fit_, results.fit)
        model = MixedLM().fit(sites[["x"]], y, groups=sites[["site", "item"]])
        assert_same_fit(model.lmm_fit_, results.fit)
        predicted = model.predict(sites[["x"]], groups=sites[["item", "site"]])
        assert_allclose(predicted, results.fittedvalues, atol=1e-8 * results.sigma)


class TestRow10FixedAndRandom:
    """Sites among the fixed effects, blocks within them random."""

    @with_cases(
        "sites/fixed_site",
        "sites/fixed_site_slopes",
        "shared/form_fixed_site",
        "shared/form_fixed_site_slopes",
    )
    def test_row_10_fixed_sites_and_random_blocks(self, case):
        fit_as_in_r(case)

    def test_calls(self, sites):
        results = mixedlm("y ~ site + (1 | site:block)", sites)
        model = on_columns(
            (OneHotEncoder(drop="first", sparse_output=False), ["site"]), model=MixedLM("plot")
        )
        model.fit(sites[["site", "plot"]], sites["y"])
        assert_same_predictions(model, results, sites)
        both = sites.assign(region=sites["site"])
        model = on_columns(
            (OneHotEncoder(drop="first", sparse_output=False), ["region"]),
            model=MixedLM("remainder__site:remainder__block"),
        )
        model.fit(both[["region", "site", "block"]], both["y"])
        assert_same_predictions(model, results, both)

    def test_calls_with_slopes(self, sites):
        assert_same_spellings(
            sites,
            "y ~ x * site + (x | site:block)",
            "y ~ x + site + x:site + (1 + x | site:block)",
        )


BARR = {
    "Y ~ X": (None, {}),
    "Y ~ X + (1 | Subj)": ("intercept", {"Subj": ["Intercept"]}),
    "Y ~ X + (1 + X | Subj)": ("slope", {"Subj": ["Intercept", "X"]}),
    "Y ~ X + (1 + X | Subj) + (1 | Item)": (
        "slope_crossed",
        {"Subj": ["Intercept", "X"], "Item": ["Intercept"]},
    ),
    "Y ~ X + (1 | Subj) + (0 + X | Subj) + (1 | Item)": (
        "uncorrelated_crossed",
        {"Subj": ["Intercept", "X"], "Item": ["Intercept"]},
    ),
    "Y ~ X + (0 + X | Subj) + (1 | Item)": (
        "slope_only_crossed",
        {"Subj": ["X"], "Item": ["Intercept"]},
    ),
    "Y ~ X + (0 + X | Subj)": ("slope_only", {"Subj": ["X"]}),
}
"""The equations of seven models as formulas, R's figures of each, and which effects deviate."""


class TestRow11SeveralTerms:
    """Terms of several factors, each with its own effects; seven equations and their formulas."""

    @with_cases(
        "sites/two_levels",
        "sites/slope_crossed",
        "sites/uncorrelated_crossed",
        "sites/slope_only_crossed",
        "shared/form_two_levels",
        "shared/form_rs_crossed",
        "shared/form_uncorr_crossed",
        "shared/form_slope_only_crossed",
        "bundled/sleep_days_ml",
    )
    def test_row_11_several_terms(self, case):
        fit_as_in_r(case)

    def test_calls(self, sites):
        results = mixedlm("y ~ x1 + x2 + (x1 | site) + (x2 | block)", sites)
        model = MixedLM(["site", "block"], random_slopes={"site": "x1", "block": ["x2"]})
        model.fit(sites[["x1", "x2", "site", "block"]], sites["y"])
        assert_same_fit(model.lmm_fit_, results.fit)

    @pytest.mark.parametrize(("formula", "row"), BARR.items(), ids=list(BARR))
    def test_equation_of_a_formula(self, sites, formula, row):
        """The fit is R's, and its fitted values are what the equation adds up."""
        name, effects = row
        data = sites.rename(columns={"y": "Y", "x": "X", "site": "Subj", "item": "Item"})
        if name is None:
            with pytest.warns(NoGroupsWarning):
                results = mixedlm(formula, data)
            expected = np.polynomial.Polynomial.fit(data["X"], data["Y"], 1).convert().coef
            assert_allclose(results.params, expected, rtol=1e-10)
        else:
            results = mixedlm(formula, data)
            reference = fit_as_in_r(site_case(name))
            assert_allclose(results.llf, reference.llf, rtol=1e-12)
            assert_allclose(results.theta, reference.theta, rtol=1e-8)
            assert_allclose(results.params, reference.params, rtol=1e-8)
        assert {factor: list(table) for factor, table in results.random_effects.items()} == effects
        intercept, slope = results.params
        equation = intercept + slope * data["X"] + deviations(results, data, "X")
        assert_allclose(results.fittedvalues, equation, atol=1e-8 * results.sigma)

    @pytest.mark.parametrize(
        ("slopes", "covariance", "formula"),
        [
            (None, "unstructured", "Y ~ X + (1 | Subj)"),
            ("X", "unstructured", "Y ~ X + (1 + X | Subj)"),
            ("X", "diagonal", "Y ~ X + (1 + X || Subj)"),
            ({"Subj": "X"}, "unstructured", "Y ~ X + (1 + X | Subj) + (1 | Item)"),
            ({"Subj": "X"}, {"Subj": "diagonal"}, "Y ~ X + (1 + X || Subj) + (1 | Item)"),
        ],
    )
    def test_formulas_without_a_formula(self, sites, slopes, covariance, formula):
        data = sites.rename(columns={"y": "Y", "x": "X", "site": "Subj", "item": "Item"})
        groups = ["Subj", "Item"] if "Item" in formula else "Subj"
        model = MixedLM(groups, random_slopes=slopes, covariance=covariance)
        columns = ["X", *([groups] if isinstance(groups, str) else groups)]
        model.fit(data[columns], data["Y"])
        assert_same_fit(model.lmm_fit_, mixedlm(formula, data).fit)


class TestRow12Interactions:
    """Products of covariates, and of covariates of a row with covariates of its group."""

    @with_cases(
        "sites/cross_level",
        "sites/interactions",
        "shared/ogorek_cross",
        "shared/math_cross",
        "shared/exam_full",
        "shared/gpa_job",
        "shared/orth_sex",
    )
    def test_row_12_interactions_and_cross_level(self, case):
        fit_as_in_r(case)

    def test_spellings(self, sites):
        assert_same_spellings(
            sites,
            "y ~ x + a + x * a + (1 + x | site)",
            "y ~ x * a + (x | site)",
            "y ~ x + a + x:a + (x | site)",
            "y ~ (x + a)**2 + (x | site)",
        )
        assert_same_spellings(
            sites,
            "y ~ kind * age + x * age + x1 + (x | site)",
            "y ~ kind + age + kind:age + x + x:age + x1 + (x | site)",
        )

    def test_covariate_of_the_group_stays_a_fixed_effect(self, sites):
        results = mixedlm("y ~ x * a + (x | site)", sites)
        assert (sites.groupby("site", observed=True)["a"].nunique() == 1).all()
        assert list(results.params.index) == ["Intercept", "x", "a", "x:a"]
        assert np.isfinite(results.bse).all()

    def test_polynomial_features_in_a_pipeline(self, sites):
        new = sites.assign(x=-sites["x"], a=sites["a"] + 1.0)
        products = PolynomialFeatures(interaction_only=True, include_bias=False)
        model = on_columns(
            (products, ["x", "a"]), model=MixedLM("site", random_slopes="x", covariance="diagonal")
        )
        model.fit(sites[["x", "a", "site"]], sites["y"])
        assert_same_predictions(model, mixedlm("y ~ x * a + (x || site)", sites), new)


CENTRED = ["scale(age, scale=False)", "center(age)", "scale(age, center=True, scale=False)"]


class TestRow13Centring:
    """Covariates less a number or less their mean, which new rows do not change."""

    @with_cases("sites/centred", "sites/centred_by_hand", "shared/orth_sex")
    def test_row_13_centred_covariates(self, case):
        fit_as_in_r(case)

    @pytest.mark.parametrize("age", CENTRED)
    def test_spellings(self, sites, age):
        known, new = sites[:250], sites[250:]
        mean = known["age"].mean()
        results = mixedlm(f"y ~ {age} + ({age} | site)", known)
        by_hand = mixedlm(
            "y ~ centred + (centred | site)", known.assign(centred=known["age"] - mean)
        )
        assert_allclose(results.llf, by_hand.llf, rtol=1e-12)
        assert_allclose(results.params, by_hand.params, rtol=1e-8)
        assert_allclose(results.theta, by_hand.theta, rtol=1e-8, atol=1e-8)
        rows = new.assign(centred=new["age"] - mean)
        for part in (rows, rows[:1]):
            assert_allclose(results.predict(part), by_hand.predict(part), atol=1e-8 * results.sigma)

    def test_standard_scaler_in_a_pipeline(self, sites):
        known, new = sites[:250], sites[250:]
        model = on_columns(
            (StandardScaler(with_std=False), ["age"]), model=MixedLM("site", random_slopes="age")
        )
        model.fit(known[["age", "site"]], known["y"])
        results = mixedlm("y ~ center(age) + (center(age) | site)", known)
        assert_same_predictions(model, results, new)
        assert_allclose([model[-1].intercept_, *model[-1].coef_], results.params, rtol=1e-8)

    @pytest.mark.parametrize("age", ["age", "I(age - 36)", *CENTRED])
    def test_only_the_intercept_moves(self, sites, age):
        """A constant taken off a covariate changes neither the fit nor its slope."""
        plain = mixedlm("y ~ age + (age | site)", sites)
        results = mixedlm(f"y ~ {age} + ({age} | site)", sites)
        assert_allclose(results.llf, plain.llf, rtol=1e-10)
        assert_allclose(results.params.iloc[1], plain.params.iloc[1], rtol=1e-6)
        assert_allclose(results.fittedvalues, plain.fittedvalues, atol=1e-6 * plain.sigma)
