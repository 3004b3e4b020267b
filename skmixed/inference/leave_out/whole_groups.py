"""The prediction of each group from all others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.inference.diagnostics.contributions import (
    DENSE,
    INESTIMABLE,
    batches,
    block_solve,
    group_contributions,
    group_counts,
    inverse_blocks,
)
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.leave_out.family_predictions import each_group
from skmixed.inference.leave_out.left_out import LOST, LeftOut, of_residuals, own_rows, reported
from skmixed.inference.leave_out.remainder import from_others

__all__ = ["logo_predict", "without_groups"]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]

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
    rows = own_rows(fitted, X, y, arguments)
    groups = rows.factor(factor)
    if isinstance(rows, FamilyRows):
        left = each_group(rows, groups, refit=refit)
    else:
        group_counts(rows, groups)
        left = without_groups(rows, groups)
    return reported(rows, left, return_std=return_std)


def without_groups(rows: TrainingRows, groups: GroupingFactor) -> LeftOut:
    """Predict each group from the others, for any partition of the rows."""
    weighted = rows.design.weights.groups is not None
    counted_alike = not weighted or np.array_equal(rows.design.factors[0].codes, groups.codes)
    if counted_alike and rows.independent(groups):
        return _independent(rows, groups)
    return _correlated(rows, groups)


def _independent(rows: TrainingRows, groups: GroupingFactor) -> LeftOut:
    """Leave out groups of which the others say no more than beta: X_S beta_(-S) is left."""
    contributions, counts = group_contributions(rows, groups), group_counts(rows, groups)
    lost, scores = np.moveaxis(contributions.XX * counts, -1, 0), (contributions.Xr * counts).T
    variance = rows.error_covariance.variances + rows.effect_variances
    return _at_remaining(
        rows, groups, lost, scores, rows.weighted_marginal, rows.weighted_fixed.T, variance
    )


def _correlated(rows: TrainingRows, groups: GroupingFactor) -> LeftOut:
    """Leave out groups whose weighted rows are correlated with others, by blocks of V^-1.

    With Q = (V^-1)_SS, E = (V^-1 X)_S and e = (V^-1 (y - X beta))_S the information without S is
    M = X'V^-1 X - E'Q^-1 E, and y_S - yhat_(-S) = Q^-1 e + Q^-1 E M^-1 E'Q^-1 e. Q has a block for
    each piece of S, the rows that it has of one independent part of the data. Rows of a group that
    counts several times are taken out of M with all their copies.
    """
    n_groups = len(groups.levels)
    pieces, large = _pieces(rows, groups)
    residuals, columns, variance = _solved(rows, np.where(large, -1, pieces))
    E = rows.precise_fixed.T * rows.group_counts[:, None]
    lost, scores = np.zeros((n_groups, E.shape[1], E.shape[1])), np.zeros((n_groups, E.shape[1]))
    for i, column in enumerate(E.T):
        scores[:, i] = np.bincount(groups.codes, column * residuals, n_groups)
        for j, other in enumerate(columns.T):
            lost[:, i, j] = np.bincount(groups.codes, column * other, n_groups)
    left = _at_remaining(rows, groups, lost, scores, residuals, columns, variance)
    for g in np.unique(groups.codes[large]):
        out = groups.codes == g
        test = np.flatnonzero(out)
        left.put(test, from_others(rows, np.flatnonzero(~out), test))
    return left


def _at_remaining(
    rows: TrainingRows,
    groups: GroupingFactor,
    lost: FloatArray,
    scores: FloatArray,
    residuals: FloatArray,
    X: FloatArray,
    variance: FloatArray,
) -> LeftOut:
    """Carry residuals with known coefficients over to those that are estimated without a group.

    The columns X (n, p) have the whole information 1, and each group takes ``lost`` (n_groups, p,
    p) of it; one of which that is not known (NaN) leaves nothing.
    """
    known = np.isfinite(lost).all(axis=(1, 2), keepdims=True)
    identity = np.eye(lost.shape[-1])
    values, axes = np.linalg.eigh(identity - np.where(known, lost, identity))
    estimable = values > INESTIMABLE
    root = axes / np.sqrt(np.where(estimable, values, np.inf))[:, None, :]
    inestimable = axes * ~estimable[:, None, :]
    change = np.einsum("gpa,gqa,gq->gp", root, root, scores, optimize=True)
    residuals = residuals + np.einsum("np,np->n", X, change[groups.codes])
    variance = variance.copy()
    for first in range(0, len(X), CHUNK):
        part = slice(first, first + CHUNK)
        own, codes = X[part], groups.codes[part]
        variance[part] += np.sum(np.einsum("np,npa->na", own, root[codes]) ** 2, axis=1)
        if not estimable.all():
            beside = np.sum(np.einsum("np,npa->na", own, inestimable[codes]) ** 2, axis=1)
            variance[part][beside > LOST * np.sum(own**2, axis=1)] = np.nan
    return of_residuals(rows, np.where(np.isnan(variance), np.nan, residuals), variance)


def _solved(rows: TrainingRows, pieces: Codes) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Q^-1 e, Q^-1 E and the diagonal of Q^-1; 0 for rows that are in no piece."""
    (p, n), small = rows.precise_fixed.shape, np.flatnonzero(pieces >= 0)
    residuals, columns, variance = np.zeros(n), np.zeros((n, p)), np.zeros(n)
    codes = np.unique(pieces[small], return_inverse=True)[1]
    for _, chosen in batches(rows, codes):
        positions = small[chosen]
        n_sets, size = positions.shape
        E = rows.precise_fixed[:, positions].transpose(1, 2, 0)
        e = rows.precise_conditional[positions][:, :, None]
        identity = np.broadcast_to(np.eye(size), (n_sets, size, size))
        Q = inverse_blocks(rows, positions)
        solved = block_solve(Q, np.concatenate([E, e, identity], axis=2))
        columns[positions] = solved[:, :, :p]
        residuals[positions] = solved[:, :, p]
        variance[positions] = np.einsum("gss->gs", solved[:, :, p + 1 :])
    return residuals, columns, variance


def _pieces(rows: TrainingRows, groups: GroupingFactor) -> tuple[Codes, NDArray[np.bool_]]:
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
