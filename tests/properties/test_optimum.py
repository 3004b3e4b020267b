"""No start that a user could try leads to a better optimum than that of a converged fit.

SKMIXED_FUZZ_SEED and SKMIXED_FUZZ_CASES choose other samples, SKMIXED_FUZZ_STARTS more starts.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from skmixed.covariance import JointCovariance
from skmixed.fitting.optimise import minimise
from skmixed.likelihood.profiled import ProfiledObjective

from .hard_data import hard_sample
from .test_hard_data import CASES, SEED, blamed_on, fitted

pytestmark = pytest.mark.exhaustive(11)

STARTS = int(os.environ.get("SKMIXED_FUZZ_STARTS", "3"))
# What an optimum may lack of the best one, in -2 log-likelihood.
LOSS = 1e-5


@pytest.mark.parametrize("case", CASES)
def test_no_random_start_ends_lower(case: int) -> None:
    sample = hard_sample(SEED, case)
    with blamed_on(sample):
        try:
            fit = fitted(sample).fit
        except ValueError:
            return
        if not fit.convergence.converged or not len(fit.convergence.theta):
            return
        objective = fit.objective()
        here = objective.value(fit.convergence.theta)
        rng = np.random.default_rng([SEED, case])
        best = min(_end_of_search(objective, rng) for _ in range(STARTS))
        assert here <= best + LOSS, f"{here - best:.2g} above"


def _end_of_search(objective: ProfiledObjective, rng: np.random.Generator) -> float:
    """Search from a random start, and return the value at its end."""
    covariance = objective.covariance
    try:
        start = _random_theta(covariance, rng)
        optimum = minimise(
            objective,
            start,
            tol=1e-8,
            max_iter=100,
            lower=covariance.lower_bounds,
            exact=objective.exact_hessian,
        )
    except np.linalg.LinAlgError:
        return np.inf
    return optimum.at.value


def _random_theta(covariance: JointCovariance, rng: np.random.Generator) -> np.ndarray:
    """Return standard deviations of all sizes, and any correlations."""
    roots = []
    for factor in covariance.factors:
        k = factor.n_effects
        directions = rng.normal(size=(k, k))
        sizes = np.exp(rng.normal(0.0, 2.5, (k, 1)))
        roots.append(sizes * directions / np.linalg.norm(directions, axis=1, keepdims=True))
    return covariance.parameters(roots)
