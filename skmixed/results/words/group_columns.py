"""Which columns say something of the groups only, and which factors lie within which."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewBlock, NewRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel

__all__ = ["GroupColumns", "group_columns", "rows_of"]

FloatArray = NDArray[np.float64]

# Differences within a group below this part of the column's size are rounding.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class GroupColumns:
    """Answer which columns are constant within the groups of a factor.

    Attributes
    ----------
    columns : dict of str to ndarray of shape (n,)
        Those of the fixed and of the random effects; empty without rows.
    codes : tuple of (ndarray of shape (n,) or None)
        The level of each row, for each factor.
    nested : bool
        Whether each factor's levels lie within those of the next.
    """

    columns: dict[str, FloatArray]
    codes: tuple[NDArray[np.intp] | None, ...]
    nested: bool

    def constant(self, name: str, factor: int) -> bool:
        """Tell whether a column has one value in each group."""
        if name not in self.columns:
            return False
        return _constant_within(self.columns[name], self.codes[factor])

    def ratio_constant(self, name: str, slope: str, factor: int) -> bool:
        """Tell whether a column is another one times something that has one value in each group."""
        codes = self.codes[factor]
        if codes is None or name not in self.columns or slope not in self.columns:
            return False
        column, by = self.columns[name], self.columns[slope]
        used = by != 0.0
        if column[~used].any():
            return False
        return _constant_within(column[used] / by[used], codes[used])


def rows_of(model: LMMModel) -> NewRows:
    """Return the columns and codes of the rows that were fitted."""
    design = model.design
    blocks = tuple(NewBlock(block.columns, block.factor.codes) for block in design.blocks)
    return NewRows(design.fixed, blocks, design.offset)


def group_columns(fit: LMMFit, rows: NewRows | None) -> GroupColumns:
    """Collect the columns of some rows; without rows none is known to be constant within groups."""
    if rows is None:
        return GroupColumns({}, (None,) * len(fit.random), _nested_by_labels(fit))
    names = [name for name in fit.fixed.names if name != "Intercept"]
    columns = dict(zip(names, rows.fixed[:, -len(names) :].T if names else (), strict=True))
    for effects, block in zip(fit.random, rows.blocks, strict=True):
        columns = dict(zip(effects.effect_names, block.columns.T, strict=True)) | columns
    codes = tuple(block.codes for block in rows.blocks)
    nested = all(
        inner is not None and outer is not None and _constant_within(outer.astype(float), inner)
        for inner, outer in pairwise(codes)
    )
    return GroupColumns(columns, codes, nested)


def _nested_by_labels(fit: LMMFit) -> bool:
    """Tell whether the labels of each factor are among those that make up the one before it."""
    parts = [
        set(effects.levels.labels.names if effects.levels.columns > 1 else [effects.name])
        for effects in fit.random
    ]
    return all(outer <= inner for inner, outer in pairwise(parts))


def _constant_within(column: FloatArray, codes: NDArray[np.intp] | None) -> bool:
    """Tell whether a column has one value for each code."""
    if codes is None or not len(codes):
        return False
    first = np.zeros(int(codes.max()) + 1)
    first[codes[::-1]] = column[::-1]
    largest = float(np.abs(column).max())
    return bool(np.abs(column - first[codes]).max() <= ROUNDING * largest)
