"""The prediction of each group from all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.shares import (
    DENSE,
    batches,
    block_solve,
    group_counts,
    group_shares,
    inverse_blocks,
    orthonormal,
)
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.leave_out.family_folds import from_training_rows
from skmixed.inference.leave_out.family_rows import own_family_rows
from skmixed.inference.leave_out.family_steps import each_group
from skmixed.inference.leave_out.information import RemainingInformation
from skmixed.inference.leave_out.left_out import LeftOut, of_residuals, own_rows, reported
from skmixed.inference.leave_out.remainder import from_others

__all__ = ["logo_predict", "without_groups"]

FloatArray = NDArray[np.float64]

# Rows that are worked on at a time.
CHUNK = 16384
# Rows of a group from which on it is quicker to solve for the others again.
LARGE = 1000


def logo_predict(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    factor: Any = None,
    return_std: bool = False,
    refit: bool = False,
    **arguments: Any,
) -> Any:
    r"""Predict each group from the other groups, at the estimated variance parameters.

    For the rows S of a group, with P as in ``loo_predict``,

    .. math:: y_S - \hat y_{(-S)} = P_{SS}^{-1} (P y)_S.

    It is what the model says of a new group. Other factors' levels that have rows in other groups
    still help: what is left out is the group, not the levels that it meets.

    Of a generalised model all parameters are estimated without the group: by one Newton step from
    those of all rows where the groups are independent of each other, else, as with several nodes
    of quadrature, by fitting the others again. Predictions are means of the response, averaged
    over the effects of a new group.

    Parameters
    ----------
    fitted : MixedLMResults, MixedGLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    factor : str or array-like of shape (n,), optional
        Name of a grouping factor or of a column of the data, or labels of the groups to leave out.
        The grouping factor, if there is only one.
    return_std : bool, default=False
        Whether to return the standard deviation of each observation about its prediction too.
    refit : bool, default=False
        Whether a generalised model is fitted without each group in any case. A linear model never
        needs it.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``. A group that counts several times is left out with all its copies.

    Returns
    -------
    mean : Series of shape (n,)
        With the index of the data; rows of weight 0 are not among those that were fitted. NaN, with
        a warning, where the other groups do not tell a coefficient that the row needs.
    std : Series of shape (n,), if ``return_std``

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the groups cannot be told, or the rows are not those of the fit.

    See Also
    --------
    loo_predict : From all other rows.
    group_influence : What each group does to the coefficients.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import logo_predict
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> mean, std = logo_predict(results, return_std=True)
    >>> mean.head(3).round(2).to_list(), std.head(3).round(2).to_list()
    ([251.83, 261.63, 271.43], [36.28, 37.01, 38.72])
    """
    of_family = own_family_rows(fitted, X, y, arguments)
    if of_family is not None:
        left = _of_family(of_family, of_family.factor(factor), refit=refit)
        return reported(of_family, left, return_std=return_std)
    rows = own_rows(fitted, X, y, arguments)
    groups = rows.factor(factor)
    group_counts(rows, groups)
    return reported(rows, without_groups(rows, groups), return_std=return_std)


def without_groups(rows: TrainingRows, groups: GroupingFactor) -> LeftOut:
    """Predict each group from the others.

    Parameters
    ----------
    groups : GroupingFactor
        Any partition of the rows.
    """
    weighted = rows.design.weights.groups is not None
    counted_alike = not weighted or np.array_equal(rows.design.factors[0].codes, groups.codes)
    if counted_alike and rows.independent(groups):
        return _independent(rows, groups)
    return _correlated(rows, groups)


def _of_family(rows: FamilyRows, groups: GroupingFactor, *, refit: bool) -> LeftOut:
    """Leave out groups of a generalised model."""
    if rows.fit.n_quadrature == 1 and rows.independent(groups) and not refit:
        return each_group(rows, groups)
    left = LeftOut(np.empty(len(groups.codes)), np.empty(len(groups.codes)))
    for g in range(len(groups.levels)):
        train, test = (np.flatnonzero(where) for where in (groups.codes != g, groups.codes == g))
        part = from_training_rows(rows, train, test)
        left.mean[test], left.variance[test] = part.mean, part.variance
    return left


def _independent(rows: TrainingRows, groups: GroupingFactor) -> LeftOut:
    """Leave out groups of which the others say no more than beta: X_S beta_(-S) is left."""
    shares, counts = group_shares(rows, groups), group_counts(rows, groups)
    information = RemainingInformation.without(np.moveaxis(shares.XX * counts, -1, 0))
    change = information.change((shares.Xr * counts).T)
    errors = rows.error_covariance
    X = errors.colour(orthonormal(rows).T @ rows.fixed).T
    marginal = errors.colour(rows.marginal[None])[0]
    residuals = marginal + np.einsum("np,np->n", X, change[groups.codes])
    variance = errors.variances + _spread(information, X, groups.codes)
    for block in rows.blocks:
        spread = errors.colour(block.effects.standardised_factor.T @ block.Z)
        variance += np.sum(spread**2, axis=0)
    return of_residuals(rows, np.where(np.isnan(variance), np.nan, residuals), variance)


def _spread(
    information: RemainingInformation, X: FloatArray, codes: NDArray[np.intp]
) -> FloatArray:
    """Return the variance of x'beta of each row, without its group."""
    parts = [slice(first, first + CHUNK) for first in range(0, len(X), CHUNK)]
    return np.concatenate([information.spread(X[part], codes[part]) for part in parts])


def _correlated(rows: TrainingRows, groups: GroupingFactor) -> LeftOut:
    """Leave out groups whose weighted rows are correlated with others, by blocks of V^-1.

    With Q = (V^-1)_SS, E = (V^-1 X)_S and e = (V^-1 (y - X beta))_S the information without S is
    M = X'V^-1 X - E'Q^-1 E, and y_S - yhat_(-S) = Q^-1 e + Q^-1 E M^-1 E'Q^-1 e. Q has a block for
    each piece of S, the rows that it has of one independent part of the data. Rows of a group that
    counts several times are taken out of M with all their copies.
    """
    n_groups = len(groups.levels)
    pieces, large = _pieces(rows, groups)
    solved = _Solved.of(rows, np.where(large, -1, pieces))
    counts = rows.design.weights.group_counts
    E = (orthonormal(rows).T @ rows.precise_fixed).T
    E = E if counts is None else E * counts[:, None]
    lost, scores = np.zeros((n_groups, E.shape[1], E.shape[1])), np.zeros((n_groups, E.shape[1]))
    for i, column in enumerate(E.T):
        scores[:, i] = np.bincount(groups.codes, column * solved.residuals, n_groups)
        for j, other in enumerate(solved.columns.T):
            lost[:, i, j] = np.bincount(groups.codes, column * other, n_groups)
    information = RemainingInformation.without(lost)
    change = information.change(scores)[groups.codes]
    variance = solved.variance + _spread(information, solved.columns, groups.codes)
    residuals = solved.residuals + np.einsum("np,np->n", solved.columns, change)
    left = of_residuals(rows, np.where(np.isnan(variance), np.nan, residuals), variance)
    for g in np.unique(groups.codes[large]):
        out = groups.codes == g
        part = from_others(rows, np.flatnonzero(~out), np.flatnonzero(out))
        left.mean[out], left.variance[out] = part.mean, part.variance
    return left


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """Hold Q^-1 e, Q^-1 E and the diagonal of Q^-1; 0 for rows that are in no piece."""

    residuals: FloatArray
    columns: FloatArray
    variance: FloatArray

    @classmethod
    def of(cls, rows: TrainingRows, pieces: NDArray[np.intp]) -> _Solved:
        """Solve piece by piece, those of one size together."""
        E_all = orthonormal(rows).T @ rows.precise_fixed
        (p, n), small = E_all.shape, np.flatnonzero(pieces >= 0)
        found = cls(np.zeros(n), np.zeros((n, p)), np.zeros(n))
        codes = np.unique(pieces[small], return_inverse=True)[1]
        for _, chosen in batches(rows, codes):
            positions = small[chosen]
            n_sets, size = positions.shape
            E = E_all[:, positions].transpose(1, 2, 0)
            e = rows.precise_conditional[positions][:, :, None]
            identity = np.broadcast_to(np.eye(size), (n_sets, size, size))
            solved = block_solve(
                inverse_blocks(rows, positions), np.concatenate([E, e, identity], axis=2)
            )
            found.columns[positions] = solved[:, :, :p]
            found.residuals[positions] = solved[:, :, p]
            found.variance[positions] = np.einsum("gss->gs", solved[:, :, p + 1 :])
        return found


def _pieces(
    rows: TrainingRows, groups: GroupingFactor
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return each row's piece, and which rows are in groups that are solved for again instead."""
    parts = next((one.codes for one in rows.factors if rows.independent(one)), groups.codes)
    pieces = np.unique(groups.codes * (parts.max() + 1) + parts, return_inverse=True)[1]
    pieces = pieces.reshape(-1)
    largest = int(np.bincount(pieces).max())
    if rows.error_covariance.at is None:
        return pieces, groups.sizes[groups.codes] > LARGE
    if largest > DENSE:
        raise ValueError(
            f"What is left out cuts groups of correlated errors, so that it needs a matrix of the "
            f"size of its rows in one group; the largest part has {largest}, more than {DENSE}. "
            "Leave out whole groups, as GroupKFold does, or smaller parts."
        )
    return pieces, np.zeros(len(pieces), dtype=bool)
