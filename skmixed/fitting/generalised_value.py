"""One evaluation of the likelihood of a generalised model, and its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.modes import Modes
from skmixed.likelihood.working_columns import WorkingColumns

__all__ = ["GeneralisedValue", "Parameters"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Hold the parameters of a generalised model, apart from each other.

    Attributes
    ----------
    extra : list of ndarray
        Coefficients of each further predictor.
    """

    beta: FloatArray
    theta: FloatArray
    extra: list[FloatArray]


@dataclass(frozen=True, eq=False)
class GeneralisedValue:
    """Hold one evaluation of the objective, -2 log-likelihood with the penalty if there is one.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        All parameters: beta, theta and those of further predictors.
    penalty : float
        The part of the value that is no likelihood.
    gradient : ndarray of shape (n_parameters,)
    hessian : ndarray of shape (n_parameters, n_parameters)
        Approximate.
    columns : WorkingColumns
        Of all parameters.
    replicate : callable
        Returns the ``replicated_gradients``.
    """

    theta: FloatArray
    value: float
    penalty: float
    gradient: FloatArray
    hessian: FloatArray
    modes: Modes
    columns: WorkingColumns
    replicate: Callable[[], FloatArray | None]

    @property
    def value_error(self) -> float:
        """Return the Monte-Carlo standard error of the value."""
        return self.modes.system.schur.log_determinant_error

    @cached_property
    def replicated_gradients(self) -> FloatArray | None:
        """Return independent estimates of the gradient, (n, n_parameters); None if it is exact."""
        return self.replicate()

    @property
    def n_terms(self) -> float:
        """Count the terms of size 1 that the value is a sum of."""
        return float(len(self.modes.eta))
