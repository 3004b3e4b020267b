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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.likelihood.joined import products_of_others

__all__ = ["Spectrum", "simulate_likelihood_ratio", "spectrum_of"]

FloatArray = NDArray[np.float64]

# Logarithms of lambda, relative to the largest eigenvalue: from where the ratio is nearly linear to
# where the variance of the residuals no longer matters.
LOWEST, HIGHEST, N_GRID = -10.0, 8.0, 200
# Eigenvalues that differ by less are one, and below this part of the largest they are 0.
EQUAL = 1e-9
# Numbers to hold at a time.
CHUNK = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Hold what the null distribution depends on.

    Attributes
    ----------
    mu, xi : ndarray of shape (K,)
    n_residual : float
        Degrees of freedom without the tested variance, n - p.
    nu : float
        n - p for REML, n for ML.
    n_fixed : int
        How many fixed effects are tested besides; 0 for REML.
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


@dataclass(frozen=True, slots=True, eq=False)
class _Scaled:
    """Hold distinct eigenvalues relative to the largest, how often each occurs, and the grid."""

    mu: FloatArray
    counts: FloatArray
    xi: FloatArray
    xi_counts: FloatArray
    n_rest: float
    grid: FloatArray


def simulate_likelihood_ratio(
    spectrum: Spectrum, n_sim: int, generator: np.random.Generator
) -> FloatArray:
    """Draw likelihood ratios under the hypothesis, at least 0.

    Equal eigenvalues share one chi-squared variable of as many degrees of freedom. The supremum is
    found on a grid of log lambda, and then by a parabola through the highest points.
    """
    top = max(spectrum.mu.max(initial=0.0), spectrum.xi.max(initial=0.0))
    mu, counts = _distinct(spectrum.mu, top)
    grid = np.exp(np.linspace(LOWEST, HIGHEST, N_GRID))
    n_rest = spectrum.n_residual - float(counts.sum())
    scaled = _Scaled(mu, counts, *_distinct(spectrum.xi, top), n_rest, grid)
    size = max(1, CHUNK // (len(scaled.mu) + len(scaled.grid)))
    parts = [
        _draw(spectrum, scaled, min(size, n_sim - first), generator)
        for first in range(0, n_sim, size)
    ]
    return np.concatenate(parts)


def _distinct(values: FloatArray, top: float) -> tuple[FloatArray, FloatArray]:
    """Return the distinct positive eigenvalues over the largest, and how often each occurs."""
    relative = np.sort(values[values > EQUAL * top] / top) if top > 0.0 else np.empty(0)
    starts = np.flatnonzero(np.diff(relative, prepend=-1.0) > EQUAL)
    counts = np.diff(np.append(starts, len(relative)))
    return relative[starts], counts.astype(np.float64)


def _draw(
    spectrum: Spectrum, scaled: _Scaled, n_sim: int, generator: np.random.Generator
) -> FloatArray:
    """Draw some likelihood ratios."""
    w = generator.chisquare(scaled.counts, size=(n_sim, len(scaled.counts)))
    rest = np.zeros(n_sim)
    if scaled.n_rest > 0.0:
        rest = generator.chisquare(scaled.n_rest, size=n_sim)
    total = w.sum(axis=1) + rest
    ratio = _supremum(spectrum, scaled, w, total)
    if spectrum.n_fixed:
        explained = generator.chisquare(spectrum.n_fixed, size=n_sim)
        ratio += spectrum.nu * np.log1p(explained / total)
    return ratio


def _supremum(spectrum: Spectrum, scaled: _Scaled, w: FloatArray, total: FloatArray) -> FloatArray:
    """Return the highest value over lambda; 0 where lambda = 0 is best."""
    grid = scaled.grid
    shrunk = np.multiply.outer(scaled.mu, grid)
    explained = w @ (shrunk / (1.0 + shrunk))
    volume = scaled.xi_counts @ np.log1p(np.multiply.outer(scaled.xi, grid))
    # N + D is the total, whatever lambda.
    values = -spectrum.nu * np.log1p(-explained / total[:, None]) - volume
    best = values.argmax(axis=1)
    rows = np.arange(len(w))
    highest = values[rows, best]
    inside = (best > 0) & (best < len(grid) - 1) & (highest > 0.0)
    if inside.any():
        at = _peak(values[inside], best[inside], grid)
        own = scaled.mu * at[:, None]
        part = np.einsum("ns,ns->n", w[inside], own / (1.0 + own)) / total[inside]
        refined = -spectrum.nu * np.log1p(-part)
        refined -= np.log1p(scaled.xi * at[:, None]) @ scaled.xi_counts
        highest[inside] = np.maximum(highest[inside], refined)
    return np.maximum(highest, 0.0)


def _peak(values: FloatArray, best: NDArray[np.intp], grid: FloatArray) -> FloatArray:
    """Return lambda at the top of the parabola in log lambda through three points."""
    rows = np.arange(len(values))
    left, middle, right = (values[rows, best + i] for i in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    shift = np.divide(0.5 * (left - right), bend, out=np.zeros_like(bend), where=bend < 0.0)
    step = np.log(grid[1] / grid[0])
    return np.asarray(grid[best] * np.exp(step * np.clip(shift, -1.0, 1.0)))
