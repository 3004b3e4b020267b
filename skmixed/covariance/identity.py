"""Uncorrelated effects that share one variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skmixed.covariance.base import FloatArray, FreeLinear, Invariance
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.parametrisation import Parametrisation
from skmixed.covariance.scales import Linear

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity(FreeLinear):
    """Let all effects share one variance and no two effects be correlated.

    Lambda = theta I, with theta the common standard deviation relative to sigma.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.covariance import Identity
    >>> Identity().factor(np.array([2.0]), 2)
    array([[2., 0.],
           [0., 2.]])
    """

    invariance: ClassVar[Invariance] = "scalar"

    def n_parameters(self, n_effects: int) -> int:
        """Return one parameter."""
        return 1

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return theta I."""
        return theta[0] * np.eye(n_effects)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the identity matrix."""
        return np.eye(n_effects)[None]

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the root of the mean variance."""
        return np.sqrt(np.sum(root**2, keepdims=True).ravel() / len(root))

    def parametrised_by(
        self, parameter: NaturalParameter, directions: FloatArray
    ) -> Parametrisation:
        """Return theta as it is."""
        (i,) = parameter.effects
        return Parametrisation(self, 0, Linear(float(np.linalg.norm(directions[i]))))
