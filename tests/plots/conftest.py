"""What the tests of displays share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skmixed import MixedLM, mixedlm
from skmixed.datasets import (
    load_dyestuff,
    load_penicillin,
    load_sleepstudy,
    make_mixed_regression,
)

from .data import simulated_groups


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


@pytest.fixture(scope="session")
def sleep_data():
    return load_sleepstudy()


@pytest.fixture(scope="session")
def dyestuff_results():
    return mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff())


@pytest.fixture(scope="session")
def many_results():
    """Return a model of 5,000 groups of 3 to 7 rows, with names that begin alike."""
    sizes = np.random.default_rng(1).integers(3, 8, 5000)
    data = make_mixed_regression(
        5000,
        sizes,
        beta=(2.0, 1.0),
        re_cov=[[1.0, 0.3], [0.3, 0.4]],
        as_frame=True,
        random_state=2,
    )
    data["group"] = "municipality number " + data["group"].astype(str)
    return mixedlm("y ~ x1 + (x1 | group)", data)


@pytest.fixture(scope="session")
def uneven():
    """Return rows of groups with one row, two equal x, two rows, and ten rows."""
    rng = np.random.default_rng(3)
    sizes = np.array([1, 2, 2, *[10] * 11, 12])
    groups = np.repeat(list("abcdefghijklmno"), sizes)
    x = rng.normal(size=len(groups))
    x[1:3] = 0.5
    slope, intercept = rng.normal(1.0, 0.7, (2, 15)).repeat(sizes, axis=1)
    y = intercept + slope * x + rng.normal(0.0, 0.3, len(groups))
    return pd.DataFrame({"y": y, "x": x, "g": groups})


@pytest.fixture(scope="session")
def uneven_results(uneven):
    return mixedlm("y ~ x + (x | g)", uneven)


@pytest.fixture(scope="session")
def in_weeks():
    """Return a pipeline that counts weeks, the model without it, and the rows that both know."""
    data = load_sleepstudy()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    model = MixedLM(groups="Subject", random_slopes=["Days"]).fit(X, y)
    weeks = FunctionTransformer(lambda frame: frame.assign(Days=frame["Days"] / 7.0))
    return make_pipeline(weeks, clone(model)).fit(X, y), model, (X, y)
