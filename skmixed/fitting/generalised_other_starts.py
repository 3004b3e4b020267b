"""Where the search in a generalised model begins as well: where a second optimum is likely."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum
from skmixed.fitting.generalised_objective import GeneralisedObjective
from skmixed.fitting.generalised_value import GeneralisedValue
from skmixed.likelihood.modes import Modes

__all__ = ["generalised_other_starts"]

FloatArray = NDArray[np.float64]

# Standard deviations of the effects at other starts, on the scale of standardised columns, and how
# many of these starts are tried.
SIZES, TRIED = (0.3, 1.0, 3.0), 2
# Information on each effect of a level, in units of the effects, below which large effects may
# explain the responses as well, and the standard deviation from which that optimum is found.
SPARSE, FAR_OUT = 1.5, 10.0


def generalised_other_starts(
    objective: GeneralisedObjective, start: FloatArray, at: GeneralisedValue
) -> list[FloatArray]:
    """Return other starts, having found an optimum from one; none if no second one is likely.

    There may be one if the log density is not concave, if the covariance of several effects is on
    its boundary or not linear in theta, and far out if the rows say little of each level.
    """
    x, n = at.theta, len(objective.X)
    theta = objective.split(x).theta
    rest = slice(n + len(theta), None)
    cornered = _corners(objective, theta)
    # Effects that explain everything are an optimum of Laplace's approximation at times.
    starts = [
        np.concatenate([x[:n], _far_out(objective, theta, i), x[rest]])
        for i, plausible in enumerate(zip(cornered, _sparse(at.modes), strict=True))
        if any(plausible)
    ]
    if objective.responses.family.log_concave and not any(cornered):
        return starts
    level = np.zeros(n)
    level[:1] = start[:1]
    joints = objective.covariance.factors
    points = [
        np.concatenate([beta, *(_isotropic(joint, size) for joint in joints), omega])
        for beta, omega in ((x[:n], x[rest]), (start[:n], start[rest]), (level, start[rest]))
        for size in SIZES
    ]
    values = [_value(objective, point) for point in points]
    best = np.argsort(values, kind="stable")[:TRIED]
    return [points[i] for i in best if math.isfinite(values[i])] + starts


def _sparse(modes: Modes) -> list[bool]:
    """Tell of which factors the rows of a typical level say next to nothing."""
    return [bool(np.einsum("aag->", N) < SPARSE * N[0].size) for N in modes.gram.own]


def _corners(objective: GeneralisedObjective, theta: FloatArray) -> list[bool]:
    """Tell which covariances are singular, or have a factor that is not linear in theta."""
    covariance, found = objective.covariance, []
    for joint, part in zip(covariance.factors, covariance.split(theta), strict=True):
        L = joint.factor(part)
        singular = len(L) > 1 and np.linalg.svd(L, compute_uv=False)[-1] == 0.0
        found.append(bool(singular) or joint.factor_second_derivative(part) is not None)
    return found


def _isotropic(joint: DirectSum, size: float) -> FloatArray:
    """Return the theta of independent effects with one standard deviation."""
    return joint.parameters(size * np.eye(joint.n_effects))


def _far_out(objective: GeneralisedObjective, theta: FloatArray, position: int) -> FloatArray:
    """Return a theta with large effects of one factor."""
    parts = objective.covariance.split(theta)
    parts[position] = _isotropic(objective.covariance.factors[position], FAR_OUT)
    return np.concatenate(parts)


def _value(objective: GeneralisedObjective, point: FloatArray) -> float:
    """Return the objective, infinite where there is none."""
    try:
        return objective.value(point)
    except np.linalg.LinAlgError:
        return math.inf
