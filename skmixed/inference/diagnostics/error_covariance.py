"""R, the covariance of the errors of the rows over sigma^2, and what whitens them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.residual.whitening import ResidualAt

__all__ = ["ErrorCovariance"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# Entries, rows by rows of the largest group, of the largest matrix that is written out.
ENTRIES = 100_000_000


@dataclass(frozen=True, eq=False)
class ErrorCovariance:
    """Hold R of the weighted rows, T R T' = I; both are I where ``at`` is None, no structure."""

    n_rows: int
    at: ResidualAt | None

    @property
    def groups(self) -> Integers:
        """Return the group within which each row's error is correlated with others, (n,)."""
        grouped = None if self.at is None else self.at.rows.grouped
        return np.arange(self.n_rows) if grouped is None else grouped.groups

    @property
    def order(self) -> Integers | None:
        """Return the rows by group and time; None where errors are independent."""
        grouped = None if self.at is None else self.at.rows.grouped
        return None if grouped is None else grouped.order

    def colour(self, columns: FloatArray) -> FloatArray:
        """Return T^-1 columns', (m, n), the weighted rows of white ones."""
        return columns if self.at is None else self.at.undo(columns)

    def precise(self, columns: FloatArray) -> FloatArray:
        """Return T'columns', (m, n), the weighted rows of white ones times R^-1."""
        return columns if self.at is None else self.at.apply_transposed(columns)

    @cached_property
    def variances(self) -> FloatArray:
        """Return the diagonal of R, (n,)."""
        return np.ones(self.n_rows) if self.at is None else self.at.variances

    @cached_property
    def precisions(self) -> FloatArray:
        """Return the diagonal of R^-1, (n,)."""
        return np.ones(self.n_rows) if self.at is None else self.at.precisions

    def blocks(self, positions: Integers) -> FloatArray:
        """Return R between the rows of each set, of positions (n_sets, size), square in size."""
        return self._between(positions, self._columns)

    def precision_blocks(self, positions: Integers) -> FloatArray:
        """Return R^-1 between the rows of each set, as ``blocks`` returns R."""
        return self._between(positions, self._precision_columns)

    @cached_property
    def _places(self) -> Integers:
        """Return the place of each row in its group."""
        places = pd.Series(self.groups).groupby(self.groups).cumcount()
        return np.asarray(places, dtype=np.intp)

    @cached_property
    def _units(self) -> FloatArray:
        """Return for each place in a group a column that is 1 in the rows of that place."""
        largest = int(self._places.max(initial=0)) + 1
        if largest * self.n_rows > ENTRIES:
            raise ValueError(
                f"This needs the covariance of the errors within each of their groups, the largest "
                f"of which has {largest:,} rows: with {self.n_rows:,} rows that is more than "
                f"{ENTRIES:,} numbers. Leave out whole groups, or single rows (loo_predict)."
            )
        return (self._places == np.arange(largest)[:, None]).astype(np.float64)

    @cached_property
    def _columns(self) -> FloatArray:
        """Return R between each row and that of each place in its group."""
        at, units = self.at, self._units
        return units if at is None else at.undo(at.undo_transposed(units))

    @cached_property
    def _precision_columns(self) -> FloatArray:
        """Return R^-1 between each row and that of each place in its group."""
        at, units = self.at, self._units
        return units if at is None else at.apply_transposed(at.apply(units))

    def _between(self, positions: Integers, columns: FloatArray) -> FloatArray:
        """Pick from columns by place the entries between the rows of each set."""
        groups = self.groups[positions]
        same = groups[:, :, None] == groups[:, None, :]
        places = self._places[positions]
        return np.where(same, columns[places[:, None, :], positions[:, :, None]], 0.0)
