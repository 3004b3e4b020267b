"""The reference grid: all combinations of the factors' levels, covariates at their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.inference.marginal.grid_source import GridSource
from skmixed.likelihood.memory import require_memory

__all__ = ["ReferenceGrid", "reference_grid"]

FloatArray = NDArray[np.float64]

# How the cells can count in an average over some variables.
WEIGHTS = ("cells", "equal", "flat", "outer", "proportional")


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceGrid:
    """Hold the cells of a grid, those variables first that are not averaged over.

    Attributes
    ----------
    levels : dict of str to Index
        The values of each variable, in the order of the axes of the grid.
    n_kept : int
        The number of leading axes that are not averaged over.
    frequencies : ndarray with one axis for each variable
        The number of training rows in each cell; an axis of length 1 for a covariate.
    """

    source: GridSource
    levels: Mapping[str, pd.Index]
    n_kept: int
    frequencies: FloatArray
    by: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the number of values of each variable."""
        return tuple(len(values) for values in self.levels.values())

    @property
    def kept(self) -> pd.DataFrame:
        """Return the combinations that are not averaged over, one row each."""
        names = list(self.levels)[: self.n_kept]
        shape = self.shape[: self.n_kept]
        codes = np.unravel_index(np.arange(prod(shape)), shape) if names else ()
        table = {
            name: self.levels[name].take(code) for name, code in zip(names, codes, strict=True)
        }
        return pd.DataFrame(table, index=pd.RangeIndex(prod(shape)))

    def cells(self) -> dict[str, Any]:
        """Return the values of every variable in every cell, the last axis fastest."""
        codes = np.unravel_index(np.arange(prod(self.shape)), self.shape) if self.levels else ()
        return {
            name: _column(self.source, name, values, code)
            for (name, values), code in zip(self.levels.items(), codes, strict=True)
        }

    def evaluate(self, changed: Mapping[str, Any] | None = None) -> FloatArray:
        """Return the columns of X, and behind them the offset, in each cell: (cells, p + 1).

        Variables that are ``changed`` have other values, of shape (cells,), than those of the grid.
        """
        rows = {**self.cells(), **(changed or {})}
        fixed, offset = self.source.evaluate(rows, prod(self.shape))
        return np.column_stack([fixed, offset])

    def average(self, cells: FloatArray, weights: str) -> FloatArray:
        """Average (cells, k) over the variables that are not kept; NaN where no cell counts."""
        if weights not in WEIGHTS:
            raise ValueError(f"weights must be one of {list(WEIGHTS)}, got {weights!r}.")
        parts = np.broadcast_to(self._counts(weights), self.shape)
        parts = parts.reshape(prod(self.shape[: self.n_kept]), -1)
        with np.errstate(invalid="ignore"):
            parts = parts / parts.sum(axis=1, keepdims=True)
        return np.einsum("kc,kcp->kp", parts, cells.reshape(*parts.shape, -1))

    def _counts(self, weights: str) -> FloatArray:
        """Return how the cells count, in a shape that broadcasts to that of the grid."""
        axes = range(self.frequencies.ndim)
        if weights == "cells":
            return self.frequencies
        if weights == "flat":
            return (self.frequencies > 0.0).astype(np.float64)
        if weights == "proportional":
            return self.frequencies.sum(axis=tuple(axes[: self.n_kept]), keepdims=True)
        product = np.ones((1,) * len(axes))
        for axis in axes[self.n_kept :] if weights == "outer" else ():
            others = tuple(other for other in axes if other != axis)
            product = product * self.frequencies.sum(axis=others, keepdims=True)
        return product


def reference_grid(
    source: GridSource,
    specs: str | Sequence[str] | None,
    by: str | Sequence[str] | None,
    at: Mapping[str, Any] | None,
    *,
    continuous: str | None = None,
) -> ReferenceGrid:
    """Cross the levels of the factors, with covariates at their means, or the values of ``at``.

    Parameters
    ----------
    specs, by : str, sequence of str or None
        Variables that are not averaged over.
    continuous : str, optional
        A variable that is a covariate however few values it has.
    """
    specs, by = _names(specs), _names(by)
    if len({*specs, *by}) < len(specs) + len(by):
        raise ValueError(f"A variable is named twice: specs {list(specs)}, by {list(by)}.")
    kept = (*by, *specs)
    chosen = dict(at or {})
    for name in (*kept, *chosen):
        if name not in source.variables:
            raise ValueError(
                f"{name!r} is no variable of the fixed effects, which are "
                f"{list(source.variables)}. Grouping factors have no marginal means: see "
                "results.group_coefficients."
            )
    order = [*kept, *(name for name in source.variables if name not in kept)]
    levels = {
        name: _chosen_levels(source, name, chosen[name])
        if name in chosen
        else source.levels(name, continuous=name == continuous)
        for name in order
    }
    n_cells = prod(len(values) for values in levels.values())
    require_memory(
        3.0 * 8.0 * n_cells * len(source.fit.fixed.names),
        f"The reference grid of {n_cells} combinations of levels",
        "Give few values of some variables by at=.",
    )
    counted = [name for name in order if name != continuous and source.is_factor(name)]
    return ReferenceGrid(source, levels, len(kept), _frequencies(source, levels, counted), by)


def _names(variables: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return names as a tuple: one name, several, or none."""
    if variables is None:
        return ()
    return (variables,) if isinstance(variables, str) else tuple(variables)


def _chosen_levels(source: GridSource, name: str, values: Any) -> pd.Index:
    """Return the values that the user wants of one variable."""
    wanted = pd.Index([values] if np.ndim(values) == 0 else list(values))
    if not len(wanted) or wanted.has_duplicates or wanted.hasnans:
        raise ValueError(f"at={{{name!r}: ...}} needs distinct values, got {list(wanted)}.")
    if name in source.factors:
        levels = source.levels(name)
        unknown = [value for value in wanted if value not in levels]
        if unknown:
            raise ValueError(
                f"at={{{name!r}: ...}} names {unknown}, but the levels are {list(levels)}."
            )
    elif wanted.dtype.kind not in "iuf":
        raise ValueError(
            f"at={{{name!r}: ...}} needs numbers, for that is what the column holds; got "
            f"{list(wanted)}."
        )
    return wanted


def _column(source: GridSource, name: str, values: pd.Index, code: NDArray[np.intp]) -> Any:
    """Return a column of the grid as the formula reads it."""
    training = source.columns[name]
    if isinstance(training, pd.Categorical):
        positions = training.categories.get_indexer(values)
        return pd.Categorical.from_codes(positions[code], categories=training.categories)
    return values.to_numpy()[code].astype(training.dtype)


def _frequencies(
    source: GridSource, levels: Mapping[str, pd.Index], counted: Sequence[str]
) -> FloatArray:
    """Count the rows in each cell; covariates do not divide the rows."""
    shape = tuple(len(values) if name in counted else 1 for name, values in levels.items())
    position = np.zeros(len(source.counts), dtype=np.intp)
    inside = np.ones(len(position), dtype=bool)
    for (name, values), size in zip(levels.items(), shape, strict=True):
        if name not in counted:
            continue
        column = source.columns[name]
        if isinstance(column, pd.Categorical):
            code = np.asarray(values.get_indexer(column.categories))[column.codes]
        else:
            code = np.asarray(values.get_indexer(pd.Index(column)))
        inside &= code >= 0
        position = position * size + code
    numbers = np.bincount(position[inside], source.counts[inside], minlength=prod(shape))
    return np.asarray(numbers, dtype=np.float64).reshape(shape)
