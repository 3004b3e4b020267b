"""The search for theta: safeguarded Newton steps, and what follows where they fail."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from skmixed.fitting.evaluation import Objective, Value
from skmixed.fitting.local_model import LocalModel
from skmixed.fitting.newton import ModelOf, Optimum, evaluated, newton_search
from skmixed.likelihood.profiled import ObjectiveValue
from skmixed.residual.differentiation import central_differences

__all__ = ["Optimum", "measured_hessian", "minimise"]

FloatArray = NDArray[np.float64]

# Steps that are left for differences of gradients, as far as half of the search allows; but fewer
# than the least are of no use.
RESERVE, LEAST = 10, 3
# Step of one-sided differences of the gradient, relative to theta or to 1.
ONE_SIDED = 1e-7


def minimise(
    objective: Objective[ObjectiveValue],
    start: FloatArray,
    *,
    tol: float,
    max_iter: int,
    lower: FloatArray | None = None,
    exact: bool = True,
    own_units: bool = False,
) -> Optimum[ObjectiveValue]:
    """Minimise a smooth objective from its exact gradient and a Hessian; it never goes uphill.

    The steps are Newton's. An approximate Hessian is corrected by the changes of the gradient;
    should that not be enough, it is replaced by differences of gradients. If no Newton step leads
    further before the optimum, L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995) is tried.

    Parameters ---------- tol : float     Converged when theta is within about ``tol`` standard
    errors of the stationary point. lower : ndarray of shape (n_parameters,) or None     Bounds of
    theta, for an objective that does not mirror at them. exact : bool, default=True     Whether the
    Hessian is exact. own_units : bool, default=False     Whether parameters are measured by their
    own curvatures, as for ``LocalModel``.
    """
    model_of = partial(LocalModel.of, lower=lower, own_units=own_units)
    at, n_iter = _first_evaluation(objective, start)
    budget = max_iter if exact else max_iter - _reserve(_cost_of_differences(start), max_iter)
    optimum = newton_search(
        objective,
        at,
        n_iter,
        tol=tol,
        max_iter=budget,
        model_of=model_of,
        exact=exact,
    )
    if not exact and optimum.converged and optimum.scaled_gradient > tol:
        optimum = _confirmed(objective, optimum, tol=tol, model_of=model_of)
    by_quasi_newton = partial(_by_quasi_newton, lower=lower)
    for remedy in (by_quasi_newton,) if exact else (_by_differences, by_quasi_newton):
        if not optimum.converged and math.isfinite(optimum.at.value):
            # There are no differences where V is next to singular.
            with suppress(np.linalg.LinAlgError):
                optimum = remedy(
                    objective,
                    optimum,
                    tol=tol,
                    max_iter=max_iter,
                    model_of=model_of,
                )
    return optimum


def _confirmed(
    objective: Objective[ObjectiveValue],
    optimum: Optimum[ObjectiveValue],
    *,
    tol: float,
    model_of: ModelOf,
) -> Optimum[ObjectiveValue]:
    """Look by differences whether a search that rounding has ended is where it says."""
    at = optimum.at
    try:
        hessian = measured_hessian(objective, at.theta)
    except np.linalg.LinAlgError:
        return replace(optimum, converged=False)
    model = model_of(at.theta, at.gradient, hessian)
    there = model.distance <= math.sqrt(tol) and not model.saddle
    n_iter = optimum.n_iter + _cost_of_differences(at.theta) - 1
    return replace(optimum, converged=there, n_iter=n_iter, scaled_gradient=model.distance)


def _reserve(cost: int, max_iter: int) -> int:
    """Return the evaluations that are left for differences of gradients."""
    reserve = min(RESERVE * cost, max_iter // 2)
    return reserve if reserve >= LEAST * cost else 0


def _cost_of_differences(theta: FloatArray) -> int:
    """Count the evaluations that one Hessian takes, with that of the point itself."""
    return 2 * len(theta) + 1


def _by_differences(
    objective: Objective[ObjectiveValue],
    optimum: Optimum[ObjectiveValue],
    *,
    tol: float,
    max_iter: int,
    model_of: ModelOf,
) -> Optimum[ObjectiveValue]:
    """Go on with Hessians from central differences of the gradient."""
    cost = _cost_of_differences(optimum.at.theta)
    if optimum.n_iter + cost > max_iter:
        return optimum

    def measured(theta: FloatArray) -> ObjectiveValue:
        at = objective(theta)
        if at.value == -math.inf:
            return at
        return replace(at, hessian=measured_hessian(objective, theta))

    return newton_search(
        measured,
        measured(optimum.at.theta),
        optimum.n_iter + cost,
        tol=tol,
        max_iter=max_iter,
        model_of=model_of,
        cost=cost,
    )


def measured_hessian(
    objective: Objective[Value], theta: FloatArray, gradient: FloatArray | None = None
) -> FloatArray:
    """Return the Hessian from differences of the gradient.

    Given the gradient at theta, they are one-sided, take half of the evaluations of central ones,
    and are good to five digits or more.
    """
    if gradient is None:
        hessian = central_differences(lambda at: objective(at).gradient, theta)
    else:
        steps = np.diag(ONE_SIDED * np.maximum(np.abs(theta), 1.0))
        columns = [(objective(theta + s).gradient - gradient) / s.sum() for s in steps]
        hessian = np.array(columns)
    return 0.5 * (hessian + hessian.T)


def _by_quasi_newton(
    objective: Objective[ObjectiveValue],
    optimum: Optimum[ObjectiveValue],
    *,
    tol: float,
    max_iter: int,
    lower: FloatArray | None,
    model_of: ModelOf,
) -> Optimum[ObjectiveValue]:
    """Search by L-BFGS-B, and look by differences whether its end is a stationary point."""
    left = max_iter - optimum.n_iter - _cost_of_differences(optimum.at.theta)
    if left < 1:
        return optimum
    seen: list[ObjectiveValue] = [optimum.at]

    def value(theta: FloatArray) -> tuple[float, FloatArray]:
        if len(seen) > left:
            raise _EnoughError
        seen.append(objective(theta))
        return seen[-1].value, seen[-1].gradient

    bounds = None if lower is None else Bounds(lower)
    options: Any = {"maxfun": left, "maxiter": left, "ftol": 0.0, "gtol": 0.0}
    with suppress(_EnoughError, np.linalg.LinAlgError):
        minimize(
            value, optimum.at.theta, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
    best = min(seen, key=lambda at: at.value)
    end = replace(optimum, at=best, n_iter=optimum.n_iter + len(seen) - 1)
    return _by_differences(objective, end, tol=tol, max_iter=max_iter, model_of=model_of)


class _EnoughError(Exception):
    """All evaluations are used."""


def _first_evaluation(
    objective: Objective[ObjectiveValue], start: FloatArray
) -> tuple[ObjectiveValue, int]:
    """Evaluate the objective at the start, or nearer to 0, where V is well conditioned."""
    for n_iter in range(1, 20):
        at = evaluated(objective, start)
        if at is not None:
            return at, n_iter
        start = 0.1 * start
    raise np.linalg.LinAlgError(
        "X'V^-1 X is singular within rounding at every start: expected columns of X that differ, "
        "and weights of similar size. Scale the columns and the weights."
    )
