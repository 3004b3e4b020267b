"""Searches that end where a variance is 0 and its correlations hardly matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.exceptions import SingularFitWarning

pytestmark = [
    pytest.mark.exhaustive(5),
    pytest.mark.filterwarnings(f"ignore::{SingularFitWarning.__module__}.SingularFitWarning"),
]


def crossed_slopes(seed: int) -> pd.DataFrame:
    """Simulate slopes that differ between groups whose intercepts do not."""
    rng = np.random.default_rng(seed)
    n = 1500
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "user": rng.integers(0, 250, n),
            "item": rng.integers(0, 20, n),
            "region": 0,
        }
    )
    frame["region"] = frame["user"] % 5
    frame["y"] = 3.0 * rng.normal(size=250)[frame["user"]] * frame["x"] + rng.normal(size=n)
    return frame


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + (x | user) + (1 | item)",
        "y ~ x + (x | item) + (1 | user)",
        "y ~ x + (x | region / user) + (1 | item)",
    ],
)
@pytest.mark.parametrize("seed", range(6))
def test_valleys_at_the_boundary_are_short(formula, seed):
    results = mixedlm(formula, crossed_slopes(seed))
    assert results.converged
    assert results.fit.convergence.n_iter <= 45
    assert_allclose(results.fit.convergence.gradient, 0.0, atol=1e-3)


def test_evaluations_are_counted_over_all_rounds():
    with pytest.warns(match="max_iter=17"):
        results = mixedlm(
            "y ~ x + (x | user) + (1 | item)", crossed_slopes(0), max_iter=17, tol=1e-300
        )
    assert results.fit.convergence.n_iter <= 18
    assert not results.converged
