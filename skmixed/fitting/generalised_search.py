"""The search for the parameters of a generalised model, and the proof that its end is a minimum."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.convergence import SAME, snap_to_boundary
from skmixed.fitting.generalised_objective import GeneralisedObjective, GeneralisedValue
from skmixed.fitting.generalised_other_starts import generalised_other_starts
from skmixed.fitting.local_model import LocalModel
from skmixed.fitting.newton import ModelOf, Optimum, evaluated, newton_search

__all__ = ["GeneralisedOptimum", "find_generalised_optimum", "first_evaluation", "measured"]

FloatArray = NDArray[np.float64]

# Evaluations with the approximate Hessian, after which it is measured at every step.
QUICK = 60
# How often a start is moved towards no random effects, until it has modes.
NEARER = 20
# A gain in -2 log-likelihood that is worth another optimum.
BETTER = 1e-7
# The distance from the optimum, in standard errors, at which the Hessian is measured. The last
# steps are taken with it, until the next one is shorter than FINE in standardised parameters, too:
# a small part of a large standard error, as along columns that separate, is seen in predictions.
ROUGH, LAST_STEPS, FINE = 1e-5, 3, 1e-8
# The largest distance from the optimum in standard errors, by the measured Hessian, and that at
# which steps with one-sided differences end.
THERE, CLOSE = 1e-4, 1e-5
# Evaluations from each other start.
MAX_OTHER = 150
# What a step of one standard deviation of a column off a saddle must gain in -2 log-likelihood:
# less is rounding, where the likelihood is flat for all parameters.
DOWNHILL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class GeneralisedOptimum:
    """Hold where the search ended, with the Hessian of the objective there.

    Attributes
    ----------
    hessian : ndarray of shape (n_parameters, n_parameters)
        Measured by differences of the exact gradient.
    """

    optimum: Optimum[GeneralisedValue]
    hessian: FloatArray


def find_generalised_optimum(
    objective: GeneralisedObjective, start: FloatArray, *, tol: float, max_iter: int
) -> GeneralisedOptimum:
    """Search from a start, and from others where several optima are likely.

    Parameters
    ----------
    start : ndarray of shape (n_parameters,)
    tol : float
        Distance from the optimum at which to stop, in standard errors of the parameters.
    max_iter : int
        Largest number of evaluations.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the start has no likelihood, even without random effects.
    """
    at, n_iter = first_evaluation(objective, start)
    search = partial(_searched, objective, tol=tol)
    best = search(at, n_iter, max_iter=max_iter)
    for other in generalised_other_starts(objective, start, best.optimum.at):
        found = None
        with suppress(np.linalg.LinAlgError):
            found = search(objective(other), 1, max_iter=min(max_iter, MAX_OTHER))
        if found is None:
            continue
        spent = best.optimum.n_iter + found.optimum.n_iter
        if _is_better(found.optimum, best.optimum):
            best = found
        best = replace(best, optimum=replace(best.optimum, n_iter=spent))
    return best


def _is_better(found: Optimum[GeneralisedValue], best: Optimum[GeneralisedValue]) -> bool:
    """Tell whether another end is worth more: an optimum before any point on the way to one."""
    if found.converged != best.converged:
        return found.converged
    return found.at.value < best.at.value - BETTER


def first_evaluation(
    objective: GeneralisedObjective, start: FloatArray
) -> tuple[GeneralisedValue, int]:
    """Evaluate the start, or one with smaller effects and coefficients.

    Parameters
    ----------
    start : ndarray of shape (n_parameters,)

    Raises
    ------
    numpy.linalg.LinAlgError
        If none of them has a likelihood.
    """
    n = len(start) - sum(map(len, objective.extra))
    for n_iter in range(1, NEARER):
        at = evaluated(objective, start)
        if at is not None and math.isfinite(at.value):
            return at, n_iter
        start = np.concatenate([0.3 * start[:n], start[n:]])
    raise np.linalg.LinAlgError(
        "The likelihood cannot be evaluated near the start: expected responses, offsets and "
        "columns that leave the linear predictor within the range of the link."
    )


def _searched(
    objective: GeneralisedObjective,
    at: GeneralisedValue,
    n_iter: int,
    *,
    tol: float,
    max_iter: int,
) -> GeneralisedOptimum:
    """Search with the approximate Hessian, then with the measured one, and look at its end.

    At a saddle the approximate Hessian may seem positive.
    """
    objective = objective.with_extra_curvature(at)
    model_of = partial(LocalModel.of, lower=objective.lower)
    optimum = newton_search(
        objective,
        at,
        n_iter,
        tol=max(tol, ROUGH),
        max_iter=min(max_iter, QUICK),
        model_of=model_of,
        exact=False,
    )
    optimum = _snapped(objective, optimum)
    hessian = measured(objective, optimum)
    optimum = _snapped(objective, _finished(objective, optimum, hessian, tol, model_of))
    model = model_of(optimum.at.theta, optimum.at.gradient, hessian)
    if not (optimum.converged and _is_minimum(model)):
        optimum = _by_differences(objective, optimum, hessian, max_iter, model_of)
        optimum = _snapped(objective, optimum)
        hessian = measured(objective, optimum)
        model = model_of(optimum.at.theta, optimum.at.gradient, hessian)
    converged = _is_minimum(model) and _is_found_again(objective, optimum.at)
    end = replace(optimum, converged=converged, scaled_gradient=model.distance)
    return GeneralisedOptimum(end, hessian)


def _finished(
    objective: GeneralisedObjective,
    optimum: Optimum[GeneralisedValue],
    hessian: FloatArray,
    tol: float,
    model_of: ModelOf,
) -> Optimum[GeneralisedValue]:
    """Take the last steps with the measured Hessian."""
    for _ in range(LAST_STEPS):
        at = optimum.at
        model = model_of(at.theta, at.gradient, hessian)
        if model.saddle or not optimum.converged:
            break
        step = model.step(math.inf)
        if model.distance <= tol and np.abs(step).max(initial=0.0) <= FINE:
            break
        trial = evaluated(partial(objective, hessian=hessian), at.theta + step)
        if trial is None or np.linalg.norm(trial.gradient) > 0.5 * np.linalg.norm(at.gradient):
            break
        optimum = replace(optimum, at=trial, n_iter=optimum.n_iter + 1)
    return optimum


def _is_minimum(model: LocalModel) -> bool:
    """Tell whether a point is at most a small part of a standard error from a minimum."""
    if model.distance > THERE:
        return False
    if not model.saddle:
        return True
    way = model.axes[:, 0] / np.linalg.norm(model.axes[:, 0])
    return bool(way @ model.hessian @ way > -DOWNHILL)


def _is_found_again(objective: GeneralisedObjective, at: GeneralisedValue) -> bool:
    """Tell whether the modes are also found from nothing: there may be several of them."""
    if objective.responses.family.log_concave:
        return True
    try:
        anew = replace(objective).value(at.theta)
    except np.linalg.LinAlgError:
        return False
    return abs(anew - at.value) <= SAME * max(1.0, abs(at.value))


def _by_differences(
    objective: GeneralisedObjective,
    optimum: Optimum[GeneralisedValue],
    hessian: FloatArray,
    max_iter: int,
    model_of: ModelOf,
) -> Optimum[GeneralisedValue]:
    """Go on with measured Hessians, from one-sided differences of the gradient."""
    cost = len(hessian) + 1

    def with_hessian(x: FloatArray) -> GeneralisedValue:
        at = objective(x)
        return replace(at, hessian=objective.measured_hessian(at))

    first = replace(optimum.at, hessian=hessian)
    found = optimum
    with suppress(np.linalg.LinAlgError):
        found = newton_search(
            with_hessian,
            first,
            optimum.n_iter + len(hessian),
            tol=CLOSE,
            max_iter=max_iter,
            model_of=model_of,
            cost=cost,
        )
    return found


def measured(objective: GeneralisedObjective, optimum: Optimum[GeneralisedValue]) -> FloatArray:
    """Return the Hessian at the end of a search; the approximate one where there is no other."""
    try:
        return objective.measured_hessian(optimum.at)
    except np.linalg.LinAlgError:
        return np.asarray(optimum.at.hessian)


def _snapped(
    objective: GeneralisedObjective, optimum: Optimum[GeneralisedValue]
) -> Optimum[GeneralisedValue]:
    """Set vanishing standard deviations to exactly 0 if the objective allows it."""
    return snap_to_boundary(objective, objective.on_boundary(optimum.at.theta), optimum)
