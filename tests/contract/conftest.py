"""The data of the workflows: two numbers, a category and a label, and some rows of each group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import sklearn


@dataclass(frozen=True)
class Study:
    """Hold one simulated study as a frame and as arrays."""

    frame: pd.DataFrame
    y: np.ndarray
    groups: np.ndarray

    @property
    def numbers(self) -> pd.DataFrame:
        return self.frame[["x1", "x2"]]

    @property
    def labelled(self) -> pd.DataFrame:
        return self.frame[["x1", "x2", "subject"]]


@pytest.fixture(scope="session")
def study() -> Study:
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(20), 8))
    n = len(groups)
    frame = pd.DataFrame({"x1": rng.normal(size=n), "x2": rng.normal(size=n)})
    frame["kind"] = rng.choice(["a", "b", "c"], size=n)
    frame["subject"] = np.array([f"s{g:02d}" for g in groups], dtype=object)
    y = 10.0 + 2 * frame["x1"] - frame["x2"] + 0.5 * (frame["kind"] == "b")
    y = y.to_numpy() + rng.normal(scale=2.0, size=20)[groups] + rng.normal(size=n)
    return Study(frame, y, groups)


@pytest.fixture
def routing() -> Iterator[None]:
    """Route metadata within the test."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield
