"""The hat matrix between rows, and the same rows times R^-1: leverages, precisions, variances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.inference.diagnostics.shares import orthonormal
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["fixed_part", "hat_diagonal", "hat_of_pairs"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]
Root = FloatArray | sparse.csr_array
Map = Callable[[FloatArray], FloatArray]

# Rows at a time: with several factors each has as many entries as there are other effects.
CHUNK = 16384


def hat_diagonal(rows: TrainingRows, left: Map, right: Map) -> FloatArray:
    """Return the diagonal of A H B', H = I - P the hat matrix of the white rows, (n,).

    P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1. With T from the white rows back to the weighted ones,
    ``colour`` is T^-1 and ``precise`` T':

    - ``precise``, ``precise``: R^-1 - P of the weighted rows;
    - ``colour``, ``colour``: R - Var(y - X beta - Z b), over sigma^2;
    - ``colour``, ``precise``: the matrix that maps y to X beta + Z b.

    Parameters
    ----------
    left, right : callable
        Linear maps of columns (m, n).
    """
    total = fixed_part(rows, left, right)
    blocks, errors = rows.blocks, rows.exact_fit.errors
    on_left = [left(b.Z) for b in blocks]
    on_right = on_left if left == right else [right(b.Z) for b in blocks]
    same = all(a is b for a, b in zip(on_left, on_right, strict=True))
    for first in range(0, len(total), CHUNK):
        chunk = slice(first, first + CHUNK)
        codes = [b.codes[chunk] for b in blocks]
        of_left = list(errors.parts([a[:, chunk] for a in on_left], codes))
        of_right = of_left if same else errors.parts([b[:, chunk] for b in on_right], codes)
        for (a, _), (b, _) in zip(of_left, of_right, strict=True):
            total[chunk] += _column_products(a, b)
    return total


def fixed_part(rows: TrainingRows, left: Map, right: Map) -> FloatArray:
    """Return the diagonal of A V^-1 X (X'V^-1 X)^-1 X'V^-1 B', what the fixed effects add, (n,).

    Parameters
    ----------
    left, right : callable
        Linear maps of columns (m, n).
    """
    E = orthonormal(rows).T @ rows.conditional_fixed
    return np.einsum("pn,pn->n", left(E), right(E))


def hat_of_pairs(rows: TrainingRows, mapped: Map, first: Integers, second: Integers) -> FloatArray:
    """Return the entries of A H A' between pairs of rows, H as in ``hat_diagonal``, (n_pairs,).

    Parameters
    ----------
    mapped : callable
        A, a linear map of columns (m, n).
    first, second : ndarray of shape (n_pairs,)
        Positions of rows.
    """
    E = mapped(orthonormal(rows).T @ rows.conditional_fixed)
    blocks, errors = rows.blocks, rows.exact_fit.errors
    Z = [mapped(b.Z) for b in blocks]
    total = np.empty(len(first))
    for start in range(0, len(total), CHUNK):
        chunk = slice(start, start + CHUNK)
        sides = first[chunk], second[chunk]
        total[chunk] = np.einsum("pn,pn->n", E[:, sides[0]], E[:, sides[1]])
        of_first, of_second = (
            errors.parts([one[:, side] for one in Z], [b.codes[side] for b in blocks])
            for side in sides
        )
        for (a, codes), (b, others) in zip(of_first, of_second, strict=True):
            product = _column_products(a, b)
            total[chunk] += product if codes is None else np.where(codes == others, product, 0.0)
    return total


def _column_products(left: Root, right: Root) -> FloatArray:
    """Return the inner product of each column with its other."""
    if isinstance(left, sparse.csr_array) or isinstance(right, sparse.csr_array):
        product = sparse.csr_array(left).multiply(sparse.csr_array(right))
        return np.asarray(product.sum(axis=0), dtype=np.float64).ravel()
    return np.asarray(np.einsum("kn,kn->n", left, right), dtype=np.float64)
