"""The search along a profile: the best deviance at given values of one parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.local_model import LocalModel
from skmixed.fitting.newton import newton_search
from skmixed.fitting.optimise import measured_hessian
from skmixed.inference.intervals.charts import HeldDeviance
from skmixed.likelihood.profiled import ObjectiveValue

__all__ = ["PathPoint", "ProfilePath", "Side"]

FloatArray = NDArray[np.float64]

# Distance from the best nuisance parameters, in standard errors, that a last step is sure to cover.
# The error of the deviance is of its third power where the Hessian is exact, else of its second.
NEAR, NEAR_APPROXIMATE = 1e-3, 1e-5
# The distance of zeta from its target that a last step of the root search covers.
CLOSE = 1e-5
# The same, as a part of it, where a point of the curve is wanted and no limit.
ABOUT = 0.2
# Points to look for a limit, and evaluations for each.
MANY = 60
EVALUATIONS = 100
# A bracket so narrow, beside the parameter or 1, is a point.
NARROW = 1e-12
# So close to where the deviance is lost a search for the limit ends.
COARSE = 1e-3
# A step is at most so many times as long as the way from the estimate.
GROWTH = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class PathPoint:
    """Hold one point of a profile."""

    value: float
    others: FloatArray
    tangent: FloatArray
    deviance: float
    zeta: float
    slope: float


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Hold what was found on one side of the estimate.

    Attributes
    ----------
    limit : float
        Where zeta reaches the cutoff, or the bound of the parameter if it does not; infinite if
        there is no bound either.
    """

    points: list[PathPoint]
    limit: float


@dataclass(eq=False)
class ProfilePath:
    """Follow the profile of one parameter away from the optimum."""

    deviance: HeldDeviance
    optimum: FloatArray
    least: float
    lower: float
    upper: float
    start: PathPoint = field(init=False)
    _correction: FloatArray | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        at = _checked(self.deviance(self.optimum))
        if at.value == -math.inf:
            raise np.linalg.LinAlgError("Nothing is left of y at the optimum.")
        if not self.deviance.exact_hessian:
            self._correction = measured_hessian(self.deviance, self.optimum) - at.hessian
        at = self._corrected(at)
        tangent = self._tangent(at)
        bend = float(at.hessian[0, 0] + at.hessian[0, 1:] @ tangent)
        slope = math.sqrt(max(0.5 * bend, 0.0))
        self.start = PathPoint(self.optimum[0], self.optimum[1:], tangent, 0.0, 0.0, slope)

    def side(self, direction: int, cutoff: float, reach: float) -> Side:
        """Follow the profile on one side until zeta has reached a cutoff, and on to a reach."""
        points = [self.start]
        points += self._towards(points, direction, 0.5 * cutoff, closely=False)[0]
        found, lost = self._towards(points, direction, cutoff, closely=True)
        points += found
        limit = math.nan if lost else self._limit(points, direction, cutoff)
        if not any(abs(point.zeta) > cutoff - CLOSE for point in points):
            points = self._lowered(points, direction)
        elif reach > cutoff:
            beyond, _ = self._towards(points, direction, reach, closely=False)
            highest = max(abs(point.zeta) for point in points)
            points += [point for point in beyond if abs(point.zeta) > highest]
        return Side(points[1:], limit)

    def _lowered(self, points: list[PathPoint], direction: int) -> list[PathPoint]:
        """Lower the deviance at a point to that of points farther out, whose others it may take.

        The profile of a correlation is flat where a variance of 0 is as good.
        """
        ordered = sorted(points, key=lambda point: direction * point.value)
        for i in range(len(ordered) - 2, 0, -1):
            if ordered[i].deviance > ordered[i + 1].deviance:
                again = self._at(ordered[i].value, ordered[i + 1], direction) or ordered[i]
                ordered[i] = min(again, ordered[i], key=lambda point: point.deviance)
        return ordered

    def _limit(self, points: list[PathPoint], direction: int, cutoff: float) -> float:
        """Return where zeta is at the cutoff, by a last step from the nearest point."""
        bound = self.upper if direction > 0 else self.lower
        if abs(max(points, key=lambda p: abs(p.zeta)).zeta) < cutoff - CLOSE:
            return bound
        nearest = min(points, key=lambda p: abs(abs(p.zeta) - cutoff))
        if abs(abs(nearest.zeta) - cutoff) > CLOSE or nearest.slope <= 0.0:
            return nearest.value
        last = nearest.value + (direction * cutoff - nearest.zeta) / nearest.slope
        return min(max(last, self.lower), self.upper)

    def _towards(
        self, known: list[PathPoint], direction: int, target: float, *, closely: bool
    ) -> tuple[list[PathPoint], bool]:
        """Find points until |zeta| is past the target, or closely at it.

        Return also whether the deviance is lost on the way: nothing is left of y from some value of
        the parameter on, or V is singular within rounding.
        """
        bound = self.upper if direction > 0 else self.lower
        inside, outside = _bracket(known, direction, target)
        found: list[PathPoint] = []
        lost: float | None = None
        for _ in range(MANY):
            if inside.value == bound or (outside is not None and not closely):
                break
            value = self._proposal(inside, outside, direction, target)
            if lost is not None and direction * (value - lost) >= 0.0:
                value = 0.5 * (inside.value + lost)
            value = min(max(value, self.lower), self.upper)
            point = self._at(value, inside, direction)
            if point is None:
                lost = value
                if abs(lost - inside.value) <= COARSE * max(1.0, abs(lost)):
                    break
                continue
            found.append(point)
            if abs(abs(point.zeta) - target) <= (CLOSE if closely else ABOUT * target):
                break
            if abs(point.zeta) < target:
                inside = point
            else:
                outside = point
            if outside is not None:
                size = max(1.0, abs(inside.value), abs(outside.value))
                if abs(outside.value - inside.value) <= NARROW * size:
                    break
        return found, lost is not None and outside is None and abs(inside.zeta) < target - CLOSE

    def _proposal(
        self,
        inside: PathPoint,
        outside: PathPoint | None,
        direction: int,
        target: float,
    ) -> float:
        """Return where zeta may be at the target."""
        if outside is not None:
            return _between(inside, outside, direction * target)
        gone = abs(inside.value - self.start.value)
        if inside.slope <= 0.0:
            step = gone or 0.1 * max(1.0, abs(inside.value))
        else:
            step = (target - abs(inside.zeta)) / inside.slope
            if gone:
                step = min(step, GROWTH * gone)
        return inside.value + direction * step

    def _at(self, value: float, near: PathPoint, direction: int) -> PathPoint | None:
        """Find the best other parameters at a value of the held one, from a point nearby.

        There are none where the deviance cannot be evaluated, or has no minimum.
        """
        guess = near.others + (value - near.value) * near.tangent
        if self.deviance.lower is not None:
            guess = np.maximum(guess, self.deviance.lower)
        try:
            deviance = self.deviance.near(np.concatenate([[value], guess]))
            at, step = self._best(deviance, value, guess)
        except np.linalg.LinAlgError:
            return None
        if at.value == -math.inf:
            return None
        # At the minimum of the quadratic model: the deviance falls by half the slope of the step.
        above = at.value + 0.5 * float(at.gradient[1:] @ step) - self.least
        slope = float(at.gradient[0] + at.hessian[0, 1:] @ step)
        zeta = math.sqrt(max(above, 0.0))
        rate = 0.5 * direction * slope / zeta if zeta else 0.0
        others = at.theta[1:] + step
        return PathPoint(value, others, self._tangent(at), max(above, 0.0), direction * zeta, rate)

    def _best(
        self, deviance: HeldDeviance, value: float, guess: FloatArray
    ) -> tuple[ObjectiveValue, FloatArray]:
        """Minimise over the others; return the last evaluation and the step that remains."""

        def held(others: FloatArray) -> ObjectiveValue:
            at = self._corrected(_checked(deviance(np.concatenate([[value], others]))))
            whole.append(at)
            gradient, hessian = at.gradient[1:], at.hessian[1:, 1:]
            return replace(at, theta=others, gradient=gradient, hessian=hessian)

        whole: list[ObjectiveValue] = []
        first = held(guess)
        if not len(guess):
            return whole[-1], guess
        exact, model_of = deviance.exact_hessian, partial(LocalModel.of, lower=deviance.lower)
        end = newton_search(
            held,
            first,
            1,
            tol=NEAR if exact else NEAR_APPROXIMATE,
            max_iter=EVALUATIONS,
            model_of=model_of,
            exact=exact,
        )
        at = next(one for one in reversed(whole) if np.array_equal(one.theta[1:], end.at.theta))
        model = model_of(end.at.theta, end.at.gradient, end.at.hessian)
        return at, model.step(1.0)

    def _tangent(self, at: ObjectiveValue) -> FloatArray:
        """Return the derivative of the best others in the held parameter."""
        if len(at.theta) < 2:
            return np.empty(0)
        others, mixed = at.theta[1:], at.hessian[1:, 0]
        model = LocalModel.of(others, mixed, at.hessian[1:, 1:], None)
        tangent = model.axes @ model.newton
        if self.deviance.lower is not None:
            tangent[others <= self.deviance.lower] = 0.0
        return np.asarray(tangent)

    def _corrected(self, at: ObjectiveValue) -> ObjectiveValue:
        """Add to an approximate Hessian what it lacks at the optimum."""
        if self._correction is None:
            return at
        return replace(at, hessian=at.hessian + self._correction)


def _checked(at: ObjectiveValue) -> ObjectiveValue:
    """Return an evaluation; LinAlgError where rounding has left none of its digits."""
    if math.isnan(at.value) or not np.isfinite(at.hessian).all():
        raise np.linalg.LinAlgError("The derivatives of the deviance are not finite.")
    return at


def _bracket(
    known: list[PathPoint], direction: int, target: float
) -> tuple[PathPoint, PathPoint | None]:
    """Return the last point before zeta first passes a target, and the first one after."""
    ordered = sorted(known, key=lambda point: direction * point.value)
    n = next((i for i, p in enumerate(ordered) if abs(p.zeta) > target), len(ordered))
    outside = ordered[n] if n < len(ordered) else None
    return ordered[n - 1], outside


def _between(inside: PathPoint, outside: PathPoint, target: float) -> float:
    """Return where a cubic through two points, with their slopes, says that zeta is the target."""
    low, high = inside.value, outside.value
    width, rise = high - low, outside.zeta - inside.zeta
    middle = 0.5 * (low + high)
    if rise == 0.0 or inside.slope <= 0.0 or outside.slope <= 0.0:
        return middle
    t = (target - inside.zeta) / rise
    # Hermite's cubic of the value as a function of zeta.
    left, right = rise / inside.slope, rise / outside.slope
    value = (
        low
        + width * t * t * (3.0 - 2.0 * t)
        + left * t * (1.0 - t) ** 2
        - right * t * t * (1.0 - t)
    )
    return value if min(low, high) < value < max(low, high) else middle
