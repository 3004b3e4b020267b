"""Safeguarded Newton steps to a zero of the score, where the objective itself is only estimated.

The probes are fixed, so that the estimated score is a smooth function of theta, while the estimate
of the objective is not its integral. Steps are therefore judged by the score alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.evaluation import Evaluation, Objective, Value
from skmixed.fitting.monte_carlo import relative_error, score_noise
from skmixed.fitting.newton import Optimum, evaluated

__all__ = ["follow_score", "search_by_score", "settle_on_boundary"]

FloatArray = NDArray[np.float64]

# Curvature below this part of the largest is flat.
FLAT = 1e-9
TINY = float(np.finfo(float).tiny)
EPSILON = float(np.finfo(float).eps)
# A curvature more negative than this part of the largest leads downhill.
DOWNHILL = 1e-6
SUFFICIENT = 1e-4
# No digits can be gained below this part of the Monte-Carlo error.
RESOLVED = 0.01
# The solutions for the probes are no more exact than this allows, in standard errors of theta.
SOLVED = 1e-5
# Part of the standard error of theta that its Monte-Carlo error may be before probes are added.
PRECISE = 0.05
# At most so many times as many.
MOST = 8


@dataclass(frozen=True, slots=True, eq=False)
class _ScoreModel:
    """The linear model of the score at one point, in the axes of the curvature."""

    at: Evaluation
    curvature: FloatArray
    axes: FloatArray
    slopes: FloatArray
    newton: FloatArray
    positive: FloatArray
    distance: float
    tol: float
    saddle: bool

    @classmethod
    def of(cls, at: Evaluation, tol: float) -> _ScoreModel:
        """Make the curvatures positive."""
        curvature, axes = np.linalg.eigh(at.hessian)
        slopes = at.gradient @ axes
        largest = max(-curvature[0], curvature[-1])
        positive = np.maximum(np.abs(curvature), FLAT * largest + TINY)
        return cls(
            at,
            curvature,
            axes,
            slopes,
            -slopes / positive,
            positive,
            math.sqrt(slopes @ (slopes / positive)),
            max(tol, SOLVED),
            bool(curvature[0] < -DOWNHILL * largest),
        )

    @property
    def reached(self) -> bool:
        """Tell whether the score vanishes as far as it can be told, and not at a saddle."""
        if self.saddle or self.distance <= self.tol:
            return not self.saddle
        # Far from the zero nobody asks for the noise, whose replicates may cost as much as a score.
        return self.distance <= RESOLVED and self.distance <= RESOLVED * self.noise()

    def noise(self) -> float:
        """Return the Monte-Carlo error of the zero, in standard errors of theta."""
        noise = np.einsum("ij,ik,kj->j", self.axes, score_noise(self.at), self.axes)
        return math.sqrt(np.sum(noise / self.positive))

    def step(self, radius: float) -> FloatArray:
        """Return the Newton step, or the way off a saddle, no longer than the radius."""
        along = self.newton
        length = math.sqrt(along @ along)
        if self.saddle and length < 1e-3 * radius:
            along = along.copy()
            along[0] = math.copysign(radius, along[0])
            length = math.sqrt(along @ along)
        step = self.axes @ along
        return step if length <= radius else step * (radius / length)


def follow_score(
    objective: Objective[Value], start: FloatArray, *, tol: float, max_iter: int
) -> Optimum[Value]:
    """Find a zero of the score that is a minimum of the objective.

    A step is taken if the objective falls along it by the trapezoidal rule, which needs the scores
    of both ends only. The search ends within about ``tol`` standard errors of the zero, or as near
    as the Monte-Carlo error lets tell.
    """
    at, n_iter = _first_evaluation(objective, start)
    radius = max(1.0, math.sqrt(at.theta @ at.theta))
    while True:
        model = _ScoreModel.of(at, tol)
        if at.value == -math.inf:
            message = "the residual variance tends to 0: no optimum exists"
            return Optimum(at, False, n_iter, model.distance, message)
        if model.reached:
            return Optimum(at, True, n_iter, model.distance, "the scaled gradient is below tol")
        if n_iter >= max_iter:
            message = f"max_iter={max_iter} evaluations were used"
            return Optimum(at, False, n_iter, model.distance, message)
        step = model.step(radius)
        length = math.sqrt(step @ step)
        if length <= EPSILON * (1.0 + math.sqrt(at.theta @ at.theta)):
            message = "no step lowers the score further"
            return Optimum(at, False, n_iter, model.distance, message)
        trial = evaluated(objective, at.theta + step)
        n_iter += 1
        if trial is not None and _falls(at, trial, model, step):
            radius = max(radius, 2.0 * length)
            at = trial
        else:
            radius = 0.25 * length


def settle_on_boundary(
    objective: Objective[Value], boundary: FloatArray | None, optimum: Optimum[Value], *, tol: float
) -> Optimum[Value]:
    """Move an optimum to parameters on the boundary if the score lets them stay there."""
    if boundary is None:
        return optimum
    at = objective(boundary)
    model = _ScoreModel.of(at, tol)
    if not model.reached:
        return optimum
    message = "the scaled gradient is below tol"
    return Optimum(at, True, optimum.n_iter + 1, model.distance, message)


def _falls(at: Evaluation, trial: Evaluation, model: _ScoreModel, step: FloatArray) -> bool:
    """Tell whether the objective falls along a step enough, by the trapezoidal rule."""
    if trial.value == -math.inf:
        return True
    along = step @ model.axes
    predicted = float(along @ (model.slopes + 0.5 * model.curvature * along))
    change = float(0.5 * (at.gradient + trial.gradient) @ step)
    return change <= SUFFICIENT * min(predicted, 0.0)


def _first_evaluation(objective: Objective[Value], start: FloatArray) -> tuple[Value, int]:
    """Evaluate the objective at the start, or nearer to 0, where V is well conditioned."""
    for n_iter in range(1, 4):
        at = evaluated(objective, start)
        if at is not None:
            return at, n_iter
        start = 0.1 * start
    return objective(start), 4


def search_by_score(
    objective: Objective[Value],
    start: FloatArray,
    *,
    draw_probes: Callable[[int], None],
    on_boundary: Callable[[FloatArray], FloatArray | None],
    tol: float,
    max_iter: int,
) -> Optimum[Value]:
    """Follow the score; where its Monte-Carlo error is large, once more with more probes.

    ``draw_probes`` lets the objective be estimated from that many times as many, and
    ``on_boundary`` returns parameters with vanishing standard deviations at 0, or None where there
    are none.
    """
    optimum = follow_score(objective, start, tol=tol, max_iter=max_iter)
    error = relative_error(optimum.at) if optimum.converged else 0.0
    if error > PRECISE:
        draw_probes(min(MOST, int(np.ceil((error / PRECISE) ** 2))))
        refined = follow_score(objective, optimum.at.theta, tol=tol, max_iter=max_iter)
        optimum = replace(refined, n_iter=optimum.n_iter + refined.n_iter)
    return settle_on_boundary(objective, on_boundary(optimum.at.theta), optimum, tol=tol)
