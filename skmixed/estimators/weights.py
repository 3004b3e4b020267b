"""Weights of rows and of groups, checked and brought into the design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _check_sample_weight

from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor, differs_within
from skmixed.design.weights import Weights, sampling_weights
from skmixed.formula.values import unmasked

__all__ = ["WEIGHT_TYPES", "row_weights", "weighted_design"]

FloatArray = NDArray[np.float64]

WEIGHT_TYPES = ("precision", "frequency", "sampling")


def row_weights(sample_weight: Any, n: int) -> FloatArray | None:
    """Return checked weights of n rows, None where all are equal to 1."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(
        unmasked(sample_weight), np.empty((n, 1)), dtype=np.float64, ensure_non_negative=True
    )
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def weighted_design(
    design: Design,
    weights: FloatArray | None,
    group_weight: Any,
    *,
    weight_type: str,
    scaling: str,
    groups: GroupingFactor | None = None,
) -> Design:
    """Attach checked weights to a design; rows and groups of weight 0 are dropped.

    Parameters
    ----------
    groups : GroupingFactor, optional
        What ``group_weight`` counts where there are no random effects.
    """
    sampling = weight_type == "sampling"
    if sampling and len(design.blocks) > 1:
        raise ValueError(
            "weight_type='sampling' needs a model with one grouping factor, which was sampled, got "
            f"{len(design.blocks)}."
        )
    if design.blocks:
        groups = design.blocks[0].factor
    multiplicity = _group_multiplicity(design, groups, group_weight)
    if weights is None and multiplicity is None and not sampling:
        return design
    keep = np.ones(design.n_rows, dtype=bool) if weights is None else weights > 0
    if multiplicity is not None:
        keep &= multiplicity > 0
    if not keep.any():
        raise ValueError("No row is left: every row has sample_weight or group_weight 0.")
    if not keep.all():
        design = design.select(keep)
        groups = None if groups is None else groups.select(keep)
        weights = None if weights is None else weights[keep]
        multiplicity = None if multiplicity is None else multiplicity[keep]
    by_level = None
    if multiplicity is not None and groups is not None:
        by_level = np.empty(len(groups.levels))
        by_level[groups.codes] = multiplicity
    if sampling:
        return replace(design, weights=sampling_weights(weights, by_level, groups, scaling))
    codes = None if groups is None else groups.codes
    return replace(design, weights=Weights(weights, weight_type, by_level, codes))


def _group_multiplicity(
    design: Design, factor: GroupingFactor | None, group_weight: Any
) -> FloatArray | None:
    """Return how many times the group of each row counts, shape (n,)."""
    if group_weight is None:
        return None
    if factor is None:
        raise ValueError("group_weight was given, but the model has no groups.")
    if len(design.blocks) > 1:
        raise ValueError(
            f"group_weight needs a model with one grouping factor, got {len(design.blocks)}."
        )
    if isinstance(group_weight, Mapping):
        return _from_mapping(factor, group_weight)
    weights = np.asarray(unmasked(group_weight), dtype=np.float64)
    if weights.shape != (design.n_rows,):
        raise ValueError(
            f"group_weight must have one value per row, {design.n_rows}, got shape "
            f"{weights.shape}. A mapping from labels to weights is accepted too."
        )
    _check_counts(weights)
    differs = differs_within(weights, factor.codes)
    if differs.any():
        label = factor.levels.labels[factor.codes[np.argmax(differs)]]
        raise ValueError(
            f"group_weight must be the same in all rows of a group, but varies in group {label!r} "
            f"of '{factor.levels.name}'. Weights of single rows are sample_weight."
        )
    return weights


def _from_mapping(factor: GroupingFactor, group_weight: Mapping[Any, float]) -> FloatArray:
    """Look up each group's weight."""
    labels = list(factor.levels.labels)
    absent = [label for label in labels if label not in group_weight]
    if absent:
        raise ValueError(
            f"group_weight has no weight for {len(absent)} groups of '{factor.levels.name}', such "
            f"as {absent[0]!r}."
        )
    weights = np.array([group_weight[label] for label in labels], dtype=np.float64)
    _check_counts(weights)
    return weights[factor.codes]


def _check_counts(weights: FloatArray) -> None:
    """Raise ValueError if a group counts a negative or unknown number of times."""
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("group_weight must be finite and not negative.")
