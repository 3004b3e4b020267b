"""What the blocked kernel asks of the factors that it eliminates level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.errors import Stage

__all__ = ["Directions", "EliminatedFactors", "Reduced"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """Hold what is left of A = [X y] and U when V_c has been taken into account.

    V_c = W^-1 + sum Z Psi Z' over the eliminated factors; U are the columns of Z of all others.
    """

    log_determinant: float  # log|V_c| + log|W|
    UU: FloatArray  # U'V_c^-1 U
    UA: FloatArray
    AA: FloatArray
    at: Any


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """Hold the products of some columns f in the span of Z."""

    gram: FloatArray  # f'V_c^-1 f
    U: FloatArray  # f'V_c^-1 U
    A: FloatArray


class EliminatedFactors(Protocol):
    """One factor, or several nested in each other: V_c is block-diagonal."""

    def whiten(self, factors: Sequence[FloatArray]) -> Reduced:
        """Evaluate at the relative covariance factors."""
        ...

    def traces(self, at: Any, K: FloatArray) -> list[FloatArray]:
        """Return sum Z_g'(V_c^-1 - V_c^-1 U K U'V_c^-1) Z_g over the levels of each factor."""
        ...

    def projected(self, at: Any, of_U: FloatArray, of_A: FloatArray) -> list[FloatArray]:
        """Return Z'V_c^-1 (U of_U' + A of_A') of each factor, each (n_mixed, k, n_levels)."""
        ...

    def directions(self, at: Any, effects: Sequence[FloatArray]) -> Directions:
        """Return the products of f = Z v, for v of each factor, (m, k, n_levels) each."""
        ...

    def stages(self, at: Any, factors: Sequence[FloatArray]) -> list[Stage]:
        """Return what the errors of the effects are made of."""
        ...
