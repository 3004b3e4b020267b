"""Safeguarded Newton steps for many responses at once, each as if it were alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.local_model import DOWNHILL, FLAT, LARGE, NEAR, TINY, LocalModel
from skmixed.fitting.newton import EPSILON, PATIENCE, ROUNDING, SUFFICIENT
from skmixed.likelihood.many_responses import ManyResponses, ManyValues, Stacked

__all__ = ["ManyOptima", "newton_in_lockstep"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Above this entry of B = I + R Psi R', sums of c c' keep too few digits of what V^-1 leaves of c.
WIDEST = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class ManyOptima(Stacked):
    """Hold where the searches ended; where one has not converged, it needs one of its own."""

    at: ManyValues
    converged: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class _LocalModels(Stacked):
    """Hold the quadratic models of many objectives: what ``LocalModel`` takes its step from."""

    newton: FloatArray
    first_axis: FloatArray
    first_step: FloatArray
    distance: FloatArray
    saddle: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class _Searches(Stacked):
    """Hold the searches that still go on: their responses, points, models and trust radii."""

    which: NDArray[np.intp]
    at: ManyValues
    models: _LocalModels
    radius: FloatArray
    before: FloatArray
    stale: NDArray[np.intp]
    stuck: BoolArray
    flat: BoolArray


def newton_in_lockstep(
    objective: ManyResponses, start: FloatArray, *, tol: float, max_iter: int
) -> ManyOptima:
    """Minimise the objective of every response, from (m, n_parameters), as ``newton_search`` does.

    Each response has its own trust radius, and leaves the batch when its search ends.
    """
    m = len(start)
    every, no = np.arange(m), np.zeros(m, dtype=bool)
    at = objective(start, every)
    searches = _Searches(
        every,
        at,
        _local_models(at, objective.covariance.lower_bounds),
        np.maximum(1.0, np.linalg.norm(start, axis=1)),
        before=np.full(m, np.inf),
        stale=np.zeros(m, dtype=np.intp),
        stuck=no,
        flat=no,
    )
    end = ManyOptima(at[every], no.copy())
    for n_iter in range(max_iter):
        searches = _advanced(searches, objective) if n_iter else searches
        searches = _going_on(searches, end, tol)
        if not len(searches.which):
            break
    return end


def _advanced(searches: _Searches, objective: ManyResponses) -> _Searches:
    """Try one step of every search; tell where no step leads further, and where all is rounding."""
    at, models, radius = searches.at, searches.models, searches.radius
    lower = objective.covariance.lower_bounds
    steps = _steps(models, radius, at.theta, lower)
    lengths = np.linalg.norm(steps, axis=1)
    predicted = _predicted(at, steps)
    squares = np.einsum("ri,ri->r", at.theta, at.theta)
    rounding = ROUNDING * (np.abs(at.value) + objective.nu + 4.0 * squares)
    flat = np.abs(predicted) <= rounding
    stale = searches.stale + (flat & (models.distance > 0.5 * searches.before))
    trial = objective(at.theta + steps, searches.which)
    ahead = _local_models(trial, lower)
    valid = np.isfinite(trial.value)
    change = np.where(valid, trial.value - at.value, np.inf)
    better = change <= SUFFICIENT * np.minimum(predicted, 0.0)
    better |= flat & (change <= rounding) & (ahead.distance < models.distance)
    better &= valid & (stale <= PATIENCE)
    short = lengths <= EPSILON * (1.0 + np.sqrt(squares))
    stuck = valid & ~better & (flat | short)
    wider = better & (change < 0.5 * predicted)
    radius = np.where(wider, np.maximum(radius, 4.0 * lengths), radius)
    radius = np.where(better | stuck, radius, 0.25 * lengths)
    # Those that do not go to their trial points stay where they are.
    trial[~better], ahead[~better] = at[~better], models[~better]
    return _Searches(searches.which, trial, ahead, radius, models.distance, stale, stuck, flat)


def _going_on(searches: _Searches, end: ManyOptima, tol: float) -> _Searches:
    """Write down where searches have ended, and return the others."""
    at, models, stuck = searches.at, searches.models, searches.stuck
    with np.errstate(invalid="ignore"):
        arrived = models.distance <= np.where(stuck & searches.flat, np.sqrt(tol), tol)
        lost = ~np.isfinite(at.value) | ~(at.largest <= WIDEST)
        lost |= np.einsum("ri,ri->r", at.theta, at.theta) > LARGE**2
    arrived &= ~models.saddle & ~lost
    end[searches.which[arrived]] = ManyOptima(at, arrived)[arrived]
    gone = arrived | stuck | lost
    return searches[~gone] if gone.any() else searches


def _local_models(at: ManyValues, lower: FloatArray | None) -> _LocalModels:
    """Make the quadratic model at each point; NaN where there is none."""
    finite = np.isfinite(at.value) & np.isfinite(at.hessian).all(axis=(1, 2))
    gradient = np.where(finite[:, None], at.gradient, np.nan)
    hessian = np.where(finite[:, None, None], at.hessian, np.eye(at.theta.shape[1]))
    if lower is not None:
        return _bounded_models(at.theta, gradient, hessian, lower)
    curvature, axes = np.linalg.eigh(hessian)
    slopes = np.einsum("ri,rij->rj", gradient, axes)
    largest = np.maximum(-curvature[:, 0], curvature[:, -1])
    newton = -slopes / np.maximum(np.abs(curvature), FLAT * largest[:, None] + TINY)
    return _LocalModels(
        np.einsum("rij,rj->ri", axes, newton),
        axes[:, :, 0],
        newton[:, 0],
        np.sqrt(np.abs(np.einsum("rj,rj->r", slopes, newton))),
        curvature[:, 0] < -DOWNHILL * largest,
    )


def _bounded_models(
    theta: FloatArray, gradient: FloatArray, hessian: FloatArray, lower: FloatArray
) -> _LocalModels:
    """Make the models one by one, where parameters may be held by their bounds."""
    models = [
        LocalModel.of(t, g, H, lower) for t, g, H in zip(theta, gradient, hessian, strict=True)
    ]
    nothing = np.zeros(theta.shape[1])
    return _LocalModels(
        np.array([model.axes @ model.newton for model in models]),
        np.array([model.axes[:, 0] if model.axes.size else nothing for model in models]),
        np.array([model.newton[0] if model.newton.size else 0.0 for model in models]),
        np.array([model.distance for model in models]),
        np.array([model.saddle for model in models]),
    )


def _steps(
    models: _LocalModels, radius: FloatArray, theta: FloatArray, lower: FloatArray | None
) -> FloatArray:
    """Return the Newton steps, or the ways off a saddle, no longer than the radius."""
    steps = models.newton.copy()
    lengths = np.linalg.norm(steps, axis=1)
    off = models.saddle & ((lengths < 1e-3 * radius) | (models.distance < NEAR))
    along = np.copysign(radius, models.first_step) - models.first_step
    steps[off] += along[off, None] * models.first_axis[off]
    lengths = np.linalg.norm(steps, axis=1)
    far = lengths > radius
    steps[far] *= (radius[far] / lengths[far])[:, None]
    return steps if lower is None else np.maximum(steps, lower - theta)


def _predicted(at: ManyValues, steps: FloatArray) -> FloatArray:
    """Return the changes of the objectives that the models predict."""
    half = 0.5 * np.einsum("rij,rj->ri", at.hessian, steps)
    return np.einsum("ri,ri->r", steps, at.gradient + half)
