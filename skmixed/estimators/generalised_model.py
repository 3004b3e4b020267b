"""The training model of a generalised model: its response, weights, offsets and predictors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.offsets import total_offset
from skmixed.design.response import ReadResponse
from skmixed.design.side_parts import SidePart, train_side_part
from skmixed.design.weights import Weights
from skmixed.estimators.formula_input import check_data
from skmixed.families.base import Family
from skmixed.families.positive import CountFamily
from skmixed.families.reading import family_from
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.fitting.glmm_model import ExtraColumns, GLMMModel

__all__ = ["FURTHER", "generalised_model", "inflated_family", "outcome_of"]

FloatArray = NDArray[np.float64]
# The arguments that give formulas of further predictors.
FURTHER = ("dispersion", "zero_inflation")
Sides = tuple[SidePart | None, ...]


def outcome_of(family: Family) -> str:
    """Return what the responses of a family are: proportions, counts or numbers."""
    if family.name == "binomial":
        return "proportions"
    return "counts" if family.is_discrete else "numbers"


def inflated_family(family: Any, link: Any, zero_inflation: str | None) -> Family:
    """Return the family that a user means, with more zeros if there is a formula for them."""
    found = family_from(family, link)
    if zero_inflation is None or isinstance(found, ZeroInflated):
        return found
    if not isinstance(found, CountFamily):
        raise ValueError(
            f"zero_inflation={zero_inflation!r} needs counts, got family={found.name!r}: expected "
            "'poisson', 'negative_binomial' or 'negative_binomial_1'. Leave zero_inflation out."
        )
    return ZeroInflated(found)


def generalised_model(
    design: Design,
    structures: JointCovariance,
    family: Family,
    response: ReadResponse,
    data: Any,
    *,
    formulas: Mapping[str, str | None],
    environment: Mapping[str, Any] | None,
    offset: Any,
    exposure: Any,
    **options: Any,
) -> tuple[GLMMModel, Sides]:
    """Return a model of the rows that count, and how its further predictors are read.

    The design's own response and weights are not read, and the data without formulas are not.
    """
    sides, extra = _train_sides(family, formulas, data, design.n_rows, environment)
    known = total_offset(design.n_rows, design.offset, offset, exposure, link=family.link.name)
    weights, trials = _row_weights(response)
    kept = np.ones(design.n_rows, dtype=bool) if weights is None else weights > 0.0
    if not kept.any():
        raise ValueError("No row is left: every row has weight 0, or no trials.")
    family.check(response.values[kept])
    kind = "precision" if trials else "frequency"
    design = replace(design, response=response.values, offset=known, weights=Weights(weights, kind))
    model = GLMMModel(design, structures, family, extra, trials=trials, **options)
    return (model if kept.all() else model.select(kept)), sides


def _train_sides(
    family: Family,
    formulas: Mapping[str, str | None],
    data: Any,
    n: int,
    environment: Mapping[str, Any] | None,
) -> tuple[Sides, tuple[ExtraColumns, ...]]:
    """Learn the columns of a family's further predictors, and make those of n training rows."""
    given = {argument: text for argument, text in formulas.items() if text is not None}
    if given:
        check_data(data, "X")
    for argument, text in given.items():
        if argument not in family.extra_names:
            raise ValueError(
                f"{argument}={text!r} needs a family with such a parameter, and {family.name!r} "
                f"has none. Leave {argument} out, or choose another family: counts that vary more "
                "than Poisson ones have family='negative_binomial'."
            )
    parts: list[SidePart | None] = []
    columns = []
    for name in family.extra_names:
        part, rows = None, ExtraColumns.constant(n)
        if name in given:
            part, matrix = train_side_part(given[name], name, data, environment=environment)
            first = int(part.has_intercept)
            rows = ExtraColumns(matrix[:, first:], part.names[first:], part.has_intercept)
        parts.append(part)
        columns.append(rows)
    return tuple(parts), tuple(columns)


def _row_weights(response: ReadResponse) -> tuple[FloatArray | None, bool]:
    """Return what multiplies the rows' log densities, and whether it counts trials."""
    weights, trials = response.weights, response.trials
    if trials is None or weights is None:
        return response.row_weights, trials is not None
    if not np.isin(weights, (0.0, 1.0)).all():
        raise ValueError(
            f"The response {response.name!r} brings its numbers of trials, and weights= were given "
            "beside them: expected one of them, or weights of 0 and 1, which choose rows. Leave "
            "the weights out, or repeat the rows that count more than once."
        )
    return response.row_weights, True
