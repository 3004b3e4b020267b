"""Uncertainty of predictions equals dense algebra, and closed forms where there are some."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from prediction.kriging import Kriging, Term, delta_method
from scipy import optimize, stats

from skmixed import (
    MixedLM,
    NoGroupsWarning,
    RandomInterceptRegressor,
    SingularFitWarning,
    mixedlm,
)
from skmixed.datasets import load_dyestuff, load_pastes, load_penicillin, load_sleepstudy
from skmixed.inference import bootstrap
from skmixed.prediction.mixture import VarianceDraws
from skmixed.prediction.predictive import predictive

MODELS = {
    "intercept": ("y ~ x + (1 | g)", False),
    "slope": ("y ~ x + (x | g)", False),
    "nested": ("y ~ x + (1 | g/h)", False),
    "crossed": ("y ~ x + (1 | g) + (1 | k)", False),
    "crossed slope": ("y ~ x + (x | g) + (1 | k)", False),
    "weights": ("y ~ x + (x | g)", True),
}
KINDS = ("observation", "mean", "population")
NEW = pd.DataFrame(
    {
        "x": [0.3, -1.0, 2.0, 0.5, 0.5, 0.0, 1.0],
        "g": ["g0", "g0", "g3", "new", "new", "other", "g5"],
        "h": ["h0", "h1", "fresh", "h0", "h0", "h1", "h1"],
        "k": ["k1", "k2", "new", "k1", "new", "new", "k0"],
    }
)

pytestmark = pytest.mark.exhaustive(5)


def make_data(seed: int = 3) -> pd.DataFrame:
    """Draw 72 rows: nine groups, two classes in each, five levels of a crossed factor."""
    rng = np.random.default_rng(seed)
    n = 72
    g, k = rng.permutation(np.arange(n) % 9), rng.integers(5, size=n)
    h = rng.integers(2, size=n)
    x = rng.normal(size=n)
    b, slopes, c, a = (rng.normal(size=m) for m in (9, 9, 5, 18))
    y = 1 + x + b[g] + 0.7 * slopes[g] * x + c[k] + 0.8 * a[2 * g + h] + rng.normal(size=n)
    columns = {name: [f"{name}{i}" for i in code] for name, code in (("g", g), ("h", h), ("k", k))}
    return pd.DataFrame({"y": y, "x": x, **columns, "w": rng.uniform(0.3, 3.0, size=n)})


@lru_cache
def fitted(name: str, method: str = "reml") -> MixedLM:
    formula, weighted = MODELS[name]
    data = make_data()
    return MixedLM(formula=formula, method=method).fit(
        data, sample_weight=data["w"] if weighted else None
    )


def dense(name: str, method: str = "reml") -> tuple[Kriging, np.ndarray]:
    """Return the same problem written out, with its variances."""
    weighted = MODELS[name][1]
    data = make_data()
    both = pd.concat([data, NEW], ignore_index=True)
    fit = fitted(name, method).lmm_fit_
    X = np.column_stack([np.ones(len(both)), both["x"]])
    terms, eta = [], []
    for effects in fit.random:
        labels = (
            both["g"] + "/" + both["h"] if effects.name in ("h:g", "g:h") else both[effects.name]
        )
        columns = X if len(effects.effect_names) == 2 else X[:, :1]
        terms.append(Term(labels.to_numpy(dtype=object), columns))
        eta.append(terms[-1].parameters(effects.effect_covariance))
    weights = data["w"].to_numpy() if weighted else np.ones(len(data))
    problem = Kriging(X, data["y"].to_numpy(), terms, weights, method == "reml")
    return problem, np.concatenate([*eta, [fit.sigma**2]])


def asked(problem: Kriging, model: MixedLM, include: bool | list[str], kind: str) -> Kriging:
    """Return the problem of the rows' known levels, and of what is predicted."""
    names = [effects.name for effects in model.lmm_fit_.random]
    kept = names if include is True else include or []
    omitted = [i for i, one in enumerate(names) if one not in kept]
    return problem.with_rows_left_out_of(omitted, averaged=kind == "population")


def error_covariance(problem: Kriging, eta: np.ndarray, kind: str) -> np.ndarray:
    """Return the covariance of the errors, with the residuals of new observations."""
    covariance = problem.solve(eta)[1]
    return covariance + (kind == "observation") * eta[-1] * np.eye(len(covariance))


def delta(problem: Kriging, eta: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return covariance and degrees of freedom by the delta method, in the variances."""

    def solve(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return problem.solve(at)[0], error_covariance(problem, at, kind)

    return delta_method(problem, eta, solve)[1:]


@pytest.fixture(params=MODELS)
def name(request) -> str:
    return request.param


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.mark.parametrize("include", [True, False])
def test_variance_at_the_estimates_is_that_of_best_linear_prediction(name, kind, include):
    model = fitted(name)
    problem, eta = dense(name)
    problem = asked(problem, model, include, kind)
    mean, _ = problem.solve(eta)
    expected = error_covariance(problem, eta, kind)
    switches = {"include_random_effects": include, "kind": kind}
    predicted, std = model.predict(NEW, return_std=True, **switches)
    assert_allclose(predicted, mean, rtol=1e-8)
    assert_allclose(std**2, np.diagonal(expected), rtol=1e-8)
    if include:
        _, covariance = model.predict(NEW, return_cov=True, **switches)
        assert_allclose(covariance, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("left_out", ["g", "k"])
def test_a_crossed_factor_may_be_left_out(kind, left_out):
    model = fitted("crossed slope")
    include = ["k"] if left_out == "g" else ["g"]
    problem, eta = dense("crossed slope")
    problem = asked(problem, model, include, kind)
    expected = np.diagonal(error_covariance(problem, eta, kind))
    switches = {"include_random_effects": include, "kind": kind}
    predicted, std = model.predict(NEW, return_std=True, **switches)
    assert_allclose(predicted, problem.solve(eta)[0], rtol=1e-8)
    assert_allclose(std**2, expected, rtol=1e-8)


@pytest.mark.parametrize("method", ["reml", pytest.param("ml", marks=pytest.mark.slow)])
def test_delta_method_equals_dense_differences_in_the_variances(name, kind, method):
    model = fitted(name, method)
    assert not model.lmm_fit_.singular
    problem, eta = dense(name, method)
    problem = asked(problem, model, True, kind)
    covariance, df = delta(problem, eta, kind)
    switches = {"kind": kind, "variance_uncertainty": "delta"}
    mean, std = model.predict(NEW, return_std=True, **switches)
    # Both sides are differences, good to about seven digits.
    assert_allclose(std**2, np.diagonal(covariance), rtol=1e-6)
    assert_allclose(
        model.predict(NEW, return_cov=True, **switches)[1], covariance, rtol=1e-6, atol=1e-7
    )
    limits = model.predict_interval(NEW, coverage=0.9, **switches)
    width = np.sqrt(np.diagonal(covariance)) * stats.t.isf(0.05, np.maximum(df, 1.0))
    assert_allclose(limits, np.column_stack([mean - width, mean + width]), rtol=1e-5)


@pytest.mark.parametrize("name", ["intercept", "slope", "crossed"])
def test_draws_make_a_mixture_of_predictions_from_the_data(name, kind):
    """Three draws, each solved densely, and quantiles by another search."""
    results = mixedlm(MODELS[name][0], make_data())
    model = fitted(name)
    draws = bootstrap(results, n=3, random_state=0)
    problem, eta = dense(name)
    problem = asked(problem, model, True, kind)
    centre, M = problem.solve(eta)[0], np.diagonal(error_covariance(problem, eta, kind))
    means, spreads, covariance = [], [], 0.0
    for _, row in draws.draws.iterrows():
        at = []
        for effects in model.lmm_fit_.random:
            sizes = [row[f"sd_{effect}|{effects.name}"] for effect in effects.effect_names]
            G = np.diag(np.square(sizes))
            if len(sizes) == 2:
                G[0, 1] = G[1, 0] = row[f"cor_x.Intercept|{effects.name}"] * np.prod(sizes)
            at.append(G[np.tril_indices(len(G))])
        drawn = np.concatenate([*at, [row["sigma"] ** 2]])
        own = error_covariance(problem, drawn, kind)
        means.append(problem.solve(drawn)[0])
        spreads.append(M / np.sqrt(np.diagonal(own)))
        scale = M / np.diagonal(own)
        away = means[-1] - centre
        covariance = covariance + (scale[:, None] * own * scale + np.outer(away, away)) / 3.0
    switches = {"kind": kind, "variance_uncertainty": draws}
    mean, std = model.predict(NEW, return_std=True, **switches)
    assert_allclose(mean, centre, rtol=1e-8)
    assert_allclose(std**2, np.diagonal(covariance), rtol=1e-6)
    assert_allclose(
        model.predict(NEW, return_cov=True, **switches)[1], covariance, rtol=1e-6, atol=1e-8
    )
    found = model.predict_quantiles(NEW, quantiles=[0.02, 0.5], **switches)
    for i in range(len(NEW)):
        for j, p in enumerate([0.02, 0.5]):
            parts = [(m[i], s[i]) for m, s in zip(means, spreads, strict=True)]
            expected = optimize.brentq(
                lambda x, parts=parts, p=p: np.mean([stats.norm.cdf(x, *one) for one in parts]) - p,
                centre[i] - 30.0,
                centre[i] + 30.0,
                xtol=1e-12,
            )
            assert_allclose(found[i, j], expected, rtol=1e-6, atol=1e-8)


def test_new_group_of_a_balanced_study_has_the_textbook_degrees_of_freedom():
    """M is a combination of two mean squares: Satterthwaite (1946)."""
    data = load_dyestuff()
    m, n = 6, 5
    means = data.groupby("Batch", observed=True)["Yield"].mean()
    between = n * means.var(ddof=1)
    within = data.groupby("Batch", observed=True)["Yield"].var(ddof=1).mean()
    a, b = (1 + 1 / m) / n, 1 - 1 / n
    variance = a * between + b * within
    df = variance**2 / ((a * between) ** 2 / (m - 1) + (b * within) ** 2 / (m * (n - 1)))
    model = MixedLM(formula="Yield ~ (1 | Batch)").fit(data)
    new = data.head(1).assign(Batch="new")
    expected = means.mean() + np.sqrt(variance) * stats.t.ppf([0.025, 0.5, 0.975], df)
    found = model.predict_quantiles(
        new, quantiles=[0.025, 0.5, 0.975], variance_uncertainty="delta"
    )
    assert_allclose(found[0], expected, rtol=1e-6)
    mean, std = model.predict(new, return_std=True, variance_uncertainty="delta")
    # The mean of a balanced study does not depend on the variances.
    assert_allclose([mean[0], std[0]], [means.mean(), np.sqrt(variance)], rtol=1e-8)


def test_population_mean_is_the_fixed_part_alone():
    model = fitted("crossed slope")
    mean, std = model.predict(NEW, include_random_effects=False, return_std=True, kind="population")
    X = np.column_stack([np.ones(len(NEW)), NEW["x"]])
    fixed = model.lmm_fit_.fixed
    assert_allclose(mean, X @ fixed.coefficients, rtol=1e-10)
    assert_allclose(std**2, np.einsum("ni,ij,nj->n", X, fixed.covariance, X), rtol=1e-10)


def least_squares() -> tuple[RandomInterceptRegressor, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=12)
    with pytest.warns(NoGroupsWarning):
        model = RandomInterceptRegressor().fit(x[:, None], 1 + x + rng.normal(size=12))
    return model, np.array([[-3.0], [0.0], [2.0]])


def test_delta_method_is_students_t_without_groups():
    model, at = least_squares()
    for kind in KINDS:
        assert_allclose(
            model.predict_interval(at, kind=kind, variance_uncertainty="delta"),
            model.predict_interval(at, kind=kind),
            rtol=1e-10,
        )


def test_mixture_is_students_t_without_groups():
    """sigma^2 drawn from all quantiles of its distribution, chi-squared with ten degrees."""
    model, at = least_squares()
    fit = model.lmm_fit_
    rows, _ = model.fitted_model.read(at, include_random_effects=False)
    chi2 = stats.chi2.ppf((np.arange(1_000) + 0.5) / 1_000, 10)
    draws = VarianceDraws(np.empty((len(chi2), 0)), fit.sigma * np.sqrt(chi2 / 10))
    mixture = predictive(fit, rows, include_random_effects=False, variance_uncertainty=draws)
    tails = np.array([0.01, 0.1, 0.5, 0.975])
    mean, std = model.predict(at, return_std=True)
    expected = mean[:, None] + std[:, None] * stats.t.ppf(tails, 10)
    # The error falls as one over the number of quantiles.
    assert_allclose(mixture.quantiles(tails), expected, rtol=1e-3, atol=1e-3)
    # The variance of Student's t is 10 / 8.
    assert_allclose(mixture.std, std * np.sqrt(10 / 8), rtol=1e-3)


def test_chunks_of_rows_do_not_show_in_a_mixture(monkeypatch):
    draws = bootstrap(mixedlm(MODELS["crossed"][0], make_data()), n=5, random_state=0)
    model = fitted("crossed")
    whole = model.predict_interval(NEW, variance_uncertainty=draws)
    monkeypatch.setattr("skmixed.prediction.mixture.ROOM", 10)
    assert_allclose(model.predict_interval(NEW, variance_uncertainty=draws), whole, rtol=1e-10)


def test_interval_is_two_quantiles_and_the_middle_is_the_prediction():
    model = fitted("crossed")
    for how in (None, "delta"):
        q = model.predict_quantiles(NEW, quantiles=(0.1, 0.5, 0.9), variance_uncertainty=how)
        limits = model.predict_interval(NEW, coverage=0.8, variance_uncertainty=how)
        assert_allclose(q[:, [0, 2]], limits, rtol=1e-12)
        assert_allclose(q[:, 1], model.predict(NEW), rtol=1e-12)


def test_uncertainty_of_the_variances_widens_what_little_is_known_of():
    """With nine groups the interval of a new group is wider, that of a known one hardly."""
    model = fitted("intercept")
    plain = np.ptp(model.predict_interval(NEW), axis=1)
    honest = np.ptp(model.predict_interval(NEW, variance_uncertainty="delta"), axis=1)
    new = NEW["g"].isin(["new", "other"]).to_numpy()
    assert (honest[new] > 1.02 * plain[new]).all()
    assert (honest[new] / plain[new]).min() > (honest[~new] / plain[~new]).max()


def test_units_of_y_and_x_do_not_matter():
    data, model = make_data(), fitted("slope")
    moved = data.assign(y=1e6 * data["y"], x=1e-3 * data["x"] + 50.0)
    other = MixedLM(formula=MODELS["slope"][0]).fit(moved)
    new = NEW.assign(x=1e-3 * NEW["x"] + 50.0)
    for kind in KINDS:
        expected = 1e6 * model.predict_interval(NEW, kind=kind, variance_uncertainty="delta")
        found = other.predict_interval(new, kind=kind, variance_uncertainty="delta")
        assert_allclose(found, expected, rtol=1e-5)


def test_variance_of_zero_leaves_finite_intervals_that_draws_widen():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.normal(size=40), "g": np.arange(40) % 8})
    data["y"] -= data.groupby("g")["y"].transform("mean")
    with pytest.warns(SingularFitWarning):
        model = MixedLM(formula="y ~ (1 | g)").fit(data)
    with pytest.warns(SingularFitWarning):
        results = mixedlm("y ~ (1 | g)", data)
    draws = bootstrap(results, n=20, random_state=0)
    assert model.lmm_fit_.singular
    _, known = model.predict(data, return_std=True, kind="mean")
    _, drawn = model.predict(data, return_std=True, kind="mean", variance_uncertainty=draws)
    assert (drawn > known).all()
    for kind in KINDS:
        limits = model.predict_interval(data, kind=kind, variance_uncertainty="delta")
        assert np.isfinite(limits).all()
        assert (limits[:, 0] < limits[:, 1]).all()


def test_full_length_with_missing_predictors():
    data = make_data()
    data.loc[[3, 8], "x"] = np.nan
    results = mixedlm("y ~ x + (1 | g)", data, missing="drop")
    new = NEW.copy()
    new.loc[2, "x"] = np.nan
    found = results.predict_quantiles(new, quantiles=[0.1, 0.2, 0.3])
    assert found.shape == (7, 3)
    assert np.isnan(found).any(axis=1).tolist() == [i == 2 for i in range(7)]
    complete = results.predict_quantiles(new.drop(index=2), quantiles=[0.1, 0.2, 0.3])
    assert np.array_equal(found[[0, 1, 3, 4, 5, 6]], complete)


class TestRefusals:
    """What cannot be answered is said."""

    def test_kind(self):
        with pytest.raises(ValueError, match="got 'median'"):
            fitted("intercept").predict(NEW, kind="median")

    @pytest.mark.parametrize("quantiles", [[0.0], [1.0], [0.5, np.nan], 0.5])
    def test_quantiles(self, quantiles):
        with pytest.raises(ValueError, match="probabilities between 0 and 1"):
            fitted("intercept").predict_quantiles(NEW, quantiles=quantiles)

    def test_variance_uncertainty(self):
        with pytest.raises(ValueError, match="must be None, 'delta' or the draws"):
            fitted("intercept").predict(NEW, return_std=True, variance_uncertainty="bootstrap")

    def test_draws_of_another_model(self):
        draws = bootstrap(mixedlm("y ~ x + (x | g)", make_data()), n=2, random_state=0)
        with pytest.raises(ValueError, match="without the variance parameters of this model"):
            fitted("intercept").predict_interval(NEW, variance_uncertainty=draws)

    def test_draws_of_other_rows(self):
        draws = bootstrap(mixedlm("y ~ x + (1 | g)", make_data(5)), n=2, random_state=0)
        with pytest.raises(ValueError, match="Pass draws of the same fit"):
            fitted("intercept").predict_interval(NEW, variance_uncertainty=draws)

    def test_fit_without_cross_products(self):
        model = MixedLM(formula="y ~ x + (1 | g)").fit(make_data())
        model.lmm_fit_ = replace(model.lmm_fit_, products=None)
        model.predict_interval(NEW)
        with pytest.raises(ValueError, match="which this fit has not kept"):
            model.predict_interval(NEW, variance_uncertainty="delta")


FIXTURE = Path(__file__).parent / "fixtures" / "glmmtmb.json"
BUNDLED = {"sleepstudy": load_sleepstudy, "penicillin": load_penicillin, "pastes": load_pastes}


@pytest.mark.parametrize("data", BUNDLED)
def test_delta_method_agrees_with_that_of_glmmtmb(data):
    """Known, unseen and half-known rows by REML, generated by fixtures/glmmtmb.R.

    glmmTMB adds what the prediction owes to the estimates of the variances, d'A d, but not the same
    once more for the bias of the rest: its variance lies half way between ours with and without.
    """
    case = json.loads(FIXTURE.read_text(encoding="utf-8"))[data]
    model = MixedLM(formula=case["formula"]).fit(BUNDLED[data]())
    new = pd.DataFrame(case["new"])
    mean, without = model.predict(new, return_std=True, kind="mean")
    _, std = model.predict(new, return_std=True, kind="mean", variance_uncertainty="delta")
    assert (std >= without).all()
    # Its optimiser stops at about six digits of the variances.
    assert_allclose(mean, case["fit"], rtol=1e-6)
    assert_allclose(np.sqrt(0.5 * (without**2 + std**2)), case["se"], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_frequency_weights_are_repeated_rows(kind):
    data = make_data()
    counts = np.arange(len(data)) % 3 + 1
    formula = MODELS["slope"][0]
    counted = MixedLM(formula=formula, weight_type="frequency").fit(data, sample_weight=counts)
    repeated = MixedLM(formula=formula).fit(data.loc[data.index.repeat(counts)])
    switches = {"kind": kind, "variance_uncertainty": "delta"}
    assert_allclose(
        counted.predict_interval(NEW, **switches),
        repeated.predict_interval(NEW, **switches),
        rtol=1e-6,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_group_weights_are_repeated_groups(kind):
    data = make_data()
    copies = {f"g{i}": i % 2 + 1 for i in range(9)}
    weighted = MixedLM(random_slopes=["x"]).fit(
        data[["x"]],
        data["y"],
        groups=data["g"],
        group_weight=data["g"].map(copies).to_numpy(dtype=float),
    )
    again = data[data["g"].map(copies) == 2].assign(g=lambda frame: "copy of " + frame["g"])
    both = pd.concat([data, again])
    repeated = MixedLM(random_slopes=["x"]).fit(both[["x"]], both["y"], groups=both["g"])
    switches = {"groups": NEW["g"], "kind": kind, "variance_uncertainty": "delta"}
    assert_allclose(
        weighted.predict_interval(NEW[["x"]], **switches),
        repeated.predict_interval(NEW[["x"]], **switches),
        rtol=1e-6,
    )
