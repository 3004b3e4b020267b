"""The data that most tests of behaviour change in one respect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def data() -> pd.DataFrame:
    """Return 120 rows in ten groups of unequal size, whose labels are text."""
    rng = np.random.default_rng(12)
    codes = rng.permutation(np.repeat(np.arange(10), [4, 20, 8, 12, 6, 18, 10, 14, 16, 12]))
    frame = pd.DataFrame(rng.normal(size=(120, 2)), columns=["x1", "x2"])
    frame["school"] = np.array([f"s{code}" for code in codes], dtype=object)
    effects = rng.normal(scale=1.5, size=10)[codes]
    frame["y"] = 1 + 2 * frame["x1"] - frame["x2"] + effects + rng.normal(size=120)
    return frame


@pytest.fixture(name="X")
def fixture_of_columns(data: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of an estimator that finds its groups in X."""
    return data[["x1", "x2", "school"]]


@pytest.fixture
def y(data: pd.DataFrame) -> np.ndarray:
    """Return the response."""
    return data["y"].to_numpy(copy=True)
