"""The fit of a model with a residual structure: a search in (theta, rho)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor, differs_within
from skmixed.exceptions import SingularFitWarning
from skmixed.fitting.assemble import assemble
from skmixed.fitting.basis_objective import with_basis
from skmixed.fitting.convergence import snap_to_boundary, theta_on_boundary
from skmixed.fitting.estimates import objective_constant
from skmixed.fitting.lmm_fit import LMMFit, Notice
from skmixed.fitting.notices import notices_of
from skmixed.fitting.optimise import Optimum, minimise
from skmixed.fitting.residual_identification import undetermined_parameters
from skmixed.fitting.residual_objective import ResidualEvaluation, ResidualObjective
from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.search import WatchedObjective
from skmixed.fitting.standardise import Coordinates, standardised
from skmixed.fitting.start import starting_theta
from skmixed.likelihood.profiled import ObjectiveValue
from skmixed.residual.fitted import FittedResidual
from skmixed.residual.learned import ResidualRows
from skmixed.residual.structure import ResidualStructure
from skmixed.residual.whitening import ResidualAt

if TYPE_CHECKING:
    from skmixed.fitting.model import LMMModel

__all__ = ["check_nested", "fit_with_residual", "residual_objective"]

FloatArray = NDArray[np.float64]

LARGEST_LOGARITHM = 700.0


def fit_with_residual(model: LMMModel, given: FloatArray | None = None) -> LMMFit:
    """Fit a model with a residual structure.

    Parameters
    ----------
    given : ndarray of shape (n_theta + n_rho,), optional
        Where to begin, if it has as many parameters as are estimated.

    Raises
    ------
    ValueError
        If the groups of the residuals do not lie within the levels of every factor.
    """
    assert model.residual is not None
    coordinates, rows = standardised(model.design, model.covariance)
    kept = model.estimable_factors(known_sigma=model.residual.learned.fixes_sigma)
    if coordinates.exact:
        kept = []
    structure = model.residual.learned.structure
    check_nested(model.residual.rows, model.design.factors, structure)
    objective = residual_objective(model, coordinates, rows, kept)
    start = _start(objective)
    if coordinates.exact:
        optimum = Optimum(objective.first_order(start), True, 1, 0.0, "there are no residuals")
        untold = np.ones(len(start), dtype=bool)
        return _assembled(model, coordinates, objective, optimum, kept, untold, ())
    undetermined, hidden = undetermined_parameters(objective, start)
    if hidden:
        notices = _hidden_notice(model, [kept[i] for i in hidden])
        kept = [one for position, one in enumerate(kept) if position not in hidden]
        objective = residual_objective(model, coordinates, rows, kept)
        start = _start(objective)
        undetermined, _ = undetermined_parameters(objective, start)
    else:
        notices = ()
    if given is not None and len(given) == len(start):
        start = given
    constant = objective_constant(objective.of_theta(objective.split(start)[1]), coordinates)
    shown = WatchedObjective(objective, model.verbose, constant) if model.verbose else objective
    optimum = _search(objective, shown, start, tol=model.tol, max_iter=model.max_iter)
    return _assembled(model, coordinates, objective, optimum, kept, undetermined, notices)


def residual_objective(
    model: LMMModel,
    coordinates: Coordinates,
    rows: WhitenedRows,
    kept: list[int],
    covariance: JointCovariance | None = None,
) -> ResidualObjective:
    """Return the likelihood of (theta, rho) of a model with a residual structure.

    Parameters
    ----------
    rows : WhitenedRows
        In these coordinates, by their weights.
    kept : list of int
        The estimable factors.
    covariance : JointCovariance, optional
        Of these factors, in other parameters than those of the model.
    """
    assert model.residual is not None
    known = model.residual.learned.fixes_sigma
    whitening = ResidualObjective(
        rows,
        model.covariance.of_factors(kept) if covariance is None else covariance,
        kept,
        model.residual,
        reml=model.reml,
        sigma2=_known_sigma2(coordinates) if known else None,
    )
    return with_basis(whitening)


def _assembled(
    model: LMMModel,
    coordinates: Coordinates,
    objective: ResidualObjective,
    optimum: Optimum[ObjectiveValue],
    kept: list[int],
    undetermined: NDArray[np.bool_],
    notices: tuple[Notice, ...],
) -> LMMFit:
    """Make the finished fit of an optimum."""
    design = model.design
    theta, rho = objective.split(optimum.at.theta)
    here = _at_optimum(objective, rho)
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
        residual=FittedResidual(
            objective.residual.learned,
            rho,
            changes,
            undetermined,
            _mean_square(design, here.residual),
        ),
        convergence=replace(
            end, gradient=optimum.at.gradient, hessian=hessian, residual_slope=slope
        ),
        products=here.objective.products,
    )
    known = objective.residual.learned.fixes_sigma
    hidden = set(model.estimable_factors(known_sigma=known)).difference(kept)
    found = notices_of(fit, design, here.objective.kernel.varies, told=hidden)
    untold = () if coordinates.exact else _untold_notice(model, undetermined)
    return replace(fit, notices=(*found, *notices, *untold, *_boundary_notice(fit)))


def _mean_square(design: Design, residual: ResidualAt) -> float:
    """Return the mean variance of the rows over sigma squared, each as often as it counts."""
    # Beside a stratum that is fitted exactly, the variances of the others have no bound.
    variances = np.exp(np.minimum(2.0 * residual.logarithms, LARGEST_LOGARITHM))
    return float(np.average(variances, weights=design.weights.row_multiplicity))


def _at_optimum(objective: ResidualObjective, rho: FloatArray) -> ResidualEvaluation:
    """Return the model at the end of a search.

    Raises
    ------
    ValueError
        If R is singular there.
    """
    try:
        return objective.at_rho(rho)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"The covariance of the residuals by {objective.residual.learned.structure!r} tends to "
            "a singular matrix, and the likelihood has no maximum: these rows are too few for so "
            "many parameters. Choose a simpler structure."
        ) from error


def _hessian(objective: ResidualObjective, optimum: Optimum[ObjectiveValue]) -> FloatArray:
    """Return the observed information; that of the search where R is next to singular."""
    try:
        return objective.hessian(optimum.at)
    except np.linalg.LinAlgError:
        return optimum.at.hessian


def _search(
    objective: ResidualObjective,
    shown: Callable[[FloatArray], ObjectiveValue],
    start: FloatArray,
    *,
    tol: float,
    max_iter: int,
) -> Optimum[ObjectiveValue]:
    """Search for the optimum of (theta, rho), and snap vanishing variances to 0."""
    optimum = minimise(
        shown,
        start,
        tol=tol,
        max_iter=max_iter,
        lower=objective.lower_bounds,
        exact=objective.exact_hessian,
        own_units=True,
    )
    theta, rho = objective.split(optimum.at.theta)
    if not len(theta):
        return optimum
    here = objective.of_theta(rho)
    boundary = theta_on_boundary(here.covariance, theta)
    snapped = snap_to_boundary(here, boundary, replace(optimum, at=here(theta)))
    if np.array_equal(snapped.at.theta, theta):
        return optimum
    return replace(optimum, at=objective(np.append(snapped.at.theta, rho)))


def _start(objective: ResidualObjective) -> FloatArray:
    """Return where to start: no correlation, equal variances, effects by moments."""
    rho = objective.residual.learned.start
    here = objective.of_theta(rho)
    theta = starting_theta(here) if here.covariance.n_parameters else np.empty(0)
    return np.append(theta, rho)


def check_nested(
    rows: ResidualRows, factors: Sequence[GroupingFactor], structure: ResidualStructure
) -> None:
    """Raise ValueError if a group of correlated rows is spread over levels of some factor.

    Parameters
    ----------
    factors : sequence of GroupingFactor
        Of the same rows.
    """
    grouped = rows.grouped
    if grouped is None:
        return
    for factor in factors:
        apart = differs_within(factor.codes, grouped.groups)
        if apart.any():
            name = factor.levels.name
            raise ValueError(
                f"The rows of a group that the residual structure correlates must share their "
                f"level of every grouping factor, and row {int(np.argmax(apart))} has another "
                f"level of {name!r} than other rows of its group. Name as the group of "
                f"{structure!r} a factor within the levels of {name!r}, or "
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
            "Their values mean nothing, and they have no standard errors. Choose a structure with "
            "fewer parameters."
        ),
    )


def _boundary_notice(fit: LMMFit) -> tuple[Notice, ...]:
    """Return the warning that correlations are estimated as 1, or as 0 at any distance."""
    assert fit.residual is not None
    values = fit.residual.parameters.items()
    names = [
        f"{name} = {value:.3g}"
        for (name, value), on in zip(values, fit.residual.boundary, strict=True)
        if on
    ]
    if not (names and fit.convergence.converged):
        return ()
    return (
        Notice(
            f"The residual structure is estimated on its boundary: {', '.join(names)}. This is a "
            "valid estimate without a standard error. A structure with fewer parameters, or "
            "another kind of correlation, would fit as well.",
            SingularFitWarning,
        ),
    )


def _known_sigma2(coordinates: Coordinates) -> float:
    """Return what a residual variance of 1 is in units of the working response."""
    return 1.0 / coordinates.sigma_unit**2
