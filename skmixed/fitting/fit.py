"""From a design to a finished fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skmixed.covariance import DirectSum
from skmixed.design.design import Design
from skmixed.fitting.assemble import assemble
from skmixed.fitting.convergence import snap_to_boundary
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.notices import notices_of
from skmixed.fitting.optimise import Optimum, minimise
from skmixed.fitting.standardise import standardised_products
from skmixed.fitting.start import starting_theta
from skmixed.likelihood.profiled import ProfiledObjective

__all__ = ["fit_lmm"]


def fit_lmm(
    design: Design, covariance: DirectSum, *, reml: bool, tol: float, max_iter: int
) -> LMMFit:
    """Fit a linear mixed model with at most one grouping factor.

    Parameters
    ----------
    design : Design
    covariance : DirectSum
        Structures of the terms of the block.
    reml : bool
    tol : float
        Distance from the optimum at which to stop, in standard errors of theta.
    max_iter : int
        Largest number of evaluations of the objective.
    """
    coordinates, rows, products = standardised_products(design, covariance)
    objective = ProfiledObjective(products, covariance, reml=reml)
    if design.blocks and not coordinates.exact and objective.kernel.cancels:
        objective.kernel.recompute_within(rows.Z, rows.A, design.blocks[0].factor.codes)
    estimable = not coordinates.exact and _repeated(design)
    optimum = _search(objective, estimable=estimable, tol=tol, max_iter=max_iter)
    fit = assemble(design, coordinates, rows, objective, optimum, estimable=estimable)
    return replace(fit, notices=notices_of(fit, design, objective.kernel.varies))


def _repeated(design: Design) -> bool:
    """Tell whether the rows distinguish the block's variances from the residual's."""
    if not design.blocks:
        return False
    factor = design.blocks[0].factor
    weights = design.weights if design.frequency else None
    largest = np.bincount(factor.codes, weights).max(initial=0)
    n_groups = len(factor.levels)
    if design.group_multiplicity is not None:
        n_groups = design.group_multiplicity.sum()
    return bool(largest > 1 and n_groups > 1)


def _search(objective: ProfiledObjective, *, estimable: bool, tol: float, max_iter: int) -> Optimum:
    """Find the optimal theta; 0 where the rows tell nothing of it."""
    if not estimable:
        at = objective(np.zeros(objective.covariance.n_parameters))
        return Optimum(at, True, 1, 0.0, "no variance of random effects is estimable")
    optimum = minimise(objective, starting_theta(objective), tol=tol, max_iter=max_iter)
    return snap_to_boundary(objective, optimum)
