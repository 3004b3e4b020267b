"""Grouped rows with responses of several families."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def outcomes() -> pd.DataFrame:
    """Return 240 rows of 12 groups: two numbers, labels, classes, counts, successes and amounts."""
    rng = np.random.default_rng(3)
    n, codes = 240, np.repeat(np.arange(12), 20)
    data = pd.DataFrame(rng.normal(size=(n, 2)), columns=["x", "z"])
    data["g"] = [f"g{i:02d}" for i in codes]
    data["h"] = np.arange(n) % 5
    eta = 0.2 + data["x"].to_numpy() + rng.normal(size=12)[codes]
    data["y"] = (rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
    data["answer"] = np.where(data["y"] == 1, "yes", "no")
    data["time"] = rng.uniform(0.5, 3.0, n)
    mean = data["time"] * np.exp(0.3 * data["x"] + 0.5 * rng.normal(size=12)[codes])
    data["count"] = rng.poisson(mean)
    data["zeros"] = np.where(rng.uniform(size=n) < 0.3, 0, data["count"])
    data["trials"] = rng.integers(1, 9, n)
    data["successes"] = rng.binomial(data["trials"], 1.0 / (1.0 + np.exp(-eta)))
    data["amount"] = rng.gamma(3.0, np.exp(0.4 * data["x"]) / 3.0) + 1e-3
    data["value"] = eta + rng.normal(size=n)
    return data
