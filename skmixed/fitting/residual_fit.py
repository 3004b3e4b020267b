"""The fit of a model with a residual structure: a search in (theta, rho)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.assemble import assemble
from skmixed.fitting.basis_objective import with_basis
from skmixed.fitting.convergence import snap_to_boundary
from skmixed.fitting.lmm_fit import LMMFit, Notice
from skmixed.fitting.notices import notices_of
from skmixed.fitting.optimise import Optimum, minimise
from skmixed.fitting.residual_identification import undetermined_parameters
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.fitting.standardise import Coordinates, standardised
from skmixed.fitting.start import starting_theta
from skmixed.residual.fitted import FittedResidual

if TYPE_CHECKING:
    from skmixed.fitting.model import LMMModel

__all__ = ["fit_with_residual"]

FloatArray = NDArray[np.float64]


def fit_with_residual(model: LMMModel) -> LMMFit:
    """Fit a model with a residual structure.

    Parameters
    ----------
    model : LMMModel

    Raises
    ------
    ValueError
        If the groups of the residuals do not lie within the levels of every factor.
    """
    assert model.residual is not None
    residual = model.residual
    coordinates, rows = standardised(model.design, model.covariance)
    kept = model.estimable_factors(known_sigma=residual.learned.fixes_sigma)
    if coordinates.exact:
        kept = []
    _check_nested(model)

    def objective_of(kept: list[int]) -> ResidualObjective:
        whitening = ResidualObjective(
            rows,
            model.covariance.of_factors(kept),
            kept,
            residual,
            reml=model.reml,
            sigma2=_known_sigma2(coordinates) if residual.learned.fixes_sigma else None,
        )
        return with_basis(whitening)

    objective = objective_of(kept)
    start = _start(objective)
    if coordinates.exact:
        optimum = Optimum(objective.first_order(start), True, 1, 0.0, "there are no residuals")
        untold = np.ones(len(start), dtype=bool)
        return _assembled(model, coordinates, objective, optimum, kept, untold, ())
    undetermined, hidden = undetermined_parameters(objective, start)
    if hidden:
        notices = _hidden_notice(model, [kept[i] for i in hidden])
        kept = [one for position, one in enumerate(kept) if position not in hidden]
        objective = objective_of(kept)
        start = _start(objective)
        undetermined, _ = undetermined_parameters(objective, start)
    else:
        notices = ()
    optimum = _search(objective, start, tol=model.tol, max_iter=model.max_iter)
    return _assembled(model, coordinates, objective, optimum, kept, undetermined, notices)


def _assembled(
    model: LMMModel,
    coordinates: Coordinates,
    objective: ResidualObjective,
    optimum: Optimum,
    kept: list[int],
    undetermined: NDArray[np.bool_],
    notices: tuple[Notice, ...],
) -> LMMFit:
    """Make the finished fit of an optimum."""
    design = model.design
    theta, rho = objective.split(optimum.at.theta)
    here = objective.at_rho(rho)
    at = here.objective(theta)
    positions = [kept.index(i) if i in kept else None for i in range(len(design.factors))]
    fit = assemble(
        model.covariance,
        coordinates,
        here.rows,
        here.objective,
        replace(optimum, at=at),
        positions,
    )
    end = fit.convergence
    if optimum.at.solution.r2 and len(rho):
        slope = np.append(end.residual_slope, objective.residual_slope(optimum.at))
        changes = objective.information_changes(optimum.at)
        hessian = _hessian(objective, optimum)
    else:
        m, p = len(rho), len(at.solution.beta)
        slope, changes = np.append(end.residual_slope, np.zeros(m)), np.zeros((m, p, p))
        hessian = optimum.at.hessian
    fit = replace(
        fit,
        residual=FittedResidual(objective.residual.learned, rho, changes, undetermined),
        convergence=replace(
            end, gradient=optimum.at.gradient, hessian=hessian, residual_slope=slope
        ),
        products=here.objective.products,
    )
    found = notices_of(fit, design, here.objective.kernel.varies)
    untold = () if coordinates.exact else _untold_notice(model, undetermined)
    return replace(fit, notices=(*found, *notices, *untold))


def _hessian(objective: ResidualObjective, optimum: Optimum) -> FloatArray:
    """Return the observed information; that of the search where R is next to singular."""
    try:
        return objective.hessian(optimum.at)
    except np.linalg.LinAlgError:
        return optimum.at.hessian


def _search(
    objective: ResidualObjective, start: FloatArray, *, tol: float, max_iter: int
) -> Optimum:
    """Search for the optimum of (theta, rho), and snap vanishing variances to 0."""
    optimum = minimise(
        objective,
        start,
        tol=tol,
        max_iter=max_iter,
        lower=objective.lower_bounds,
        exact=objective.exact_hessian,
    )
    theta, rho = objective.split(optimum.at.theta)
    if not len(theta):
        return optimum
    here = objective.of_theta(rho)
    snapped = snap_to_boundary(here, replace(optimum, at=here(theta)))
    if np.array_equal(snapped.at.theta, theta):
        return optimum
    return replace(optimum, at=objective(np.append(snapped.at.theta, rho)))


def _start(objective: ResidualObjective) -> FloatArray:
    """Return where to start: no correlation, equal variances, effects by moments."""
    rho = objective.residual.learned.start
    here = objective.of_theta(rho)
    theta = starting_theta(here) if here.covariance.n_parameters else np.empty(0)
    return np.append(theta, rho)


def _check_nested(model: LMMModel) -> None:
    """Raise ValueError if a group of correlated rows is spread over levels of some factor."""
    assert model.residual is not None
    grouped = model.residual.rows.grouped
    if grouped is None:
        return
    first = np.empty(grouped.groups.max() + 1, dtype=np.intp)
    first[grouped.groups] = np.arange(len(grouped.groups))
    for factor in model.design.factors:
        apart = factor.codes != factor.codes[first[grouped.groups]]
        if apart.any():
            name = factor.levels.name
            raise ValueError(
                f"The rows of a group that the residual structure correlates must share their "
                f"level of every grouping factor, and row {int(np.argmax(apart))} has another "
                f"level of {name!r} than other rows of its group. Name as the group of "
                f"{model.residual.learned.structure!r} a factor within the levels of {name!r}, or "
                f"leave out the random effects of {name!r}."
            )


def _hidden_notice(model: LMMModel, factors: list[int]) -> tuple[Notice, ...]:
    """Return the warning that the residual structure contains what some random effects would be."""
    assert model.residual is not None
    names = " and ".join(repr(model.design.factors[i].levels.name) for i in factors)
    return (
        Notice(
            f"The residual structure {model.residual.learned.structure!r} already has the "
            f"covariances that the random effects of {names} would give: the two cannot be told "
            "apart. The model was fitted without these random effects. Leave them out, or choose "
            "a residual structure with fewer parameters."
        ),
    )


def _untold_notice(model: LMMModel, undetermined: NDArray[np.bool_]) -> tuple[Notice, ...]:
    """Return the warning that some parameters of R make no difference to these rows."""
    assert model.residual is not None
    if not undetermined.any():
        return ()
    names = np.array(model.residual.learned.names, dtype=object)[undetermined]
    listed = ", ".join(map(str, names[:5])) + (", ..." if len(names) > 5 else "")
    return (
        Notice(
            f"The data do not determine these parameters of the residual structure: {listed}. "
            "They stay where the search began, and have no standard errors. Choose a structure "
            "with fewer parameters."
        ),
    )


def _known_sigma2(coordinates: Coordinates) -> float:
    """Return what a residual variance of 1 is in units of the working response."""
    return 1.0 / coordinates.sigma_unit**2
