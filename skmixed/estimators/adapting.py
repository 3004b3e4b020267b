"""Rows that are added to a fitted estimator: their columns, labels and places among the levels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite, check_consistent_length

from skmixed.design.arrays import Labels
from skmixed.design.design import Design, NewRows, RandomBlock
from skmixed.design.groups import GroupingFactor
from skmixed.design.labels import select_labels
from skmixed.design.weights import Weights
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.new_rows import NewRowReader, refuse_second_labels

__all__ = ["design_to_add", "rows_to_add"]

FloatArray = NDArray[np.float64]


def rows_to_add(reader: NewRowReader, X: Any, groups: Any) -> tuple[NewRows, list[Labels]]:
    """Return the columns of rows and the labels of all factors, which must be there."""
    refuse_second_labels(reader, groups, "adapt")
    columns, labels = reader.read(X, groups)
    absent = [
        name for name, known in zip(reader.factor_names, labels, strict=True) if known is None
    ]
    if absent:
        raise ValueError(
            f"adapt needs the labels of {absent}, which this model was fitted with. Pass "
            "groups=, or the columns of labels, as to fit."
        )
    return reader.new_rows(columns, labels, "population"), labels


def design_to_add(
    fit: LMMFit, rows: NewRows, response: FloatArray, weights: Weights, labels: list[Labels]
) -> tuple[Design, list[NDArray[np.intp]], NDArray[np.intp]]:
    """Return the rows that count among the levels that are known then, and which they are."""
    check_consistent_length(rows.fixed, response)
    if not len(response):
        raise ValueError("There is no row to add: X has 0 rows. Pass one or more.")
    if rows.offset is not None:
        assert_all_finite(rows.offset, input_name="offset")
    values = weights.values
    kept = np.flatnonzero(np.ones(len(response)) if values is None else values)
    blocks, places = [], []
    for effects, block, columns in zip(fit.random, rows.blocks, labels, strict=True):
        levels, place, codes = effects.levels.extended(
            select_labels(columns or [], kept), np.asarray(block.codes)[kept]
        )
        factor = GroupingFactor(levels, codes)
        blocks.append(RandomBlock(factor, block.columns[kept], effects.terms))
        places.append(place)
    intercept = fit.coordinates.fixed.intercept
    design = Design(
        response[kept],
        rows.fixed[kept],
        fit.fixed.names[int(intercept) :],
        intercept,
        tuple(blocks),
        offset=None if rows.offset is None else rows.offset[kept],
        weights=Weights(None if values is None else values[kept], weights.kind),
        residual=None if rows.residual is None else rows.residual.select(kept),
    )
    return design, places, kept
