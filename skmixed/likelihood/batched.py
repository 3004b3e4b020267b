"""Small dense linear algebra carried out for all groups at once.

Arrays have the group axis last, so that each step of a loop over the few effects is one operation
on contiguous arrays of all groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LevelKinds",
    "cholesky_over_groups",
    "inverse_lower_over_groups",
    "repeated",
    "solve_lower_over_groups",
    "solve_lower_transposed_over_groups",
    "sum_of_outer_products",
    "triangle_beside_identity",
]

FloatArray = NDArray[np.float64]

# A pivot below this part of its diagonal is rounding: the direction does not vary within the group.
NO_PIVOT = 1e-13
# Beside larger numbers than this, a pivot of 1 keeps fewer than six digits.
LARGE = 1e10
# Decimals of Z'WZ, relative to its largest entries, to which levels of one kind agree.
DECIMALS = 12


def cholesky_over_groups(matrices: FloatArray, *, semidefinite: bool = False) -> FloatArray:
    """Factor (k, k, n_groups) as L L'; pivots that vanish, where they may, leave columns of 0."""
    k = len(matrices)
    factor = np.zeros_like(matrices)
    for j in range(k):
        squared = _downdated(matrices[j, j], factor[j, :j], factor[j, :j])
        if semidefinite:
            squared = np.where(squared > NO_PIVOT * matrices[j, j], squared, 0.0)
        factor[j, j] = np.sqrt(squared)
        for i in range(j + 1, k):
            factor[i, j] = _downdated(matrices[i, j], factor[i, :j], factor[j, :j])
            _divide(factor[i, j], factor[j, j], semidefinite=semidefinite)
    return factor


def triangle_beside_identity(rows: FloatArray) -> FloatArray:
    """Return L with L L' = I + A A' of each group, from the rows of A."""
    products = np.einsum("img,jmg->ijg", rows, rows)
    products += np.eye(len(rows))[:, :, None]
    if products.max(initial=0.0) < LARGE:
        return cholesky_over_groups(products)
    return _by_gram_schmidt(rows)


def _by_gram_schmidt(rows: FloatArray) -> FloatArray:
    """Return L from the rows of [I, A], whose condition is not squared: no pivot loses its 1."""
    k, m, n_groups = rows.shape
    left = np.zeros((k, k + m, n_groups))
    left[:, k:] = rows
    left[np.arange(k), np.arange(k)] = 1.0
    factor = np.zeros((k, k, n_groups))
    for j in range(k):
        factor[j, j] = np.sqrt(np.einsum("mg,mg->g", left[j], left[j]))
        unit = left[j] / factor[j, j]
        for i in range(j + 1, k):
            factor[i, j] = np.einsum("mg,mg->g", unit, left[i])
            left[i] -= factor[i, j] * unit
    return factor


def solve_lower_over_groups(
    factor: FloatArray, columns: FloatArray, *, semidefinite: bool = False
) -> FloatArray:
    """Overwrite columns, (n_columns, k, n_groups), by L^-1 columns; a pivot of 0 gives 0."""
    for row in range(len(factor)):
        target = columns[:, row]
        for j in range(row):
            target -= factor[row, j] * columns[:, j]
        _divide(target, factor[row, row], semidefinite=semidefinite)
    return columns


def inverse_lower_over_groups(factor: FloatArray) -> FloatArray:
    """Return L^-1 of each group, indexed by row and column; no pivot is 0."""
    unit = np.repeat(np.eye(len(factor))[:, :, None], factor.shape[-1], axis=2)
    return solve_lower_over_groups(factor, unit).swapaxes(0, 1)


def solve_lower_transposed_over_groups(factor: FloatArray, columns: FloatArray) -> FloatArray:
    """Overwrite columns, (n_columns, k, n_groups), by L'^-1 columns; a pivot of 0 gives 0."""
    for row in reversed(range(len(factor))):
        target = columns[:, row]
        for j in range(row + 1, len(factor)):
            target -= factor[j, row] * columns[:, j]
        _divide(target, factor[row, row], semidefinite=True)
    return columns


def _downdated(entry: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    """Return entry - sum_l left_l right_l."""
    for one, other in zip(left, right, strict=True):
        entry = entry - one * other
    return entry


def _divide(target: FloatArray, pivot: FloatArray, *, semidefinite: bool) -> None:
    """Divide by the pivots in place; put 0 where a pivot is 0, if that may be."""
    if semidefinite and not pivot.all():
        target *= np.divide(1.0, pivot, out=np.zeros_like(pivot), where=pivot > 0)
    else:
        target /= pivot


def repeated(values: FloatArray, multiplicity: FloatArray | None) -> FloatArray:
    """Return values of the groups, the last axis, each as often as it counts."""
    return values if multiplicity is None else values * multiplicity


def sum_of_outer_products(
    left: FloatArray, right: FloatArray, multiplicity: FloatArray | None
) -> FloatArray:
    """Sum left_g right_g', (a, b), of (a, ..., n_groups) and (b, ..., n_groups), as they count."""
    left = repeated(left, multiplicity)
    a, b = len(left), len(right)
    return left.reshape(a, left.size // max(a, 1)) @ right.reshape(b, right.size // max(b, 1)).T


class LevelKinds:
    """Group the levels of a factor by their Z'WZ, of shape (k, k, n_levels).

    ``first`` is a level of each kind, and ``counts`` how many there are, each as often as it
    counts.
    """

    def __init__(self, ZtWZ: FloatArray, multiplicity: FloatArray | None) -> None:
        k, _, n_levels = ZtWZ.shape
        sizes = np.sqrt(np.einsum("jjg->jg", ZtWZ).max(axis=1, initial=0.0))
        sizes[sizes == 0.0] = 1.0
        relative = ZtWZ / np.multiply.outer(sizes, sizes)[:, :, None]
        # Adding 0 turns -0 into 0.
        rounded = (relative.round(DECIMALS) + 0.0).reshape(k * k, n_levels).T
        _, self.first, kinds = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
        kinds = kinds.ravel()
        self._order = np.argsort(kinds, kind="stable")
        self._starts = np.searchsorted(kinds[self._order], np.arange(len(self.first)))
        self._multiplicity = multiplicity
        self.counts = self.sums(np.ones(n_levels))

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum values (..., n_levels) over the levels of each kind: (..., n_kinds)."""
        values = repeated(values, self._multiplicity)
        if len(self.first) == 1:
            return values.sum(axis=-1, keepdims=True)
        ordered = values[..., self._order]
        if len(self.first) == values.shape[-1]:
            return ordered
        return np.add.reduceat(ordered, self._starts, axis=-1)
