"""Pairs of rows of one group, by how far they are apart, and how their errors are correlated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.inference.diagnostics.hat_products import hat_of_pairs
from skmixed.inference.diagnostics.row_diagnostics import KINDS
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["PlacedRows", "UnitResiduals", "placed_rows"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# Residuals over the standard deviations of the errors: nlme's "normalized" and "pearson".
UNIT_KINDS = ("normalised", "pearson")


@dataclass(frozen=True, slots=True, eq=False)
class PlacedRows:
    """Hold in which group each row is, and at what time (n,) or place (n, n_dimensions)."""

    groups: Integers
    positions: NDArray[Any]

    @property
    def order(self) -> Integers:
        """Return the rows by group and time."""
        if self.positions.ndim == 2:
            return np.argsort(self.groups, kind="stable")
        return np.lexsort((self.positions, self.groups))

    def steps(self) -> Integers:
        """Return integer times: the positions, or the places in the order of time."""
        if self.positions.ndim == 1 and (self.positions == np.round(self.positions)).all():
            return self.positions.astype(np.intp)
        groups = pd.Series(self.groups).iloc[self.order]
        return np.asarray(groups.groupby(groups).cumcount().sort_index(), dtype=np.intp)

    def pairs(self) -> Iterator[tuple[Integers, Integers, FloatArray]]:
        """Yield all pairs of rows of one group with their distances, neighbours first."""
        order = self.order
        groups = self.groups[order]
        for offset in range(1, int(np.bincount(groups).max(initial=0))):
            same = np.flatnonzero(groups[offset:] == groups[:-offset])
            first, second = order[same], order[same + offset]
            apart = (self.positions[first] - self.positions[second]).reshape(len(same), -1)
            yield first, second, np.linalg.norm(apart.astype(np.float64), axis=1)


def placed_rows(rows: TrainingRows, factor: Any, time: Any) -> PlacedRows:
    """Return where rows are: as the user says, else as the residual structure has it.

    Without either these are the only factor and the order of the rows in their group.
    """
    at = rows.error_covariance.at
    grouped = None if at is None else at.rows.grouped
    own = grouped if factor is None else None
    groups = rows.factor(factor).codes if own is None else own.groups
    if time is not None:
        return PlacedRows(groups, _numbers(rows, time))
    if grouped is not None and np.ptp(grouped.positions, axis=0).any():
        return PlacedRows(groups, grouped.positions)
    return PlacedRows(groups, pd.Series(groups).groupby(groups).cumcount().to_numpy())


@dataclass(frozen=True, slots=True, eq=False)
class UnitResiduals:
    """Hold residuals (n,) over the standard deviations of the errors, or white ones."""

    rows: TrainingRows
    kind: str
    values: FloatArray

    @classmethod
    def of(cls, rows: TrainingRows, kind: str) -> UnitResiduals:
        """Compute the residuals; ValueError if a frequency weight stands for several rows."""
        if kind not in UNIT_KINDS:
            raise ValueError(f"kind must be one of {list(UNIT_KINDS)}, got {kind!r}.")
        if rows.repeated:
            raise ValueError(
                "Pairs of residuals need every row by itself, but a frequency weight stands for "
                "several. Fit the rows written out instead."
            )
        return cls(rows, kind, KINDS[kind](rows))

    def correlations(self, first: Integers, second: Integers) -> FloatArray:
        """Return the correlations of the errors of pairs of rows, 0 where they are white."""
        found = np.zeros(len(first))
        residual, at = self.rows.fit.residual, self.rows.error_covariance.at
        grouped = None if at is None else at.rows.grouped
        if self.kind == "normalised" or residual is None or grouped is None:
            return found
        learned = residual.learned
        assert learned.correlation is not None
        of_arms, _ = learned.split(residual.rho)
        together = grouped.groups[first] == grouped.groups[second]
        for arm, rho in enumerate(of_arms):
            own = np.flatnonzero(together & (grouped.arms[first] == arm))
            pairs = np.stack(
                [grouped.positions[first[own]], grouped.positions[second[own]]], axis=1
            )
            if pairs.ndim == 2:
                pairs.sort(axis=1)
            natural = learned.correlation.natural(rho, learned.axis)
            found[own] = learned.correlation.correlations(natural, pairs)[:, 0, 1]
        return found

    def expected_products(self, first: Integers, second: Integers) -> FloatArray:
        """Return the expected products of the residuals of pairs of rows.

        They are less than those of the errors by what the estimates of beta and b take.
        """
        own = np.where(first == second, 1.0, self.correlations(first, second))
        return own - hat_of_pairs(self.rows, self._scaled, first, second)

    def _scaled(self, columns: FloatArray) -> FloatArray:
        """Carry white columns over to residuals of this kind."""
        errors = self.rows.error_covariance
        if self.kind == "normalised":
            return columns
        return errors.colour(columns) / np.sqrt(errors.variances)


def _numbers(rows: TrainingRows, time: Any) -> FloatArray:
    """Return times as numbers, dates in days."""
    values = pd.Series(np.asarray(rows.column(time, "time")))
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = (values - values.min()) / pd.Timedelta(days=1)
    try:
        found = values.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"time must be numbers or dates, got {values.dtype}.") from error
    if not np.isfinite(found).all():
        raise ValueError("time has missing or infinite values. Give finite numbers or dates.")
    return found
