"""What the residuals of observed rows tell of those of new rows in the same groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.correlation import MarkovCorrelation
from skmixed.residual.correlations_at import CorrelationsAt
from skmixed.residual.fitted import FittedResidual
from skmixed.residual.patterns import GroupedRows, SameSize

__all__ = ["ConditionalRows", "conditional_rows"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# Numbers in the correlations of all patterns that are computed at a time.
ROOM = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ConditionalRows:
    """Hold some groups with as many observed and as many new rows each.

    Over their standard deviations, the new residuals are weights times the observed ones plus a
    rest that is independent of these.

    Attributes
    ----------
    observed, new : ndarray of shape (n_groups, m) and (n_groups, k)
        Positions of the groups' rows among the observed ones, and among the new ones.
    kind : ndarray of shape (n_groups,)
        Which of the matrices belong to each group.
    weights : ndarray of shape (n_kinds, k, m)
        C_no C_oo^-1.
    rest : ndarray of shape (n_kinds, k, k)
        C_nn - C_no C_oo^-1 C_on, the covariance of the rest.
    """

    observed: Integers
    new: Integers
    kind: Integers
    weights: FloatArray
    rest: FloatArray


def conditional_rows(
    fitted: FittedResidual, observed: GroupedRows, new: GroupedRows, *, alone: bool
) -> Iterator[ConditionalRows]:
    """Yield the groups of new rows with what their observed rows tell of them.

    Both number their groups alike; those without an observed row are yielded if alone is True.
    """
    learned = fitted.learned
    assert learned.correlation is not None
    rows = observed.joined(new)
    n_observed = len(observed.groups)
    markov = isinstance(learned.correlation, MarkovCorrelation)
    places = np.flatnonzero(_relevant(rows, n_observed, alone, markov))
    rows = rows.select(places)
    before, after = rows.neighbours
    if (rows.arms[before] != rows.arms[after]).any():
        raise ValueError(
            "The column by= of the residual structure must be constant within the groups whose "
            "rows are correlated, and new rows of a group differ from others of it. Correct the "
            "labels of these rows."
        )
    at = CorrelationsAt(learned, fitted.rho)
    for size in rows.sizes:
        yield from _of_size(at, size, places[size.rows], n_observed)


def _of_size(
    at: CorrelationsAt, size: SameSize, joint: Integers, n_observed: int
) -> Iterator[ConditionalRows]:
    """Yield the groups of one number of rows, whose positions among all rows are ``joint``."""
    is_new = joint >= n_observed
    seen = np.column_stack([size.pattern, is_new])
    kinds, kind = np.unique(seen, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    for some in _batches(kinds[:, 1:].sum(axis=1), joint.shape[1]):
        pattern, newness = kinds[some, 0], kinds[some, 1:]
        # Observed rows first, each part in the order of time.
        order = np.argsort(newness, axis=1, kind="stable")
        k = int(newness[0].sum())
        C = at.matrices(size.positions[pattern], size.arms[pattern])
        C = np.take_along_axis(C, order[:, :, None], axis=1)
        C = np.take_along_axis(C, order[:, None, :], axis=2)
        place = np.full(len(kinds), -1)
        place[some] = np.arange(len(some))
        own = np.flatnonzero(place[kind] >= 0)
        its = place[kind[own]]
        members = np.take_along_axis(joint[own], order[its], axis=1)
        observed, new = np.split(members, [joint.shape[1] - k], axis=1)
        yield ConditionalRows(observed, new - n_observed, its, *_conditional(C, k))


def _relevant(rows: GroupedRows, n_observed: int, alone: bool, markov: bool) -> NDArray[np.bool_]:
    """Tell which rows matter: new ones, and the observed ones of their groups.

    In a chain, only the observed neighbours of new rows do.
    """
    is_new = np.arange(len(rows.groups)) >= n_observed
    largest = int(rows.groups.max(initial=-1)) + 1
    with_new = np.bincount(rows.groups, is_new, largest) > 0
    with_observed = np.bincount(rows.groups, ~is_new, largest) > 0
    groups = with_new if alone else with_new & with_observed
    kept = groups[rows.groups]
    if markov:
        before, after = rows.neighbours
        beside = is_new.copy()
        beside[before[is_new[after]]] = True
        beside[after[is_new[before]]] = True
        kept &= beside
    return kept


def _batches(n_new: Integers, n_rows: int) -> Iterator[Integers]:
    """Yield kinds of groups that have as many new rows each, not too many at a time."""
    step = max(1, ROOM // n_rows**2)
    for k in np.unique(n_new):
        own = np.flatnonzero(n_new == k)
        yield from (own[first : first + step] for first in range(0, len(own), step))


def _conditional(C: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    """Return C_no C_oo^-1 and C_nn - C_no C_oo^-1 C_on, the k new rows being the last."""
    m = C.shape[1] - k
    root = np.linalg.cholesky(C[:, :m, :m])
    half = np.linalg.solve(root, C[:, :m, m:])
    weights = np.linalg.solve(root.swapaxes(1, 2), half).swapaxes(1, 2)
    rest = C[:, m:, m:] - half.swapaxes(1, 2) @ half
    # A row that was observed leaves nothing but rounding.
    diagonal = np.einsum("pkk->pk", rest)
    np.maximum(diagonal, 0.0, out=diagonal)
    return weights, rest
