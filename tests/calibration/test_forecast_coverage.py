"""How often limits of forecasts, given the residuals that were observed, hold what comes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmixed import mixedlm
from skmixed.residual import AR1, Heterogeneous

N_GROUPS, N_OBSERVED, N_AHEAD, REPLICATES = 25, 6, 2, 60
PHI, RATIO = 0.7, 1.8


def panel(rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of persons with an intercept, AR1 residuals, and twice the spread of late."""
    n_times = N_OBSERVED + N_AHEAD
    error = rng.standard_normal((N_GROUPS, n_times))
    for t in range(1, n_times):
        error[:, t] = PHI * error[:, t - 1] + np.sqrt(1 - PHI**2) * error[:, t]
    g, t = np.repeat(np.arange(N_GROUPS), n_times), np.tile(np.arange(n_times), N_GROUPS)
    spread = np.where(t % 2 == 0, 1.0, RATIO)
    x, b = rng.standard_normal(len(g)), rng.standard_normal(N_GROUPS)
    y = 1.0 + 0.5 * x + b[g] + spread * error.ravel()
    return pd.DataFrame({"g": g, "t": t, "parity": t % 2, "x": x, "y": y})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
@pytest.mark.parametrize("uncertainty", [None, "delta"])
def test_forecasts_hold_what_comes(uncertainty):
    rng = np.random.default_rng(20261121)
    inside, plain, errors = [], [], []
    for _ in range(REPLICATES):
        data = panel(rng)
        past, future = data[data["t"] < N_OBSERVED], data[data["t"] >= N_OBSERVED]
        results = mixedlm("y ~ x + (1 | g)", past, residual=AR1("t") * Heterogeneous("parity"))
        limits = results.predict_interval(
            future, residual_memory=True, variance_uncertainty=uncertainty
        )
        y = future["y"].to_numpy()
        inside.append((limits[:, 0] <= y) & (y <= limits[:, 1]))
        plain.append(results.predict(future) - y)
        errors.append(results.predict(future, residual_memory=True) - y)
    n = REPLICATES * N_GROUPS * N_AHEAD
    # Rows of one replicate share its estimates: the Monte-Carlo error is that of fewer rows.
    assert abs(np.mean(inside) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n) + 0.01
    assert np.mean(np.square(errors)) < 0.8 * np.mean(np.square(plain))
