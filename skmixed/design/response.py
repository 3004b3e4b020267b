"""The response of a generalised model: counts, proportions with their trials, labels as 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite

from skmixed.design.response_checks import (
    check_counts,
    check_labels,
    check_successes,
    proportion_trials,
)
from skmixed.formula import ParsedFormula
from skmixed.formula.response import ResponseColumns, ResponseRecipe, train_response_columns
from skmixed.formula.response_form import require_one_column

__all__ = ["ReadResponse", "ResponseReader", "response_of_values", "train_response"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ReadResponse:
    """Hold the response of n rows in numbers.

    Attributes
    ----------
    values : ndarray of shape (n,)
        Numbers as they were given; for a binomial family the proportion of successes, 0 in a row
        without trials.
    trials : ndarray of shape (n,) or None
        The trials behind each proportion; None where each row is one trial, and for other families.
    weights : ndarray of shape (n,) or None
        How often each row counts beside its trials; None where each does once.
    labels : tuple or None
        The two labels of failure and success, where the response is labels or booleans.
    """

    name: str
    values: FloatArray
    trials: FloatArray | None = None
    weights: FloatArray | None = None
    labels: tuple[Any, Any] | None = None

    @property
    def row_weights(self) -> FloatArray | None:
        """Return what each row's log density is multiplied by; a row of 0 is no observation."""
        if self.trials is None or self.weights is None:
            return self.weights if self.trials is None else self.trials
        return self.trials * self.weights


@dataclass(frozen=True, slots=True, eq=False)
class ResponseReader:
    """Read the response of rows as that of training was read.

    ``outcome`` is what the family has: "proportions" of successes (binomial), "counts", or any
    "numbers".
    """

    recipe: ResponseRecipe
    outcome: str

    def read(self, data: Any, weights: FloatArray | None = None) -> ReadResponse:
        """Return the response of rows."""
        return self.response(self.recipe.evaluate(data), weights)

    def observed(self, data: Any) -> FloatArray:
        """Return the response of rows in numbers, unchecked; NaN where there are no trials."""
        return _in_numbers(self.recipe.evaluate(data))

    def response(self, given: ResponseColumns, weights: FloatArray | None) -> ReadResponse:
        """Return the response that the columns of the left side are."""
        for column in given.columns:
            assert_all_finite(column, input_name="y")
        if self.outcome == "proportions":
            return _proportions(given, weights)
        require_one_column(self.recipe.code)
        if given.labels not in (None, (False, True)):
            raise ValueError(
                f"The response {given.name!r} holds labels such as {given.labels[0]!r}: expected "
                "numbers. Convert them to numbers, or use family='binomial' for two labels."
            )
        values = _in_numbers(given)
        assert_all_finite(values, input_name="y")
        return response_of_values(values, outcome=self.outcome, weights=weights, name=given.name)


def train_response(
    parsed: ParsedFormula,
    data: Any,
    *,
    outcome: str,
    weights: FloatArray | None = None,
    environment: Mapping[str, Any] | None = None,
) -> tuple[ResponseReader, ReadResponse]:
    """Learn to read the response of a formula, and read that of the training rows.

    Parameters
    ----------
    outcome : {"proportions", "counts", "numbers"}
        What the family has. Only proportions may be ``cbind(successes, failures)``, labels, or
        ``successes / trials``, whose denominator is the number of trials where there are no
        weights.
    weights : ndarray of shape (n,), optional
        Checked weights of the rows: the trials, where the response is proportions.
    """
    recipe, given = train_response_columns(parsed, data, environment=environment)
    reader = ResponseReader(recipe, outcome)
    return reader, reader.response(given, weights)


def response_of_values(
    values: FloatArray, *, outcome: str, weights: FloatArray | None = None, name: str = "y"
) -> ReadResponse:
    """Return the response that finite numbers are, one per row.

    ``weights`` of shape (n,): checked weights of the rows. They are trials if any value is a
    fraction of successes.
    """
    if outcome == "proportions":
        trials = proportion_trials(values, weights, name)
        return ReadResponse(name, values, trials, weights if trials is None else None)
    if outcome == "counts":
        check_counts(values, name)
    return ReadResponse(name, values, weights=weights)


def _proportions(given: ResponseColumns, weights: FloatArray | None) -> ReadResponse:
    """Return proportions of successes, whichever way they were written."""
    first, trials = given.columns[0], given.trials
    if given.labels is not None:
        return ReadResponse(
            given.name, first, weights=weights, labels=check_labels(given.labels, given.name)
        )
    if trials is None:
        return response_of_values(first, outcome="proportions", weights=weights, name=given.name)
    check_successes(first, trials, given.name)
    values = np.divide(first, trials, out=np.zeros_like(first), where=trials > 0)
    if given.kind == "cbind" or weights is None:
        return ReadResponse(given.name, values, trials, weights)
    # As in R, weights beside a quotient are its trials; a row of 0 / 0 still has none.
    weights = np.where(trials > 0, weights, 0.0)
    return response_of_values(values, outcome="proportions", weights=weights, name=given.name)


def _in_numbers(given: ResponseColumns) -> FloatArray:
    """Return the numbers themselves, or quotients, infinite or NaN where there are no trials."""
    if given.trials is None:
        return given.columns[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return given.columns[0] / given.trials
