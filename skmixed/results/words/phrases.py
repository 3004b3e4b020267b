"""Numbers and lists in plain words."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import numpy as np

from skmixed.results.numbers import format_column, format_estimates

__all__ = ["by_error", "level_text", "listed", "percent", "range_text", "rounded", "unquoted"]


QUOTED = re.compile(r"""\bQ\(("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\)""")


def unquoted(text: str) -> str:
    """Return text with the columns that a formula had to quote under their own names."""
    return QUOTED.sub(lambda found: str(ast.literal_eval(found[1])), text)


def rounded(value: float) -> str:
    """Return a number with three significant digits."""
    return format_column([value], 3)[0].strip()


def by_error(values: Sequence[float], error: float) -> list[str]:
    """Return numbers with the decimals of two significant digits of their standard error."""
    columns = format_estimates(np.array([values], dtype=float), np.array([error]), digits=2)
    return [column[0].strip() for column in columns]


def range_text(lower: float, upper: float) -> str:
    """Return "lower and upper" with the decimals that their distance needs."""
    low, high = by_error([lower, upper], (upper - lower) / 4.0)
    return f"{low} and {high}"


def level_text(level: float) -> str:
    """Return a probability such as 0.95 in percent, as it was given."""
    return f"{100.0 * level:g}%"


def percent(share: float) -> str:
    """Return a share in percent, one decimal where it is small."""
    value = 100.0 * share
    if value == 0.0:
        return "0%"
    if value < 0.1:
        return "less than 0.1%"
    return f"{value:.1f}%" if value < 10.0 else f"{value:.0f}%"


def listed(items: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
