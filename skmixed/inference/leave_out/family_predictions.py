"""Rows of a generalised model predicted from others: by one Newton step, or from fits of these."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.optimise import measured_hessian
from skmixed.inference.diagnostics.contributions import INESTIMABLE
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.labelled_rows import positions_of
from skmixed.inference.leave_out.left_out import LOST, LeftOut
from skmixed.inference.leave_out.remainder import with_codes_of
from skmixed.prediction.family_prediction import ResponseScale, family_prediction
from skmixed.prediction.predict import PredictedRows
from skmixed.prediction.response_law import averaged_mean, averaged_variance

__all__ = ["each_group", "each_row", "from_training_rows"]

# The others need this part of the information on every parameter: Newton's step without a group
# that holds the rest is too far from the estimates.
LEAST = 0.2

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]


def from_training_rows(rows: FamilyRows, train: Positions, test: Positions) -> LeftOut:
    """Fit some rows, and predict others: known groups by their effects, new ones averaged."""
    X = rows.objective.X
    # Where fewer coefficients can be estimated, the estimates of all rows are no start.
    whole = np.linalg.matrix_rank(X[:, train]) == len(X)
    fit = rows.model.select(train).fit(rows.fit.joint.parameters if whole else None)
    trials = None if rows.trials is None else rows.trials[test]
    extra = tuple(columns[test] for columns in rows.model.extra_columns)
    new = replace(with_codes_of(rows, train, test), extra=extra)
    predicted = family_prediction(
        fit, PredictedRows(new, True, "observation"), ResponseScale(average=True, trials=trials)
    )
    mean = np.where(_needing(X, fit, train, test), np.nan, predicted.mean)
    return LeftOut(mean, predicted.std**2)


def _needing(X: FloatArray, fit: GLMMFit, train: Positions, test: Positions) -> NDArray[np.bool_]:
    """Tell which rows need a combination of coefficients that the training rows do not tell."""
    if len(fit.fixed.standardised) == len(X):
        return np.zeros(len(test), dtype=bool)
    values, vectors = np.linalg.eigh(X[:, train] @ X[:, train].T)
    inestimable = vectors[:, values <= INESTIMABLE * values.max()]
    beside = np.sum((inestimable.T @ X[:, test]) ** 2, axis=0)
    return np.asarray(beside > LOST * np.sum(X[:, test] ** 2, axis=0))


def each_row(rows: FamilyRows) -> LeftOut:
    """Predict each row without it, at the parameters of the fit.

    Given the data, eta = z'b + x'beta has the variance h = z'Dz. Without a row of score g and
    weight w, one Newton step from the modes takes eta to eta - h g / (1 - w h), and its variance is
    h / (1 - w h): both are exact for normal responses, and for a row alone in all its groups.
    """
    modes, n = rows.modes, rows.design.n_rows
    turned = [L.T for L in modes.factors]
    h = rows.objective.rows.quadratic(modes.system.inverse.between(turned, turned), n)
    left = 1.0 + modes.rows.second * h
    eta, variance = modes.eta - h * modes.rows.first / left, h / left
    return _averaged(rows, eta, variance, variance, rows.extra)


def each_group(rows: FamilyRows, groups: GroupingFactor, *, refit: bool) -> LeftOut:
    """Predict each group from the others, by one Newton step where they are independent of it.

    The likelihood is a product over groups: with f_g the part of a group in -2 log L, the
    parameters without it are found by one Newton step, of (H - H_g)^-1 df_g with H - H_g the
    Hessian that is left. Where a group holds most of the information on some parameter, which one
    step does not reach, the others are fitted again.
    """
    refit = refit or rows.fit.n_quadrature != 1 or not rows.independent(groups)
    parts = ((at, _without(rows, at, refit=refit)) for at in positions_of(groups))
    return LeftOut.of_parts(rows.design.n_rows, parts)


def _without(rows: FamilyRows, test: Positions, *, refit: bool) -> LeftOut:
    """Predict the rows of one group."""
    joint = rows.fit.joint
    if not refit:
        own = rows.objective.of_rows(test)
        gradient = own(joint.parameters).gradient
        hessian = joint.hessian - measured_hessian(own, joint.parameters, gradient)
    if refit or not _tells(hessian, joint.hessian):
        return from_training_rows(rows, np.delete(np.arange(rows.design.n_rows), test), test)
    root = np.linalg.cholesky(hessian)
    moved = joint.parameters + np.linalg.solve(root.T, np.linalg.solve(root, gradient))
    eta, extra = own.predictors(moved)
    factors = own.covariance.relative_factors(own.split(moved).theta)
    of_effects = np.zeros(len(test))
    for L, Z in zip(factors, own.rows.Z, strict=True):
        of_effects += np.sum((L.T @ Z) ** 2, axis=0)
    X = np.zeros((len(moved), len(test)))
    X[: len(own.X)] = own.X
    of_beta = 2.0 * np.sum(np.linalg.solve(root, X) ** 2, axis=0)
    return _averaged(rows, eta, of_effects, of_effects + of_beta, tuple(extra), test)


def _tells(left: FloatArray, whole: FloatArray) -> bool:
    """Tell whether enough of the information is left for one step from the estimates."""
    values, vectors = np.linalg.eigh(whole)
    if values[0] <= 0.0:
        return False
    root = vectors / np.sqrt(values)
    return bool(np.linalg.eigvalsh(root.T @ left @ root)[0] > LEAST)


def _averaged(
    rows: FamilyRows,
    eta: FloatArray,
    averaged_over: FloatArray,
    variance: FloatArray,
    extra: tuple[FloatArray, ...],
    test: Positions | slice = slice(None),
) -> LeftOut:
    """Return means and variances of responses whose linear predictors are normal.

    ``averaged_over`` is the variance of eta where parameters are known, ``variance`` where not.
    """
    family, trials = rows.fit.family, rows.trials
    return LeftOut(
        averaged_mean(family, eta, averaged_over, extra),
        averaged_variance(family, eta, variance, extra, None if trials is None else trials[test]),
    )
