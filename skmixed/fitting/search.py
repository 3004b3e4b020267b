"""The search for theta: by the objective where it is exact, by the score where it is estimated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.convergence import snap_to_boundary
from skmixed.fitting.monte_carlo import relative_error
from skmixed.fitting.optimise import Optimum, minimise
from skmixed.fitting.progress import WatchedObjective
from skmixed.fitting.score_steps import follow_score, settle_on_boundary
from skmixed.fitting.start import starting_theta
from skmixed.likelihood.iterative import IterativeKernel
from skmixed.likelihood.profiled import ProfiledObjective

__all__ = ["find_optimum"]

FloatArray = NDArray[np.float64]

# Part of the standard error of theta that its Monte-Carlo error may be before probes are added.
PRECISE = 0.05
# At most so many times as many.
MOST = 8


def find_optimum(
    objective: ProfiledObjective, *, tol: float, max_iter: int, verbose: int, constant: float
) -> Optimum:
    """Find the optimal theta, if there is any parameter.

    Parameters
    ----------
    objective : ProfiledObjective
    tol : float
        Distance from the optimum at which to stop, in standard errors of theta.
    max_iter : int
        Largest number of evaluations of the objective.
    verbose : int
        0 shows nothing, 1 a line for each evaluation.
    constant : float
        What is added to the objective where it is shown.
    """
    if not objective.covariance.n_parameters:
        return Optimum(objective(np.empty(0)), True, 1, 0.0, "no variance is to be estimated")
    watched = WatchedObjective(objective, verbose, constant)
    start = starting_theta(objective)
    if isinstance(objective.kernel, IterativeKernel):
        return _by_score(objective.kernel, watched, start, tol=tol, max_iter=max_iter)
    optimum = minimise(
        watched,
        start,
        tol=tol,
        max_iter=max_iter,
        lower=objective.covariance.lower_bounds,
        exact=objective.exact_hessian,
    )
    return snap_to_boundary(objective, optimum)


def _by_score(
    kernel: IterativeKernel,
    watched: WatchedObjective,
    start: FloatArray,
    *,
    tol: float,
    max_iter: int,
) -> Optimum:
    """Follow the score; where its Monte-Carlo error is large, once more with more probes."""
    optimum = follow_score(watched, start, tol=tol, max_iter=max_iter)
    error = relative_error(optimum.at)
    if optimum.converged and error > PRECISE:
        kernel.draw_probes(min(MOST, int(np.ceil((error / PRECISE) ** 2))))
        refined = follow_score(watched, optimum.at.theta, tol=tol, max_iter=max_iter)
        optimum = replace(refined, n_iter=optimum.n_iter + refined.n_iter)
    return settle_on_boundary(watched, watched.objective.covariance, optimum, tol=tol)
