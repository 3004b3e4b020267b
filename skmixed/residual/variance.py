"""What a structure of unequal variances must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.structure import ResidualStructure, Scale

__all__ = ["Columns", "LearnedVariance", "RowDeviations", "VarianceFunction"]

FloatArray = NDArray[np.float64]
Columns = Mapping[Any, Any]
"""The columns of some rows by the names in which a structure asks for them."""


@dataclass(frozen=True, slots=True, eq=False)
class RowDeviations:
    """Hold what the logarithm of the standard deviation of each row is in the parameters.

    It is offset + values * rho[codes]: linear, whatever the structure.

    Attributes
    ----------
    codes : ndarray of shape (n,)
        The parameter of each row, -1 for none.
    values : ndarray of shape (n,) or None
        1 where None.
    offset : ndarray of shape (n,) or None
    """

    codes: NDArray[np.intp]
    values: FloatArray | None
    offset: FloatArray | None
    n_parameters: int

    def logarithms(self, rho: FloatArray) -> FloatArray:
        """Return the logarithm of each row's standard deviation relative to sigma, (n,)."""
        logs = np.append(rho, 0.0)[self.codes]
        if self.values is not None:
            logs *= self.values
        return logs if self.offset is None else logs + self.offset

    def summed(self, weights: FloatArray) -> FloatArray:
        """Return for each parameter the sum of weights times the derivative of each row's logs."""
        if self.values is not None:
            weights = weights * self.values
        sums = np.bincount(self.codes + 1, weights, self.n_parameters + 1)
        return sums[1:].astype(np.float64, copy=False)

    def select(self, rows: NDArray[np.intp]) -> RowDeviations:
        """Return the same of some rows."""
        values, offset = (None if one is None else one[rows] for one in (self.values, self.offset))
        return RowDeviations(self.codes[rows], values, offset, self.n_parameters)

    def derivative(self) -> FloatArray:
        """Return the derivatives of each row's logarithm, (n_parameters, n)."""
        whole = (self.codes == np.arange(self.n_parameters)[:, None]).astype(np.float64)
        return whole if self.values is None else whole * self.values


class LearnedVariance(Protocol):
    """A variance structure that has seen the training rows: its strata, units, parameters."""

    @property
    def n_parameters(self) -> int:
        """Return the length of rho."""
        ...

    @property
    def names(self) -> list[str]:
        """Name the natural parameters, as nlme has them."""
        ...

    @property
    def scales(self) -> list[Scale]:
        """Say for each natural parameter where it is nearly normal."""
        ...

    @property
    def fixes_sigma(self) -> bool:
        """Tell whether the variances are known, and sigma is 1."""
        ...

    def natural(self, rho: NDArray[Any]) -> NDArray[Any]:
        """Return the natural parameters; it must take complex numbers."""
        ...

    def rows(self, columns: Columns) -> RowDeviations:
        """Return what the standard deviations of some rows are in rho."""
        ...


class VarianceFunction(ResidualStructure, ABC):
    """A structure of the standard deviations of rows."""

    equation: ClassVar[str] = "d_i"

    @property
    @abstractmethod
    def columns(self) -> tuple[Any, ...]:
        """Return the columns that it reads."""

    @property
    @abstractmethod
    def label_columns(self) -> tuple[Any, ...]:
        """Return those of them that hold labels."""

    @abstractmethod
    def learn(self, columns: Columns) -> LearnedVariance:
        """Learn strata and units from the training rows."""
