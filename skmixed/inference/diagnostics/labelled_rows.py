"""The rows of a fit under the names that users know them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor, differs_within, factorise
from skmixed.fitting.random_effects import RandomEffects

__all__ = ["LabelledRows", "positions_of", "subtract_effects"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Hold a fit with the rows it was fitted to.

    Attributes
    ----------
    index : Index
        Of the rows.
    data : Any
        Where further columns of labels are looked up; None where there are none.
    """

    fit: Any
    model: Any
    index: pd.Index
    data: Any = None

    @property
    def design(self) -> Design:
        """Return the arrays in the user's units."""
        design: Design = self.model.design
        return design

    @property
    def factors(self) -> list[GroupingFactor]:
        """Return the grouping factors."""
        return list(self.design.factors)

    @property
    def correlated(self) -> list[NDArray[np.intp]]:
        """Return partitions of the rows into groups that the model correlates, (n,) each."""
        return [factor.codes for factor in self.design.factors]

    def independent(self, groups: GroupingFactor) -> bool:
        """Tell whether rows of different groups are independent in the model."""
        return not any(differs_within(groups.codes, codes).any() for codes in self.correlated)

    def series(self, values: FloatArray, name: str) -> pd.Series:
        """Return one value per row under the index of the rows."""
        return pd.Series(values, self.index, name=name)

    def factor(self, named: Any) -> GroupingFactor:
        """Return a factor by its name or that of a column, of labels, or the only one for None."""
        if isinstance(named, str):
            return self._by_name(named)
        if named is None:
            factors = self.factors
            if len(factors) != 1:
                raise ValueError(
                    f"The model has {len(factors)} grouping factors: "
                    f"{[one.levels.name for one in factors]}. Say which one's groups are meant, by "
                    "factor= its name or labels."
                )
            return factors[0]
        if len(named) != self.design.n_rows:
            raise ValueError(
                f"Expected one label for each of the {self.design.n_rows} rows that were fitted, "
                f"got {len(named)}. Pass the labels of these rows, or the name of a factor."
            )
        return factorise(named, str(getattr(named, "name", None) or "cluster"))

    def column(self, named: Any, argument: str) -> Any:
        """Return a column of the data by its name, or the values that an argument has."""
        known = self.data is not None and isinstance(named, str) and named in self.data
        values = self.data[named] if known else named
        if isinstance(values, str):
            raise ValueError(
                f"{argument}={values!r} is not a column of the data. Name a column, or pass an "
                f"array with one value for each of the {self.design.n_rows} rows that were fitted."
            )
        if len(values) != self.design.n_rows:
            raise ValueError(
                f"{argument} must have one value for each of the {self.design.n_rows} rows that "
                f"were fitted, got {len(values)}."
            )
        return values

    def _by_name(self, name: str) -> GroupingFactor:
        """Return a factor of the model, or one made of a column of the data."""
        for factor in self.factors:
            if factor.levels.name == name:
                return factor
        if self.data is not None and name in self.data and len(self.data[name]) == len(self.index):
            return factorise(self.data[name], name)
        known = [factor.levels.name for factor in self.factors]
        raise ValueError(
            f"There is no grouping factor {name!r}: the model has {known}. Name one of them, or "
            "pass an array of labels."
        )


def positions_of(groups: GroupingFactor) -> list[NDArray[np.intp]]:
    """Return the positions of the rows of each group."""
    return np.split(np.argsort(groups.codes, kind="stable"), np.cumsum(groups.sizes)[:-1])


def subtract_effects(
    columns: FloatArray, effects: RandomEffects, Z: FloatArray, codes: NDArray[np.intp]
) -> None:
    """Subtract Z Psi Z'V^-1 X of one factor from columns (p, n), in place."""
    cross = np.moveaxis(effects.standardised_cross, 0, -1)
    for by_level, column in zip(cross, Z, strict=True):
        columns -= by_level[:, codes] * column
