"""A residual variance of its own for each stratum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import Levels
from skmixed.residual.structure import Names, ResidualStructure, Scale, named
from skmixed.residual.variance import (
    Columns,
    LearnedVariance,
    RowDeviations,
    VarianceFunction,
    learn_strata,
    strata_of_rows,
)

__all__ = ["Heterogeneous"]


@dataclass(frozen=True)
class Heterogeneous(VarianceFunction):
    """Give each stratum of the rows a residual variance of its own (nlme's varIdent).

    Parameters
    ----------
    by : str, int or sequence of these
        The column of strata; of several columns, each combination is one.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.residual import Heterogeneous
    >>> data = load_sleepstudy()
    >>> data["half"] = data["Days"].ge(5).map({False: "early", True: "late"})
    >>> results = mixedlm("Reaction ~ Days + (1 | Subject)", data, residual=Heterogeneous("half"))
    >>> {name: round(value, 2) for name, value in results.residual_parameters.items()}
    {'ratio late': 1.91}
    """

    by: Names
    symbol: ClassVar[str] = r"\delta"
    equation: ClassVar[str] = r"\delta_{s[i]}"

    def contains(self, other: ResidualStructure) -> bool:
        """Tell whether another structure has a variance for each level of some of the columns."""
        return isinstance(other, Heterogeneous) and set(other.columns) <= set(self.columns)

    @property
    def words(self) -> str:
        """Say what has a variance of its own."""
        return f"a variance for each level of {' and '.join(map(str, self.columns))}"

    @property
    def columns(self) -> tuple[Any, ...]:
        """Return the columns of strata."""
        return named(self.by)

    @property
    def label_columns(self) -> tuple[Any, ...]:
        """Return the columns of strata."""
        return named(self.by)

    def learn(self, columns: Columns) -> Strata:
        """Learn which strata there are."""
        return Strata(self.label_columns, learn_strata(columns, self.label_columns))


@dataclass(frozen=True, slots=True, eq=False)
class Strata(LearnedVariance):
    """Hold the strata; the parameters are log ratios to the standard deviation of the first."""

    columns: tuple[Any, ...]
    levels: Levels

    @property
    def n_parameters(self) -> int:
        """Count all strata but the first."""
        return len(self.levels) - 1

    @property
    def names(self) -> list[str]:
        """Name the ratios."""
        return [f"ratio {label}" for label in self.levels.flat_labels[1:]]

    @property
    def scales(self) -> list[Scale]:
        """Return that of a ratio: its logarithm."""
        return ["log"] * self.n_parameters

    def natural(self, rho: NDArray[Any]) -> NDArray[Any]:
        """Return the ratios of standard deviations to that of the first stratum."""
        return np.exp(rho)

    def rows(self, columns: Columns) -> RowDeviations:
        """Return the stratum of each row, which must have been fitted."""
        codes = strata_of_rows(columns, self.columns, self.levels)
        return RowDeviations(codes - 1, None, None, self.n_parameters)
