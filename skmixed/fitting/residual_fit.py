"""The fit of a model with a residual structure: a search in (theta, rho)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import compress
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

    The search begins at the given (theta, rho), if it has as many parameters as are estimated.
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
        undetermined = np.ones(len(start), dtype=bool)
        return _assembled(model, coordinates, objective, optimum, kept, undetermined, [])
    undetermined, hidden = undetermined_parameters(objective, start)
    notices = []
    if hidden:
        notices.append(_hidden_notice(model, [kept[i] for i in hidden]))
        kept = [one for position, one in enumerate(kept) if position not in hidden]
        objective = residual_objective(model, coordinates, rows, kept)
        start = _start(objective)
        undetermined, _ = undetermined_parameters(objective, start)
    if given is not None and len(given) == len(start):
        start = given
    constant = objective_constant(objective.of_theta(objective.split(start)[1]), coordinates)
    shown = WatchedObjective(objective, model.verbose, constant) if model.verbose else objective
    optimum = _search(model, objective, shown, start)
    return _assembled(model, coordinates, objective, optimum, kept, undetermined, notices)


def residual_objective(
    model: LMMModel,
    coordinates: Coordinates,
    rows: WhitenedRows,
    kept: list[int],
    covariance: JointCovariance | None = None,
) -> ResidualObjective:
    """Return the likelihood of (theta, rho) of a model with a residual structure.

    The rows are white by their weights, kept are the estimable factors, and the covariance, if any,
    is theirs in other parameters than those of the model.
    """
    assert model.residual is not None
    known = model.residual.learned.fixes_sigma
    whitening = ResidualObjective(
        rows,
        model.covariance.of_factors(kept) if covariance is None else covariance,
        kept,
        model.residual,
        reml=model.reml,
        # What a residual variance of 1 is in units of the working response.
        sigma2=1.0 / coordinates.sigma_unit**2 if known else None,
    )
    return with_basis(whitening)


def _assembled(
    model: LMMModel,
    coordinates: Coordinates,
    objective: ResidualObjective,
    optimum: Optimum[ObjectiveValue],
    kept: list[int],
    undetermined: NDArray[np.bool_],
    notices: list[Notice],
) -> LMMFit:
    """Make the finished fit of an optimum."""
    design, learned = model.design, objective.residual.learned
    theta, rho = objective.split(optimum.at.theta)
    here = _at_optimum(objective, rho)
    at = here.objective(theta)
    positions = [kept.index(i) if i in kept else None for i in range(len(design.factors))]
    end_of_theta = replace(optimum, at=at)
    fit = assemble(
        model.covariance, coordinates, here.rows, here.objective, end_of_theta, positions
    )
    end = fit.convergence
    m, p, hessian = len(rho), len(at.solution.beta), optimum.at.hessian
    slope, changes = np.zeros(m), np.zeros((m, p, p))
    if optimum.at.solution.r2 and m:
        slope = objective.residual_slope(optimum.at)
        changes = objective.information_changes(optimum.at)
        # That of the search stays where R is next to singular.
        with suppress(np.linalg.LinAlgError):
            hessian = objective.hessian(optimum.at)
    fit = replace(
        fit,
        residual=FittedResidual(
            learned, rho, changes, undetermined, _mean_square(design, here.residual)
        ),
        convergence=replace(
            end,
            gradient=optimum.at.gradient,
            hessian=hessian,
            residual_slope=np.append(end.residual_slope, slope),
        ),
        products=here.objective.products,
    )
    hidden = set(model.estimable_factors(known_sigma=learned.fixes_sigma)).difference(kept)
    found = notices_of(fit, design, here.objective.kernel.varies, told=hidden)
    if undetermined.any() and not coordinates.exact:
        notices = [*notices, _undetermined_notice(model, undetermined)]
    return replace(fit, notices=(*found, *notices, *_boundary_notice(fit)))


def _mean_square(design: Design, residual: ResidualAt) -> float:
    """Return the mean variance of the rows over sigma squared, each as often as it counts."""
    # Beside a stratum that is fitted exactly, the variances of the others have no bound.
    variances = np.exp(np.minimum(2.0 * residual.logarithms, LARGEST_LOGARITHM))
    return float(np.average(variances, weights=design.weights.row_multiplicity))


def _at_optimum(objective: ResidualObjective, rho: FloatArray) -> ResidualEvaluation:
    """Return the model at the end of a search; raise ValueError if R is singular there."""
    try:
        return objective.at_rho(rho)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"The covariance of the residuals by {objective.residual.learned.structure!r} tends to "
            "a singular matrix, and the likelihood has no maximum: these rows are too few for so "
            "many parameters. Choose a simpler structure."
        ) from error


def _search(
    model: LMMModel,
    objective: ResidualObjective,
    shown: Callable[[FloatArray], ObjectiveValue],
    start: FloatArray,
) -> Optimum[ObjectiveValue]:
    """Search for the optimum of (theta, rho), and snap vanishing variances to 0."""
    optimum = minimise(
        shown,
        start,
        tol=model.tol,
        max_iter=model.max_iter,
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
    """Raise ValueError if a group of correlated rows lies in several levels of some factor."""
    if rows.grouped is None:
        return
    for factor in factors:
        apart = differs_within(factor.codes, rows.grouped.groups)
        if apart.any():
            name = factor.levels.name
            raise ValueError(
                f"The rows of a group that the residual structure correlates must share their "
                f"level of every grouping factor, and row {int(np.argmax(apart))} has another "
                f"level of {name!r} than other rows of its group. Name as the group of "
                f"{structure!r} a factor within the levels of {name!r}, or "
                f"leave out the random effects of {name!r}."
            )


def _hidden_notice(model: LMMModel, factors: list[int]) -> Notice:
    """Return the warning that the residual structure contains what some random effects would be."""
    assert model.residual is not None
    names = " and ".join(repr(model.design.factors[i].levels.name) for i in factors)
    return Notice(
        f"The residual structure {model.residual.learned.structure!r} already has the "
        f"covariances that the random effects of {names} would give: the two cannot be told "
        "apart. The model was fitted without these random effects. Leave them out, or choose "
        "a residual structure with fewer parameters."
    )


def _undetermined_notice(model: LMMModel, undetermined: NDArray[np.bool_]) -> Notice:
    """Return the warning that some parameters of R make no difference to these rows."""
    assert model.residual is not None
    names = np.array(model.residual.learned.names, dtype=object)[undetermined]
    listed = ", ".join(map(str, names[:5])) + (", ..." if len(names) > 5 else "")
    return Notice(
        f"The data do not determine these parameters of the residual structure: {listed}. "
        "Their values mean nothing, and they have no standard errors. Choose a structure with "
        "fewer parameters."
    )


def _boundary_notice(fit: LMMFit) -> tuple[Notice, ...]:
    """Return the warning that correlations are estimated as 1, or as 0 at any distance."""
    assert fit.residual is not None
    values = compress(fit.residual.parameters.items(), fit.residual.boundary)
    listed = ", ".join(f"{name} = {value:.3g}" for name, value in values)
    if not (listed and fit.convergence.converged):
        return ()
    return (
        Notice(
            f"The residual structure is estimated on its boundary: {listed}. This is a "
            "valid estimate without a standard error. A structure with fewer parameters, or "
            "another kind of correlation, would fit as well.",
            SingularFitWarning,
        ),
    )
