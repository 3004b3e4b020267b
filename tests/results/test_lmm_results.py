"""Results against closed forms and statsmodels, and their shapes and labels."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skmixed import MixedLM, NoGroupsWarning, mixedlm
from skmixed.datasets import load_dyestuff
from skmixed.inference import confint
from skmixed.prediction.fitted_model import FittedModel
from skmixed.results import MixedLMResults


@pytest.fixture(scope="module")
def least_squares(sleepstudy):
    with pytest.warns(NoGroupsWarning):
        return mixedlm("Reaction ~ Days", sleepstudy)


@pytest.fixture(scope="module")
def aliased(sleepstudy):
    data = sleepstudy.assign(twice=2.0 * sleepstudy["Days"])
    with pytest.warns(UserWarning, match="rank deficient"):
        return mixedlm("Reaction ~ Days + twice + (1 | Subject)", data)


@pytest.fixture(scope="module")
def closed_form():
    data = load_dyestuff()
    groups = data.groupby("Batch", observed=True)["Yield"]
    size, means = int(groups.size().iloc[0]), groups.mean()
    between = size * means.var()
    within = groups.var().mean()
    return {
        "size": size,
        "means": means,
        "between": between,
        "within": within,
        "variance": (between - within) / size,
    }


@pytest.fixture(scope="module")
def other(sleepstudy):
    model = smf.mixedlm(
        "Reaction ~ Days", sleepstudy, groups=sleepstudy["Subject"], re_formula="~Days"
    )
    return model.fit(method="lbfgs")


class TestOneWayLayout:
    """The REML estimates of a balanced one-way layout (Searle, Casella and McCulloch 1992, 3.8)."""

    def test_variances(self, one_way, closed_form):
        table = one_way.variance_components
        expected = np.array([closed_form["variance"], closed_form["within"]])
        assert_allclose(table["vcov"], expected, rtol=1e-6)
        assert_allclose(table["sdcor"], np.sqrt(expected), rtol=1e-6)
        assert_allclose(table["share"], expected / expected.sum(), rtol=1e-6)
        assert_allclose(one_way.scale, closed_form["within"], rtol=1e-6)
        assert_allclose(one_way.theta, np.sqrt(expected[0] / expected[1]), rtol=1e-6)

    def test_mean(self, one_way, closed_form):
        n = closed_form["size"] * len(closed_form["means"])
        assert_allclose(one_way.params["Intercept"], closed_form["means"].mean(), rtol=1e-12)
        assert_allclose(one_way.bse["Intercept"], np.sqrt(closed_form["between"] / n), rtol=1e-6)

    def test_random_effects(self, one_way, closed_form):
        means = closed_form["means"]
        shrinkage = 1.0 - closed_form["within"] / closed_form["between"]
        modes = shrinkage * (means - means.mean())
        assert_allclose(one_way.random_effects["Batch"]["Intercept"], modes, rtol=1e-5)
        assert_allclose(
            one_way.random_effects_sd["Batch"]["Intercept"],
            np.sqrt(closed_form["variance"] * (1.0 - shrinkage)),
            rtol=1e-5,
        )
        assert_allclose(
            one_way.group_coefficients["Batch"]["Intercept"], means.mean() + modes, rtol=1e-9
        )


class TestAgainstStatsmodels:
    # statsmodels stops some way before the optimum.
    def test_fixed_effects(self, slopes, other):
        slopes = slopes.with_df_method("normal")
        assert_allclose(slopes.params, other.fe_params, rtol=1e-6)
        assert_allclose(slopes.bse, other.bse_fe, rtol=1e-3)
        assert_allclose(slopes.tvalues, other.tvalues[["Intercept", "Days"]], rtol=1e-3)
        assert_allclose(
            np.log(slopes.pvalues), np.log(other.pvalues[["Intercept", "Days"]]), rtol=1e-2
        )
        assert_allclose(slopes.conf_int(0.1), other.conf_int(0.1).iloc[:2], rtol=1e-3)

    def test_labels(self, slopes, other):
        assert list(slopes.params.index) == list(other.fe_params.index)
        assert list(slopes.conf_int().columns) == list(other.conf_int().columns)

    def test_random_effects(self, slopes, other):
        assert_allclose(slopes.cov_re, other.cov_re, rtol=1e-2)
        assert_allclose(slopes.scale, other.scale, rtol=1e-3)
        modes = pd.DataFrame(other.random_effects).T
        assert_array_equal(slopes.random_effects["Subject"].index, modes.index)
        assert_allclose(slopes.random_effects["Subject"], modes, atol=0.05)

    def test_least_squares(self, least_squares, sleepstudy):
        other = smf.ols("Reaction ~ Days", sleepstudy).fit()
        assert_allclose(least_squares.params, other.params, rtol=1e-10)
        assert_allclose(least_squares.bse, other.bse, rtol=1e-10)
        assert_allclose(least_squares.cov_params(), other.cov_params(), rtol=1e-10)
        assert_allclose(least_squares.scale, other.scale, rtol=1e-10)


def test_p_values_of_the_normal_distribution(slopes):
    slopes = slopes.with_df_method("normal")
    z = slopes.params / slopes.bse
    assert_allclose(slopes.pvalues, 2.0 * stats.norm.sf(z), rtol=1e-12)
    # 1 - cdf would give 0.
    assert 0.0 < slopes.pvalues["Intercept"] < 1e-200


def test_tidy(slopes):
    slopes = slopes.with_df_method("normal")
    table = slopes.tidy(conf_level=0.9)
    assert list(table.columns) == [
        "term", "estimate", "se", "df", "statistic", "p_value", "lower", "upper"
    ]  # fmt: skip
    assert list(table["term"]) == ["Intercept", "Days"]
    assert_array_equal(table["df"], np.inf)
    assert_array_equal(table["estimate"], slopes.params)
    assert_array_equal(table[["lower", "upper"]], slopes.conf_int(alpha=0.1))
    half = 1.6448536269514722 * slopes.bse.to_numpy()
    assert_allclose(table["upper"] - table["estimate"], half, rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, np.nan, 95])
def test_confidence_level_is_checked(slopes, alpha):
    with pytest.raises(ValueError, match="between 0 and 1"):
        slopes.conf_int(alpha)


def test_variance_components(slopes):
    table = slopes.variance_components
    assert list(table.columns) == ["group", "name1", "name2", "vcov", "sdcor", "share"]
    assert [tuple(row) for row in table[["group", "name1", "name2"]].to_numpy()] == [
        ("Subject", "Intercept", None),
        ("Subject", "Days", None),
        ("Subject", "Intercept", "Days"),
        ("Residual", None, None),
    ]
    covariance = slopes.cov_re.to_numpy()
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert_allclose(table["sdcor"].iloc[2], correlation, rtol=1e-12)
    assert np.isnan(table["share"].iloc[2])
    assert_allclose(table["share"].sum(), 1.0, rtol=1e-12)


def test_group_coefficients(slopes):
    table = slopes.group_coefficients["Subject"]
    assert_allclose(table, slopes.random_effects["Subject"] + slopes.params, rtol=1e-12)
    assert table.index.name == "Subject"


def test_group_coefficients_of_effects_that_are_not_fixed(sleepstudy):
    results = mixedlm("Reaction ~ 1 + (0 + Days | Subject)", sleepstudy)
    table = results.group_coefficients["Subject"]
    assert list(table.columns) == ["Intercept", "Days"]
    assert_array_equal(table["Days"], results.random_effects["Subject"]["Days"])
    assert_array_equal(table["Intercept"], results.params["Intercept"])


def test_interactions_have_a_label_for_each_column(sleepstudy):
    data = sleepstudy.assign(half=np.where(sleepstudy["Days"] < 5, "early", "late"))
    results = mixedlm("Reaction ~ Days + (1 | Subject:half)", data)
    index = results.random_effects["Subject:half"].index
    assert list(index.names) == ["Subject", "half"]
    assert len(index) == 36
    assert results.n_groups == {"Subject:half": 36}


def test_without_groups(least_squares):
    assert least_squares.random_effects == {}
    assert least_squares.n_groups == {}
    assert least_squares.cov_re.empty
    assert len(least_squares.theta) == 0
    assert list(least_squares.variance_components["group"]) == ["Residual"]
    assert_array_equal(least_squares.variance_components["share"], 1.0)


def test_aliased_coefficients(aliased):
    assert aliased.params["twice"] == 0.0
    for values in (aliased.bse, aliased.tvalues, aliased.pvalues, aliased.conf_int()[0]):
        assert np.isnan(values["twice"])
        assert np.isfinite(values["Days"])


def test_exact_fit_has_no_shares(sleepstudy):
    with pytest.warns(UserWarning, match="y is constant"):
        results = mixedlm("Reaction ~ 1 + (1 | Subject)", sleepstudy.assign(Reaction=3.0))
    assert results.variance_components["share"].isna().all()
    assert_array_equal(results.bse, 0.0)
    assert "y is constant" in str(results.summary())


class TestRows:
    def test_are_asked_for_where_they_are_not_kept(self, slopes):
        results = MixedLMResults(FittedModel(slopes.fit))
        for name in ("fittedvalues", "resid", "resid_pearson"):
            with pytest.raises(AttributeError, match="keep no rows"):
                getattr(results, name)

    def test_residuals(self, slopes, sleepstudy):
        rows = replace(slopes.fitted_model.rows, weights=np.arange(180.0))
        results = MixedLMResults(replace(slopes.fitted_model, rows=rows))
        fitted = slopes.predict(sleepstudy)
        assert_array_equal(results.predict(), fitted)
        assert_array_equal(results.resid, sleepstudy["Reaction"] - fitted)
        expected = results.resid * np.sqrt(np.arange(180.0)) / slopes.sigma
        assert_allclose(results.resid_pearson, expected)


class TestPredict:
    def test_hands_everything_to_the_fitted_model(self, sleepstudy):
        X, labels = sleepstudy[["Days"]].to_numpy(), sleepstudy["Subject"].to_numpy()
        model = MixedLM().fit(X, sleepstudy["Reaction"], groups=labels)
        switches = {"include_random_effects": False, "kind": "mean", "return_cov": True}
        for found, expected in zip(
            model.results_.predict(X[:3], groups=labels[:3], **switches),
            model.predict(X[:3], groups=labels[:3], **switches),
            strict=True,
        ):
            assert_array_equal(found, expected)
        with pytest.raises(ValueError, match="X has 2 features, but MixedLM is expecting 1"):
            model.results_.predict(np.ones((3, 2)), groups=labels[:3])

    def test_options_need_data(self, slopes):
        with pytest.raises(ValueError, match="Pass data"):
            slopes.predict(include_random_effects=False)

    def test_needs_a_predictor(self, slopes):
        with pytest.raises(ValueError, match="no predictor"):
            MixedLMResults(FittedModel(slopes.fit)).predict("rows")


def test_pickle(slopes):
    copy = pickle.loads(pickle.dumps(slopes))
    pd.testing.assert_frame_equal(copy.tidy(), slopes.tidy())
    pd.testing.assert_frame_equal(copy.random_effects["Subject"], slopes.random_effects["Subject"])
    assert str(copy.summary()) == str(slopes.summary())


def test_tables_do_not_share_memory_with_the_fit(sleepstudy):
    results = mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy)
    modes = results.fit.random[0].modes.copy()
    results.random_effects["Subject"].iloc[:, 0] = 0.0
    results.params["Days"] = 0.0
    assert_array_equal(results.fit.random[0].modes, modes)
    assert results.fit.fixed.coefficients[1] != 0.0


def test_nothing_is_computed_before_it_is_asked_for(slopes):
    results = MixedLMResults(FittedModel(slopes.fit))
    assert set(vars(results)) == {"fitted_model"}
    assert results.params["Days"] == slopes.params["Days"]
    assert "params" in vars(results)


def test_repr_is_short(slopes):
    assert repr(slopes) == (
        "<MixedLMResults: Reaction ~ Days + (Days | Subject), REML, 180 observations>"
    )


def test_df_method_is_checked(slopes):
    with pytest.raises(ValueError, match=r"'normal'.*'guess'"):
        MixedLMResults(FittedModel(slopes.fit, df_method="guess"))


def test_intervals_of_every_kind_have_the_columns_of_statsmodels(slopes):
    for options in ({}, {"which": "all"}, {"method": "profile", "which": "random"}):
        table = slopes.conf_int(0.1, **options)
        assert list(table.columns) == [0, 1]
        assert (table[0] < table[1]).all()
    assert_allclose(
        slopes.conf_int(0.1, which="all").loc[["Intercept", "Days"]], slopes.conf_int(0.1)
    )
    assert "sigma" in slopes.conf_int(which="random").index


def test_bootstrap_intervals_are_those_of_confint(slopes):
    options = {"n": 60, "random_state": 3}
    table = slopes.conf_int(0.1, method="bootstrap", which="all", **options)
    expected = confint(slopes, "bootstrap", "all", level=0.9, **options)
    assert table.index.to_list() == expected["parameter"].to_list()
    assert_array_equal(table, expected[["lower", "upper"]])
    alone = MixedLMResults(FittedModel(slopes.fit))
    with pytest.raises(TypeError, match=r"rows of the data, which MixedLMResults does not keep"):
        alone.conf_int(method="bootstrap")


def test_hypotheses_are_tested_on_the_results(slopes):
    (row,) = slopes.t_test("Days = 0").itertuples()
    assert_allclose([row.statistic, row.p_value], [slopes.tvalues["Days"], slopes.pvalues["Days"]])
    (joint,) = slopes.wald_test("Days = 0").itertuples()
    assert_allclose(joint.statistic, row.statistic**2)
