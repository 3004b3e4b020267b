"""A residual structure at its estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.differentiation import complex_step
from skmixed.residual.learned import LearnedResidual
from skmixed.saving.fields import FieldState

__all__ = ["FittedResidual"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedResidual(FieldState):
    """Hold a residual structure, its estimates and what the coefficients owe to them.

    Attributes
    ----------
    learned : LearnedResidual
    rho : ndarray of shape (n_rho,)
    information_changes : ndarray of shape (n_rho, rank, rank)
        Derivatives of X'V^-1 X in rho, standardised columns.
    undetermined : ndarray of shape (n_rho,)
        Which natural parameters the rows say nothing of.
    """

    learned: LearnedResidual
    rho: FloatArray
    information_changes: FloatArray
    undetermined: NDArray[np.bool_]

    @property
    def n_parameters(self) -> int:
        """Count the parameters of R."""
        return len(self.rho)

    @property
    def fixes_sigma(self) -> bool:
        """Tell whether sigma is 1 and not estimated."""
        return self.learned.fixes_sigma

    @property
    def parameters(self) -> dict[str, float]:
        """Return the natural parameters by name."""
        values = self.learned.natural(self.rho)
        return dict(zip(self.learned.names, values.tolist(), strict=True))

    @property
    def natural_derivative(self) -> FloatArray:
        """Return the derivatives of the natural parameters in rho, (n_natural, n_rho)."""
        return complex_step(self.learned.natural, self.rho).T

    def deviations(self, columns: Any) -> FloatArray:
        """Return the standard deviations of rows relative to sigma, (n,).

        Parameters
        ----------
        columns : mapping of columns
            By the names in which the structure asks for them.

        Raises
        ------
        ValueError
            If a row is of a stratum that was not fitted.
        """
        _, parts = self.learned.split(self.rho)
        logs = [
            variance.rows(columns).logarithms(part)
            for variance, part in zip(self.learned.variances, parts, strict=True)
        ]
        return np.exp(np.sum(logs, axis=0)) if logs else np.ones(1)
