"""The search in a generalised model whose likelihood is estimated from random probes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.generalised_objective import GeneralisedObjective, GeneralisedValue
from skmixed.fitting.generalised_search import GeneralisedOptimum, first_evaluation
from skmixed.fitting.optimise import Optimum
from skmixed.fitting.score_steps import follow_score, search_by_score

__all__ = ["search_from_probes"]

FloatArray = NDArray[np.float64]

# Evaluations with one Hessian, after which it is measured.
QUICK = 12
# Standard errors from the optimum at which the Hessian there is measured: it hardly changes any
# more, and a step or two with it are enough. Should they lead far, it is measured again.
NEAR, FAR = 0.01, 0.1


def search_from_probes(
    objective: GeneralisedObjective, start: FloatArray, *, tol: float, max_iter: int
) -> GeneralisedOptimum:
    """Come near with the approximate Hessian, and then follow the score with the measured one.

    Parameters
    ----------
    objective : GeneralisedObjective
        With probes.
    start : ndarray of shape (n_parameters,)
    tol : float
        Distance from the optimum at which to stop, in standard errors of the parameters.
    max_iter : int
        Largest number of evaluations, those for the Hessian apart.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the start has no likelihood, even without random effects.
    """
    at, n_iter = first_evaluation(objective, start)
    objective = objective.with_extra_curvature(at)
    near, optimum = _come_near(objective, at, n_iter, tol=tol, max_iter=max_iter)
    hessian = near.hessian
    if hessian is None or not optimum.converged:
        end = optimum.at
        measured = objective.measured_hessian(end) if hessian is None else hessian
        return GeneralisedOptimum(replace(optimum, converged=False), measured)
    found = search_by_score(
        near,
        optimum.at.theta,
        draw_probes=near.draw_probes,
        on_boundary=objective.on_boundary,
        tol=tol,
        max_iter=max(1, max_iter - optimum.n_iter),
    )
    end = found.at
    moved = end.theta - optimum.at.theta
    if moved @ hessian @ moved > 2.0 * FAR**2:
        hessian = objective.measured_hessian(end)
    return GeneralisedOptimum(replace(found, n_iter=optimum.n_iter + found.n_iter), hessian)


def _come_near(
    objective: GeneralisedObjective, at: GeneralisedValue, n_iter: int, *, tol: float, max_iter: int
) -> tuple[_Near, Optimum[GeneralisedValue]]:
    """Come near the optimum; where that is slow, the Hessian is measured on the way."""
    near = _Near(objective, None, at)
    while True:
        optimum = follow_score(
            near,
            at.theta,
            tol=max(tol, NEAR),
            max_iter=max(1, min(QUICK, max_iter - n_iter)),
        )
        n_iter += optimum.n_iter
        stuck = near.hessian is not None and np.array_equal(optimum.at.theta, at.theta)
        end = optimum.at
        at = end
        hessian = objective.measured_hessian(at)
        near = _Near(objective, hessian if _is_positive(hessian) else None, at)
        if optimum.converged or stuck or n_iter >= max_iter:
            return near, replace(optimum, n_iter=n_iter)


def _is_positive(hessian: FloatArray) -> bool:
    """Tell whether a matrix is positive definite."""
    try:
        np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        return False
    return True


@dataclass(slots=True, eq=False)
class _Near:
    """Evaluate an objective near a point, where some things are measured once.

    The Hessian and what random probes add to the gradient hardly change there; neither is quick.
    """

    objective: GeneralisedObjective
    hessian: FloatArray | None
    known: GeneralisedValue | None
    noise: FloatArray | None = None

    def __call__(self, x: FloatArray) -> GeneralisedValue:
        """Return the value at x."""
        at = self.known
        if at is None or not np.array_equal(x, at.theta):
            at = self.objective(x, self.hessian)
        hessian = at.hessian if self.hessian is None else self.hessian
        return replace(at, hessian=hessian, replicate=partial(self._replicates, at))

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
