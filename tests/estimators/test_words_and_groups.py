"""Estimators describe themselves and their groups as their results do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_sleepstudy


@pytest.fixture(scope="module")
def sleep() -> pd.DataFrame:
    return load_sleepstudy()


@pytest.fixture(scope="module")
def model(sleep) -> MixedLM:
    return MixedLM(groups="Subject", random_slopes=["Days"]).fit(
        sleep[["Days", "Subject"]], sleep["Reaction"]
    )


@pytest.fixture(scope="module")
def results(sleep):
    return mixedlm("Reaction ~ Days + (Days | Subject)", sleep)


@pytest.mark.parametrize("table", ["random_effects_table", "group_coefficients_table"])
def test_tables_are_those_of_the_results(model, results, table):
    ours, theirs = getattr(model, table)(0.9), getattr(results, table)(level=0.9)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-6)
    ours, theirs = (getattr(one, table)(variance_uncertainty="delta") for one in (model, results))
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-5)
    assert (ours["se"] > getattr(model, table)()["se"]).all()


def test_draws_are_those_of_the_results(model, results):
    ours = model.sample_random_effects(4, random_state=0, beta_known=True)
    theirs = results.sample_random_effects(4, random_state=0, beta_known=True)
    assert_allclose(ours.draws["Subject"], theirs.draws["Subject"], rtol=1e-5, atol=1e-5)


def test_words_are_those_of_the_results(model, results):
    assert model.describe() == results.describe()
    for form in ("conditional", "marginal", "hierarchical"):
        assert model.equation(form, values=True) == results.equation(form, values=True)


def test_rows_show_what_is_constant_within_groups():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 6)
    data = pd.DataFrame({"x": rng.normal(size=120), "w": rng.normal(size=20)[group], "g": group})
    slopes = 1.0 + 2.0 * rng.normal(size=20)[group]
    y = slopes * data["x"] + rng.normal(size=20)[group] + rng.normal(size=120)
    model = MixedLM(groups="g", random_slopes=["x"]).fit(data, y)
    without, given = model.equation("hierarchical"), model.equation("hierarchical", X=data)
    assert r"\mathrm{w}_i" in without.latex
    assert r"\alpha_{0,j} &= \beta_{0} + \beta_{2} \, \mathrm{w}_j + b_{0,j}" in given.latex
    arrays = MixedLM(random_slopes=[0]).fit(data[["x", "w"]].to_numpy(), y, groups=group)
    given = arrays.equation("hierarchical", X=data[["x", "w"]].to_numpy(), groups=group)
    assert r"\beta_{2} \, \mathrm{x1}_j" in given.latex


@pytest.mark.parametrize(
    "method",
    [
        "random_effects_table",
        "group_coefficients_table",
        "sample_random_effects",
        "equation",
        "describe",
    ],
)
def test_before_fit(method):
    with pytest.raises(NotFittedError):
        getattr(MixedLM(groups="g"), method)()
