"""From a design to a finished fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor
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
    design: Design, covariance: JointCovariance, *, reml: bool, tol: float, max_iter: int
) -> LMMFit:
    """Fit a linear mixed model.

    Parameters
    ----------
    design : Design
    covariance : JointCovariance
        Structures of the terms of each block.
    reml : bool
    tol : float
        Distance from the optimum at which to stop, in standard errors of theta.
    max_iter : int
        Largest number of evaluations of the objective.
    """
    coordinates, rows, products = standardised_products(design, covariance)
    estimable = tuple(not coordinates.exact and _repeated(design, f) for f in design.factors)
    kept = [i for i, possible in enumerate(estimable) if possible]
    objective = ProfiledObjective(products.of_factors(kept), covariance.of_factors(kept), reml=reml)
    objective.kernel.refine(
        [rows.Z[i] for i in kept], rows.A, [design.factors[i].codes for i in kept]
    )
    optimum = _search(objective, tol=tol, max_iter=max_iter)
    positions = [kept.index(i) if i in kept else None for i in range(len(estimable))]
    fit = assemble(design, covariance, coordinates, rows, objective, optimum, positions)
    return replace(fit, notices=notices_of(fit, design, objective.kernel.varies))


def _repeated(design: Design, factor: GroupingFactor) -> bool:
    """Tell whether the rows distinguish a factor's variances from the residual's."""
    weights = design.weights if design.frequency else None
    largest = np.bincount(factor.codes, weights).max(initial=0)
    n_groups = len(factor.levels)
    if design.group_multiplicity is not None:
        n_groups = design.group_multiplicity.sum()
    return bool(largest > 1 and n_groups > 1)


def _search(objective: ProfiledObjective, *, tol: float, max_iter: int) -> Optimum:
    """Find the optimal theta, if there is any parameter."""
    if not objective.covariance.n_parameters:
        return Optimum(objective(np.empty(0)), True, 1, 0.0, "no variance is to be estimated")
    optimum = minimise(
        objective,
        starting_theta(objective),
        tol=tol,
        max_iter=max_iter,
        lower=objective.covariance.lower_bounds,
        exact=objective.exact_hessian,
    )
    return snap_to_boundary(objective, optimum)
