"""A residual structure at its estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.covariance import NaturalParameter, ParameterValue
from skmixed.covariance.scales import Between, FisherZ, Linear, Logarithm, NormalScale
from skmixed.residual.differentiation import complex_step
from skmixed.residual.heterogeneous import Strata
from skmixed.residual.learned import LearnedResidual
from skmixed.residual.learning import (
    depends_on_fitted,
    group_columns,
    label_columns,
    time_columns,
)
from skmixed.residual.structure import Scale, named
from skmixed.residual.variance import Columns
from skmixed.residual.whitening import residual_at
from skmixed.saving.fields import FieldState

__all__ = ["FittedResidual"]

FloatArray = NDArray[np.float64]

SCALES: dict[Scale, NormalScale] = {
    "linear": Linear(1.0),
    "log": Logarithm(),
    "logit": Between(0.0, 1.0),
    "fisher": FisherZ(),
}


@dataclass(frozen=True, eq=False)
class FittedResidual(FieldState):
    """Hold a residual structure, its estimates and what the coefficients owe to them.

    Attributes
    ----------
    information_changes : ndarray of shape (n_rho, rank, rank)
        Derivatives of X'V^-1 X in rho, standardised columns.
    undetermined : ndarray of shape (n_rho,)
        Which natural parameters the rows say nothing of.
    mean_square : float
        Mean of the variances of the training rows, relative to sigma squared.
    """

    learned: LearnedResidual
    rho: FloatArray
    information_changes: FloatArray
    undetermined: NDArray[np.bool_]
    mean_square: float

    @property
    def n_parameters(self) -> int:
        """Count the parameters of R."""
        return len(self.rho)

    @property
    def fixes_sigma(self) -> bool:
        """Tell whether sigma is 1 and not estimated."""
        return self.learned.fixes_sigma

    @property
    def depends_on_fitted(self) -> bool:
        """Tell whether variances depend on the means of the rows, random effects included."""
        return depends_on_fitted(self.learned.structure)

    @property
    def parameters(self) -> dict[str, float]:
        """Return the reported parameters by name."""
        values = self.learned.reported(self.rho)
        return dict(zip(self.learned.names, values.tolist(), strict=True))

    @cached_property
    def boundary(self) -> NDArray[np.bool_]:
        """Tell which reported parameters are on their boundary within rounding, (n_reported,)."""
        found = np.zeros(self.n_parameters, dtype=bool)
        correlation, axis = self.learned.correlation, self.learned.axis
        if correlation is not None:
            of_arms, _ = self.learned.split(self.rho)
            own = np.concatenate([correlation.on_boundary(rho, axis) for rho in of_arms])
            found[: len(own)] = own
        return found

    @cached_property
    def natural_parameters(self) -> tuple[NaturalParameter, ...]:
        """Return the reported parameters with their scales, as functions of rho."""
        learned = self.learned
        described = zip(learned.names, learned.scales, learned.symbols, strict=True)
        return tuple(
            NaturalParameter(
                name,
                partial(_reported, learned, j),
                Between(*scale) if isinstance(scale, tuple) else SCALES[scale],
                symbol,
            )
            for j, (name, scale, symbol) in enumerate(described)
        )

    @cached_property
    def stratum_deviations(self) -> tuple[NaturalParameter, ...]:
        """Return the standard deviations of strata; or sigma, which scales them."""
        learned = self.learned
        strata = learned.variances[0] if len(learned.variances) == 1 else None
        if isinstance(strata, Strata):
            first = learned.n_arms * learned.n_correlations - 1
            labels = strata.levels.flat_labels
            named_places = [(f"sd {x}", first + j if j else None) for j, x in enumerate(labels)]
        elif learned.variances and not learned.fixes_sigma:
            named_places = [("sigma", None)]
        else:
            named_places = []
        return tuple(
            NaturalParameter(name, partial(_ratio, place), Logarithm(), r"\sigma", in_sigma=True)
            for name, place in named_places
        )

    @property
    def strata(self) -> pd.Series:
        """Return the standard deviations of the strata relative to sigma, by stratum."""
        ratios = pd.Series([1.0], index=["Residual"])
        _, parts = self.learned.split(self.rho)
        for variance, part in zip(self.learned.variances, parts, strict=True):
            if isinstance(variance, Strata):
                values = np.exp(np.append(0.0, part))
                return pd.Series(values, index=variance.levels.labels)
        return ratios

    def columns_of_one_group(self, rows: Any, by: Any) -> tuple[Columns, pd.Index]:
        """Return the columns of some rows of one group, and what to call the rows.

        The rows are times; a data frame of all columns that the structure reads; or None for all
        occasions.
        """
        structure, times = self.learned.structure, self.learned.times
        named_times = time_columns(structure)
        if isinstance(rows, pd.DataFrame):
            columns, index = {name: rows[name] for name in rows}, rows.index
        elif rows is not None or times is not None:
            index = pd.Index(times.labels if rows is None and times is not None else rows)
            columns = dict.fromkeys(named_times, index)
        else:
            columns, index = {}, pd.RangeIndex(self.learned.axis.largest)
        correlation = self.learned.correlation
        if by is not None and correlation is not None:
            labels = by if isinstance(by, tuple) else (by,)
            for name, label in zip(named(correlation.by), labels, strict=True):
                columns[name] = pd.Index([label] * len(index))
        groups = group_columns(structure)
        needed = [*label_columns(structure), *named_times]
        absent = [name for name in needed if name not in columns and name not in groups]
        if absent:
            raise ValueError(
                f"The residual structure {structure!r} reads {absent}, which are not given. Pass a "
                f"data frame with the columns {absent}, one row for each time."
            )
        return columns, index

    def covariance(self, columns: Columns, n: int) -> FloatArray:
        """Return R of n rows of one group, (n, n)."""
        rows = self.learned.rows(columns, np.zeros(n, dtype=np.intp))
        root = residual_at(self.learned, rows, self.rho).undo(np.eye(n))
        return root.T @ root

    def deviations(self, columns: Columns) -> FloatArray:
        """Return the standard deviations of rows relative to sigma, (n,)."""
        _, parts = self.learned.split(self.rho)
        logs = [
            variance.rows(columns).logarithms(part)
            for variance, part in zip(self.learned.variances, parts, strict=True)
        ]
        return np.exp(np.sum(logs, axis=0)) if logs else np.ones(1)


def _ratio(place: int | None, rho: FloatArray) -> ParameterValue:
    """Evaluate the ratio of a stratum, whose logarithm has a place in rho, to the first."""
    gradient = np.zeros(len(rho))
    if place is None:
        return ParameterValue(1.0, gradient)
    gradient[place] = ratio = math.exp(rho[place])
    return ParameterValue(ratio, gradient)


def _reported(learned: LearnedResidual, position: int, rho: FloatArray) -> ParameterValue:
    """Evaluate one reported parameter."""
    value = float(learned.reported(rho)[position])
    return ParameterValue(value, complex_step(learned.reported, rho)[:, position])
