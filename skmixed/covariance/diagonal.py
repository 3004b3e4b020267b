"""Uncorrelated effects, each with a variance of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skmixed.covariance.base import FloatArray, FreeLinear, Invariance
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.parametrisation import Parametrisation
from skmixed.covariance.scales import Linear

__all__ = ["Diagonal"]


@dataclass(frozen=True)
class Diagonal(FreeLinear):
    """Let every effect have its own variance and no two effects be correlated.

    theta holds the standard deviations relative to sigma: Lambda = diag(theta). In a formula
    this is ``(x || g)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.covariance import Diagonal
    >>> Diagonal().factor(np.array([1.0, 2.0]), 2)
    array([[1., 0.],
           [0., 2.]])
    """

    invariance: ClassVar[Invariance] = "diagonal"

    def n_parameters(self, n_effects: int) -> int:
        """Return one parameter for each effect."""
        return n_effects

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return diag(theta)."""
        return np.diag(theta)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return one indicator matrix for each diagonal entry."""
        derivative = np.zeros((n_effects, n_effects, n_effects))
        entries = np.arange(n_effects)
        derivative[entries, entries, entries] = 1.0
        return derivative

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the lengths of the rows of root."""
        return np.sqrt(np.sum(root**2, axis=1))

    def parametrised_by(
        self, parameter: NaturalParameter, directions: FloatArray
    ) -> Parametrisation:
        """Return theta as it is."""
        (i,) = parameter.effects
        return Parametrisation(self, i, Linear(float(np.linalg.norm(directions[i]))))
