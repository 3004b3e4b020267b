"""What each group of rows contributes to the estimates at fixed variance parameters."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.design.groups import GroupingFactor
from skmixed.inference.diagnostics.training_rows import ActiveBlock, TrainingRows
from skmixed.likelihood.errors import Root

__all__ = [
    "DENSE",
    "INESTIMABLE",
    "Contributions",
    "batches",
    "block_solve",
    "equal_batches",
    "group_contributions",
    "group_counts",
    "inverse_blocks",
    "product_blocks",
]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]

# Rows of the largest group that is left out by a dense matrix of its own.
DENSE = 5000
# A combination of coefficients of which less than this part of the information is left without
# some rows cannot be estimated without them.
INESTIMABLE = 1e-9
# Entries of the dense matrices of the groups that are worked on at a time.
BATCH = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """Hold what the quadratic form of the whole model loses with each group.

    With r = y - X beta, and X in columns for which X'V^-1 X = I; sigma^2 = 1 and V = I + Z Psi Z'.
    Where groups are independent these are X_g'V_g^-1 X_g, (p, p, n_groups), and so on.
    """

    XX: FloatArray
    Xr: FloatArray
    rr: FloatArray


def group_contributions(rows: TrainingRows, groups: GroupingFactor) -> Contributions:
    """Compute the contribution of each group, of one copy of it, for any partition of the rows."""
    return (_of_independent if rows.independent(groups) else _of_correlated)(rows, groups)


def group_counts(rows: TrainingRows, groups: GroupingFactor) -> FloatArray:
    """Return how many times each group counts; ValueError if others than these have counts."""
    multiplicity = rows.design.weights.groups
    if multiplicity is None:
        return np.ones(len(groups.levels))
    own = rows.design.blocks[0].factor
    if not np.array_equal(own.codes, groups.codes):
        raise ValueError(
            f"With group_weight each group of {own.levels.name!r} stands for several; got groups "
            f"{groups.levels.name!r}. Use {own.levels.name!r}, or fit the groups written out."
        )
    return multiplicity


def equal_batches(
    codes: Codes, entries: int, n_rows: int = sys.maxsize
) -> Iterator[tuple[Codes, NDArray[np.intp]]]:
    """Yield groups of one size together, with the positions of their rows (n_batch, size).

    A batch may have so many rows, and entries, of which a group needs the square of its size.
    """
    sizes = np.bincount(codes)
    order = np.argsort(codes, kind="stable")
    starts = np.cumsum(sizes) - sizes
    for size in map(int, np.unique(sizes[sizes > 0])):
        members = np.flatnonzero(sizes == size)
        step = max(min(entries // size**2, n_rows // size), 1)
        for first in range(0, len(members), step):
            chosen = members[first : first + step]
            yield chosen, order[starts[chosen][:, None] + np.arange(size)]


def batches(rows: TrainingRows, codes: Codes) -> Iterator[tuple[Codes, NDArray[np.intp]]]:
    """Yield as many groups of one size together as memory allows for their blocks of V^-1."""
    return equal_batches(codes, BATCH, BATCH // max(rows.exact_fit.errors.width, 1))


def _of_independent(rows: TrainingRows, groups: GroupingFactor) -> Contributions:
    """Sum within groups: a'V^-1 b = e_a'e_b + u_a'u_b, as penalised least squares has it.

    e = V^-1 a are the conditional residuals of a column, u = Lambda'Z'V^-1 a its spherical effects.
    """
    E = rows.conditional_fixed
    codes, n_groups, p = groups.codes, len(groups.levels), len(E)
    XX, Xr = np.empty((p, p, n_groups)), np.empty((p, n_groups))
    for i in range(p):
        Xr[i] = np.bincount(codes, E[i] * rows.conditional, n_groups)
        for j in range(i + 1):
            XX[i, j] = XX[j, i] = np.bincount(codes, E[i] * E[j], n_groups)
    for block in rows.blocks:
        # The group that each level's rows are in; where they are in several, one of them.
        owners = np.zeros(block.codes.max(initial=-1) + 1, dtype=np.intp)
        owners[block.codes] = codes
        of_XX, of_Xr = _of_levels(rows, block)
        XX += _gathered(of_XX, owners, n_groups)
        Xr += _gathered(of_Xr, owners, n_groups)
    rr = np.bincount(codes, rows.marginal * rows.conditional, n_groups).astype(np.float64)
    return Contributions(XX, Xr, rr)


def _of_levels(rows: TrainingRows, block: ActiveBlock) -> tuple[FloatArray, FloatArray]:
    """Return u'u of the columns of X, (p, p, n_levels), and with u of r, (p, n_levels)."""
    effects = block.effects
    p, k, n_levels = effects.standardised_scores.shape
    T = rows.orthonormal.T @ effects.standardised_scores.reshape(p, k * n_levels)
    T = T.reshape(p, k, n_levels)
    u = np.einsum("kl,pkg->plg", effects.standardised_factor, T)
    pairs = np.einsum("plg,qlg->pqg", u, u)
    return pairs, np.einsum("pkg,gk->pg", T, effects.standardised_modes)


def _gathered(values: FloatArray, owners: Codes, n_groups: int) -> FloatArray:
    """Sum values of levels, the last axis, over the groups that own them."""
    if np.array_equal(owners, np.arange(n_groups)):
        return values
    flat = values.reshape(-1, values.shape[-1])
    sums = [np.bincount(owners, row, n_groups) for row in flat]
    return np.reshape(sums, (*values.shape[:-1], n_groups))


def _of_correlated(rows: TrainingRows, groups: GroupingFactor) -> Contributions:
    """Leave the weighted rows I of a group out of V: a'V^-1 b loses e_aI'(V^-1)_II^-1 e_bI.

    e = V^-1 a, and (V^-1)_II has one row and column for each row of the group.
    """
    largest = int(groups.sizes.max(initial=0))
    if largest > DENSE:
        raise ValueError(
            f"The groups of {groups.levels.name!r} are correlated with each other through other "
            f"factors or their errors, so that each needs a matrix of the size of its rows; the "
            f"largest has {largest}, more than {DENSE}. Use groups that hold whole levels of every "
            "factor."
        )
    E = rows.precise_fixed
    p, n_groups = len(E), len(groups.levels)
    XX, Xr, rr = np.zeros((p, p, n_groups)), np.zeros((p, n_groups)), np.zeros(n_groups)
    stacked = np.vstack([E, rows.precise_conditional])
    for members, positions in batches(rows, groups.codes):
        e = stacked[:, positions].transpose(1, 2, 0)
        lost = e.swapaxes(1, 2) @ block_solve(inverse_blocks(rows, positions), e)
        XX[:, :, members] = lost[:, :p, :p].transpose(1, 2, 0)
        Xr[:, members], rr[members] = lost[:, :p, p].T, lost[:, p, p]
    return Contributions(XX, Xr, rr)


def inverse_blocks(rows: TrainingRows, positions: NDArray[np.intp]) -> FloatArray:
    """Return the block of V^-1 = R^-1 - R^-1 Z D Z'R^-1 of each group's weighted rows."""
    flat, inverse = positions.ravel(), rows.error_covariance.precision_blocks(positions)
    Z = [columns[:, flat] for columns in rows.precise_effects]
    for root, codes in rows.exact_fit.errors.parts(Z, [block.codes[flat] for block in rows.blocks]):
        inverse -= product_blocks(root, codes, positions.shape)
    return inverse


def product_blocks(root: Root, codes: Codes | None, shape: tuple[int, ...]) -> FloatArray:
    """Return root' root between the columns of each of n_groups, and of the same code if given.

    The columns are those of one group after the other, in a shape of (n_groups, size).
    """
    n_groups, size = shape
    if not isinstance(root, sparse.csr_array):
        by_group = root.T.reshape(n_groups, size, -1)
        blocks = by_group @ by_group.swapaxes(1, 2)
        if codes is not None:
            labels = codes.reshape(n_groups, size)
            blocks *= labels[:, :, None] == labels[:, None, :]
        return blocks
    product = (root.T @ root).tocoo()
    left, right = product.row, product.col
    within = left // size == right // size
    blocks = np.zeros((n_groups, size, size))
    left, right = left[within], right[within]
    blocks[left // size, left % size, right % size] = product.data[within]
    return blocks


def block_solve(blocks: FloatArray, columns: FloatArray) -> FloatArray:
    """Return blocks^-1 columns of each group; NaN where random effects leave nothing of a block."""
    try:
        return np.asarray(np.linalg.solve(blocks, columns), dtype=np.float64)
    except np.linalg.LinAlgError:
        singular = np.linalg.slogdet(blocks)[0] == 0.0
        regular = np.where(singular[:, None, None], np.eye(blocks.shape[1]), blocks)
        solved = np.asarray(np.linalg.solve(regular, columns), dtype=np.float64)
        solved[singular] = np.nan
        return solved
