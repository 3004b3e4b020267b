"""The search for all parameters of a generalised model, and the Hessian where it ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
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
    near = _Near(objective, hessian, at)
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
class _Near:
    """Evaluate an objective near its optimum, where some things are measured once.

    The Hessian and what random probes add to the gradient hardly change there; neither is quick.
    """

    objective: GeneralisedObjective
    hessian: FloatArray
    known: GeneralisedValue | None
    noise: FloatArray | None = None

    def __call__(self, x: FloatArray) -> GeneralisedValue:
        """Return the value at x."""
        at = self.known
        if at is None or not np.array_equal(x, at.theta):
            at = self.objective(x, self.hessian)
        return replace(at, hessian=self.hessian, replicate=partial(self._replicates, at))

    def _replicates(self, at: GeneralisedValue) -> FloatArray | None:
        """Return the gradient with the noise of each replicate."""
        if self.noise is None:
            replicates = at.replicated_gradients
            if replicates is None:
                return None
            self.noise = replicates - at.gradient
        return at.gradient + self.noise

    def draw_probes(self, times: int) -> None:
        """Estimate from that many times as many probes from here on."""
        self.known = self.noise = None
        self.objective.draw_probes(times)
