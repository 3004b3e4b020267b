"""No start that a user could try leads to a better optimum of (theta, rho) than that of the fit.

SKMIXED_FUZZ_SEED chooses other samples, SKMIXED_FUZZ_STARTS more starts.
"""

from __future__ import annotations

import numpy as np
import pytest

from skmixed.fitting.optimise import minimise

from .residual_models import RESIDUALS, model_of, objective_of, sample
from .test_hard_data import SEED
from .test_optimum import LOSS, STARTS

pytestmark = pytest.mark.exhaustive(9)


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("name", RESIDUALS)
def test_no_random_start_ends_lower(name: str, method: str) -> None:
    model = model_of("y ~ x", sample(SEED, n_groups=60), RESIDUALS[name], reml=method == "reml")
    fit = model.fit()
    assert fit.residual is not None
    if fit.residual.undetermined.any():
        pytest.skip("groups are too short to determine so many autocorrelations")
    assert fit.convergence.converged
    rho = fit.residual.rho
    if not len(rho):
        return
    objective = objective_of(model)
    rng = np.random.default_rng(0)
    starts = model.residual.learned.start + rng.normal(size=(STARTS, len(rho)))
    best = np.inf
    for start in starts:
        try:
            end = minimise(objective, start, tol=1e-8, max_iter=100, exact=False)
        except np.linalg.LinAlgError:
            continue
        best = min(best, end.at.value)
    assert objective.value(rho) <= best + LOSS
