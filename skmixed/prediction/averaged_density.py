"""Densities and probabilities of a response whose linear predictor is normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import special

from skmixed.families.base import Family, FloatArray, LinkDerivatives
from skmixed.families.probability_links import ProbabilityLink
from skmixed.prediction.predictor_rows import predictor_rows
from skmixed.prediction.trapezoid import integrate

__all__ = [
    "averaged_log_density",
    "averaged_log_probabilities",
    "averaged_probabilities",
    "log_shares",
]

Rows = NDArray[np.intp]
# Takes eta (r,) or (k, r) and the indices (r,) of its rows; returns f with two derivatives in eta.
LogFunction = Callable[[FloatArray, Rows], tuple[FloatArray, FloatArray, FloatArray]]

# Functions of eta are at their limits where it is further from 0.
FARTHEST = 700.0
MAX_STEPS = 100
# What is wanted is a window around the mode: a tenth of the integrand's width is near enough.
NEAR = 0.1
# Outside of the window, the integrand is below exp(-36) of its largest value, 2e-16.
DROP = 36.0
GAUSSIAN_REACH = np.sqrt(2.0 * DROP)
WIDENINGS, NARROWINGS = 10, 4


def averaged_log_density(
    family: Family,
    y: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    extra: Sequence[FloatArray] = (),
    weights: FloatArray | None = None,
) -> FloatArray:
    """Return log E[f(y | eta)**weight] over eta ~ N(mean, variance).

    Parameters
    ----------
    weights : ndarray of shape (n,), optional
        Numbers of trials, or of equal responses that share their eta. For trials, the family's
        ``normalising`` has to be added.
    """
    rows = predictor_rows(family, mean, variance, extra)
    times = np.ones(len(y)) if weights is None else weights

    def log_density(
        eta: FloatArray, at: NDArray[np.intp]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        repeated = np.broadcast_to(at, eta.shape).ravel()
        omegas = tuple(omega[repeated] for omega in rows.extra)
        given = rows.family.derivatives(y[repeated], eta.ravel(), omegas, full=False)
        value, first, second = (
            (times[repeated] * part).reshape(eta.shape)
            for part in (given.value, given.first, given.second)
        )
        return value, first, second

    return log_average(log_density, rows.centre, rows.spread)[0]


def averaged_probabilities(family: Family, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the probabilities of 0 and 1, (n, 2), both accurate relative to their size."""
    return np.exp(averaged_log_probabilities(family, mean, variance))


def averaged_log_probabilities(
    family: Family, mean: FloatArray, variance: FloatArray
) -> FloatArray:
    """Return the logarithms of ``averaged_probabilities``, shape (n, 2)."""
    link = cast("ProbabilityLink", family.link)
    success, failure, _ = log_shares(link, mean, np.sqrt(variance))
    return np.column_stack([failure, success])


def log_shares(
    link: ProbabilityLink, centre: FloatArray, spread: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return log E[h(eta)], log E[1 - h(eta)] and the derivative of E[h(eta)] in the centre.

    The share that is smaller at the centre is integrated: the other one is 1 minus it, where
    nothing cancels.
    """
    if link.name == "probit":
        scale = np.sqrt(1.0 + spread**2)
        at = centre / scale
        slope = np.exp(-0.5 * at * at) / (np.sqrt(2.0 * np.pi) * scale)
        return special.log_ndtr(at), special.log_ndtr(-at), slope
    smaller, relative = np.empty((2, len(centre)))
    failing = link.mean(centre) > 0.5
    for rows, logarithm in ((~failing, link.log_mean), (failing, link.log_complement)):
        function = partial(_of_eta, logarithm)
        smaller[rows], relative[rows] = log_average(function, centre[rows], spread[rows])
    share = np.exp(smaller)
    larger, slope = np.log1p(-share), share * relative
    success, failure = np.where(failing, (larger, smaller), (smaller, larger))
    return success, failure, slope * np.where(failing, -1.0, 1.0)


def _of_eta(
    logarithm: Callable[[FloatArray], LinkDerivatives], eta: FloatArray, _: Rows
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a function of eta alone, with two derivatives, as one of rows too."""
    return logarithm(eta)[:3]


def log_average(
    function: LogFunction, centre: FloatArray, spread: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return log E[exp f(eta)] over eta ~ N(centre, spread**2), and its derivative in the centre.

    The integrand is followed to where it is large, which may be many standard deviations from the
    centre, so that the smallest averages have all digits too.

    Parameters
    ----------
    function : callable
        Takes eta (r,) or (k, r) and the indices (r,) of its rows; returns f, its derivative and
        its second derivative. At most one of the rows' integrands' peaks is followed: f
        should be concave, or bounded and flatter than the normal density.
    """
    value, slope, _ = function(centre, np.arange(len(centre)))
    value, slope = value.copy(), slope.copy()
    spreading = np.flatnonzero(spread > 0.0)
    if len(spreading):
        integrand = _Integrand(function, spreading, centre[spreading], spread[spreading])
        value[spreading], slope[spreading] = integrand.average()
    return value, slope


@dataclass(frozen=True, slots=True, eq=False)
class _Integrand:
    """The logarithm of exp f(centre + spread z) times the standard normal density of z."""

    function: LogFunction
    origin: Rows
    centre: FloatArray
    spread: FloatArray

    def average(self) -> tuple[FloatArray, FloatArray]:
        """Integrate, relative to the value at the mode."""
        mode, width = self._mode()
        every = np.arange(len(mode))
        peak = self._value(mode, every)
        low = mode - self._reach(mode, peak, width, -1.0)
        high = mode + self._reach(mode, peak, width, 1.0)

        def relative(points: FloatArray, rows: Rows) -> FloatArray:
            value, first, _ = self._at(points, rows)
            part = np.exp(value - peak[rows])
            return np.stack([part, part * first])

        total, sloped = integrate(relative, low, high)
        return peak + np.log(total / np.sqrt(2.0 * np.pi)), sloped / total

    def _at(self, z: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the integrand's logarithm and f's derivatives in eta, z (r,) or (k, r)."""
        eta = self.centre[rows] + self.spread[rows] * z
        value, first, second = self.function(eta, self.origin[rows])
        return value - 0.5 * z * z, first, second

    def _value(self, z: FloatArray, rows: Rows) -> FloatArray:
        return self._at(z, rows)[0]

    def _mode(self) -> tuple[FloatArray, FloatArray]:
        """Return each row's z with the largest integrand, and the integrand's width there.

        By Newton's method within brackets; every third step halves them.
        """
        z, width = np.zeros((2, len(self.centre)))
        rows = np.arange(len(z))
        low, high = self._bracket()
        for step in range(MAX_STEPS):
            spread, at = self.spread[rows], z[rows]
            _, first, second = self._at(at, rows)
            gradient = spread * first - at
            curvature = np.maximum(1.0 - spread**2 * second, 1.0)
            width[rows] = 1.0 / np.sqrt(curvature)
            low[rows] = np.where(gradient > 0.0, at, low[rows])
            high[rows] = np.where(gradient < 0.0, at, high[rows])
            after = at + gradient / curvature
            inside = (after > low[rows]) & (after < high[rows])
            if step % 3 == 2:
                inside[:] = False
            near = np.abs(gradient) <= NEAR * np.sqrt(curvature)
            z[rows] = np.where(inside, after, 0.5 * (low[rows] + high[rows]))
            z[rows[near]] = at[near]
            rows = rows[~near]
            if not len(rows):
                break
        return z, width

    def _bracket(self) -> tuple[FloatArray, FloatArray]:
        """Return ends around a concave function's mode: 0, and where its slope at 0 leads."""
        every = np.arange(len(self.centre))
        _, first, _ = self._at(np.zeros(len(every)), every)
        lead = self.spread * first
        farthest = (FARTHEST * np.sign(lead) - self.centre) / self.spread
        end = np.where(np.abs(farthest) < np.abs(lead), farthest, lead)
        return np.minimum(end, 0.0), np.maximum(end, 0.0)

    def _reach(
        self, mode: FloatArray, peak: FloatArray, width: FloatArray, side: float
    ) -> FloatArray:
        """Return how far from the mode the integrand is negligible, on one side."""
        inner, outer = np.zeros_like(mode), GAUSSIAN_REACH * width
        drop = peak - self._value(mode + side * outer, np.arange(len(mode)))
        for _ in range(WIDENINGS):
            rows = np.flatnonzero(drop < DROP * (1.0 - 1e-8))
            if not len(rows):
                break
            inner[rows], outer[rows] = outer[rows], 2.0 * outer[rows]
            drop[rows] = peak[rows] - self._value(mode[rows] + side * outer[rows], rows)
        for _ in range(NARROWINGS):
            rows = np.flatnonzero(drop > 2.0 * DROP)
            if not len(rows):
                break
            middle = 0.5 * (inner[rows] + outer[rows])
            there = peak[rows] - self._value(mode[rows] + side * middle, rows)
            enough = there >= DROP
            outer[rows[enough]], drop[rows[enough]] = middle[enough], there[enough]
            inner[rows[~enough]] = middle[~enough]
        return outer
