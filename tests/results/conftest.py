"""Fits that the tests of the results share."""

from __future__ import annotations

import pandas as pd
import pytest

from skmixed import mixedlm
from skmixed.datasets import load_dyestuff, load_sleepstudy
from skmixed.results import MixedLMResults


@pytest.fixture(scope="session")
def sleepstudy() -> pd.DataFrame:
    return load_sleepstudy()


@pytest.fixture(scope="session")
def slopes(sleepstudy: pd.DataFrame) -> MixedLMResults:
    """Fit a correlated intercept and slope, by REML."""
    return mixedlm("Reaction ~ Days + (Days | Subject)", sleepstudy)


@pytest.fixture(scope="session")
def one_way() -> MixedLMResults:
    """Fit a balanced one-way layout, whose REML estimates have a closed form."""
    return mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff())
