"""The search where the objective is estimated: by its score, from as many probes as it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.evaluation import Objective, Value
from skmixed.fitting.monte_carlo import relative_error
from skmixed.fitting.newton import Optimum
from skmixed.fitting.score_steps import follow_score, settle_on_boundary

__all__ = ["search_by_score"]

FloatArray = NDArray[np.float64]

# Part of the standard error of theta that its Monte-Carlo error may be before probes are added.
PRECISE = 0.05
# At most so many times as many.
MOST = 8


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

    Parameters
    ----------
    objective : callable
        Returns the Evaluation at a theta.
    start : ndarray of shape (n_parameters,)
    draw_probes : callable
        Lets the objective be estimated from that many times as many probes.
    on_boundary : callable
        Returns theta with vanishing standard deviations at 0; None where there are none.
    """
    optimum = follow_score(objective, start, tol=tol, max_iter=max_iter)
    error = relative_error(optimum.at) if optimum.converged else 0.0
    if error > PRECISE:
        draw_probes(min(MOST, int(np.ceil((error / PRECISE) ** 2))))
        refined = follow_score(objective, optimum.at.theta, tol=tol, max_iter=max_iter)
        optimum = replace(refined, n_iter=optimum.n_iter + refined.n_iter)
    return settle_on_boundary(objective, on_boundary(optimum.at.theta), optimum, tol=tol)
