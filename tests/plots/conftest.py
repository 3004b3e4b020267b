"""What the tests of displays share."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from skmixed import mixedlm
from skmixed.datasets import load_penicillin, load_sleepstudy

from .drawn import simulated_groups


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def sleep():
    return mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())


@pytest.fixture(scope="session")
def penicillin():
    return mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())


@pytest.fixture(scope="session")
def few_groups():
    return mixedlm("y ~ x + (1 | municipality)", simulated_groups(5, 12))


@pytest.fixture(scope="session")
def many_groups():
    return mixedlm("y ~ x + (1 | municipality)", simulated_groups(5000, 3))
