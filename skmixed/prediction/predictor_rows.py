"""Rows whose linear predictor is normal, with the family of the response given the predictor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from skmixed.families.base import Family, FloatArray
from skmixed.families.distribution import Distribution
from skmixed.families.links import Log
from skmixed.families.zero_inflation import ZeroInflated

__all__ = ["PredictorRows", "is_linear", "power_of_predictor", "predictor_rows"]

# Means that are powers of a predictor that must be positive.
POWERS = {"identity": 1.0, "sqrt": 2.0, "inverse": -1.0, "inverse_squared": -0.5}


@dataclass(frozen=True, slots=True, eq=False)
class PredictorRows:
    """Hold rows with eta ~ N(centre, spread**2), and what the response follows given eta.

    Attributes
    ----------
    extra : tuple of ndarray of shape (n,)
        The further predictors of the family, which are taken as known.
    """

    family: Family
    centre: FloatArray
    spread: FloatArray
    extra: tuple[FloatArray, ...] = ()
    trials: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.centre)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> PredictorRows:
        """Return some of the rows, in any order and number."""
        return replace(
            self,
            centre=self.centre[rows],
            spread=self.spread[rows],
            extra=tuple(omega[rows] for omega in self.extra),
            trials=None if self.trials is None else self.trials[rows],
        )

    @property
    def mean(self) -> FloatArray:
        """Return the mean of the response with eta at its centre."""
        return self.family.mean(self.centre, self.extra)

    @property
    def variance(self) -> FloatArray:
        """Return the variance of the response, of one trial, with eta at its centre."""
        return self.family.variance(self.centre, self.extra)

    def cdf(self, y: FloatArray) -> FloatArray:
        """Return the probability of a response up to y with eta at its centre."""
        return self.family.cdf(y, self.centre, self.extra, self.trials)

    def at(self, z: FloatArray) -> PredictorRows:
        """Return the rows with eta at z standard deviations from its centre, z of shape (n,)."""
        return replace(self, centre=self.centre + self.spread * z, spread=np.zeros_like(z))


def predictor_rows(
    family: Family,
    mean: FloatArray,
    variance: FloatArray,
    extra: Sequence[FloatArray] = (),
    trials: FloatArray | None = None,
) -> PredictorRows:
    """Return the rows with eta ~ N(mean, variance).

    Where the response's mean is a power of eta, eta must be positive, and averages over a normal
    law do not exist, as it reaches 0. A lognormal law with the same mean and variance stands
    for it: then the logarithm of the response's mean is normal, as it is with a log link, which
    the rows get. It is NaN where the mean of eta is not positive.
    """
    power = power_of_predictor(family)
    omegas = tuple(np.broadcast_to(omega, mean.shape) for omega in extra)
    if power is None:
        return PredictorRows(family, mean, np.sqrt(variance), omegas, trials)
    positive = np.where(mean > 0.0, mean, np.nan)
    log_variance = np.log1p(variance / positive**2)
    centre = power * (np.log(positive) - 0.5 * log_variance)
    spread = np.where(mean > 0.0, abs(power) * np.sqrt(log_variance), 0.0)
    return PredictorRows(_with_log_link(family), centre, spread, omegas, trials)


def power_of_predictor(family: Family) -> float | None:
    """Return which power of a positive eta the mean is; None where eta may be any number."""
    return None if is_linear(family) else POWERS.get(family.link.name)


def is_linear(family: Family) -> bool:
    """Return whether the mean is eta, which may be any number."""
    return family.link.name == "identity" and family.name == "gaussian"


def _with_log_link(family: Family) -> Family:
    """Return the family with the log link of the same mean."""
    if isinstance(family, ZeroInflated):
        return ZeroInflated(replace(family.family, link=Log()))
    return replace(cast("Distribution", family), link=Log())
