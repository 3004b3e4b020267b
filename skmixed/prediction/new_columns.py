"""The columns of new rows in the coordinates of a fit, and the means that they have."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects

__all__ = [
    "Include",
    "NewColumns",
    "is_included",
    "mean_of_columns",
    "standardised_columns",
]

FloatArray = NDArray[np.float64]
Include = bool | Collection[str]


@dataclass(frozen=True, slots=True, eq=False)
class NewColumns:
    """Hold the standardised columns of new rows.

    Attributes
    ----------
    Z : tuple of ndarray of shape (n_effects, n)
        One for each block.
    offset : ndarray of shape (n,) or None
        A known part of the response, in units of y.
    """

    X: FloatArray
    Z: tuple[FloatArray, ...]
    codes: tuple[NDArray[np.intp] | None, ...]
    offset: FloatArray | None

    def take(self, rows: slice) -> NewColumns:
        """Return some of the rows."""
        return NewColumns(
            self.X[:, rows],
            tuple(Z[:, rows] for Z in self.Z),
            tuple(None if codes is None else codes[rows] for codes in self.codes),
            None if self.offset is None else self.offset[rows],
        )


def standardised_columns(fit: LMMFit, rows: NewRows) -> NewColumns:
    """Return the columns of rows in the coordinates of a fit."""
    coordinates = fit.coordinates
    return NewColumns(
        coordinates.fixed.transform(rows.fixed),
        tuple(
            effects.coordinates.transform(block.columns)
            for effects, block in zip(fit.random, rows.blocks, strict=True)
        ),
        tuple(block.codes for block in rows.blocks),
        rows.offset,
    )


def mean_of_columns(
    fit: LMMFit, columns: NewColumns, include_random_effects: Include = True
) -> FloatArray:
    """Return X beta, plus Z b for the rows of fitted levels where random effects are included."""
    mean = fit.working_coefficients @ columns.X
    if columns.offset is not None:
        mean += columns.offset
    for effects, Z, codes in zip(fit.random, columns.Z, columns.codes, strict=True):
        if codes is not None and is_included(effects, include_random_effects):
            known, rows, levels = codes < len(effects.levels), Z, codes
            if not known.all():
                rows, levels = np.where(known, Z, 0.0), np.where(known, codes, 0)
            b = effects.standardised_modes[levels]
            mean += effects.response_scale * np.einsum("kn,nk->n", rows, b)
    return mean


def is_included(effects: RandomEffects, include: Include) -> bool:
    """Tell whether the effects of a factor are among those that are included."""
    return include if isinstance(include, bool) else effects.name in include
