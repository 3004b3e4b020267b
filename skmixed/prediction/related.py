"""Which new rows have correlated residuals, and which rows of their groups were observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skmixed.design.arrays import Labels, encode_labels
from skmixed.design.design import NewRows, ObservedRows, RelatedRows
from skmixed.design.groups import GroupingFactor, factorise_interaction
from skmixed.design.labels import missing_labels, select_labels
from skmixed.design.residual_columns import ResidualColumns
from skmixed.fitting.model import LMMModel
from skmixed.prediction.new_rows import NewRowReader
from skmixed.prediction.residuals import require_columns
from skmixed.residual.correlation import Correlation
from skmixed.residual.learned import LearnedResidual
from skmixed.residual.learning import group_columns
from skmixed.residual.model import residual_groups
from skmixed.residual.positions import check_distinct, places_in_groups

__all__ = [
    "ResidualMemory",
    "ResidualPast",
    "fitted_rows",
    "given_past",
    "group_labels",
    "kept_past",
    "related_rows",
]

FloatArray = NDArray[np.float64]
ResidualMemory: TypeAlias = bool | tuple[Any, ...]
"""Whether residuals are predicted from those of the rows that are kept, or of which others."""


@dataclass(frozen=True, slots=True, eq=False)
class ResidualPast:
    """Hold observed rows, and the labels of the groups within which they are correlated."""

    rows: NewRows
    response: FloatArray
    precision: FloatArray | None
    factor: GroupingFactor


def group_labels(
    learned: LearnedResidual, columns: ResidualColumns | None, first: Labels
) -> Labels:
    """Return the labels of groups within which residuals are correlated, None if not known.

    Parameters
    ----------
    columns : ResidualColumns or None
        Of some rows.
    first : Labels
        Those of the innermost factor, which are the default.
    """
    names = group_columns(learned.structure)
    if not names:
        return first
    return None if columns is None else [columns[name] for name in names]


def kept_past(learned: LearnedResidual, model: LMMModel) -> ResidualPast:
    """Return the rows that a model was fitted to."""
    design = model.design
    factor = residual_groups(learned.structure, design)
    assert factor is not None
    return ResidualPast(NewRows.of(design), design.response, design.weights.precision, factor)


def fitted_rows(model: LMMModel) -> NewRows:
    """Return the rows that a model was fitted to, with the groups of correlated residuals."""
    if model.residual is None or model.residual.rows.grouped is None:
        return NewRows.of(model.design)
    groups = model.residual.rows.grouped.groups
    return NewRows.of(model.design, RelatedRows(groups, places_in_groups(groups)))


def given_past(
    learned: LearnedResidual, reader: NewRowReader, past: tuple[Any, ...]
) -> ResidualPast:
    """Read observed rows that the user gives.

    Parameters
    ----------
    learned : LearnedResidual
        With correlations.
    past : tuple
        X and y, labels if fit got them as an array, weights: as in ``fit``.
    """
    if not 1 <= len(past) <= 4:
        raise ValueError(
            "residual_memory must be True, False, or a tuple of X, y, groups and sample_weight of "
            f"observed rows, got a tuple of length {len(past)}. Write residual_memory=(X, y)."
        )
    X, y, groups, weights = (*past, None, None, None)[:4]
    columns, labels = reader.read(X, groups)
    response = reader.response(X, y)
    residual = reader.residual_columns(X)
    if residual is None:
        require_columns(learned.structure)
    rows = replace(reader.new_rows(columns, labels, "population"), residual=residual)
    if len(rows.fixed) != len(response):
        raise ValueError(
            f"residual_memory got X with {len(rows.fixed)} rows and y with {len(response)}. Give "
            "as many responses as rows."
        )
    own = group_labels(learned, residual, labels[0] if labels else None)
    if own is None or any(one is None for one in labels):
        raise ValueError(
            "residual_memory got rows without the labels of their groups. Pass those too: "
            "residual_memory=(X, y, groups)."
        )
    factor = _factor(own)
    known = {} if residual is None else residual
    check_distinct(_correlation(learned), known, learned.placed(known, factor.codes))
    return ResidualPast(rows, response, _precision(weights, len(response)), factor)


def related_rows(
    rows: NewRows,
    labels: Labels,
    past: ResidualPast | None,
    n_levels: Sequence[int],
    missing: str,
) -> RelatedRows | None:
    """Return which rows are related; None where no labels are known and nothing was observed.

    Parameters
    ----------
    labels : Labels
        Of the groups within which residuals are correlated.
    n_levels : sequence of int
        How many levels of each factor were fitted.
    missing : {"population", "error"}
        Whether a missing label is an error, or that of a group of its own.
    """
    if past is None:
        if labels is None:
            return None
        levels = _factor(select_labels(labels, ~missing_labels(labels))).levels
        groups = encode_labels(levels, labels, unseen="population", missing=missing)
        assert groups is not None
        return RelatedRows(groups, places_in_groups(groups))
    if labels is None or any(block.codes is None for block in rows.blocks):
        raise ValueError(
            "residual_memory needs the labels of all groups. Give their columns, or groups=, or "
            "residual_memory=False."
        )
    groups = encode_labels(past.factor.levels, labels, unseen="population", missing=missing)
    assert groups is not None
    _check_levels(rows, groups, past, n_levels)
    m = len(past.response)
    places = places_in_groups(np.append(past.factor.codes, groups))
    before = replace(past.rows, related=RelatedRows(past.factor.codes, places[:m]))
    observed = ObservedRows(before, past.response, past.precision)
    kept = np.isin(past.factor.codes, groups)
    return RelatedRows(groups, places[m:], observed.take(kept))


def _check_levels(
    rows: NewRows, groups: NDArray[np.intp], past: ResidualPast, n_levels: Sequence[int]
) -> None:
    """Raise ValueError if a row has another level of some factor than the past of its group."""
    codes = past.factor.codes
    for new, old, n in zip(rows.blocks, past.rows.blocks, n_levels, strict=True):
        assert new.codes is not None
        assert old.codes is not None
        # What is the level of a group without a past does not matter.
        level = np.full(max(groups.max(initial=-1), codes.max(initial=-1)) + 1, -1)
        level[codes] = np.minimum(old.codes, n)
        apart = (level[groups] >= 0) & (level[groups] != np.minimum(new.codes, n))
        if apart.any():
            raise ValueError(
                "residual_memory needs rows of a group to have one level of every grouping factor, "
                f"and row {int(np.argmax(apart))} has another one than the observed rows of its "
                "group. Correct the labels, or predict these rows with residual_memory=False."
            )


def _factor(labels: Sequence[Any]) -> GroupingFactor:
    """Return the groups of labels."""
    return factorise_interaction(labels, [f"groups[{i}]" for i in range(len(labels))])


def _correlation(learned: LearnedResidual) -> Correlation:
    """Return the correlations, which there are."""
    assert learned.correlation is not None
    return learned.correlation


def _precision(weights: Any, n: int) -> FloatArray | None:
    """Return checked weights of observed rows."""
    if weights is None:
        return None
    precision = np.asarray(weights, dtype=np.float64)
    if precision.shape != (n,) or not ((precision > 0.0) & np.isfinite(precision)).all():
        raise ValueError(
            "The weights in residual_memory must be positive, finite numbers, one for each "
            f"of {n} rows. Leave out rows of weight 0."
        )
    return precision
