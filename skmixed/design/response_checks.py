"""Whether a response is one that its family can have: counts, labels, successes out of trials."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.exceptions import FractionalResponseWarning, warn_user
from skmixed.formula.categories import shown_labels

__all__ = ["check_counts", "check_labels", "check_successes", "proportion_trials"]

FloatArray = NDArray[np.float64]

# As in R, products of rounded proportions need not be as near to whole numbers as counts.
_RELATIVE = 1e-7
_OF_PRODUCTS = 1e-3


def check_labels(labels: tuple[Any, ...], name: str) -> tuple[Any, Any]:
    """Return the labels of failure and success."""
    if len(labels) == 2:
        return labels[0], labels[1]
    shown = shown_labels(labels)[1:-1]
    got = f"The response {name!r} has {len(labels)} labels ({shown}): expected 2. "
    if len(labels) < 2:
        raise ValueError(
            f"{got}Nothing says whether this one is the success: give numbers, 0 for a failure and "
            "1 for a success, or look at how the rows were selected."
        )
    raise ValueError(
        f"{got}Models of more labels (multinomial) are not available: fit one model for each "
        f"label, with a response such as {name} == {labels[-1]!r}, or wrap the classifier, "
        "sklearn.multiclass.OneVsRestClassifier(MixedLogisticRegression(...))."
    )


def check_counts(values: FloatArray, name: str) -> None:
    """Warn of counts that are not whole numbers."""
    negative = values < 0
    if negative.any():
        raise ValueError(
            f"The response {name!r} has negative values {_rows(negative, values)}: expected "
            "counts, 0 or more. Use family='gaussian' for values of both signs."
        )
    fractional = _fractional(values)
    if fractional.any():
        warn_user(
            f"The response {name!r} has values that are not whole numbers "
            f"{_rows(fractional, values)}, where counts are expected; they are used as they are. "
            "If they are rates, model the counts and pass exposure=.",
            FractionalResponseWarning,
        )


def check_successes(successes: FloatArray, trials: FloatArray, name: str) -> None:
    """Warn of successes and trials that are not whole numbers."""
    impossible = (successes < 0) | (successes > trials)
    if impossible.any():
        i = int(np.argmax(impossible))
        raise ValueError(
            f"The response {name!r} has impossible counts ({int(impossible.sum())} of "
            f"{len(trials)} rows, such as {successes[i]:g} successes in {trials[i]:g} trials): "
            "expected 0 <= successes <= trials. Write 'successes / trials ~' or "
            "'cbind(successes, failures) ~', in this order."
        )
    _warn_of_fractional(_fractional(successes) | _fractional(trials), name)


def proportion_trials(
    values: FloatArray, weights: FloatArray | None, name: str
) -> FloatArray | None:
    """Return the trials behind proportions: the weights, unless every value is 0 or 1."""
    outside = (values < 0) | (values > 1)
    if outside.any():
        raise ValueError(
            f"The response {name!r} has values outside of [0, 1] {_rows(outside, values)}: "
            "expected 0 and 1, or proportions of successes. Write counts as 'successes / trials ~' "
            "or 'cbind(successes, failures) ~'."
        )
    fractions = (values > 0) & (values < 1)
    if not fractions.any():
        return None
    if weights is None:
        warn_user(
            f"The response {name!r} has proportions {_rows(fractions, values)} without the number "
            "of trials behind them, so each counts as one trial. Pass weights=, the trials of each "
            "row, or write 'successes / trials ~'.",
            FractionalResponseWarning,
        )
        return None
    fractional = _fractional(values * weights, _OF_PRODUCTS) | _fractional(weights)
    _warn_of_fractional(fractional, name)
    return weights


def _warn_of_fractional(rows: NDArray[np.bool_], name: str) -> None:
    """Warn if successes or trials of some rows are not whole numbers."""
    if rows.any():
        warn_user(
            f"The response {name!r} has successes or trials that are not whole numbers "
            f"({int(rows.sum())} of {len(rows)} rows, row {int(np.argmax(rows))} first); they are "
            "used as they are. Check that the weights or the denominator are the number of trials.",
            FractionalResponseWarning,
        )


def _fractional(values: FloatArray, tolerance: float = 0.0) -> NDArray[np.bool_]:
    """Tell which values are not whole numbers, but for rounding."""
    return np.abs(values - np.rint(values)) > np.maximum(
        tolerance, _RELATIVE * np.maximum(1.0, np.abs(values))
    )


def _rows(which: NDArray[np.bool_], values: FloatArray) -> str:
    """Say how many rows there are, and what the first has."""
    return f"({int(which.sum())} of {len(which)} rows, such as {values[np.argmax(which)]:g})"
