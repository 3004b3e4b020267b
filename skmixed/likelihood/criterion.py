"""What the search asks of an approximate likelihood: its value and gradient at the modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.modes import Modes
from skmixed.likelihood.responses import Responses

__all__ = ["Criterion", "RowGradient"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RowGradient:
    """Hold the derivatives of an approximated -2 log likelihood.

    Attributes
    ----------
    eta : ndarray of shape (n,)
        In the fixed part of each row's linear predictor.
    factors : list of ndarray of shape (k, k)
        In Lambda of each grouping factor.
    extra : list of ndarray of shape (n,)
        In each further predictor of the rows.
    """

    eta: FloatArray
    factors: list[FloatArray]
    extra: list[FloatArray]


class Criterion(Protocol):
    """An approximation of -2 log likelihood, from the modes of the random effects."""

    def of(self, rows: EffectRows, responses: Responses) -> Criterion:
        """Return the same approximation for other rows."""
        ...

    def value(self, modes: Modes) -> float:
        """Return -2 log likelihood, given the modes."""
        ...

    def differentiated(self, modes: Modes) -> tuple[float, RowGradient]:
        """Return the value with its exact gradient, the modes moving with the parameters."""
        ...

    def replicated(self, modes: Modes) -> list[RowGradient]:
        """Return independent estimates of an estimated gradient; none where it is exact."""
        ...
