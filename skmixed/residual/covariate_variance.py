"""Residual variances that change with a covariate, or with the fitted values."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import Levels
from skmixed.residual.structure import Names, ResidualStructure, named
from skmixed.residual.variance import (
    Columns,
    LearnedVariance,
    RowDeviations,
    VarianceFunction,
    learn_strata,
    strata_of_rows,
)

__all__ = ["CovariateVariance", "LearnedCovariateVariance"]


@dataclass(frozen=True)
class CovariateVariance(VarianceFunction):
    """A standard deviation whose logarithm is a parameter times a function of a covariate.

    Subclasses say which function, what the parameter is called, and by a verb, how the standard
    deviation depends on the covariate.
    """

    of: str | int
    by: Names | None = None
    parameter: ClassVar[str]
    symbol: ClassVar[str] = r"\delta"
    verb: ClassVar[str]

    def contains(self, other: ResidualStructure) -> bool:
        """Tell whether another structure is the same for all levels of some of the columns."""
        if type(self) is not type(other) or not isinstance(other, CovariateVariance):
            return False
        return self.of == other.of and set(other.label_columns) <= set(self.label_columns)

    @property
    def words(self) -> str:
        """Say how the standard deviation depends on what."""
        of = "the fitted values" if self.of_fitted else self.of
        words = f"a standard deviation {self.verb} {of}"
        by = " and ".join(map(str, self.label_columns))
        return f"{words}, for each level of {by}" if by else words

    @abstractmethod
    def predictor(self, covariate: Any) -> NDArray[np.float64]:
        """Return what the parameter is multiplied by, (n,)."""

    @property
    def of_fitted(self) -> bool:
        """Tell whether the covariate is the fitted values, which change from fit to fit."""
        return self.of == "fitted"

    @property
    def columns(self) -> tuple[Any, ...]:
        """Return the columns of the data that it reads; the fitted values are not one."""
        return self.label_columns if self.of_fitted else (self.of, *self.label_columns)

    @property
    def label_columns(self) -> tuple[Any, ...]:
        """Return the columns of labels."""
        return named(self.by)

    def learn(self, columns: Columns) -> LearnedCovariateVariance:
        """Learn the strata, and how large the covariate is."""
        strata = learn_strata(columns, self.label_columns) if self.label_columns else None
        largest = float(np.abs(self.predictor(columns[self.of])).max(initial=0.0))
        return LearnedCovariateVariance(self, largest or 1.0, strata)


@dataclass(frozen=True, slots=True, eq=False)
class LearnedCovariateVariance(LearnedVariance):
    """Hold the strata, and the unit that makes parameters of any covariate alike.

    A free parameter of 1 changes the logarithm of the standard deviation by at most 1: the unit is
    the largest absolute value of the predictor among the training rows.
    """

    structure: CovariateVariance
    unit: float
    strata: Levels | None

    @property
    def n_parameters(self) -> int:
        """Count the strata."""
        return 1 if self.strata is None else len(self.strata)

    @property
    def names(self) -> list[str]:
        """Name the parameter, and the strata."""
        name = self.structure.parameter
        if self.strata is None:
            return [name]
        return [f"{name} {label}" for label in self.strata.flat_labels]

    def natural(self, rho: NDArray[Any]) -> NDArray[Any]:
        """Return the parameters of the covariate in the user's units."""
        return rho / self.unit

    def rows(self, columns: Columns) -> RowDeviations:
        """Return stratum and predictor of each row."""
        values = self.structure.predictor(columns[self.structure.of]) / self.unit
        codes = np.zeros(len(values), dtype=np.intp)
        if self.strata is not None:
            codes = strata_of_rows(columns, self.structure.label_columns, self.strata)
        return RowDeviations(codes, values, None, self.n_parameters)
