"""What a covariance structure of random effects must offer."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["CovarianceStructure", "FreeLinear", "Invariance", "needs_ordered_effects"]

FloatArray = NDArray[np.float64]

Invariance = Literal["linear", "diagonal", "scalar"]


@runtime_checkable
class CovarianceStructure(Protocol):
    """Map a parameter theta to the relative covariance factor Lambda of one random term.

    The covariance of the n_effects effects of one level is sigma^2 Lambda Lambda'
    (Bates, Maechler, Bolker and Walker 2015, equation 4).

    A structure may have three more members, which all have defaults:

    - ``natural_parameters(directions)`` lists its parameters as the user knows them; by default the
      distinct standard deviations and correlations (``covariance/effect_parameters.py``);
    - ``parametrised_by(parameter, directions)`` returns a structure in which one of these is an
      entry of theta, for profiles; by default theta is moved along its gradient
      (``covariance/parametrisation.py``);
    - ``ordered = True`` asks for one effect for each of several ordered occasions.

    Attributes
    ----------
    invariance : {"linear", "diagonal", "scalar"}
        The changes of the columns of Z that lead to a model of the same structure: any regular
        linear map, a scale for each column, or one scale for all. It decides how columns may be
        standardised.
    """

    @property
    def invariance(self) -> Invariance:
        """Tell which changes of the columns of Z keep the structure."""

    def n_parameters(self, n_effects: int) -> int:
        """Return the length of theta."""

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return the least theta of the structure; None where every theta is one of its own."""

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return Lambda, of shape (n_effects, n_effects)."""

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return the second derivatives of Lambda, None where it is linear in theta.

        Of shape (n_parameters, n_parameters, n_effects, n_effects).
        """

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the theta whose Lambda Lambda' is nearest to root root', its signs made unique."""


class FreeLinear:
    """Structures whose theta is free, and whose Lambda is linear in it."""

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return None: theta is free."""
        return None

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return None: Lambda is linear in theta."""
        return None


def needs_ordered_effects(structure: CovarianceStructure) -> bool:
    """Tell whether the effects must be those of ordered occasions."""
    return bool(getattr(structure, "ordered", False))
