"""Numbers that residual variances depend on, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.formula.values import holds_times

__all__ = ["check_rows", "numbers"]

SHOWN = 5


def numbers(values: Any, subject: str) -> NDArray[np.float64]:
    """Return the values of rows as finite numbers.

    Parameters
    ----------
    values : array-like of shape (n,)
    subject : str
        What they are, for messages.

    Raises
    ------
    ValueError
        If they are not numbers, or one is missing or infinite.
    """
    given = np.asarray(values)
    try:
        found = None if holds_times(given) else given.astype(np.float64)
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise ValueError(
            f"{subject} must be numbers, got values such as {given[:1].tolist()[0]!r}. Convert "
            "them to numbers first."
        )
    check_rows(
        np.isfinite(found), found, f"{subject} must be finite", "Drop or correct these rows."
    )
    return found


def check_rows(
    valid: NDArray[np.bool_], values: NDArray[np.float64], expected: str, remedy: str
) -> None:
    """Raise ValueError about the rows that are not valid, if there are any.

    Parameters
    ----------
    valid : ndarray of shape (n,)
    values : ndarray of shape (n,)
    """
    if valid.all():
        return
    found = values[~valid]
    shown = ", ".join(f"{value:g}" for value in found[:SHOWN])
    more = ", ..." if len(found) > SHOWN else ""
    raise ValueError(
        f"{expected}, got [{shown}{more}] in {len(found)} of {len(values)} rows. {remedy}"
    )
