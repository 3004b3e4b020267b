"""The matrices X and Z written out, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from skmixed.design.design import NewBlock, NewRows
from skmixed.design.groups import Levels

__all__ = ["DesignMatrices", "design_matrices"]


@dataclass(frozen=True, slots=True, eq=False)
class DesignMatrices:
    """Hold X and Z of some rows.

    Attributes
    ----------
    Z : sparse array of shape (n, q)
        One column for each effect of each level.
    Z_columns : MultiIndex of length q
        Factor, level and effect of the columns of Z; a level of an interaction is one text.
    """

    X: pd.DataFrame
    Z: sparse.csr_array
    Z_columns: pd.MultiIndex

    def to_frame(self) -> pd.DataFrame:
        """Return Z as a dense DataFrame with labelled columns."""
        return pd.DataFrame(self.Z.toarray(), columns=self.Z_columns)


def design_matrices(
    rows: NewRows,
    coefficient_names: Sequence[str],
    factors: Sequence[tuple[Levels, Sequence[str]]],
) -> DesignMatrices:
    """Write out X and Z.

    Parameters
    ----------
    coefficient_names : sequence of str
        The intercept first, if there is one.
    factors : sequence of (Levels, effect names)
        One for each block of the rows.
    """
    n = len(rows.fixed)
    fixed = rows.fixed
    if len(coefficient_names) > fixed.shape[1]:
        fixed = np.concatenate([np.ones((n, 1)), fixed], axis=1)
    parts = [
        _spread(block, len(levels)) for block, (levels, _) in zip(rows.blocks, factors, strict=True)
    ]
    names = [
        (levels.name, label, effect)
        for levels, effects in factors
        for label in levels.flat_labels
        for effect in effects
    ]
    return DesignMatrices(
        pd.DataFrame(fixed, columns=list(coefficient_names)),
        sparse.csr_array(sparse.hstack(parts)) if parts else sparse.csr_array((n, 0)),
        pd.MultiIndex.from_tuples(names, names=["group", "level", "effect"])
        if names
        else pd.MultiIndex.from_arrays([[], [], []], names=["group", "level", "effect"]),
    )


def _spread(block: NewBlock, n_levels: int) -> sparse.coo_array:
    """Spread the columns of a block over its levels; a row of no fitted level is empty."""
    n, k = block.columns.shape
    codes = np.full(n, n_levels) if block.codes is None else block.codes
    known = np.flatnonzero(codes < n_levels)
    columns = codes[known, None] * k + np.arange(k)
    return sparse.coo_array(
        (block.columns[known].ravel(), (np.repeat(known, k), columns.ravel())),
        shape=(n, n_levels * k),
    )
