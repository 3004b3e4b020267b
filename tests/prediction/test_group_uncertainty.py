"""Effects and coefficients of groups with uncertain variances: dense algebra and textbooks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from in_turn import in_turn
from numpy.testing import assert_allclose
from prediction.henderson import henderson, three_factors
from prediction.kriging import Kriging, Term, delta_method
from scipy import stats

from skmixed import NoGroupsWarning, SingularFitWarning, mixedlm
from skmixed.datasets import (
    load_dyestuff,
    load_dyestuff2,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
)
from skmixed.inference import bootstrap
from skmixed.prediction.delta import DeltaMethod, FiniteDifferences
from skmixed.prediction.group_errors import group_coefficients, group_effects
from skmixed.results import (
    MixedLMResults,
    group_coefficients_table,
    random_effects_table,
)

pytestmark = pytest.mark.exhaustive(5)


def sleep() -> pd.DataFrame:
    """Return a few subjects and days, in units that make all variances about 1."""
    data = load_sleepstudy().query("Days % 2 == 1")
    data = data[data["Subject"].isin(data["Subject"].unique()[-10:])]
    weights = np.random.default_rng(3).uniform(0.2, 3.0, len(data))
    return data.assign(y=data["Reaction"] / 25.0, x=data["Days"] / 5.0, w=weights)


MODELS = {
    "correlated": ("y ~ x + (x | Subject)", sleep, {}),
    "weighted": ("y ~ x + (x | Subject)", sleep, {"weights": "w"}),
    "no fixed slope": ("y ~ 1 + (x | Subject)", sleep, {}),
    "no random slope": ("y ~ x + (1 | Subject)", sleep, {}),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin, {}),
    "nested": ("strength ~ 1 + (1 | batch / cask)", load_pastes, {}),
}


@pytest.fixture(scope="module", params=in_turn([(m,) for m in MODELS], [("reml",), ("ml",)]))
def results(request) -> MixedLMResults:
    name, method = request.param
    formula, load, options = MODELS[name]
    return mixedlm(formula, load(), method=method, **options)


def dense(results: MixedLMResults, position: int, coefficients: bool) -> tuple[Kriging, np.ndarray]:
    """Return the data, with the sums of one factor's levels for new rows, and the variances."""
    design, fit = results.model.design, results.fit
    n_levels = len(fit.random[position].levels)
    names = list(fit.fixed.names)
    effect_names = list(fit.random[position].effect_names)
    sums = list(dict.fromkeys([*names, *effect_names])) if coefficients else effect_names
    X_new = np.zeros((n_levels * len(sums), len(names)))
    if coefficients:
        X_new = np.tile(np.equal.outer(sums, names).astype(float), (n_levels, 1))
    Z_new = np.tile(np.equal.outer(sums, effect_names).astype(float), (n_levels, 1))
    levels = np.repeat(np.arange(n_levels), len(sums))
    terms, eta = [], []
    for i, (effects, block) in enumerate(zip(fit.random, design.blocks, strict=True)):
        own = Z_new if i == position else np.zeros((len(levels), block.columns.shape[1]))
        labels = np.concatenate([block.factor.codes, levels if i == position else 0 * levels])
        terms.append(Term(labels.astype(object), np.vstack([block.columns, own])))
        eta.append(terms[-1].parameters(effects.effect_covariance))
    X = np.vstack([np.column_stack([np.ones(design.n_rows), design.fixed]), X_new])
    weights = np.ones(design.n_rows) if design.weights.values is None else design.weights.values
    problem = Kriging(X, design.response, terms, weights, fit.reml)
    return problem, np.concatenate([*eta, [fit.sigma**2]])


@pytest.mark.parametrize("coefficients", [False, True], ids=["effects", "coefficients"])
def test_delta_method_equals_dense_differences_in_the_variances(results, coefficients):
    fit = results.fit
    assert not fit.singular
    make = group_coefficients_table if coefficients else random_effects_table
    table = make(results, 0.9, variance_uncertainty="delta")
    for position, effects in enumerate(fit.random):
        problem, eta = dense(results, position, coefficients)
        mean, covariance, df = delta_method(problem, eta, problem.solve)
        rows = table[table["factor"] == effects.name]
        n_sums = len(rows) // len(effects.levels)

        def found(column, rows=rows, n_sums=n_sums):
            return rows[column].to_numpy().reshape(n_sums, -1).T.ravel()

        assert_allclose(found("value"), mean, rtol=1e-7, atol=1e-8)
        # The steps of the dense differences are wide: their error is of fourth order in them.
        assert_allclose(found("se") ** 2, np.diagonal(covariance), rtol=1e-5)
        assert_allclose(found("df"), np.maximum(df, 1.0), rtol=2e-5)
        reach = np.sqrt(np.diagonal(covariance)) * stats.t.isf(0.05, np.maximum(df, 1.0))
        assert_allclose(found("upper") - found("lower"), 2.0 * reach, rtol=1e-5)
        sums = (group_coefficients if coefficients else group_effects)(fit, effects)
        joint = DeltaMethod(FiniteDifferences(fit), sums).covariance()
        assert_allclose(joint, covariance, rtol=1e-5, atol=1e-5 * np.abs(covariance).max())


def test_where_beta_is_known_its_part_is_left_out_of_the_prediction_too(results):
    """The errors are those of Psi Z'V^-1 (y - X beta) as a function of the variances alone."""
    fit = results.fit
    table = random_effects_table(results, beta_known=True, variance_uncertainty="delta")
    for position, effects in enumerate(fit.random):
        problem, eta = dense(results, position, False)
        n = len(problem.y)
        known = replace(
            problem, X=problem.X[:, :0], y=problem.y - problem.X[:n] @ fit.fixed.coefficients
        )
        mean, covariance, df = delta_method(problem, eta, known.solve)
        rows = table[table["factor"] == effects.name]
        for column, expected in {
            "value": mean,
            "se": np.sqrt(np.diagonal(covariance)),
            "df": np.maximum(df, 1.0),
        }.items():
            own = rows[column].to_numpy().reshape(-1, len(effects.levels)).T.ravel()
            assert_allclose(own, expected, rtol=2e-5, atol=1e-7)


def test_joint_covariance_is_that_of_the_mixed_model_equations():
    results = three_factors()
    errors = henderson(results)
    for effects in results.fit.random:
        at = errors.positions[effects.name].ravel()
        sums = group_effects(results.fit, effects)
        expected = errors.covariance[np.ix_(at, at)]
        assert_allclose(sums.covariance_of(results.fit), expected, rtol=1e-7, atol=1e-10)
        known = group_effects(results.fit, effects, beta_known=True)
        at = at - errors.n_fixed
        expected = errors.given_beta[np.ix_(at, at)]
        assert_allclose(known.covariance_of(results.fit), expected, rtol=1e-7, atol=1e-10)
        for one in (sums, known, group_coefficients(results.fit, effects)):
            variances = np.diagonal(one.covariance_of(results.fit))
            assert_allclose(one.variance_of(results.fit), variances, rtol=1e-9)


def test_balanced_one_way_has_the_textbook_degrees_of_freedom():
    """All is a function of two mean squares, which are multiples of chi-squared variables."""
    data = load_dyestuff()
    m, n = 6, 5
    groups = data.groupby("Batch", observed=True)["Yield"]
    between, within = n * groups.mean().var(ddof=1), groups.var(ddof=1).mean()
    of_between, of_within = 2.0 * between**2 / (m - 1), 2.0 * within**2 / (m * (n - 1))
    away = (groups.mean() - groups.mean().mean()).to_numpy()
    kept = within / between
    # The mode is (1 - within / between) times what the group is away from the mean.
    of_mean = away**2 * kept**2 * (of_between / between**2 + of_within / within**2)
    results = mixedlm("Yield ~ (1 | Batch)", data)

    part = 1.0 - 1.0 / m
    coefficient = within / n - part * within * kept / n
    slopes = part * kept**2 / n, 1.0 / n - 2.0 * part * kept / n
    expected_df = 2.0 * coefficient**2 / (slopes[0] ** 2 * of_between + slopes[1] ** 2 * of_within)
    table = group_coefficients_table(results, variance_uncertainty="delta")
    assert_allclose(table["df"], expected_df, rtol=1e-6)
    assert_allclose(table["se"] ** 2, coefficient + 2.0 * of_mean, rtol=1e-6)

    effect = (1.0 - kept) * within / n + (1.0 - kept) ** 2 * between / (m * n)
    slopes = (
        kept**2 / n + (1.0 - kept**2) / (m * n),
        (1.0 - 2.0 * kept) / n - 2.0 * (1.0 - kept) / (m * n),
    )
    expected_df = 2.0 * effect**2 / (slopes[0] ** 2 * of_between + slopes[1] ** 2 * of_within)
    table = random_effects_table(results, variance_uncertainty="delta")
    assert_allclose(table["df"], expected_df, rtol=1e-6)
    assert_allclose(table["se"] ** 2, effect + 2.0 * of_mean, rtol=1e-6)
    reach = stats.t.ppf(0.975, expected_df) * np.sqrt(effect + 2.0 * of_mean)
    assert_allclose(table["upper"], (1.0 - kept) * away + reach, rtol=1e-6)


def test_a_coefficient_without_random_effect_has_the_degrees_of_freedom_of_its_test():
    results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    table = group_coefficients_table(results, variance_uncertainty="delta")
    days = table[table["term"] == "Days"]
    expected = results.tidy().set_index("term").loc["Days", "df"]
    assert_allclose(days["df"], expected, rtol=1e-5)


def test_units_of_y_and_x_do_not_matter():
    data = load_sleepstudy()
    moved = data.assign(Reaction=1e6 * data["Reaction"], Days=1e-3 * data["Days"])
    for make in (random_effects_table, group_coefficients_table):
        plain, other = (
            make(
                mixedlm("Reaction ~ Days + (Days | Subject)", one), variance_uncertainty="delta"
            ).set_index(["effect" if make is random_effects_table else "term", "group"])
            for one in (data, moved)
        )
        assert_allclose(other["df"], plain["df"], rtol=1e-4)
        assert_allclose(other.loc["Days", "se"], 1e9 * plain.loc["Days", "se"], rtol=1e-4)
        assert_allclose(other.loc["Days", "upper"], 1e9 * plain.loc["Days", "upper"], rtol=1e-4)


class TestBoundary:
    """A variance of 0 leaves numbers, and no warnings of NumPy."""

    pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

    def test_no_variance_between_groups(self):
        with pytest.warns(SingularFitWarning):
            results = mixedlm("Yield ~ (1 | Batch)", load_dyestuff2())
        plain = random_effects_table(results)
        table = random_effects_table(results, variance_uncertainty="delta")
        assert table.drop(columns=["factor", "effect", "group"]).notna().all(axis=None)
        assert_allclose(table["se"], plain["se"], atol=1e-6)
        coefficients = group_coefficients_table(results, variance_uncertainty="delta")
        assert_allclose(coefficients["se"], results.bse["Intercept"], rtol=1e-6)
        # All that is left is a mean of 30 independent rows.
        assert_allclose(coefficients["df"], 29.0, rtol=1e-6)

    def test_perfect_correlation(self):
        rng = np.random.default_rng(3)
        g = np.repeat(np.arange(12), 6)
        x = np.tile(np.arange(6.0), 12)
        y = (5.0 + x) * rng.normal(size=12)[g] + 3.0 * rng.normal(size=72)
        with pytest.warns(SingularFitWarning):
            results = mixedlm("y ~ x + (x | g)", {"y": y, "x": x, "g": g})
        for make in (random_effects_table, group_coefficients_table):
            plain, table = make(results), make(results, variance_uncertainty="delta")
            assert table[["se", "df", "lower", "upper"]].notna().all(axis=None)
            assert (table["se"] >= plain["se"]).all()
            assert (table["df"] >= 1.0).all()

    def test_one_factor_of_two_without_variance(self):
        data = load_penicillin().assign(nothing=np.arange(144) % 11)
        with pytest.warns(SingularFitWarning):
            results = mixedlm("diameter ~ (1 | plate) + (1 | sample) + (1 | nothing)", data)
        table = random_effects_table(results, variance_uncertainty="delta")
        assert table[["se", "df", "lower", "upper"]].notna().all(axis=None)


def test_aliased_coefficient_stays_missing():
    data = load_sleepstudy().assign(twice=lambda d: 2 * d["Days"])
    with pytest.warns(UserWarning, match="rank deficient"):
        results = mixedlm("Reaction ~ Days + twice + (Days | Subject)", data)
    table = group_coefficients_table(results, variance_uncertainty="delta").set_index("term")
    numbers = ["se", "df", "lower", "upper"]
    assert table.loc["twice", numbers].isna().all(axis=None)
    assert table.loc[["Intercept", "Days"], numbers].notna().all(axis=None)


def test_a_model_without_groups_has_empty_tables():
    with pytest.warns(NoGroupsWarning):
        results = mixedlm("Reaction ~ Days", load_sleepstudy())
    assert random_effects_table(results, variance_uncertainty="delta").empty
    assert group_coefficients_table(results, variance_uncertainty="delta").empty


@pytest.fixture(scope="module")
def dyes() -> MixedLMResults:
    return mixedlm("Yield ~ (1 | Batch)", load_dyestuff())


class TestRefusals:
    """What cannot be answered is said."""

    @pytest.mark.parametrize("table", [random_effects_table, group_coefficients_table])
    def test_other_values(self, dyes, table):
        for other in ("bootstrap", True, bootstrap(dyes, n=2, random_state=0)):
            with pytest.raises(ValueError, match="must be None or 'delta', got"):
                table(dyes, variance_uncertainty=other)

    @pytest.mark.parametrize("table", [random_effects_table, group_coefficients_table])
    def test_fit_without_cross_products(self, dyes, table):
        fit = replace(dyes.fit, products=None)
        assert len(table(fit)) == 6
        with pytest.raises(ValueError, match="which this fit has not kept"):
            table(fit, variance_uncertainty="delta")
