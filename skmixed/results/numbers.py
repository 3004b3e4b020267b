"""Numbers as columns of text: enough digits, aligned on the decimal point."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "align",
    "count_text",
    "format_column",
    "format_estimates",
    "format_fixed",
    "format_p_values",
    "format_statistics",
    "whole",
]

MISSING = "-"
# Most digits of a fixed-point number in a column whose entries share their number of decimals.
_WIDEST = 9
# Sums of weights miss a whole number by no more than this part.
_ROUNDING = 1e-9


def format_column(values: Iterable[float], digits: int = 5) -> list[str]:
    """Return each value with at least ``digits`` significant digits, all of the same width.

    All values have as many decimals as the smallest needs, as R prints them; values of very
    different sizes have each their own, aligned on the decimal point. NaN is a dash.
    """
    numbers = [float(value) for value in values]
    decimals = _common_decimals(numbers, numbers, digits)
    if decimals is not None:
        return format_fixed(numbers, decimals)
    return align([_significant(x, digits) for x in numbers])


def format_estimates(
    values: NDArray[np.float64], errors: NDArray[np.float64], digits: int = 4
) -> list[list[str]]:
    """Return columns of estimates with the decimals that their standard errors justify.

    Each row of values has one error, of which as many digits are significant.
    """
    decimals = _common_decimals(values.ravel(), errors, digits)
    if decimals is not None:
        return [format_fixed(column, decimals) for column in values.T]
    rows = [_row_by_error(row, error, digits) for row, error in zip(values, errors, strict=True)]
    return [align(list(column)) for column in zip(*rows, strict=True)]


def format_fixed(values: Iterable[float], decimals: int) -> list[str]:
    """Return each value with that many decimals, all of the same width."""
    return align([f"{x:.{decimals}f}" if np.isfinite(x) else _zero_or_name(x) for x in values])


def format_statistics(values: Iterable[float]) -> list[str]:
    """Return test statistics with three decimals, huge ones with five significant digits."""
    return align(
        [f"{x:.3f}" if np.isfinite(x) and abs(x) < 1e6 else _significant(x, 5) for x in values]
    )


def format_p_values(values: Iterable[float]) -> list[str]:
    """Return probabilities with four decimals, and what is smaller as ``<0.0001``."""
    return align([_p_value(x) for x in values])


def align(texts: list[str]) -> list[str]:
    """Pad texts to one width with their decimal points (or ends of integers) in one column."""
    wholes = [len(text.partition(".")[0]) for text in texts]
    before = max(wholes, default=0)
    after = max((len(t) - w for t, w in zip(texts, wholes, strict=True)), default=0)
    return [
        " " * (before - w) + t + " " * (after - len(t) + w)
        for t, w in zip(texts, wholes, strict=True)
    ]


def whole(value: float) -> int | float:
    """Return an int for a whole number, as a sum of weights may be up to rounding."""
    nearest = round(value)
    return nearest if abs(value - nearest) <= _ROUNDING * abs(value) else float(value)


def count_text(value: float, separator: str = "") -> str:
    """Return a number of rows as text; with a decimal where it is a sum of weights."""
    number = whole(value)
    return format(number, separator if isinstance(number, int) else f"{separator}.1f")


def _common_decimals(values: Iterable[float], errors: Iterable[float], digits: int) -> int | None:
    """Return the decimals the smallest error needs; None if the largest has no room for them."""
    needed = [_exponent(x, digits) for x in errors if np.isfinite(x) and x != 0.0]
    sizes = [_exponent(x, digits) for x in values if np.isfinite(x) and x != 0.0]
    if not needed:
        return None
    decimals = max(digits - 1 - min(needed), 0)
    return decimals if max(0, *sizes) + 1 + decimals <= _WIDEST else None


def _row_by_error(row: Iterable[float], error: float, digits: int) -> list[str]:
    """Return the values of one row with the decimals of its error, or each with its own."""
    numbers = [float(x) for x in row]
    decimals = _common_decimals(numbers, [error], digits)
    if decimals is None:
        return [_significant(x, digits + 1) for x in numbers]
    return [f"{x:.{decimals}f}" if np.isfinite(x) else _zero_or_name(x) for x in numbers]


def _exponent(x: float, digits: int) -> int:
    """Return the decimal exponent of x after rounding to digits."""
    return int(f"{x:.{digits - 1}e}".partition("e")[2])


def _significant(x: float, digits: int) -> str:
    """Return x with so many significant digits, in scientific notation where it is extreme."""
    if not np.isfinite(x) or x == 0.0:
        return _zero_or_name(x)
    exponent = _exponent(x, digits)
    if -5 < exponent < _WIDEST:
        return f"{x:.{max(digits - 1 - exponent, 0)}f}"
    return f"{x:.{digits - 1}e}"


def _p_value(p: float) -> str:
    """Return the text of one probability."""
    if np.isnan(p):
        return MISSING
    return "<0.0001" if p < 0.5e-4 else f"{p:.4f}"


def _zero_or_name(x: float) -> str:
    """Return the text of a number without digits."""
    return MISSING if np.isnan(x) else f"{x:g}"
