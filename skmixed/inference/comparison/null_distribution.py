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

from skmixed.inference.comparison.spectrum import Spectrum

__all__ = ["simulate_likelihood_ratio"]

FloatArray = NDArray[np.float64]

# Logarithms of lambda, relative to the largest eigenvalue: from where the ratio is nearly linear to
# where the variance of the residuals no longer matters.
LOWEST, HIGHEST, N_GRID = -10.0, 8.0, 200
# Eigenvalues that differ by less are one, and below this part of the largest they are 0.
EQUAL = 1e-9
# Numbers to hold at a time.
CHUNK = 4_000_000


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
    """Draw likelihood ratios under the hypothesis.

    Equal eigenvalues share one chi-squared variable of as many degrees of freedom. The supremum is
    found on a grid of log lambda, and then by a parabola through the highest points.

    Returns
    -------
    ndarray of shape (n_sim,)
        At least 0.
    """
    scaled = _scaled(spectrum)
    size = max(1, CHUNK // (len(scaled.mu) + len(scaled.grid)))
    parts = [
        _draw(spectrum, scaled, min(size, n_sim - first), generator)
        for first in range(0, n_sim, size)
    ]
    return np.concatenate(parts)


def _scaled(spectrum: Spectrum) -> _Scaled:
    """Prepare the eigenvalues."""
    top = max(spectrum.mu.max(initial=0.0), spectrum.xi.max(initial=0.0))
    mu, counts = _distinct(spectrum.mu, top)
    xi, xi_counts = _distinct(spectrum.xi, top)
    grid = np.exp(np.linspace(LOWEST, HIGHEST, N_GRID))
    return _Scaled(mu, counts, xi, xi_counts, spectrum.n_residual - float(counts.sum()), grid)


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
