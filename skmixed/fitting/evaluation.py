"""What a search reads of one evaluation of its objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Evaluation", "Objective", "Value"]

FloatArray = NDArray[np.float64]


class Evaluation(Protocol):
    """An objective with its derivatives at some parameters, in standardised coordinates."""

    @property
    def theta(self) -> FloatArray:
        """Return the parameters."""
        ...

    @property
    def value(self) -> float:
        """Return the objective."""
        ...

    @property
    def gradient(self) -> FloatArray:
        """Return its gradient."""
        ...

    @property
    def hessian(self) -> FloatArray:
        """Return its Hessian, or an approximate one."""
        ...

    @property
    def n_terms(self) -> float:
        """Count the terms of size 1 that the objective is a sum of."""
        ...

    @property
    def replicated_gradients(self) -> FloatArray | None:
        """Return independent estimates of the gradient, (n, n_parameters); None if it is exact."""
        ...

    @property
    def value_error(self) -> float:
        """Return the Monte-Carlo standard error of the objective."""
        ...


Value = TypeVar("Value", bound=Evaluation)
Objective = Callable[[FloatArray], Value]
