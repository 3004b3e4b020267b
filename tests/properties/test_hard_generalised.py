"""What holds for generalised models of any data: finite answers, and a truthful ``converged``.

SKMIXED_FUZZ_GENERALISED chooses more samples.
"""

from __future__ import annotations

import os
import warnings
from contextlib import suppress

import numpy as np
import pytest

from skmixed.fitting.generalised_search import find_generalised_optimum
from skmixed.fitting.generalised_start import starting_parameters
from skmixed.fitting.local_model import LocalModel
from skmixed.fitting.optimise import measured_hessian

from .hard_generalised import hard_generalised

pytestmark = pytest.mark.exhaustive(25)

CASES = range(int(os.environ.get("SKMIXED_FUZZ_GENERALISED", "300")))


@pytest.mark.parametrize("case", CASES)
def test_a_fit_is_finite_and_knows_whether_it_is_an_optimum(case: int) -> None:
    sample = hard_generalised(case)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = sample.model.fit()
    x = fit.joint.parameters
    assert np.isfinite(fit.log_likelihood), sample.name
    for values in (x, fit.fixed.coefficients, fit.joint.covariance):
        assert np.isfinite(values).all(), sample.name
    for effects in fit.random:
        assert np.isfinite(effects.effect_covariance).all(), sample.name
        assert np.isfinite(effects.standardised_modes).all(), sample.name
    if not fit.convergence.converged:
        assert any("did not converge" in notice.message for notice in fit.notices), sample.name
        return
    _, objective = sample.model.objective()
    at = objective(x)
    hessian = measured_hessian(objective, x, at.gradient)  # type: ignore[arg-type]
    model = LocalModel.of(x, at.gradient, hessian, objective.lower)
    assert model.distance < 1e-3, sample.name


@pytest.mark.slow
def test_next_to_no_random_start_leads_lower() -> None:
    """Laplace's approximation has many optima where there is a row for each effect."""
    beaten = [case for case in range(30) if _is_beaten(case)]
    assert len(beaten) <= 1, beaten


def _is_beaten(case: int) -> bool:
    """Tell whether one of five random starts ends lower than the fit."""
    sample = hard_generalised(case)
    _, objective = sample.model.objective()
    rng = np.random.default_rng(case)
    start = starting_parameters(objective)
    own = slice(len(objective.X), len(objective.X) + objective.n_theta)
    best = np.inf
    for _ in range(5):
        moved = start + rng.normal(size=len(start))
        moved[own] = start[own] * np.exp(rng.normal(size=objective.n_theta))
        if objective.lower is not None:
            moved = np.maximum(moved, objective.lower)
        with suppress(np.linalg.LinAlgError):
            found = find_generalised_optimum(objective, moved, tol=1e-6, max_iter=150).optimum
            best = min(best, found.at.value if found.converged else np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = sample.model.fit().joint.parameters
    with suppress(np.linalg.LinAlgError):
        return bool(objective.value(x) > best + 1e-5)
    return False
