"""What the F tests of the terms of a formula say of the coefficients: types I, II and III."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from skmixed.inference.coefficients.term_space import TermSpace

__all__ = ["HYPOTHESES", "after_others", "marginal", "sequential"]

FloatArray = NDArray[np.float64]


def sequential(space: TermSpace) -> list[FloatArray]:
    """Return type I: what each term adds to those before it."""
    rows = _triangular_rows(space.triangle(), space.coded.matrix)
    return [rows[space.coded.of([term])] for term in space.tested()]


def after_others(space: TermSpace) -> list[FloatArray]:
    """Return type II: what each term adds to all those that do not contain it."""
    if len(space.tested()) < 2:
        return sequential(space)
    coefficients, R = space.coded.coefficients(), space.triangle()
    hypotheses = []
    for term in space.tested():
        if not space.containing[term]:
            hypotheses.append(coefficients[space.coded.of([term])])
            continue
        later = space.coded.of([term, *space.containing[term]])
        order = np.argsort(later, kind="stable")
        rows = _triangular_rows(R, space.coded.matrix[:, order])
        hypotheses.append(rows[space.coded.of([term])[order]])
    return hypotheses


def marginal(space: TermSpace) -> list[FloatArray]:
    """Return type III: the estimable functions of a term, orthogonal to those of what contains it.

    They do not depend on the coding; where no combination of categories is empty they are those of
    the coefficients under contrasts that sum to 0.
    """
    if len(space.tested()) < 2:
        return sequential(space)
    coefficients = space.complete.coefficients()
    hypotheses = []
    for term in space.tested():
        own = space.combinations[space.complete.of([term])]
        others = space.combinations[space.complete.of(space.containing[term])]
        if len(others):
            own = own - np.linalg.lstsq(others.T, own.T, rcond=None)[0].T @ others
        hypotheses.append(own[:, space.chosen] @ coefficients)
    return hypotheses


HYPOTHESES: Mapping[int, Callable[[TermSpace], list[FloatArray]]] = MappingProxyType(
    {1: sequential, 2: after_others, 3: marginal}
)
"""For each type the hypotheses of the terms, on the standardised coefficients."""


def _triangular_rows(R: FloatArray, columns: FloatArray) -> FloatArray:
    """Return the rows of the unit triangular factor of the columns' cross-products."""
    Q, triangle = np.linalg.qr(R @ columns)
    return (Q.T @ R) / np.diagonal(triangle)[:, None]
