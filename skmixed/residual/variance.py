"""What a structure of unequal variances must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.groups import Levels, factorise_interaction, in_order_of_categories
from skmixed.design.labels import label_values
from skmixed.formula.values import holds_times
from skmixed.residual.structure import ResidualStructure, Scale

__all__ = [
    "Columns",
    "LearnedVariance",
    "RowDeviations",
    "VarianceFunction",
    "check_rows",
    "learn_strata",
    "numbers",
    "strata_of_rows",
]

FloatArray = NDArray[np.float64]
Columns = Mapping[Any, Any]
"""The columns of some rows by the names in which a structure asks for them."""
# How many unusable values a message shows.
SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class RowDeviations:
    """Hold what the logarithm of the standard deviation of each row is in the parameters.

    It is offset + values * rho[codes]: linear, whatever the structure. A code of -1 is for no
    parameter, and None for values of 1 or an offset of 0.
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

    __slots__ = ()

    @property
    def names(self) -> list[str]:
        """Name the natural parameters, as nlme has them."""
        ...

    @property
    def n_parameters(self) -> int:
        """Return the length of rho."""
        return len(self.names)

    @property
    def scales(self) -> list[Scale]:
        """Say for each natural parameter where it is nearly normal, by default as it is."""
        return ["linear"] * self.n_parameters

    @property
    def fixes_sigma(self) -> bool:
        """Tell whether the variances are known, and sigma is 1."""
        return False

    def natural(self, rho: NDArray[Any]) -> NDArray[Any]:
        """Return the natural parameters, by default rho; it must take complex numbers."""
        return rho

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


def learn_strata(columns: Columns, names: tuple[Any, ...]) -> Levels:
    """Return the strata that occur; of several columns, each combination is one.

    They are sorted; those of one categorical column are in the order of its categories.
    """
    labels = [label_values(columns[name]) for name in names]
    levels = factorise_interaction(labels, list(map(str, names))).levels
    if len(names) == 1 and isinstance(labels[0], pd.Categorical):
        return in_order_of_categories(levels, labels[0])
    return levels


def strata_of_rows(columns: Columns, names: tuple[Any, ...], strata: Levels) -> NDArray[np.intp]:
    """Return the number of each row's stratum, which must have been fitted."""
    labels = [columns[name] for name in names]
    codes = strata.encode(labels)
    strata.check_seen(
        codes,
        labels,
        "Their residual variance was not estimated: refit with rows of these groups, or predict "
        "means only.",
    )
    return codes


def numbers(values: Any, subject: str) -> NDArray[np.float64]:
    """Return the values of rows as finite numbers; messages call them by the subject."""
    given = np.asarray(values)
    try:
        found = None if holds_times(given) else given.astype(np.float64)
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise ValueError(
            f"{subject} must be numbers, got values such as {given[:1].tolist()[0]!r}. Convert "
            "them to numbers first."
        )
    check_rows(
        np.isfinite(found), found, f"{subject} must be finite", "Drop or correct these rows."
    )
    return found


def check_rows(
    valid: NDArray[np.bool_], values: NDArray[np.float64], expected: str, remedy: str
) -> None:
    """Raise ValueError about the rows that are not valid, if there are any."""
    if valid.all():
        return
    found = values[~valid]
    shown = ", ".join(f"{value:g}" for value in found[:SHOWN])
    more = ", ..." if len(found) > SHOWN else ""
    raise ValueError(
        f"{expected}, got [{shown}{more}] in {len(found)} of {len(values)} rows. {remedy}"
    )
