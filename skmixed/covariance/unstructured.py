"""Any covariance of the effects: one parameter for each entry of a lower triangle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skmixed.covariance.base import FloatArray, Invariance
from skmixed.covariance.leading import (
    LeadingCorrelation,
    LeadingEffect,
    Triangular,
    entry_indicators,
    filled_triangle,
    triangle_entries,
)
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.parametrisation import Parametrisation
from skmixed.covariance.scales import Angle, Linear

__all__ = ["Unstructured"]


@dataclass(frozen=True)
class Unstructured(Triangular):
    """Allow every variance and covariance of the effects.

    theta runs down the columns of the lower triangle of Lambda, as in lme4 (Bates et al. 2015,
    equation 4 and section 2.3).

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.covariance import Unstructured
    >>> Unstructured().factor(np.array([1.0, 0.5, 2.0]), 2)
    array([[1. , 0. ],
           [0.5, 2. ]])
    """

    invariance: ClassVar[Invariance] = "linear"

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the lower triangle filled column by column."""
        return filled_triangle(theta, n_effects)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return one indicator matrix for each entry of the triangle."""
        return entry_indicators(n_effects)

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the triangle of the Cholesky factor of root root', found without squaring root."""
        return triangle_entries(root)

    def parametrised_by(
        self, parameter: NaturalParameter, directions: FloatArray
    ) -> Parametrisation:
        """Begin the triangle, in turned coordinates, with what is held."""
        along = [directions[i] for i in parameter.effects]
        if len(along) == 1:
            scale = Linear(float(np.linalg.norm(along[0])))
            return Parametrisation(LeadingEffect.of(along[0]), 0, scale)
        return Parametrisation(LeadingCorrelation.of(*along), 0, Angle())
