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
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.kept_rows import KeptRows
from skmixed.prediction.new_rows import NewRowReader
from skmixed.prediction.residuals import require_columns
from skmixed.residual.learned import LearnedResidual
from skmixed.residual.learning import group_columns
from skmixed.residual.model import residual_groups
from skmixed.residual.positions import check_distinct, places_in_groups

__all__ = [
    "ResidualMemory",
    "ResidualPast",
    "related_rows",
    "residual_past",
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


def residual_past(
    fit: LMMFit,
    memory: ResidualMemory,
    reader: NewRowReader,
    kept: KeptRows | None,
    *,
    all_effects: bool,
) -> ResidualPast | None:
    """Return the observed rows whose residuals count; None where they tell nothing."""
    if not isinstance(memory, bool | np.bool_ | tuple):
        raise ValueError(
            "residual_memory must be True, False, or a tuple (X, y) of observed rows, got "
            f"{type(memory).__name__}."
        )
    if not memory or fit.residual is None or fit.residual.learned.correlation is None:
        return None
    if not all_effects:
        raise ValueError(
            "residual_memory predicts residuals given the random effects, which "
            "include_random_effects leaves out. Include those of all factors, or set "
            "residual_memory=False."
        )
    learned = fit.residual.learned
    if isinstance(memory, tuple):
        return _given_past(learned, reader, memory)
    if kept is None:
        raise ValueError(
            "residual_memory=True needs the rows that were fitted, which an estimator does not "
            "keep. Pass them: residual_memory=(X, y), or fit with mixedlm, which keeps them."
        )
    design = kept.model.design
    factor = residual_groups(learned.structure, design)
    assert factor is not None
    return ResidualPast(NewRows.of(design), design.response, design.weights.precision, factor)


def _given_past(
    learned: LearnedResidual, reader: NewRowReader, past: tuple[Any, ...]
) -> ResidualPast:
    """Read observed rows that the user gives: X, y, labels and weights as in ``fit``."""
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
    own = _group_labels(learned, residual, labels[0] if labels else None)
    if own is None or any(one is None for one in labels):
        raise ValueError(
            "residual_memory got rows without the labels of their groups. Pass those too: "
            "residual_memory=(X, y, groups)."
        )
    factor = _factor(own)
    known = {} if residual is None else residual
    assert learned.correlation is not None
    check_distinct(learned.correlation, known, learned.placed(known, factor.codes))
    return ResidualPast(rows, response, _precision(weights, len(response)), factor)


def related_rows(
    fit: LMMFit, rows: NewRows, first: Labels, past: ResidualPast | None, missing: str
) -> RelatedRows | None:
    """Return which rows have correlated residuals; None where none are known to have.

    Parameters
    ----------
    first : Labels
        Those of the innermost factor.
    missing : {"population", "error"}
        Whether a missing label is an error, or that of a group of its own.
    """
    assert fit.residual is not None
    if fit.residual.learned.correlation is None:
        return None
    labels = _group_labels(fit.residual.learned, rows.residual, first)
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
    _check_levels(rows, groups, past, [len(effects.levels) for effects in fit.random])
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


def _group_labels(
    learned: LearnedResidual, columns: ResidualColumns | None, first: Labels
) -> Labels:
    """Return the labels of groups within which residuals are correlated, None if not known."""
    names = group_columns(learned.structure)
    if not names:
        return first
    return None if columns is None else [columns[name] for name in names]


def _factor(labels: Sequence[Any]) -> GroupingFactor:
    """Return the groups of labels."""
    return factorise_interaction(labels, [f"groups[{i}]" for i in range(len(labels))])


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
