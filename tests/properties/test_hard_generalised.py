"""What holds for generalised models of any data: finite answers, and a truthful ``converged``.

SKMIXED_FUZZ_GENERALISED chooses more samples.
"""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

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
