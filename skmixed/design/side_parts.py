"""Columns of a further predictor, as of zero inflation or dispersion, from a one-sided formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite

from skmixed.formula import FormulaRecipe, ParsedFormula, parse_formula, train_formula
from skmixed.formula.algebra import expand_terms

__all__ = ["SidePart", "parse_side_formula", "side_columns", "train_side_part"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SidePart:
    """Hold how a one-sided formula makes the columns of a further predictor."""

    argument: str
    recipe: FormulaRecipe

    @property
    def names(self) -> tuple[str, ...]:
        """Name the columns; the intercept is ``"Intercept"``."""
        return self.recipe.fixed_names

    @property
    def variables(self) -> tuple[str, ...]:
        """Name the columns of the data that it reads."""
        return self.recipe.variables

    @property
    def has_intercept(self) -> bool:
        """Tell whether the first column is an intercept."""
        return self.recipe.has_intercept

    def matrix(self, data: Any) -> FloatArray:
        """Return the columns of rows, shape (n, n_columns)."""
        return _finite(self.recipe.evaluate(data).fixed, self.argument)


def side_columns(parts: Sequence[SidePart | None], data: Any) -> tuple[FloatArray | None, ...]:
    """Return the columns of several predictors but for the intercepts.

    A part is None for a predictor that is the same in all rows.
    """
    return tuple(
        None if part is None else part.matrix(data)[:, int(part.has_intercept) :] for part in parts
    )


def parse_side_formula(text: str, argument: str) -> ParsedFormula:
    """Parse a one-sided formula with fixed effects alone."""
    expected = f"{argument}={text!r}: expected fixed effects alone, such as '~ 1 + x'"
    if not isinstance(text, str):
        raise TypeError(f"{expected}; got {type(text).__name__}.")
    try:
        parsed = parse_formula(text)
    except ValueError as error:
        raise ValueError(f"{expected}. {error}") from error
    if parsed.response is not None:
        raise ValueError(f"{expected}; got a response too. Leave out {parsed.response!r}.")
    if parsed.random:
        raise ValueError(
            f"{expected}; random effects are not available here. Leave out those of "
            f"{parsed.random[0].name!r}."
        )
    if parsed.offsets:
        raise ValueError(
            f"{expected}; offsets are not available here. Leave out offset({parsed.offsets[0]})."
        )
    if not expand_terms(parsed.fixed):
        raise ValueError(f"{expected}; got no term at all. Leave out {argument}= for none.")
    return parsed


def train_side_part(
    text: str, argument: str, data: Any, *, environment: Mapping[str, Any] | None = None
) -> tuple[SidePart, FloatArray]:
    """Learn from training rows how to make the columns of a further predictor, and make theirs."""
    parsed = parse_side_formula(text, argument)
    recipe, matrices = train_formula(parsed, data, environment=environment)
    return SidePart(argument, recipe), _finite(matrices.fixed, argument)


def _finite(columns: FloatArray, argument: str) -> FloatArray:
    """Return columns without missing or infinite values."""
    assert_all_finite(columns, input_name=argument)
    return columns
