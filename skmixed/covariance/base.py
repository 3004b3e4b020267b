"""What a covariance structure of random effects must offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["CovarianceStructure", "Invariance", "resolve_structure"]

FloatArray = NDArray[np.float64]

Invariance = Literal["linear", "diagonal", "scalar"]


@runtime_checkable
class CovarianceStructure(Protocol):
    """Map a parameter theta to the relative covariance factor Lambda of one random term.

    The covariance of the n_effects effects of one level is sigma^2 Lambda Lambda'
    (Bates, Maechler, Bolker and Walker 2015, equation 4).

    Attributes
    ----------
    invariance : {"linear", "diagonal", "scalar"}
        The changes of the columns of Z that lead to a model of the same structure: any regular
        linear map, a scale for each column, or one scale for all. It decides how columns may be
        standardised.
    """

    invariance: ClassVar[Invariance]

    def n_parameters(self, n_effects: int) -> int:
        """Return the length of theta."""
        ...

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return Lambda, of shape (n_effects, n_effects)."""
        ...

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""
        ...

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the theta whose Lambda Lambda' is nearest to root root', its signs made unique."""
        ...


def resolve_structure(
    specification: Any, known: Mapping[str, CovarianceStructure], aliases: Mapping[str, str]
) -> CovarianceStructure:
    """Look a structure up by name, or check that an object is one."""
    if isinstance(specification, str):
        name = aliases.get(specification, specification)
        if name in known:
            return known[name]
        raise ValueError(
            f"Unknown covariance structure {specification!r}: expected one of {sorted(known)}, or "
            "an object of skmixed.covariance."
        )
    if isinstance(specification, type) or not isinstance(specification, CovarianceStructure):
        raise TypeError(
            f"covariance must be one of {sorted(known)} or an object such as "
            f"skmixed.covariance.Diagonal(), got {specification!r}."
        )
    return specification
