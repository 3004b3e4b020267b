"""Draws from the finite-sample null distribution of a (restricted) likelihood ratio.

For y = X beta + Z b + e with b ~ N(0, lambda sigma^2 I), one variance component, and lambda = 0 as
the hypothesis, the likelihood ratio is

    sup over lambda >= 0 of  nu log(1 + N(lambda) / D(lambda)) - sum log(1 + lambda xi_s),

    N = sum (lambda mu_s / (1 + lambda mu_s)) w_s,    D = sum w_s / (1 + lambda mu_s) + w_rest

(Crainiceanu and Ruppert 2004, theorem 1): mu_s are the eigenvalues of Z'P_0 Z, with P_0 the
projection off X; w_s are independent chi-squared variables of one degree of freedom each, and
w_rest has those of the residuals that are left, n - p - rank. For REML nu = n - p and xi = mu; for
ML nu = n, and xi are the eigenvalues of Z'Z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.likelihood.several import products_of_others

__all__ = ["Spectrum", "simulate_likelihood_ratio", "spectrum_of"]

FloatArray = NDArray[np.float64]

# Values of lambda, relative to the largest eigenvalue: from where the ratio is nearly linear to
# where the variance of the residuals no longer matters.
GRID = np.exp(np.linspace(-10.0, 8.0, 200))
# Eigenvalues that differ by less are one, and below this part of the largest they are 0.
EQUAL = 1e-9
# Numbers to hold at a time.
CHUNK = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Hold what the null distribution depends on; n_residual is n - p without the variance.

    By maximum likelihood ``n_fixed`` fixed effects may be tested besides.
    """

    mu: FloatArray
    xi: FloatArray
    n_residual: float
    nu: float
    n_fixed: int = 0


def spectrum_of(fit: LMMFit, *, n_fixed: int = 0) -> Spectrum:
    """Return what the null distribution depends on, for a fit of one variance of random effects.

    Z is that of the tested variance, times the root of its structure and of the weights.
    """
    if not fit.estimable:
        raise ValueError(
            "The tested variance cannot be told from that of the residuals, so that there is "
            "nothing to test. Use groups of several rows."
        )
    mu, xi = _eigenvalues(fit)
    n_residual = fit.n_rows - len(fit.fixed.standardised)
    return Spectrum(mu, mu if fit.reml else xi, n_residual, fit.nu, n_fixed)


def _eigenvalues(fit: LMMFit) -> tuple[FloatArray, FloatArray]:
    """Return the eigenvalues of Z'P_0 Z and of Z'Z, with Z times the root of the structure."""
    products = fit.products
    ((effects, _),) = fit.estimable
    if products is None or products.factors[0].multiplicity is not None:
        raise ValueError(
            "The null distribution needs rows that count as such. Repeat the rows of the groups "
            "instead of giving group_weight."
        )
    ZtZ, ZtA = products_of_others(products, 0)
    ZtX, XtX = ZtA[:, :-1], products.AtWA[:-1, :-1]
    root = np.kron(effects.covariance.factor(np.ones(1)), np.eye(len(effects.levels)))
    if effects.covariance.n_effects > 1:
        ZtZ, ZtX = root.T @ ZtZ @ root, root.T @ ZtX
    xi = np.linalg.eigvalsh(ZtZ)
    mu = np.linalg.eigvalsh(ZtZ - ZtX @ np.linalg.solve(XtX, ZtX.T)) if ZtX.shape[1] else xi
    return np.maximum(mu, 0.0), np.maximum(xi, 0.0)


def simulate_likelihood_ratio(
    spectrum: Spectrum, n_sim: int, generator: np.random.Generator
) -> FloatArray:
    """Draw likelihood ratios under the hypothesis, at least 0.

    Equal eigenvalues share one chi-squared variable of as many degrees of freedom. The supremum is
    found on a grid of log lambda, and then by a parabola through the highest points.
    """
    top = max(spectrum.mu.max(initial=0.0), spectrum.xi.max(initial=0.0))
    mu, counts = _distinct(spectrum.mu, top)
    xi, xi_counts = _distinct(spectrum.xi, top)
    n_rest = spectrum.n_residual - float(counts.sum())
    size, parts = max(1, CHUNK // (len(mu) + len(GRID))), []

    def volume(at: FloatArray) -> FloatArray:
        return np.log1p(at[:, None] * xi) @ xi_counts

    for first in range(0, n_sim, size):
        n = min(size, n_sim - first)
        w = generator.chisquare(counts, size=(n, len(counts)))
        rest = generator.chisquare(n_rest, size=n) if n_rest > 0.0 else np.zeros(n)
        total = w.sum(axis=1) + rest
        parts.append(_supremum(mu, w / total[:, None], spectrum.nu, volume))
        if spectrum.n_fixed:
            explained = generator.chisquare(spectrum.n_fixed, size=n)
            parts[-1] += spectrum.nu * np.log1p(explained / total)
    return np.concatenate(parts)


def _distinct(values: FloatArray, top: float) -> tuple[FloatArray, FloatArray]:
    """Return the distinct positive eigenvalues over the largest, and how often each occurs."""
    relative = np.sort(values[values > EQUAL * top] / top) if top > 0.0 else np.empty(0)
    starts = np.flatnonzero(np.diff(relative, prepend=-1.0) > EQUAL)
    counts = np.diff(np.append(starts, len(relative)))
    return relative[starts], counts.astype(np.float64)


def _supremum(
    mu: FloatArray, shares: FloatArray, nu: float, volume: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Return the highest value over lambda; 0 where lambda = 0 is best.

    The shares are those of w in N + D, which is the same whatever lambda.
    """
    shrunk = np.multiply.outer(mu, GRID)
    values = -nu * np.log1p(-(shares @ (shrunk / (1.0 + shrunk)))) - volume(GRID)
    best = values.argmax(axis=1)
    highest = values[np.arange(len(values)), best]
    inside = (best > 0) & (best < len(GRID) - 1) & (highest > 0.0)
    if inside.any():
        at = _peak(values[inside], best[inside])
        own = mu * at[:, None]
        part = np.einsum("ns,ns->n", shares[inside], own / (1.0 + own))
        highest[inside] = np.maximum(highest[inside], -nu * np.log1p(-part) - volume(at))
    return np.maximum(highest, 0.0)


def _peak(values: FloatArray, best: NDArray[np.intp]) -> FloatArray:
    """Return lambda at the top of the parabola in log lambda through three points."""
    rows = np.arange(len(values))
    left, middle, right = (values[rows, best + i] for i in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    shift = np.divide(0.5 * (left - right), bend, out=np.zeros_like(bend), where=bend < 0.0)
    step = np.log(GRID[1] / GRID[0])
    return np.asarray(GRID[best] * np.exp(step * np.clip(shift, -1.0, 1.0)))
