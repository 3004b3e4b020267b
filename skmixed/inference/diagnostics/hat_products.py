"""The hat matrix between rows, and the same rows times R^-1: leverages, precisions, variances."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.likelihood.errors import Part, Root

__all__ = ["hat_diagonal", "hat_of_pairs"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]
At = slice | Integers
Map = Callable[[FloatArray], FloatArray]

# Rows at a time: with several factors each has as many entries as there are other effects.
CHUNK = 16384


def hat_diagonal(rows: TrainingRows, left: Map, right: Map) -> FloatArray:
    """Return the diagonal of A H B', H = I - P the hat matrix of the white rows, (n,).

    P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1; A and B are maps of columns (m, n). With T from the
    white rows back to the weighted ones, ``colour`` is T^-1 and ``precise`` T':

    - ``precise``, ``precise``: R^-1 - P of the weighted rows;
    - ``colour``, ``colour``: R - Var(y - X beta - Z b), over sigma^2;
    - ``colour``, ``precise``: the matrix that maps y to X beta + Z b.
    """
    chunks = [slice(at, at + CHUNK) for at in range(0, rows.design.n_rows, CHUNK)]
    return _entries(rows, left, right, chunks, chunks)


def hat_of_pairs(rows: TrainingRows, mapped: Map, first: Integers, second: Integers) -> FloatArray:
    """Return the entries of A H A' between pairs of rows, H and A as in ``hat_diagonal``."""
    chunks = [slice(at, at + CHUNK) for at in range(0, len(first), CHUNK)]
    left, right = ([side[chunk] for chunk in chunks] for side in (first, second))
    return _entries(rows, mapped, mapped, left, right)


def _entries(
    rows: TrainingRows, left: Map, right: Map, first: Sequence[At], second: Sequence[At]
) -> FloatArray:
    """Return the entries of A H B' between the rows of chunks and their others."""
    columns = [rows.conditional_fixed, *(block.Z for block in rows.blocks)]
    on_left = [left(one) for one in columns]
    on_right = on_left if left == right else [right(one) for one in columns]
    same = first is second and all(a is b for a, b in zip(on_left, on_right, strict=True))
    found = [np.empty(0)]
    for one, other in zip(first, second, strict=True):
        entries = np.einsum("pn,pn->n", on_left[0][:, one], on_right[0][:, other])
        of_left = _roots(rows, on_left[1:], one)
        of_right = of_left if same else _roots(rows, on_right[1:], other)
        for (a, codes), (b, others) in zip(of_left, of_right, strict=True):
            product = _column_products(a, b)
            apart = codes is not None and one is not other
            entries += np.where(codes == others, product, 0.0) if apart else product
        found.append(entries)
    return np.concatenate(found)


def _roots(rows: TrainingRows, columns: list[FloatArray], at: At) -> list[Part]:
    """Return the roots of Z D Z' of some rows, given the columns of all of them."""
    codes = [block.codes[at] for block in rows.blocks]
    return list(rows.exact_fit.errors.parts([one[:, at] for one in columns], codes))


def _column_products(left: Root, right: Root) -> FloatArray:
    """Return the inner product of each column with its other."""
    if isinstance(left, sparse.csr_array) or isinstance(right, sparse.csr_array):
        product = sparse.csr_array(left).multiply(sparse.csr_array(right))
        return np.asarray(product.sum(axis=0), dtype=np.float64).ravel()
    return np.asarray(np.einsum("kn,kn->n", left, right), dtype=np.float64)
