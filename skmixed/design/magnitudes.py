"""Units in which variances are floating-point numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design

__all__ = ["check_magnitudes"]

FloatArray = NDArray[np.float64]

# Squares of numbers between these, and of a number of 10^10 rows, are floating-point numbers.
LEAST, MOST = 1e-140, 1e140
# Sums of squares that need no closer look.
ORDINARY = 1e100


def check_magnitudes(design: Design) -> None:
    """Raise ValueError for units in which a variance would be infinite or 0 by rounding.

    The estimates scale with y and with y over x, their variances with the squares.
    """
    tables = (design.response[:, None], design.fixed, *(one.columns for one in design.blocks))
    if all(_is_ordinary(table) for table in tables):
        return
    y = _largest(design.response[:, None])
    _check(y, ["y"], "values of about")
    named = [(design.fixed, design.fixed_names)]
    for columns, names in [*named, *((one.columns, one.effect_names) for one in design.blocks)]:
        x = _largest(columns)
        _check(x, names, "values of about")
        if y.all():
            _check(y / np.where(x, x, y), names, "coefficients of about")


def _is_ordinary(table: FloatArray) -> bool:
    """Tell at a glance that no column is near the limits."""
    squares = np.einsum("ij,ij->j", table, table).tolist()
    return all(1.0 / ORDINARY < square < ORDINARY for square in squares)


def _largest(columns: FloatArray) -> FloatArray:
    """Return the largest absolute value of each column."""
    return np.asarray(
        np.maximum(columns.max(axis=0, initial=0.0), -columns.min(axis=0, initial=0.0))
    )


def _check(sizes: FloatArray, names: Sequence[str], what: str) -> None:
    """Raise ValueError if some size has a square out of range."""
    outside = (sizes != 0.0) & ((sizes < LEAST) | (sizes > MOST))
    if outside.any():
        worst = int(np.argmax(outside))
        raise ValueError(
            f"{names[worst]!r} has {what} {sizes[worst]:.0e}, whose squares, the variances, are no "
            f"floating-point numbers: expected {LEAST:.0e} to {MOST:.0e}. Choose another unit, by "
            "a factor of a power of 10."
        )
