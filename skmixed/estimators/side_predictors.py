"""Predictors beside that of the mean: which a family has, and their columns of old and new rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.side_parts import SidePart, train_side_part
from skmixed.estimators.formula_input import check_data
from skmixed.families.base import Family
from skmixed.families.positive import CountFamily
from skmixed.families.reading import family_from
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.fitting.glmm_model import ExtraColumns

__all__ = ["SideFormulas", "inflated_family", "train_sides"]

FloatArray = NDArray[np.float64]
SideFormulas = Mapping[str, str | None]


def inflated_family(family: Any, link: Any, zero_inflation: str | None) -> Family:
    """Return the family that a user means, with more zeros if there is a formula for them.

    Raises
    ------
    ValueError
        If there is no such family, or it has no counts that could be inflated.
    """
    found = family_from(family, link)
    if zero_inflation is None or isinstance(found, ZeroInflated):
        return found
    if not isinstance(found, CountFamily):
        raise ValueError(
            f"zero_inflation={zero_inflation!r} needs counts, got family={found.name!r}: expected "
            "'poisson', 'negative_binomial' or 'negative_binomial_1'. Leave zero_inflation out."
        )
    return ZeroInflated(found)


def train_sides(
    family: Family,
    formulas: SideFormulas,
    data: Any,
    n: int,
    environment: Mapping[str, Any] | None = None,
) -> tuple[tuple[SidePart | None, ...], tuple[ExtraColumns, ...]]:
    """Learn to make the columns of a family's further predictors, and make those of training rows.

    Parameters
    ----------
    formulas : mapping of str to str
        One-sided formulas by the argument that gave them; None for a predictor that is the same
        in all rows.
    data : DataFrame or mapping of columns
        Not read without formulas.
    n : int
        How many rows there are.
    environment : mapping, optional
        Functions and constants that the formulas may use.

    Returns
    -------
    parts : tuple of SidePart or None
        In the order of the family's ``extra_names``.

    Raises
    ------
    ValueError
        If the family has no such predictor, or a formula cannot be used.
    """
    for argument, text in formulas.items():
        if text is not None and argument not in family.extra_names:
            raise ValueError(
                f"{argument}={text!r} needs a family with such a parameter, and {family.name!r} "
                f"has none. Leave {argument} out, or choose another family: counts that vary more "
                "than Poisson ones have family='negative_binomial'."
            )
    parts: list[SidePart | None] = []
    columns = []
    for name in family.extra_names:
        text = formulas.get(name)
        part, rows = None, ExtraColumns.constant(n)
        if text is not None:
            check_data(data, "X")
            part, matrix = train_side_part(text, name, data, environment=environment)
            rows = _columns(part, matrix)
        parts.append(part)
        columns.append(rows)
    return tuple(parts), tuple(columns)


def _columns(part: SidePart, matrix: FloatArray) -> ExtraColumns:
    """Return the columns of a predictor, the intercept apart."""
    first = int(part.has_intercept)
    return ExtraColumns(matrix[:, first:], part.names[first:], part.has_intercept)
