"""The functions of marginaleffects give what ours give with a normal distribution."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skmixed import mixedlm
from skmixed.inference.marginal.means import marginal_means
from skmixed.inference.marginal.slopes import marginal_slopes

from .emmeans_cases import sleep

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    marginaleffects = pytest.importorskip("marginaleffects")
    page = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "marginaleffects_model.py"))
    MarginalEffectsModel = page["MarginalEffectsModel"]

polars = pytest.importorskip("polars")
if int(polars.__version__.partition(".")[0]) > 1:
    pytest.skip("marginaleffects 0.6 needs polars < 2", allow_module_level=True)


@pytest.fixture(scope="module")
def results():
    data = sleep()
    data["team"] = pd.Categorical(data["team"])
    return mixedlm("Reaction ~ Days * team + (Days | Subject)", data)


@pytest.mark.filterwarnings("ignore")
def test_predictions_over_a_grid_are_the_marginal_means(results) -> None:
    model = MarginalEffectsModel(results)
    grid = marginaleffects.datagrid(model=model, team=["even", "odd"])
    theirs = marginaleffects.predictions(model, newdata=grid)
    ours = marginal_means(results, "team", df_method="normal").tidy()
    np.testing.assert_allclose(theirs["estimate"].to_numpy(), ours["estimate"], rtol=1e-9)
    np.testing.assert_allclose(theirs["std_error"].to_numpy(), ours["se"], rtol=1e-6)
    np.testing.assert_allclose(theirs["conf_low"].to_numpy(), ours["lower"], rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_average_slopes_are_the_marginal_slopes(results) -> None:
    theirs = marginaleffects.avg_slopes(MarginalEffectsModel(results), variables="Days", by="team")
    ours = marginal_slopes(results, "Days", "team", df_method="normal").tidy()
    np.testing.assert_allclose(theirs["estimate"].to_numpy(), ours["estimate"], rtol=1e-5)
    # A forward difference of a forward difference leaves three digits.
    np.testing.assert_allclose(theirs["std_error"].to_numpy(), ours["se"], rtol=2e-3)
