"""The search for theta: by the objective where it is exact, by the score where it is estimated."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.convergence import SAME, snap_to_boundary, theta_on_boundary
from skmixed.fitting.optimise import Optimum, minimise
from skmixed.fitting.other_starts import other_starts
from skmixed.fitting.score_steps import search_by_score
from skmixed.fitting.start import starting_theta
from skmixed.likelihood.iterative import IterativeKernel
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["WatchedObjective", "find_optimum"]

FloatArray = NDArray[np.float64]

# Evaluations after which a search is slow, and how often it is taken up again before it gets all
# that are left.
QUICK, ROUNDS = 15, 3


def find_optimum(
    objective: ProfiledObjective,
    *,
    tol: float,
    max_iter: int,
    start: FloatArray | None = None,
    verbose: int = 0,
    constant: float = 0.0,
) -> Optimum[ObjectiveValue]:
    """Find the optimal theta, if there is any parameter.

    Where several optima are likely, the search is repeated from other starts, and the best of its
    ends is the optimum. The first start is a moment estimate by default; ``constant`` is added to
    the objective where it is shown.
    """
    if not objective.covariance.n_parameters:
        return Optimum(objective(np.empty(0)), True, 1, 0.0, "no variance is to be estimated")
    watched = WatchedObjective(objective, verbose, constant)
    start = starting_theta(objective) if start is None else start
    if isinstance(objective.kernel, IterativeKernel):
        return search_by_score(
            watched,
            start,
            draw_probes=objective.kernel.draw_probes,
            on_boundary=partial(theta_on_boundary, objective.covariance),
            tol=tol,
            max_iter=max_iter,
        )
    optimum = _by_objective(watched, start, tol=tol, max_iter=max_iter)
    for other in other_starts(objective, optimum.at.theta):
        watched.objective = objective
        found = _by_objective(watched, other, tol=tol, max_iter=max_iter)
        # An unbounded likelihood, which rounding can feign far out, is no better optimum.
        if -math.inf < found.at.value < optimum.at.value - SAME:
            optimum = found
    return optimum


def _by_objective(
    watched: WatchedObjective, start: FloatArray, *, tol: float, max_iter: int
) -> Optimum[ObjectiveValue]:
    """Minimise the objective; where the search is slow, go on from the boundary near its end.

    Where a standard deviation tends to 0, what is left of its correlations hardly matters, and the
    search creeps along a valley. It is short on the boundary, and straight if the triangles of
    Lambda begin with effects that vary.
    """
    objective, n_iter = watched.objective, 0
    while True:
        limit = max_iter - n_iter
        if n_iter < ROUNDS * QUICK:
            limit = min(limit, QUICK)
        optimum = minimise(
            watched,
            start,
            tol=tol,
            max_iter=limit,
            lower=watched.objective.covariance.lower_bounds,
            exact=objective.exact_hessian,
        )
        n_iter += optimum.n_iter
        boundary = theta_on_boundary(watched.objective.covariance, optimum.at.theta)
        end = replace(snap_to_boundary(watched.objective, boundary, optimum), n_iter=n_iter)
        stuck = end.at is optimum.at and not optimum.exhausted
        if optimum.converged or stuck or not np.isfinite(optimum.at.value):
            return _in_parameters_of(objective, watched.objective, end)
        if n_iter >= max_iter:
            end = replace(end, message=f"max_iter={max_iter} evaluations were used")
            return _in_parameters_of(objective, watched.objective, end)
        roots = watched.objective.covariance.relative_factors(end.at.theta)
        covariance = objective.covariance.led_by_largest(roots)
        watched.objective = objective.with_covariance(covariance)
        start = covariance.parameters(roots)


def _in_parameters_of(
    objective: ProfiledObjective, searched: ProfiledObjective, optimum: Optimum[ObjectiveValue]
) -> Optimum[ObjectiveValue]:
    """Return an optimum that was found with other parameters."""
    if searched is objective:
        return optimum
    roots = searched.covariance.relative_factors(optimum.at.theta)
    return replace(optimum, at=objective(objective.covariance.parameters(roots)))


@dataclass(slots=True)
class WatchedObjective:
    """Evaluate an objective and show each evaluation on standard output, unless ``verbose`` is 0.

    ``constant`` is what -2 log-likelihood has in the user's units beyond that of standardised
    columns.
    """

    objective: Any
    verbose: int
    constant: float = 0.0
    n_evaluations: int = 0

    def __call__(self, theta: FloatArray) -> ObjectiveValue:
        """Return the objective's value at theta."""
        start = time.perf_counter()
        at: ObjectiveValue = self.objective(theta)
        self.n_evaluations += 1
        if self.verbose:
            self._show(at, time.perf_counter() - start)
        return at

    def _show(self, at: ObjectiveValue, seconds: float) -> None:
        """Write one line."""
        error = f" +- {at.value_error:.2g}" if at.value_error else ""
        theta = np.array2string(at.theta, precision=6, max_line_width=1000)
        sys.stdout.write(
            f"evaluation {self.n_evaluations}: -2 log-likelihood "
            f"{at.value + self.constant:.4f}{error}, standardised theta {theta}, {seconds:.2f} s\n"
        )
        sys.stdout.flush()
