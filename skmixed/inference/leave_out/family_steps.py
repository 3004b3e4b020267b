"""Rows and groups of a generalised model predicted from all others by one Newton step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.optimise import measured_hessian
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.leave_out.family_folds import from_training_rows
from skmixed.inference.leave_out.family_rows import averaged
from skmixed.inference.leave_out.left_out import LeftOut

__all__ = ["each_group", "each_row"]

# The others need this part of the information on every parameter: Newton's step without a group
# that holds the rest is too far from the estimates.
LEAST = 0.2

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]


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
    return averaged(rows, eta, variance, variance, rows.extra)


def each_group(rows: FamilyRows, groups: GroupingFactor) -> LeftOut:
    """Predict each group from the others, which are independent of it given the parameters.

    The likelihood is a product over groups: with f_g the part of a group in -2 log L, the
    parameters without it are found by one Newton step, of (H - H_g)^-1 df_g with H - H_g the
    Hessian that is left. Where a group holds most of the information on some parameter, which one
    step does not reach, the others are fitted again.
    """
    n = rows.design.n_rows
    left = LeftOut(np.empty(n), np.empty(n))
    order = np.argsort(groups.codes, kind="stable")
    for test in np.split(order, np.cumsum(groups.sizes)[:-1]):
        part = _without(rows, test)
        left.mean[test], left.variance[test] = part.mean, part.variance
    return left


def _without(rows: FamilyRows, test: Positions) -> LeftOut:
    """Predict the rows of one group."""
    joint, own = rows.fit.joint, rows.objective.of_rows(test)
    gradient = own(joint.parameters).gradient
    hessian = joint.hessian - measured_hessian(own, joint.parameters, gradient)
    if not _tells(hessian, joint.hessian):
        train = np.setdiff1d(np.arange(rows.design.n_rows), test)
        return from_training_rows(rows, train, test)
    root = np.linalg.cholesky(hessian)
    moved = joint.parameters + np.linalg.solve(root.T, np.linalg.solve(root, gradient))
    eta, extra = own.predictors(moved)
    factors = own.covariance.relative_factors(own.split(moved).theta)
    of_effects = np.zeros(len(test))
    for L, Z in zip(factors, own.rows.Z, strict=True):
        of_effects += np.sum((L.T @ Z) ** 2, axis=0)
    X = np.zeros((len(moved), len(test)))
    X[: len(own.X)] = own.X
    columns = np.linalg.solve(root, X)
    of_beta = 2.0 * np.sum(columns**2, axis=0)
    return averaged(rows, eta, of_effects, of_effects + of_beta, tuple(extra), test)


def _tells(left: FloatArray, whole: FloatArray) -> bool:
    """Tell whether enough of the information is left for one step from the estimates."""
    values, vectors = np.linalg.eigh(whole)
    if values[0] <= 0.0:
        return False
    root = vectors / np.sqrt(values)
    return bool(np.linalg.eigvalsh(root.T @ left @ root)[0] > LEAST)
