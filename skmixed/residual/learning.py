"""From a structure and the columns of the training rows to what a fit works with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import differs_within, factorise_interaction
from skmixed.residual.axis import Axis
from skmixed.residual.correlation import Correlation
from skmixed.residual.learned import LearnedResidual
from skmixed.residual.positions import learn_axis
from skmixed.residual.structure import ResidualStructure, named
from skmixed.residual.variance import Columns, VarianceFunction

__all__ = [
    "correlation_of",
    "depends_on_fitted",
    "group_columns",
    "label_columns",
    "learn_residual",
    "time_columns",
]


def learn_residual(
    structure: ResidualStructure, columns: Columns, groups: NDArray[np.intp] | None
) -> LearnedResidual:
    """Learn levels, occasions and units from the training rows; groups are codes, one per row."""
    correlation = correlation_of(structure)
    variances = tuple(
        one.learn(columns) for one in structure.factors if isinstance(one, VarianceFunction)
    )
    axis, times, arms = Axis(), None, None
    if correlation is not None:
        if groups is None:
            raise ValueError(
                f"{correlation!r} correlates the rows of a group, and there are no groups. Name "
                "the column of labels: group='...'."
            )
        axis, times = learn_axis(correlation, columns, groups)
        names = named(correlation.by)
        if names:
            factor = factorise_interaction([columns[one] for one in names], list(map(str, names)))
            mixed = differs_within(factor.codes, groups)
            if mixed.any():
                raise ValueError(
                    f"by={list(names)} must be constant within the groups whose rows are "
                    f"correlated: row {np.argmax(mixed)} differs from others of its group."
                )
            arms = factor.levels
    return LearnedResidual(structure, correlation, axis, times, arms, variances)


def correlation_of(structure: ResidualStructure) -> Correlation | None:
    """Return the structure of correlations among the factors of a product, None without one."""
    found = [one for one in structure.factors if isinstance(one, Correlation)]
    other = [
        one for one in structure.factors if not isinstance(one, Correlation | VarianceFunction)
    ]
    if len(found) > 1 or other:
        raise ValueError(
            "A residual structure is a product of at most one structure of correlations and any of "
            f"variances, got {structure!r}. Leave out {(found[1:] or other)[0]!r}."
        )
    return found[0] if found else None


def group_columns(structure: ResidualStructure) -> tuple[Any, ...]:
    """Return the columns of the labels within which rows are correlated, none by default."""
    correlation = correlation_of(structure)
    return () if correlation is None else named(correlation.group)


def label_columns(structure: ResidualStructure) -> tuple[Any, ...]:
    """Return the columns that hold labels of groups, arms or strata."""
    correlation = correlation_of(structure)
    found = [*group_columns(structure)]
    found += [] if correlation is None else named(correlation.by)
    for one in structure.factors:
        if isinstance(one, VarianceFunction):
            found += one.label_columns
    return tuple(dict.fromkeys(found))


def time_columns(structure: ResidualStructure) -> tuple[Any, ...]:
    """Return the columns of times, coordinates and covariates of the variance."""
    correlation = correlation_of(structure)
    found = [] if correlation is None else [*correlation.axis_columns]
    for one in structure.factors:
        if isinstance(one, VarianceFunction):
            found += [name for name in one.columns if name not in one.label_columns]
    return tuple(dict.fromkeys(found))


def depends_on_fitted(structure: ResidualStructure) -> bool:
    """Tell whether variances depend on the fitted values, which change from fit to fit."""
    return any(getattr(one, "of_fitted", False) for one in structure.factors)
