"""Weights that are inverse probabilities: the pseudo-likelihood written out, and its sandwich.

The reference integrates each group's intercept out by Gauss-Hermite quadrature, as the definition
of the pseudo-likelihood has it (Pfeffermann et al. 1998; Rabe-Hesketh and Skrondal 2006).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, special, stats

from skmixed import MixedLM, RandomInterceptRegressor, SingularFitWarning, mixedlm
from skmixed.datasets import load_penicillin
from skmixed.inference import (
    confint,
    likelihood_ratio_test,
    marginal_slopes,
    robust_covariance,
)

N_GROUPS = 25
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(180)


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    rng = np.random.default_rng(20261120)
    sizes = rng.integers(3, 9, N_GROUPS)
    g = np.repeat(np.arange(N_GROUPS), sizes)
    x = rng.normal(size=len(g))
    y = 1.0 + 0.5 * x + rng.normal(size=N_GROUPS)[g] + rng.normal(size=len(g))
    weights = rng.uniform(0.5, 3.0, len(g))
    return pd.DataFrame(
        {"y": y, "x": x, "g": g, "w": weights, "wg": rng.uniform(1.0, 4.0, N_GROUPS)[g]}
    )


def scaled(data: pd.DataFrame, scaling: str) -> np.ndarray:
    by_group = data.groupby("g")["w"]
    total = by_group.transform("sum")
    squares = by_group.transform(lambda w: (w**2).sum())
    target = {"size": by_group.transform("size"), "effective": total**2 / squares, "none": total}
    return np.asarray(data["w"] * target[scaling] / total)


def group_terms(parameters: np.ndarray, data: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the log pseudo-likelihood of each group, intercepts integrated out numerically."""
    *beta, log_tau, log_sigma = parameters
    residual = np.asarray(data["y"] - beta[0] - beta[1] * data["x"])
    at_nodes = residual[:, None] - np.exp(log_tau) * NODES
    logs = weights[:, None] * stats.norm.logpdf(at_nodes, scale=np.exp(log_sigma))
    codes = np.asarray(data["g"])
    sums = np.array([np.bincount(codes, column, N_GROUPS) for column in logs.T]).T
    return special.logsumexp(sums, axis=1, b=NODE_WEIGHTS / NODE_WEIGHTS.sum())


@pytest.mark.parametrize("scaling", ["size", "effective", "none"])
def test_estimates_maximise_the_pseudo_likelihood(sample, scaling) -> None:
    results = mixedlm(
        "y ~ x + (1 | g)",
        sample,
        weights="w",
        group_weights="wg",
        weight_type="sampling",
        weight_scaling=scaling,
        method="ml",
    )
    weights = scaled(sample, scaling)
    of_groups = sample.groupby("g")["wg"].first().to_numpy()
    of_groups = of_groups / of_groups.mean()

    def criterion(parameters):
        return -float(of_groups @ group_terms(parameters, sample, weights))

    sds = np.log(results.variance_components["sdcor"])
    ours = np.array([*results.params, *sds])
    assert_allclose(results.llf, -criterion(ours), rtol=1e-9)
    found = optimize.minimize(criterion, ours + 0.05, method="BFGS", options={"gtol": 1e-7})
    assert_allclose(ours, found.x, atol=2e-6)


def test_tests_have_as_many_degrees_of_freedom_as_groups_less_one(sample) -> None:
    """The standard errors themselves are checked in tests/fitting/test_sandwich.py."""
    results = mixedlm(
        "y ~ x + (1 | g)",
        sample,
        weights="w",
        group_weights="wg",
        weight_type="sampling",
        method="ml",
    )
    assert (results.tidy()["df"] == N_GROUPS - 1).all()
    assert_allclose(results.conf_int(), confint(results)[["lower", "upper"]])
    text = str(results.summary())
    assert "pseudo-ML" in text
    assert "sandwich" in text
    assert "AIC" not in text


def test_without_weights_the_estimates_are_those_of_maximum_likelihood(sample) -> None:
    X, y = sample[["x", "g"]], sample["y"]
    plain = RandomInterceptRegressor("g", method="ml").fit(X, y)
    sampled = RandomInterceptRegressor("g", method="ml", weight_type="sampling").fit(X, y)
    assert_allclose(sampled.coef_, plain.coef_, rtol=1e-12)
    assert_allclose(sampled.group_variance_, plain.group_variance_, rtol=1e-9)


def test_weights_of_any_scale_give_the_same_estimates(sample) -> None:
    X, y = sample[["x", "g"]], sample["y"]
    model = RandomInterceptRegressor("g", method="ml", weight_type="sampling")
    fits = [
        model.fit(
            X, y, sample_weight=a * sample["w"] * (1 + sample["g"]), group_weight=b * sample["wg"]
        ).results_
        for a, b in ((1.0, 1.0), (7.0, 1000.0))
    ]
    assert_allclose(fits[0].params, fits[1].params, rtol=1e-9)
    assert_allclose(fits[0].bse, fits[1].bse, rtol=1e-9)
    assert_allclose(fits[0].llf, fits[1].llf, rtol=1e-10)


def test_informative_sampling_is_undone_and_unscaled_weights_inflate_the_groups() -> None:
    """The caveat of the documentation: raw weights of rows take noise for differences."""
    rng = np.random.default_rng(0)
    n_groups, tau, sigma = 3000, 1.0, 1.0
    b = tau * rng.normal(size=n_groups)
    kept, group = [], []
    for j in range(n_groups):
        e = sigma * rng.normal(size=30)
        probability = np.where(e > 0, 0.75, 0.15)
        chosen = rng.random(30) < probability / 5
        kept.append(np.column_stack([b[j] + e[chosen], 1 / probability[chosen]]))
        group.append(np.full(chosen.sum(), j))
    (y, weights), g = np.vstack(kept).T, np.concatenate(group)
    labels = pd.DataFrame({"g": g})

    def estimates(scaling, w):
        model = RandomInterceptRegressor(
            "g", method="ml", weight_type="sampling", weight_scaling=scaling
        )
        model.fit(labels, y, sample_weight=w)
        return model.intercept_, model.group_variance_

    plain_mean, _ = estimates("none", None)
    sized_mean, sized = estimates("size", weights)
    _, raw = estimates("none", weights)
    # Rows above their group's mean are drawn five times as often.
    assert plain_mean > 0.4
    assert abs(sized_mean) < 0.6 * plain_mean
    assert raw > 1.1 * sized


def test_predictions_have_the_uncertainty_of_the_coefficients(sample) -> None:
    model = MixedLM("g", method="ml", weight_type="sampling")
    X, y = sample[["x", "g"]], sample["y"]
    model.fit(X, y, sample_weight=sample["w"])
    covariance = model.results_.cov_params().to_numpy()
    new = pd.DataFrame({"x": [0.0, 2.5], "g": -1})
    columns = np.array([[1.0, 0.0], [1.0, 2.5]])
    options = {"kind": "population", "include_random_effects": False}
    found = model.predict(new, return_cov=True, **options)[1]
    assert_allclose(found, columns @ covariance @ columns.T, rtol=1e-9)
    assert_allclose(model.predict(new, return_std=True, **options)[1] ** 2, found.diagonal())

    table = model.group_coefficients_table().query("term == 'x'")
    assert_allclose(table["se"], model.results_.bse["x"])
    draws = model.sample_random_effects(20_000, random_state=0)
    assert_allclose(draws.params.cov(), covariance, rtol=0.05, atol=0.03 * covariance[0, 0])


def test_rows_cannot_be_added(sample) -> None:
    model = MixedLM("g", method="ml", weight_type="sampling")
    model.fit(sample[["x", "g"]], sample["y"], sample_weight=sample["w"])
    with pytest.raises(ValueError, match="Fit all rows together"):
        model.adapt(sample[["x", "g"]], sample["y"])


@pytest.mark.parametrize("scaling", ["size", "effective"])
def test_sums_of_weights_are_shown_as_numbers_of_rows(sample, scaling) -> None:
    options = {"weights": "w", "weight_type": "sampling", "method": "ml"}
    results = mixedlm("y ~ x + (1 | g)", sample, weight_scaling=scaling, **options)
    n = f"{scaled(sample, scaling).sum():.1f}".removesuffix(".0")
    assert f"{n} observations" in repr(results)
    assert f"{n} observations" in results.describe().replace(",", "")
    assert f"{n}\n" in str(results.summary())


def test_one_group_tells_no_standard_errors(sample) -> None:
    options = {"weights": "w", "weight_type": "sampling", "method": "ml"}
    with pytest.warns(SingularFitWarning, match="one group only"):
        results = mixedlm("y ~ x + (1 | g)", sample.assign(g="a"), **options)
    assert results.bse.isna().all()
    assert results.tidy()["p_value"].isna().all()
    assert "cannot be told" not in results.describe().split("Variance")[0]


def test_marginal_slopes_have_the_degrees_of_freedom_of_the_results(sample) -> None:
    options = {"weights": "w", "weight_type": "sampling", "method": "ml"}
    results = mixedlm("y ~ x + (1 | g)", sample, **options)
    slope, coefficient = marginal_slopes(results, "x").tidy(), results.tidy().query("term == 'x'")
    assert_allclose(slope[["estimate", "se", "df"]], coefficient[["estimate", "se", "df"]])
    residual = marginal_slopes(results.with_df_method("residual"), "x").tidy()
    assert residual["df"].item() == results.nobs - 2


def test_what_needs_a_likelihood_says_so(sample) -> None:
    options = {"weights": "w", "weight_type": "sampling", "method": "ml"}
    small, large = (mixedlm(f"y ~ {one} + (1 | g)", sample, **options) for one in ("1", "x"))
    for question in (
        lambda: likelihood_ratio_test(small, large),
        lambda: confint(large, "profile"),
        lambda: large.summary(df_method="satterthwaite"),
        lambda: large.random_effects_table(variance_uncertainty="delta"),
        lambda: robust_covariance(large),
    ):
        with pytest.raises(ValueError, match="pseudo-likelihood"):
            question()
    assert np.isinf(large.with_df_method("normal").tidy()["df"]).all()
    model = RandomInterceptRegressor("g", method="ml", weight_type="sampling")
    with pytest.raises(ValueError, match="adapt cannot add rows"):
        model.fit(sample[["x", "g"]], sample["y"]).adapt(sample[["x", "g"]], sample["y"])
    with pytest.raises(ValueError, match="df_method='design' is for weight_type='sampling'"):
        mixedlm("y ~ x + (1 | g)", sample, method="ml").with_df_method("design").tidy()


def test_models_that_cannot_be_weighted_are_refused(sample) -> None:
    with pytest.raises(ValueError, match="restricted form, got method='reml'"):
        RandomInterceptRegressor("g", weight_type="sampling").fit(sample[["x", "g"]], sample["y"])
    with pytest.raises(ValueError, match="'weight_scaling' parameter"):
        RandomInterceptRegressor("g", weight_scaling="A").fit(sample[["x", "g"]], sample["y"])
    plates = load_penicillin()
    crossed = MixedLM(["plate", "sample"], method="ml", weight_type="sampling")
    with pytest.raises(ValueError, match="one grouping factor, which was sampled, got 2"):
        crossed.fit(plates[["plate", "sample"]], plates["diameter"])
