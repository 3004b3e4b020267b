"""A residual structure that has seen the training rows: its parameters, levels and units."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import Levels
from skmixed.residual.axis import Axis
from skmixed.residual.correlation import Correlation
from skmixed.residual.patterns import GroupedRows
from skmixed.residual.positions import UNKNOWN, check_distinct, row_positions
from skmixed.residual.structure import ResidualStructure, Scale, named, subscripted
from skmixed.residual.variance import Columns, LearnedVariance, RowDeviations, VarianceFunction
from skmixed.saving.fields import FieldState

__all__ = ["LearnedResidual", "ResidualRows"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ResidualRows:
    """Hold what a residual structure knows of some rows, with None for no correlations."""

    grouped: GroupedRows | None
    deviations: tuple[RowDeviations, ...]

    @property
    def known_logarithms(self) -> FloatArray | None:
        """Return what is known of the logarithms of the standard deviations, None if nothing is."""
        known = [one.offset for one in self.deviations if one.offset is not None]
        return np.sum(known, axis=0) if known else None

    def select(self, rows: NDArray[np.intp]) -> ResidualRows:
        """Return the same of some rows."""
        grouped = None if self.grouped is None else self.grouped.select(rows)
        return ResidualRows(grouped, tuple(one.select(rows) for one in self.deviations))


@dataclass(frozen=True, eq=False)
class LearnedResidual(FieldState):
    """Hold the structure of R, with R block-diagonal over groups, and where its parameters are.

    rho joins the parameters of the correlations, arm after arm, and those of each structure of
    standard deviations.

    The structure is as the user gave it; times are the occasions where these are labels, and arms
    the labels that have correlations of their own.
    """

    structure: ResidualStructure
    correlation: Correlation | None
    axis: Axis
    times: Levels | None
    arms: Levels | None
    variances: tuple[LearnedVariance, ...]

    @property
    def n_arms(self) -> int:
        """Count the sets of correlation parameters."""
        if self.correlation is None:
            return 0
        return 1 if self.arms is None else len(self.arms)

    @property
    def n_correlations(self) -> int:
        """Count the correlation parameters of one arm."""
        return 0 if self.correlation is None else self.correlation.n_parameters(self.axis)

    @property
    def n_parameters(self) -> int:
        """Return the length of rho."""
        own = sum(variance.n_parameters for variance in self.variances)
        return self.n_arms * self.n_correlations + own

    @property
    def fixes_sigma(self) -> bool:
        """Tell whether the variances of the rows are known, and sigma is 1."""
        return any(variance.fixes_sigma for variance in self.variances)

    @property
    def start(self) -> FloatArray:
        """Return the rho to start from."""
        parts = [np.zeros(variance.n_parameters) for variance in self.variances]
        if self.correlation is not None:
            parts = [self.correlation.start(self.axis)] * self.n_arms + parts
        return np.concatenate(parts)

    def split(self, rho: NDArray[Any]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Return the parameters of each arm's correlations, and of each variance structure."""
        lengths = [self.n_correlations] * self.n_arms
        lengths += [variance.n_parameters for variance in self.variances]
        ends = list(accumulate(lengths))
        parts = [rho[end - length : end] for end, length in zip(ends, lengths, strict=True)]
        return parts[: self.n_arms], parts[self.n_arms :]

    @property
    def names(self) -> list[str]:
        """Name the reported parameters."""
        found: list[str] = []
        if self.correlation is not None:
            own = self.correlation.names(self.axis)
            labels = [""] if self.arms is None else [f" {x}" for x in self.arms.flat_labels]
            found += [name + label for label in labels for name in own]
        return found + [name for variance in self.variances for name in variance.names]

    @property
    def scales(self) -> list[Scale]:
        """Say for each reported parameter where it is nearly normal."""
        own = [] if self.correlation is None else self.correlation.scales(self.axis) * self.n_arms
        return own + [scale for variance in self.variances for scale in variance.scales]

    @property
    def symbols(self) -> list[str]:
        """Return the reported parameters in LaTeX."""
        found: list[str] = []
        if self.correlation is not None:
            own = self.correlation.symbols(self.axis)
            labels = [None] if self.arms is None else self.arms.flat_labels
            found += [s if label is None else f"{s}^{{({label})}}" for label in labels for s in own]
        functions = [one for one in self.structure.factors if isinstance(one, VarianceFunction)]
        for function, learned in zip(functions, self.variances, strict=True):
            found += [subscripted(function.symbol, name) for name in learned.names]
        return found

    def reported(self, rho: NDArray[Any]) -> NDArray[Any]:
        """Return the parameters that are reported: correlations, ranges, ratios and powers."""
        of_arms, of_variances = self.split(rho)
        parts = [self.correlation.reported(one, self.axis) for one in of_arms if self.correlation]
        parts += [v.natural(one) for v, one in zip(self.variances, of_variances, strict=True)]
        return np.concatenate([np.empty(0), *parts])

    def rows(self, columns: Columns, groups: NDArray[np.intp] | None) -> ResidualRows:
        """Return what the structure knows of some rows; groups are codes of their groups."""
        grouped = None
        if groups is not None and self.correlation is not None:
            grouped = self.placed(columns, groups)
            check_distinct(self.correlation, columns, grouped)
        return ResidualRows(grouped, tuple(one.rows(columns) for one in self.variances))

    def placed(
        self,
        columns: Columns,
        groups: NDArray[np.intp],
        places: NDArray[np.intp] | None = None,
    ) -> GroupedRows:
        """Return groups, positions and arms of rows, several of which may have one time.

        Without times, places are those of the rows in their groups, by default their order.
        """
        correlation = self.correlation
        assert correlation is not None
        ordered = correlation.axis_kind != "none" and not correlation.axis_columns
        if ordered and places is not None:
            known, positions = self.axis.n_occasions, places
            if known and places.max(initial=0) >= known:
                raise ValueError(
                    f"{correlation!r} knows {known} rows of a group, the observed ones "
                    f"included, and got {places.max() + 1}. {UNKNOWN}"
                )
        else:
            positions = row_positions(correlation, self.times, columns, groups)
        arms = np.zeros(len(groups), dtype=np.intp)
        if self.arms is not None:
            labels = [columns[name] for name in named(correlation.by)]
            arms = self.arms.encode(labels)
            self.arms.check_seen(arms, labels, UNKNOWN)
        return GroupedRows(groups, positions, arms)
