"""Predictions over draws of the variance parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from skmixed.fitting.at_rho import FitsAround
from skmixed.fitting.at_theta import standardised_theta
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.prediction.given_variances import GivenVariances
from skmixed.prediction.predict import PredictedRows

__all__ = ["MixturePrediction", "VarianceDraws"]

FloatArray = NDArray[np.float64]

# Rows times draws at a time.
ROOM = 2**22
# A variance at a draw counts as no smaller than this part of that at the estimate: one that was
# drawn as 0 does not stand for an infinite one.
LEAST = 0.05
# Steps of the search for quantiles, each of which halves at least where they may be.
MAX_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class VarianceDraws:
    """Hold draws of the estimates of the variance parameters.

    Attributes
    ----------
    theta : ndarray of shape (n_draws, n_theta)
        Relative covariance parameters, as ``LMMFit.theta``.
    """

    theta: FloatArray
    sigma: FloatArray
    rho: FloatArray | None = None

    def standardised(self, fit: LMMFit) -> FloatArray:
        """Return theta in the standardised coordinates of a fit, and rho beside it."""
        theta = np.array([standardised_theta(fit, theta) for theta in self.theta])
        return theta if self.rho is None else np.column_stack([theta, self.rho])


@dataclass(frozen=True, eq=False)
class MixturePrediction:
    """Describe predictions as a mixture of normal distributions, one for each draw.

    At the parameters eta_r of draw r the effects are estimated again from the data: the
    prediction is m_r, and M_r the variance of its error. Draws of a bootstrap lie about the
    estimate as the estimate lies about the truth. A variance that was drawn too small by
    some factor stands for one that is too large by the same factor, so that a part of the
    mixture is

        N(m_r, M^2 / M_r)

    with M the variance at the estimate. Without random effects this is Student's t, up to the
    number of draws. Where the estimate is on its boundary, draws cannot lie below it. A larger M_r
    then counts as it is: the variance is the larger one of M_r and M^2 / M_r.
    """

    fit: LMMFit
    rows: PredictedRows
    draws: VarianceDraws
    model: LMMModel | None = None

    @cached_property
    def mean(self) -> FloatArray:
        """Return the predictions at the estimate, shape (n,)."""
        return GivenVariances(self.fit, self.rows).mean

    @cached_property
    def std(self) -> FloatArray:
        """Return root mean square distances of what is predicted from the predictions, (n,)."""
        parts = [
            np.sqrt(np.mean(spreads**2 + (means - self.mean[chunk]) ** 2, axis=0))
            for chunk, means, spreads in self._components()
        ]
        return np.concatenate([np.empty(0), *parts])

    def covariance(self) -> FloatArray:
        """Return the covariance of what is predicted about the predictions, (n, n)."""
        centre = GivenVariances(self.fit, self.rows)
        total = np.zeros((len(self.mean), len(self.mean)))
        for fit in self._fits():
            one = GivenVariances(fit, self.rows)
            spread = self._spread(centre.std, one.std)
            scale = spread / np.where(one.std > 0.0, one.std, 1.0)
            part = scale[:, None] * one.covariance() * scale
            # What does not vary at a draw is not made to by a scale.
            part[np.diag_indices_from(part)] = spread**2
            total += part
            away = one.mean - centre.mean
            total += np.multiply.outer(away, away)
        return total / len(self.draws.sigma)

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of the mixtures, (n, n_probabilities)."""
        parts = [
            np.column_stack([_mixture_quantile(means, spreads, p) for p in probabilities])
            for _, means, spreads in self._components()
        ]
        return np.concatenate([np.empty((0, len(probabilities))), *parts])

    def _components(self) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
        """Yield some rows at a time, with means and deviations of their parts, (n_draws, n)."""
        n_draws, n = len(self.draws.sigma), len(self.rows)
        size = max(1, ROOM // n_draws)
        for first in range(0, n, size):
            chunk = slice(first, first + size)
            rows = self.rows.take(chunk)
            centre = GivenVariances(self.fit, rows).std
            means, spreads = np.empty((2, n_draws, len(centre)))
            for r, fit in enumerate(self._fits()):
                one = GivenVariances(fit, rows)
                means[r], spreads[r] = one.mean, self._spread(centre, one.std)
            yield chunk, means, spreads

    def _fits(self) -> Iterator[LMMFit]:
        """Yield the estimates at each draw."""
        around = FitsAround(self.fit, self.model)
        parameters = self.draws.standardised(self.fit)[:, : len(around.estimate)]
        for one, sigma in zip(parameters, self.draws.sigma, strict=True):
            yield replace(around.at(one), sigma=float(sigma))

    def _spread(self, centre: FloatArray, drawn: FloatArray) -> FloatArray:
        """Return deviations as far above those at the estimate as the drawn ones are below."""
        reflected = centre**2 / np.maximum(drawn, np.sqrt(LEAST) * np.where(centre > 0, centre, 1))
        on_boundary = any(effects.boundary for effects, _ in self.fit.estimable)
        return np.maximum(reflected, drawn) if on_boundary else reflected


def _mixture_quantile(means: FloatArray, spreads: FloatArray, probability: float) -> FloatArray:
    """Solve mean of Phi((x - means) / spreads) = probability for each column.

    By Newton's method within brackets that shrink.
    """
    own = means + spreads * ndtri(probability)
    low, high = own.min(axis=0), own.max(axis=0)
    at = own.mean(axis=0)
    positive = np.where(spreads > 0.0, spreads, 1.0)
    scale = np.finfo(float).eps * 8.0 * np.maximum(np.abs(low), np.abs(high))
    for _ in range(MAX_STEPS):
        z = np.where(spreads > 0.0, (at - means) / positive, np.where(at < means, -np.inf, np.inf))
        excess = ndtr(z).mean(axis=0) - probability
        low, high = np.where(excess <= 0.0, at, low), np.where(excess >= 0.0, at, high)
        if (high - low <= scale).all():
            break
        slope = (np.exp(-0.5 * z**2) / positive).mean(axis=0) / np.sqrt(2.0 * np.pi)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = at - excess / slope
        inside = (step > low) & (step < high)
        after = np.where(inside, step, 0.5 * (low + high))
        if (np.abs(after - at) <= scale).all():
            return after
        at = after
    return at
