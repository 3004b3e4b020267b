"""The search for all parameters of a generalised model, and the Hessian where it ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.convergence import SAME, theta_on_boundary
from skmixed.fitting.generalised_objective import GeneralisedObjective, GeneralisedValue
from skmixed.fitting.optimise import Optimum, minimise
from skmixed.fitting.score_steps import follow_score
from skmixed.fitting.search_by_score import search_by_score

__all__ = ["find_generalised_optimum"]

FloatArray = NDArray[np.float64]

# Standard errors from the optimum of an estimated objective at which its Hessian is measured: there
# it hardly changes any more, and a few steps with it are enough.
NEAR = 0.05
# Farther from there it is measured again.
FAR = 0.2


def find_generalised_optimum(
    objective: GeneralisedObjective, start: FloatArray, *, tol: float, max_iter: int
) -> Optimum:
    """Find the optimal parameters; the Hessian there is measured.

    Parameters
    ----------
    objective : GeneralisedObjective
    start : ndarray of shape (n_parameters,)
    tol : float
        Distance from the optimum at which to stop, in standard errors.
    max_iter : int
        Largest number of evaluations, those for the Hessian apart.
    """
    if objective.probes is not None:
        return _by_score(objective, start, tol=tol, max_iter=max_iter)
    searched: Any = objective
    optimum = minimise(
        searched, start, tol=tol, max_iter=max_iter, lower=objective.lower, exact=False
    )
    optimum = _snapped(objective, optimum)
    at: Any = optimum.at
    return replace(optimum, at=replace(at, hessian=objective.measured_hessian(at)))


def _snapped(objective: GeneralisedObjective, optimum: Optimum) -> Optimum:
    """Set vanishing standard deviations to exactly 0 if the objective allows it."""
    moved = _on_boundary(objective, optimum.at.theta)
    if moved is None:
        return optimum
    at: Any = objective(moved)
    return replace(optimum, at=at) if at.value <= optimum.at.value + SAME else optimum


def _on_boundary(objective: GeneralisedObjective, x: FloatArray) -> FloatArray | None:
    """Return the parameters with vanishing standard deviations at 0; None where there are none."""
    theta = theta_on_boundary(objective.covariance, objective.split(x).theta)
    if theta is None:
        return None
    n = len(objective.X)
    return np.concatenate([x[:n], theta, x[n + len(theta) :]])


def _by_score(
    objective: GeneralisedObjective, start: FloatArray, *, tol: float, max_iter: int
) -> Optimum:
    """Come near with the approximate Hessian, and then follow the score with the measured one."""
    plain: Any = objective
    optimum = follow_score(plain, start, tol=max(tol, NEAR), max_iter=max_iter)
    at: Any = optimum.at
    hessian = objective.measured_hessian(at)
    if not optimum.converged or not _is_positive(hessian):
        return replace(optimum, at=replace(at, hessian=hessian))
    near = _WithHessian(objective, hessian, at)
    searched: Any = near
    found = search_by_score(
        searched,
        at.theta,
        draw_probes=near.draw_probes,
        on_boundary=lambda x: _on_boundary(objective, x),
        tol=tol,
        max_iter=max_iter - optimum.n_iter + 1,
    )
    end: Any = found.at
    moved = end.theta - at.theta
    if moved @ hessian @ moved > 2.0 * FAR**2:
        end = replace(end, hessian=objective.measured_hessian(end))
    return replace(found, at=end, n_iter=optimum.n_iter + found.n_iter - 1)


def _is_positive(hessian: FloatArray) -> bool:
    """Tell whether a matrix is positive definite."""
    try:
        np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        return False
    return True


@dataclass(slots=True, eq=False)
class _WithHessian:
    """Evaluate an objective with a Hessian that is known near its optimum, and one value there."""

    objective: GeneralisedObjective
    hessian: FloatArray
    known: GeneralisedValue | None

    def __call__(self, x: FloatArray) -> GeneralisedValue:
        """Return the value at x."""
        if self.known is not None and np.array_equal(x, self.known.theta):
            return replace(self.known, hessian=self.hessian)
        return self.objective(x, self.hessian)

    def draw_probes(self, times: int) -> None:
        """Estimate from that many times as many probes from here on."""
        self.known = None
        self.objective.draw_probes(times)
