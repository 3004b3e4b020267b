"""Any covariance of the effects, held by a triangle that takes them in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skmixed.covariance.base import FloatArray, Invariance
from skmixed.covariance.unstructured import Unstructured

__all__ = ["Reordered"]


@dataclass(frozen=True)
class Reordered:
    """Allow every variance and covariance, as ``Unstructured`` does, with other parameters.

    A search is awkward where the first effect hardly varies: the variance of the second is then the
    sum of two squares, and theta moves along a circle. It is easy if the triangle begins with the
    effect that varies most.

    Parameters
    ----------
    order : tuple of int
        The effects, as the triangle takes them.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.covariance.reordered import Reordered
    >>> Reordered((1, 0)).factor(np.array([2.0, 0.5, 1.0]), 2)
    array([[0.5, 1. ],
           [2. , 0. ]])
    """

    order: tuple[int, ...]
    invariance: ClassVar[Invariance] = "linear"

    def n_parameters(self, n_effects: int) -> int:
        """Return the size of a lower triangle."""
        return Unstructured().n_parameters(n_effects)

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return None: theta is free."""
        return None

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the triangle with its rows in the order of the model."""
        return Unstructured().factor(theta, n_effects)[self._places]

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return one indicator matrix for each entry of the triangle."""
        return Unstructured().factor_derivative(theta, n_effects)[:, self._places]

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return None: Lambda is linear in theta."""
        return None

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the triangle of root root' with rows and columns in this order."""
        return Unstructured().parameters(root[list(self.order)])

    @property
    def _places(self) -> list[int]:
        """Return the place of each effect in the triangle."""
        return [int(place) for place in np.argsort(self.order)]
