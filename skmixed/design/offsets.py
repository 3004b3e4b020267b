"""The known part of a linear predictor: offsets of the formula and of arguments, and exposure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite

from skmixed.formula.columns import read_columns
from skmixed.formula.values import row_numbers

__all__ = ["total_offset"]

FloatArray = NDArray[np.float64]


def total_offset(
    n: int, in_formula: FloatArray | None, offset: Any, exposure: Any, *, link: str
) -> FloatArray | None:
    """Add up what is known of each row's linear predictor.

    A formula evaluates its own offsets in new rows too. What was given beside it for the fit says
    nothing about new rows: it counts as 0 there unless it is given again, as in statsmodels.

    ``exposure`` is time, area or persons at risk: its logarithm is added.
    """
    known = [] if in_formula is None else [in_formula]
    if offset is not None:
        known.append(_numbers(offset, "offset", n))
    if exposure is not None:
        known.append(_log_exposure(_numbers(exposure, "exposure", n), link))
    return sum(known[1:], start=known[0]) if known else None


def _log_exposure(exposure: FloatArray, link: str) -> FloatArray:
    """Return the logarithm of an exposure."""
    if link != "log":
        raise ValueError(
            f"exposure= needs the log link, where it multiplies the mean, got link={link!r}. Leave "
            "it out, or give offset=, which is added to the linear predictor."
        )
    wrong = exposure <= 0
    if wrong.any():
        raise ValueError(
            f"exposure has values that are not positive ({int(wrong.sum())} of {len(exposure)} "
            f"rows, such as {exposure[np.argmax(wrong)]:g}): expected positive times, areas or "
            "numbers at risk. Leave out rows that were not exposed."
        )
    return np.log(exposure)


def _numbers(values: Any, argument: str, n: int) -> FloatArray:
    """Return an argument as finite numbers, one per row, whatever holds them."""
    column = read_columns({argument: values}, [argument])[argument]
    numbers = row_numbers(column, argument, n)
    assert_all_finite(numbers, input_name=argument)
    return numbers
