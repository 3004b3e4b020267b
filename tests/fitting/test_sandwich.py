"""The sandwich of all parameters, against the pseudo-likelihood differentiated by brute force.

The reference writes each group's pseudo-likelihood out as an integral of a normal density, takes
its gradient by complex steps and its Hessian by differences of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats

from skmixed import NoGroupsWarning, SingularFitWarning, mixedlm
from skmixed.inference import confint
from skmixed.results import MixedLMResults

FloatArray = NDArray[np.float64]

N_GROUPS = 40


def informative_sample(slope: float, seed: int = 3) -> pd.DataFrame:
    """Draw groups by their intercept, and rows by their error."""
    rng = np.random.default_rng(seed)
    parts = []
    for g in range(N_GROUPS):
        intercept, own_slope = rng.normal(size=2) * [1.0, slope]
        x, error = rng.normal(size=(2, 30))
        chance = np.where(error > 0.0, 0.5, 0.1)
        y = 1.0 + (0.5 + own_slope) * x + intercept + error
        of_group = 1.0 / (0.2 + 0.6 * (intercept > 0.0))
        rows = pd.DataFrame({"y": y, "x": x, "g": g, "w": 1.0 / chance, "wg": of_group})
        parts.append(rows[rng.random(30) < chance])
    return pd.concat(parts, ignore_index=True)


def fitted(
    formula: str, sample: pd.DataFrame, scaling: str = "size", group_weights: str | None = "wg"
) -> MixedLMResults:
    return mixedlm(
        formula,
        sample,
        weights="w",
        group_weights=group_weights,
        weight_type="sampling",
        weight_scaling=scaling,
        method="ml",
    )


@dataclass(frozen=True)
class PseudoLikelihood:
    """Evaluate each group's log pseudo-likelihood; groups are filled up with rows of weight 0.

    Attributes
    ----------
    X, Z : ndarray of shape (n_groups, n, p) and (n_groups, n, k)
    y, weights : ndarray of shape (n_groups, n)
    of_groups : ndarray of shape (n_groups,)
        Weights of the groups.
    root : callable
        Takes the parameters between beta and log sigma to a root of the effects' covariance.
    """

    X: FloatArray
    Z: FloatArray
    y: FloatArray
    weights: FloatArray
    of_groups: FloatArray
    root: Callable[[FloatArray], FloatArray]

    def terms(self, parameters: FloatArray) -> FloatArray:
        """Return log of the integral of prod f(y | b)^w N(b; 0, R R') over b = R u."""
        p = self.X.shape[-1]
        precision = np.exp(-2.0 * parameters[-1])
        ZR = self.Z @ self.root(parameters[p:-1])
        residual = self.y - self.X @ parameters[:p]
        WZR = precision * self.weights[..., None] * ZR
        M = np.eye(ZR.shape[-1]) + np.swapaxes(ZR, 1, 2) @ WZR
        h = np.einsum("gnk,gn->gk", WZR, residual)
        explained = np.einsum("gk,gk->g", h, np.linalg.solve(M, h[..., None])[..., 0])
        squares = precision * (self.weights * residual**2).sum(axis=1)
        scale = self.weights.sum(axis=1) * (np.log(2.0 * np.pi) + 2.0 * parameters[-1])
        return -0.5 * (scale + np.log(np.linalg.det(M)) + squares - explained)

    def scores(self, parameters: FloatArray) -> FloatArray:
        """Return the gradient of each term, (n_parameters, n_groups)."""
        steps = 1e-30j * np.eye(len(parameters))
        return np.array([self.terms(parameters + step).imag / 1e-30 for step in steps])

    def sandwich(self, parameters: FloatArray, n_free: int | None = None) -> FloatArray:
        """Return the covariance of the first estimates, where the others would be known."""
        free = slice(n_free)
        hessian = [
            (self.scores(parameters + step) - self.scores(parameters - step)) @ self.of_groups
            for step in 1e-5 * np.eye(len(parameters))
        ]
        scores = self.scores(parameters)[free] * self.of_groups
        influence = np.linalg.solve(np.array(hessian)[free, free] / 2e-5, scores)
        n_groups = len(self.of_groups)
        return influence @ influence.T * n_groups / (n_groups - 1)


def one_deviation(parameters: FloatArray) -> FloatArray:
    return np.exp(parameters).reshape(1, 1)


def two_deviations(parameters: FloatArray) -> FloatArray:
    return np.diag(np.exp(parameters))


def deviations_and_correlation(parameters: FloatArray) -> FloatArray:
    first, second = np.exp(parameters[:2])
    r = np.tanh(parameters[2])
    return np.array([[first, 0.0], [second * r, second * np.sqrt(1.0 - r**2)]])


def one_direction(parameters: FloatArray) -> FloatArray:
    """Return the root of two effects that are correlated by 1."""
    return np.exp(parameters)[:, None]


def none_at_all(_: FloatArray) -> FloatArray:
    return np.zeros((1, 1))


MODELS = {
    "(1 | g)": (one_deviation, ["1"]),
    "(0 + x | g)": (one_deviation, ["x"]),
    "(x || g)": (two_deviations, ["1", "x"]),
    "(x | g)": (deviations_and_correlation, ["1", "x"]),
}


def pseudo_likelihood(
    sample: pd.DataFrame,
    scaling: str,
    effects: Sequence[str],
    root: Callable[[FloatArray], FloatArray],
    group_weights: str | None = "wg",
) -> PseudoLikelihood:
    n = sample.groupby("g").size().max()

    def filled(values: FloatArray) -> FloatArray:
        return np.concatenate([values, np.zeros(n - len(values))])

    columns = sample.assign(**{"1": 1.0})
    groups = [rows for _, rows in columns.groupby("g")]
    weights = np.array([filled(scaled(rows["w"].to_numpy(), scaling)) for rows in groups])
    of_groups = np.ones(len(groups))
    if group_weights is not None:
        of_groups = np.array([rows[group_weights].iloc[0] for rows in groups])

    def stacked(names: Sequence[str]) -> FloatArray:
        each = [[filled(rows[name].to_numpy()) for name in names] for rows in groups]
        return np.swapaxes(np.array(each), 1, 2)

    return PseudoLikelihood(
        X=stacked(["1", "x"]),
        Z=stacked(effects),
        y=stacked(["y"])[..., 0],
        weights=weights,
        of_groups=of_groups / of_groups.mean(),
        root=root,
    )


def scaled(w: FloatArray, scaling: str) -> FloatArray:
    """Return the weights of one group's rows (Pfeffermann et al. 1998)."""
    target = {"size": len(w), "effective": w.sum() ** 2 / (w**2).sum(), "none": w.sum()}
    return w * (target[scaling] / w.sum())


def estimates(results: MixedLMResults) -> FloatArray:
    """Return beta, logarithms of deviations, Fisher's z of a correlation, and log sigma.

    What is on the boundary is left out.
    """
    table = confint(results, "wald", "random").dropna(subset=["estimate", "lower"])
    correlation = table["parameter"].str.startswith("cor_")
    with np.errstate(invalid="ignore"):
        natural = np.where(correlation, np.arctanh(table["estimate"]), np.log(table["estimate"]))
    return np.concatenate([results.params[["Intercept", "x"]], natural])


def standard_errors(results: MixedLMResults) -> FloatArray:
    """Return those of the same parameters but beta, from limits that are t on these scales."""
    table = confint(results, "wald", "random").dropna(subset=["estimate", "lower"])
    limits = table[["lower", "upper"]].to_numpy()
    correlation = table["parameter"].str.startswith("cor_").to_numpy()
    limits[correlation] = np.arctanh(limits[correlation])
    limits[~correlation] = np.log(limits[~correlation])
    df = results.tidy()["df"].iloc[0]
    return np.diff(limits)[:, 0] / (2.0 * stats.t.isf(0.025, df))


@pytest.mark.parametrize("group_weights", [None, "wg"])
@pytest.mark.parametrize("scaling", ["size", "effective", "none"])
@pytest.mark.parametrize("term", MODELS)
def test_all_errors_are_the_sandwich_of_all_parameters(term, scaling, group_weights) -> None:
    root, effects = MODELS[term]
    sample = informative_sample(slope=0.0 if term == "(1 | g)" else 0.6)
    results = fitted(f"y ~ x + {term}", sample, scaling, group_weights)
    reference = pseudo_likelihood(sample, scaling, effects, root, group_weights)
    at = estimates(results)
    assert_allclose(results.llf, reference.terms(at) @ reference.of_groups, rtol=1e-10)
    expected = reference.sandwich(at)
    assert_allclose(results.cov_params(), expected[:2, :2], rtol=1e-6, atol=1e-9)
    assert_allclose(standard_errors(results), np.sqrt(expected.diagonal()[2:]), rtol=1e-6)


def test_the_block_of_the_coefficients_alone_is_another_covariance() -> None:
    """Under informative weights the cross derivatives with the variances do not vanish."""
    sample = informative_sample(slope=0.6)
    results = fitted("y ~ x + (x | g)", sample)
    reference = pseudo_likelihood(sample, "size", ["1", "x"], deviations_and_correlation)
    block = reference.sandwich(estimates(results), 2)
    whole = results.cov_params().to_numpy()
    assert (np.abs(np.sqrt(whole.diagonal() / block.diagonal()) - 1.0) > 0.002).all()


def without_differences(sample: pd.DataFrame, factors: Sequence[str]) -> FloatArray:
    """Return errors whose sums in each cell of some factors are 0, weighted as the fit does."""
    noise = pd.Series(np.random.default_rng(1).normal(size=len(sample)))
    cells = [sample[name] for name in factors]
    weighted = (noise * sample["w"]).groupby(cells).transform("sum")
    return np.asarray(noise - weighted / sample["w"].groupby(cells).transform("sum"))


def assert_is_sandwich_of(results: MixedLMResults, reference: PseudoLikelihood) -> None:
    """Compare with the model of the parameters that are not on the boundary."""
    expected = reference.sandwich(estimates(results))
    coefficients = results.cov_params().loc[["Intercept", "x"], ["Intercept", "x"]]
    assert_allclose(coefficients, expected[:2, :2], rtol=1e-6, atol=1e-9)
    assert_allclose(standard_errors(results), np.sqrt(expected.diagonal()[2:]), rtol=1e-6)


def test_a_variance_of_0_drops_out() -> None:
    sample = informative_sample(slope=0.0)
    sample["y"] = sample["x"] + without_differences(sample, ["g"])
    with pytest.warns(SingularFitWarning, match="estimated as 0"):
        results = fitted("y ~ x + (1 | g)", sample)
    assert_is_sandwich_of(results, pseudo_likelihood(sample, "size", ["1"], none_at_all))
    limits = confint(results, "wald", "sd_Intercept|g")[["lower", "upper"]]
    assert limits.isna().all(axis=None)


def test_a_correlation_of_1_drops_out() -> None:
    sample = informative_sample(slope=0.0)
    both = np.random.default_rng(0).normal(size=N_GROUPS)[sample["g"]]
    noise = without_differences(sample, ["g"])
    sample["y"] = sample["x"] + 2.0 * both * (1.0 + 0.5 * sample["x"]) + noise
    with pytest.warns(SingularFitWarning, match="estimated as singular"):
        results = fitted("y ~ x + (x | g)", sample)
    assert_is_sandwich_of(results, pseudo_likelihood(sample, "size", ["1", "x"], one_direction))
    limits = confint(results, "wald", "cor_x.Intercept|g")[["lower", "upper"]]
    assert limits.isna().all(axis=None)


def test_a_correlation_near_1_far_from_the_origin_has_limits() -> None:
    sample = informative_sample(slope=0.6)
    results = fitted("y ~ x + (x | g)", sample.assign(x=sample["x"] + 1e6))
    lower, upper = confint(results, "wald", "cor_x.Intercept|g")[["lower", "upper"]].iloc[0]
    assert -1.0 <= lower < upper < -0.999


def test_a_deviation_held_on_its_bound_drops_out() -> None:
    """With compound symmetry the gradient does not vanish on the bound of a deviation."""
    sample = informative_sample(slope=0.0, seed=2)
    rng = np.random.default_rng(0)
    levels = rng.choice(["a", "b", "c"], len(sample))
    sample = sample.assign(f=levels, **{name: 1.0 * (levels == name) for name in "abc"})
    effects = rng.normal(size=(N_GROUPS, 3)) * [1.0, 1.0, 0.0]
    own = (effects[sample["g"]] * sample[["a", "b", "c"]]).sum(axis=1)
    sample["y"] = sample["x"] + own + without_differences(sample, ["g", "f"])
    with pytest.warns(SingularFitWarning, match="estimated as 0"):
        results = fitted("y ~ x + cs(0 + f | g)", sample)
    assert results.fit.convergence.gradient[2] > 1e-3
    assert_is_sandwich_of(
        results, pseudo_likelihood(sample, "size", ["a", "b"], deviations_and_correlation)
    )


def test_without_groups_each_row_is_one() -> None:
    sample = informative_sample(slope=0.0)
    with pytest.warns(NoGroupsWarning):
        results = fitted("y ~ x", sample, group_weights=None)
    alone = sample.assign(g=np.arange(len(sample)))
    weights = sample["w"].to_numpy() / sample["w"].mean()
    reference = pseudo_likelihood(alone, "size", ["1"], none_at_all, group_weights=None)
    assert_is_sandwich_of(results, replace(reference, weights=weights[:, None]))


def test_limits_have_the_degrees_of_freedom_of_the_coefficients() -> None:
    results = fitted("y ~ x + (1 | g)", informative_sample(slope=0.0))
    reaches = []
    for df_method in ("design", "normal"):
        table = confint(results, "wald", "sigma", df_method=df_method)
        reaches.append(np.log(table["upper"] / table["lower"]).item())
    assert_allclose(
        reaches[0] / reaches[1], stats.t.isf(0.025, N_GROUPS - 1) / stats.norm.isf(0.025)
    )
    with pytest.raises(ValueError, match="pseudo-likelihood"):
        confint(results, "wald", "sigma", df_method="satterthwaite")
