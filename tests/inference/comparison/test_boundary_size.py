"""How often tests of a variance that is 0 reject, by the number of groups.

The table of docs/is-the-variance-zero.md: run this file with Python.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skmixed import MixedLM
from skmixed.inference.comparison.null_distribution import (
    simulate_likelihood_ratio,
    spectrum_of,
)

LEVEL, N_SIM, SEED = 0.05, 10_000, 20261120
GROUPS = (6, 10, 30)


def rejection_rates(n_groups: int, n_per_group: int, n_sim: int, seed: int) -> dict[str, float]:
    """Simulate rows without any difference of the groups, and count rejections at 5 %."""
    rng = np.random.default_rng(seed)
    n = n_groups * n_per_group
    g, X = np.repeat(np.arange(n_groups), n_per_group), rng.normal(size=(n, 1))
    model = MixedLM().training_model(X, rng.normal(size=n), groups=g)
    ratios = np.empty(n_sim)
    for i in range(n_sim):
        fit = model.with_response(rng.normal(size=n)).fit()
        objective, theta = fit.objective(), fit.convergence.theta
        ratios[i] = objective(np.zeros(1)).value - objective(theta).value
    draws = simulate_likelihood_ratio(spectrum_of(model.fit()), 1_000_000, rng)
    return {
        "chi-squared": float((ratios > stats.chi2.isf(LEVEL, 1)).mean()),
        "mixture": float((ratios > stats.chi2.isf(2.0 * LEVEL, 1)).mean()),
        "exact": float((ratios > np.quantile(draws, 1.0 - LEVEL)).mean()),
    }


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", GROUPS)
def test_size_of_boundary_tests(n_groups: int) -> None:
    rates = rejection_rates(n_groups, 5, N_SIM, SEED)
    error = np.sqrt(LEVEL * (1.0 - LEVEL) / N_SIM)
    assert abs(rates["exact"] - LEVEL) < 3.5 * error
    assert rates["chi-squared"] < rates["mixture"] < LEVEL + 3.5 * error


if __name__ == "__main__":
    table = pd.DataFrame({n: rejection_rates(n, 5, N_SIM, SEED) for n in GROUPS}).T
    sys.stdout.write(f"{table.round(4)}\n")
