"""Sets of contrasts between means: their labels, weights and usual adjustment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONTRASTS", "ContrastSet", "contrast_set"]

FloatArray = NDArray[np.float64]

# In a label with one of these, a difference of two labels would be misread.
OPERATORS = frozenset("+-*/")


@dataclass(frozen=True, slots=True, eq=False)
class ContrastSet:
    """Hold contrasts between k means.

    Attributes
    ----------
    adjust : str
        How p-values are adjusted unless the user says otherwise.
    """

    labels: tuple[str, ...]
    weights: FloatArray
    adjust: str


def _pairwise(labels: Sequence[str], _reference: int, sign: str) -> ContrastSet:
    """Compare each mean with each later one."""
    pairs = list(combinations(range(len(labels)), 2))
    return _differences(labels, pairs, "tukey", sign)


def _with_control(labels: Sequence[str], reference: int, sign: str) -> ContrastSet:
    """Compare each mean with that of the control."""
    pairs = [(i, reference) for i in range(len(labels)) if i != reference]
    return _differences(labels, pairs, "mvt", sign)


def _consecutive(labels: Sequence[str], _reference: int, sign: str) -> ContrastSet:
    """Compare each mean with the one before."""
    pairs = [(i + 1, i) for i in range(len(labels) - 1)]
    return _differences(labels, pairs, "mvt", sign)


def _effects(labels: Sequence[str], _reference: int, _sign: str) -> ContrastSet:
    """Compare each mean with the mean of all."""
    k = len(labels)
    names = tuple(f"{_protected(label)} effect" for label in labels)
    return ContrastSet(names, np.eye(k) - 1.0 / k, "bh")


def _differences(
    labels: Sequence[str], pairs: Sequence[tuple[int, int]], adjust: str, sign: str
) -> ContrastSet:
    """Subtract the second of each pair from the first; ``sign`` says so in the labels."""
    weights = np.zeros((len(pairs), len(labels)))
    for row, (i, j) in zip(weights, pairs, strict=True):
        row[i], row[j] = 1.0, -1.0
    names = tuple(f"{_protected(labels[i])} {sign} {_protected(labels[j])}" for i, j in pairs)
    return ContrastSet(names, weights, adjust)


def _protected(label: str) -> str:
    """Put a label into brackets that reads like a calculation."""
    return f"({label})" if OPERATORS & set(label) else label


CONTRASTS: Mapping[str, Callable[[Sequence[str], int, str], ContrastSet]] = {
    "pairwise": _pairwise,
    "trt.vs.ctrl": _with_control,
    "eff": _effects,
    "consec": _consecutive,
}
"""Sets of contrasts by the names that emmeans gives them."""


def contrast_set(
    method: str | Mapping[str, Any], labels: Sequence[str], reference: int, sign: str = "-"
) -> ContrastSet:
    """Return the contrasts of a method, or those that the user writes.

    Parameters
    ----------
    method : str or mapping of str to array-like of shape (k,)
        A key of ``CONTRASTS``, or labels and weights of contrasts.
    labels : sequence of str
        Of the k means.
    reference : int
        Position of the control.
    sign : str
        What stands between two labels: ``"/"`` for differences of logarithms.

    Raises
    ------
    ValueError
        If there is no such method, the weights do not fit, or there is nothing to compare.
    """
    if isinstance(method, str):
        if method not in CONTRASTS:
            raise ValueError(
                f"method must be one of {sorted(CONTRASTS)} or a dict of weights, got {method!r}."
            )
        if not -len(labels) <= reference < len(labels):
            raise ValueError(f"reference={reference} is no position among {len(labels)} means.")
        found = CONTRASTS[method](labels, reference % len(labels), sign)
        if len(labels) < 2:
            raise ValueError(
                f"There is one mean only to compare, {list(labels)}. Name the factor whose levels "
                "are compared as the first argument, not in by=."
            )
        return found
    rows = [np.asarray(weights, dtype=np.float64) for weights in method.values()]
    for name, row in zip(method, rows, strict=True):
        if row.shape != (len(labels),) or not np.isfinite(row).all():
            raise ValueError(
                f"The contrast {name!r} needs {len(labels)} finite weights, one for each of "
                f"{list(labels)}; got an array of shape {row.shape}."
            )
    if not rows:
        raise ValueError("method is an empty dict: expected at least one contrast.")
    return ContrastSet(tuple(str(name) for name in method), np.array(rows), "none")
