"""Profile likelihood against R, closed forms, and what must not matter."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.names import factor_key, matching
from parity.reference import fit_case, shared_case
from scipy import stats
from scipy.optimize import brentq

from skmixed import MixedLM, datasets, mixedlm
from skmixed.inference import confint, profile

ROOTS = json.loads(
    (Path(__file__).parent / "fixtures" / "intervals.json").read_text(encoding="utf-8")
)
REFERENCE = ROOTS["profile"]
DATA = {
    "Reaction": datasets.load_sleepstudy,
    "Yield": datasets.load_dyestuff,
    "diameter": datasets.load_penicillin,
    "strength": datasets.load_pastes,
}
# lme4 interpolates profiles of some 15 points. Its limits are off by this part of an interval's
# width; near a variance of 0, where profiles bend, by more.
INTERPOLATED = {"orth_rs": 6e-4, "orth_sex": 4e-4, "pastes": 2e-4, "nurses_nested": 1e-4}
CASES = (
    "weights_sim",
    "sim757_slope",
    "pigs_ri",
    "pigs_rs",
    "gpa_ri",
    "gpa_rs",
    "pupils",
    "nurses_nested",
    "sleep_rs",
    "sleep_rs_ml",
    "sleep_indep",
    "sleep_ri",
    "dyestuff",
    "dyestuff_ml",
    "penicillin",
    "pastes",
    "machines_nested",
    "oats",
    "orth_rs",
    "orth_sex",
)
CUTOFF = stats.norm.isf(0.025)


def quietly(formula: str, data: pd.DataFrame, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mixedlm(formula, data, **options)


def random_key(name: str) -> tuple[str, frozenset[str]]:
    effect, group = name.split("|")
    return effect.replace("(Intercept)", "Intercept"), factor_key(group)


def limits_by_key(table: pd.DataFrame) -> dict:
    random = table[table["group"].notna() & (table["group"] != "Residual")]
    return {random_key(row.parameter): (row.lower, row.upper) for row in random.itertuples()}


def test_no_profile_of_the_reference_is_left_out(shared):
    cases = json.loads((shared / "reference" / "reference.json").read_text(encoding="utf-8"))
    found = {
        name
        for name, figures in cases["cases"].items()
        if figures["fn"] == "lmer" and figures.get("confint", {}).get("profile")
    }
    assert found == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_row_44_profile_intervals_of_the_reference(name, shared):
    case = shared_case(shared, name)
    table = confint(fit_case(case).results, "profile", "all")
    theirs = dict(case.figures["confint"]["profile"])
    tolerance = INTERPOLATED.get(name, 6e-5)
    ours = limits_by_key(table)
    sigma = table.iloc[-1]
    pairs = [((sigma.lower, sigma.upper), theirs.pop("sigma"), "sigma")]
    labels = [label for label in theirs if "|" in label]
    pairs += [(ours[random_key(label)], theirs.pop(label), label) for label in labels]
    # lme4's profile forgets prior weights when it holds a coefficient: see the test below.
    if case.weights is None:
        fixed = table[table["group"].isna()]
        rows = fixed.iloc[matching(fixed["parameter"], theirs)]
        pairs += [
            ((row.lower, row.upper), theirs[label], label)
            for row, label in zip(rows.itertuples(), theirs, strict=True)
        ]
    for found, expected, label in pairs:
        width = expected[1] - expected[0]
        assert_allclose(found, expected, rtol=0, atol=tolerance * width, err_msg=label)


@pytest.mark.parametrize("formula", REFERENCE)
def test_limits_are_roots_of_lme4s_deviance(formula):
    results = mixedlm(formula, DATA[formula.split()[0]]())
    table = confint(results, "profile", "all")
    ours = limits_by_key(table)
    by_name = table.set_index("parameter")
    for label, expected in REFERENCE[formula].items():
        if "|" in label:
            found = ours[random_key(label)]
        else:
            found = tuple(by_name.loc[label, ["lower", "upper"]])
        assert_allclose(found, expected, rtol=1e-7, atol=1e-9, err_msg=label)


@pytest.mark.parametrize("name", ROOTS["orthodont"])
def test_where_interpolation_is_off_limits_are_roots_of_lme4s_deviance(name, shared):
    """Correlations are left out: where a standard deviation may be 0, none can be excluded."""
    table = confint(fit_case(shared_case(shared, name)).results, "profile", "random")
    ours = limits_by_key(table)
    expected = dict(ROOTS["orthodont"][name])
    sigma = expected.pop("sigma")
    pairs = [((table.iloc[-1].lower, table.iloc[-1].upper), sigma)]
    pairs += [(ours[random_key(k)], v) for k, v in expected.items() if k.startswith("sd_")]
    for found, roots in pairs:
        assert_allclose(found, roots, rtol=0, atol=2e-6 * (roots[1] - roots[0]))


def test_profile_of_a_weighted_coefficient_is_that_of_refits():
    data = datasets.load_sleepstudy()
    weights = 1.0 + data["Days"] % 3
    full = mixedlm("Reaction ~ Days + (1 | Subject)", data, weights=weights, method="ml")
    row = confint(full, "profile", ["Days"]).iloc[0]
    for limit in (row.lower, row.upper):
        shifted = data.assign(Reaction=data["Reaction"] - limit * data["Days"])
        held = mixedlm("Reaction ~ 1 + (1 | Subject)", shifted, weights=weights, method="ml")
        assert_allclose(2.0 * (full.llf - held.llf), CUTOFF**2, rtol=1e-7)


class TestBalancedOneWay:
    """a groups of m: the deviance depends on sigma^2 and lambda = sigma^2 + m tau^2 alone."""

    @staticmethod
    def sums(y: np.ndarray, mu: float | None = None):
        a, m = y.shape
        mu = y.mean() if mu is None else mu
        between = m * np.sum((y.mean(axis=1) - mu) ** 2)
        return a, m, between, np.sum((y - y.mean(axis=1, keepdims=True)) ** 2)

    def deviance(self, y, sigma2, best, mu=None):
        """Return -2 log-likelihood less its constant, at the best lambda >= sigma^2 or a given."""
        a, m, between, within = self.sums(y, mu)
        at = max(between / a, sigma2) if best is None else best
        inside = a * (m - 1) * np.log(sigma2) + within / sigma2
        return inside + a * np.log(at) + between / at

    def least(self, y, mu=None):
        a, m, between, within = self.sums(y, mu)
        sigma2 = within / (a * (m - 1))
        if between / a < sigma2:
            sigma2 = (between + within) / (a * m)
        return self.deviance(y, sigma2, None, mu)

    @pytest.mark.parametrize("load", [datasets.load_dyestuff, datasets.load_dyestuff2])
    def test_sigma(self, load):
        data = load()
        y = np.stack([part["Yield"].to_numpy() for _, part in data.groupby("Batch")])
        least = self.least(y)
        profiled = profile(quietly("Yield ~ 1 + (1 | Batch)", data), ["sigma"])
        row = profiled.confint().iloc[0]

        def above(sigma):
            return self.deviance(y, sigma**2, None) - least - CUTOFF**2

        estimate = profiled.curves["sigma"].estimate
        expected = brentq(above, 0.3 * estimate, estimate), brentq(above, estimate, 3 * estimate)
        assert_allclose((row.lower, row.upper), expected, rtol=1e-9)

    @pytest.mark.parametrize("load", [datasets.load_dyestuff, datasets.load_dyestuff2])
    def test_intercept(self, load):
        data = load()
        y = np.stack([part["Yield"].to_numpy() for _, part in data.groupby("Batch")])
        row = confint(quietly("Yield ~ 1 + (1 | Batch)", data), "profile").iloc[0]

        def above(mu):
            return self.least(y, mu) - self.least(y) - CUTOFF**2

        spread = 4.0 * y.mean(axis=1).std() + 0.5 * y.std()
        centre = y.mean()
        expected = brentq(above, centre - spread, centre), brentq(above, centre, centre + spread)
        assert_allclose((row.lower, row.upper), expected, rtol=1e-10)

    def test_zeta_between_the_points(self):
        data = datasets.load_dyestuff()
        y = np.stack([part["Yield"].to_numpy() for _, part in data.groupby("Batch")])
        profiled = profile(mixedlm("Yield ~ 1 + (1 | Batch)", data), "sigma")
        values = np.linspace(36.0, 70.0, 60)
        exact = np.array([self.deviance(y, value**2, None) for value in values])
        zeta = np.sign(values - profiled.curves["sigma"].estimate) * np.sqrt(exact - self.least(y))
        assert_allclose(profiled.zeta("sigma", values), zeta, atol=5e-4)


def test_variance_of_zero_has_a_lower_limit_of_zero():
    results = quietly("Yield ~ 1 + (1 | Batch)", datasets.load_dyestuff2())
    row = confint(results, "profile", "sd_Intercept|Batch").iloc[0]
    assert row.estimate == row.lower == 0.0
    # lme4 1.1-31, a profile of 400 points: 2.084043.
    assert_allclose(row.upper, 2.08404, rtol=1e-5)


def test_correlation_with_a_variance_of_zero_may_be_anything():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": np.tile(np.arange(6.0), 10), "g": np.repeat(np.arange(10), 6)})
    data["y"] = data["x"] + rng.permutation(60) % 7 - 3.0 * (np.arange(60) % 2)
    results = quietly("y ~ x + (x | g)", data)
    table = confint(results, "profile", "random").set_index("parameter")
    assert not table[["lower", "upper"]].isna().any(axis=None)
    if not results.fit.random[0].standardised_factor.any():
        assert tuple(table.loc["cor_x.Intercept|g", ["lower", "upper"]]) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("formula", "load"),
    [
        ("Reaction ~ Days + (Days | Subject)", datasets.load_sleepstudy),
        ("Reaction ~ Days + (Days || Subject)", datasets.load_sleepstudy),
        ("strength ~ 1 + (1 | batch / cask)", datasets.load_pastes),
        ("diameter ~ 1 + (1 | plate) + (1 | sample)", datasets.load_penicillin),
        ("Yield ~ 1 + (1 | Batch)", datasets.load_dyestuff2),
    ],
)
def test_zeta_increases_through_the_estimate(formula, load):
    profiled = profile(quietly(formula, load()))
    for name, curve in profiled.curves.items():
        assert (np.diff(curve.zeta) > 0).all(), name
        assert (curve.slope[1:] > 0).all(), name
        assert_allclose(curve.zeta_at(curve.estimate), 0.0, atol=1e-9, err_msg=name)
        inner = curve.zeta_at(curve.limits)
        reached = np.array([curve.limits[0] != 0.0, True])
        assert_allclose(inner[reached], CUTOFF * np.array([-1, 1])[reached], atol=1e-4)
        assert_allclose(curve.value_at(curve.zeta), curve.values, rtol=1e-9, atol=1e-9)


def test_slopes_of_zeta_are_those_of_differences():
    """The slope is exact by the envelope theorem: cubics through few points are then enough."""
    profiled = profile(mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load_sleepstudy()))
    finer = profile(
        mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load_sleepstudy()), level=0.8
    )
    for name, curve in profiled.curves.items():
        other = finer.curves[name]
        inside = np.linspace(*other.limits, 15)
        assert_allclose(curve.zeta_at(inside), other.zeta_at(inside), atol=2e-3, err_msg=name)


def test_limits_of_another_level_are_interpolated():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load_sleepstudy())
    profiled = profile(results)
    exact = profile(results, level=0.8).confint()
    columns = ["lower", "upper"]
    widths = (exact["upper"] - exact["lower"]).to_numpy()[:, None]
    difference = (profiled.confint(0.8)[columns] - exact[columns]).to_numpy() / widths
    assert np.abs(difference).max() < 1e-3
    with pytest.raises(ValueError, match="Call profile with this level"):
        profiled.confint(0.9999)


def test_a_fit_by_reml_is_profiled_by_ml():
    data = datasets.load_sleepstudy()
    both = [
        confint(
            mixedlm("Reaction ~ Days + (Days | Subject)", data, method=method), "profile", "all"
        )
        for method in ("reml", "ml")
    ]
    columns = ["lower", "upper"]
    assert_allclose(both[0][columns], both[1][columns], rtol=1e-8)
    assert both[0]["estimate"].iloc[2] != both[1]["estimate"].iloc[2]


def test_units_and_origins_change_nothing_but_units():
    data = datasets.load_sleepstudy()
    before = confint(mixedlm("Reaction ~ Days + (Days | Subject)", data), "profile", "all")
    scaled = data.assign(Reaction=1e-6 * data["Reaction"], Days=data["Days"] * 1000.0)
    after = confint(mixedlm("Reaction ~ Days + (Days | Subject)", scaled), "profile", "all")
    units = np.array([1e-6, 1e-9, 1e-6, 1e-9, 1.0, 1e-6])[:, None]
    columns = ["lower", "upper"]
    assert_allclose(after[columns], units * before[columns], rtol=1e-6)
    moved = data.assign(Days=data["Days"] + 2000.0)
    far = confint(mixedlm("Reaction ~ Days + (Days | Subject)", moved), "profile", "all")
    same = [1, 3, 5]
    assert_allclose(far.loc[same, columns], before.loc[same, columns], rtol=1e-6)


def test_a_groups_weight_counts_the_group_so_often():
    data = datasets.load_sleepstudy()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    twice = pd.concat([data, data.assign(Subject=data["Subject"].astype(str) + "again")])
    weighted = MixedLM("Subject", random_slopes=["Days"]).fit(X, y, group_weight=np.full(180, 2.0))
    repeated = MixedLM("Subject", random_slopes=["Days"]).fit(
        twice[["Days", "Subject"]], twice["Reaction"]
    )
    columns = ["lower", "upper"]
    assert_allclose(
        confint(weighted, "profile", "all")[columns],
        confint(repeated, "profile", "all")[columns],
        rtol=1e-6,
    )


def test_estimators_and_results_give_the_same():
    data = datasets.load_sleepstudy()
    formula = "Reaction ~ Days + (Days | Subject)"
    estimator = MixedLM(formula=formula).fit(data)
    pd.testing.assert_frame_equal(
        confint(estimator, "profile", "random"),
        confint(mixedlm(formula, data), "profile", "random"),
    )


def test_table_of_the_points():
    results = mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load_dyestuff(), method="ml")
    frame = profile(results, ["sigma", "Intercept"]).frame
    assert list(frame) == ["parameter", "value", "zeta", "deviance", "log_likelihood"]
    assert list(frame["parameter"].unique()) == ["sigma", "Intercept"]
    best = frame[frame["zeta"] == 0.0]
    assert_allclose(best["log_likelihood"], results.llf, rtol=1e-10)
    assert_allclose(best["value"], [results.sigma, results.params.iloc[0]], rtol=1e-7)


def test_what_cannot_be_profiled_says_why():
    results = mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load_dyestuff())
    with pytest.raises(ValueError, match="has no parameter 'sd_Batch'"):
        profile(results, "sd_Batch")
    with pytest.raises(ValueError, match="between 0 and 1"):
        profile(results, level=95)
    with pytest.raises(ValueError, match="has not kept its cross-products"):
        profile(replace(results.fit, products=None))
    with pytest.raises(TypeError, match="fitted mixed model"):
        profile("a model")
    with pytest.raises(ValueError, match="no profile of 'tau'"):
        profile(results, "sigma").zeta("tau", 1.0)


def test_without_a_residual_there_are_no_limits():
    exact = pd.DataFrame({"y": np.arange(8.0), "x": np.arange(8.0), "g": list("aabbccdd")})
    table = profile(quietly("y ~ x + (1 | g)", exact)).confint()
    assert table[["lower", "upper"]].isna().all(axis=None)


def test_a_model_without_groups_has_profiles_too():
    data = datasets.load_sleepstudy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MixedLM().fit(data[["Days"]], data["Reaction"])
    table = confint(model, "profile", "all").set_index("parameter")
    n, rss = 180, model.lmm_fit_.sigma**2 * 178
    # n log(1 + t^2 / (n - 2)) is the deviance of a coefficient.
    t = np.sqrt((n - 2) * np.expm1(CUTOFF**2 / n))
    se = np.sqrt(model.lmm_fit_.fixed.covariance[1, 1])
    assert_allclose(table.loc["Days", "upper"], model.coef_[0] + t * se, rtol=1e-8)

    def above(sigma2):
        return n * np.log(sigma2) + rss / sigma2 - n * np.log(rss / n) - n - CUTOFF**2

    upper = np.sqrt(brentq(above, rss / n, 3 * rss / n))
    assert_allclose(table.loc["sigma", "upper"], upper, rtol=1e-8)
