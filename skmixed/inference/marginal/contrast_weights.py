"""Sets of contrasts between means: their labels, weights and usual adjustment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["contrast_set"]

FloatArray = NDArray[np.float64]

# In a label with one of these, a difference of two labels would be misread.
OPERATORS = frozenset("+-*/")
# By the names that emmeans gives them, for k means and the position of a control: the pairs, whose
# second is subtracted from the first, and how p-values are adjusted unless the user says otherwise.
PAIRS: Mapping[str, tuple[Callable[[int, int], Iterable[tuple[int, int]]], str]] = {
    "pairwise": (lambda k, _: combinations(range(k), 2), "tukey"),
    "trt.vs.ctrl": (lambda k, control: ((i, control) for i in range(k) if i != control), "mvt"),
    "consec": (lambda k, _: ((i + 1, i) for i in range(k - 1)), "mvt"),
}


def contrast_set(
    method: str | Mapping[str, Any], labels: Sequence[str], reference: int, sign: str = "-"
) -> tuple[tuple[str, ...], FloatArray, str]:
    """Return labels, weights and adjustment of a method, or of the contrasts that the user writes.

    The labels are those of the k means, ``reference`` is the position of a control, and the sign
    stands between two labels: ``"/"`` for differences of logarithms.
    """
    k = len(labels)
    if not isinstance(method, str):
        return _written(method, labels)
    if method not in PAIRS and method != "eff":
        raise ValueError(
            f"method must be one of {sorted([*PAIRS, 'eff'])} or a dict of weights, got {method!r}."
        )
    if not -k <= reference < k:
        raise ValueError(f"reference={reference} is no position among {k} means.")
    if k < 2:
        raise ValueError(
            f"There is one mean only to compare, {list(labels)}. Name the factor whose levels "
            "are compared as the first argument, not in by=."
        )
    # A label that reads like a calculation is put into brackets.
    names = [f"({label})" if OPERATORS & set(label) else label for label in labels]
    if method == "eff":
        return tuple(f"{name} effect" for name in names), np.eye(k) - 1.0 / k, "bh"
    chosen, adjust = PAIRS[method]
    pairs, unit = list(chosen(k, reference % k)), np.eye(k)
    weights = np.array([unit[i] - unit[j] for i, j in pairs])
    return tuple(f"{names[i]} {sign} {names[j]}" for i, j in pairs), weights, adjust


def _written(
    method: Mapping[str, Any], labels: Sequence[str]
) -> tuple[tuple[str, ...], FloatArray, str]:
    """Return the contrasts that the user writes."""
    rows = [np.asarray(weights, dtype=np.float64) for weights in method.values()]
    for name, row in zip(method, rows, strict=True):
        if row.shape != (len(labels),) or not np.isfinite(row).all():
            raise ValueError(
                f"The contrast {name!r} needs {len(labels)} finite weights, one for each of "
                f"{list(labels)}; got an array of shape {row.shape}."
            )
    if not rows:
        raise ValueError("method is an empty dict: expected at least one contrast.")
    return tuple(str(name) for name in method), np.array(rows), "none"
