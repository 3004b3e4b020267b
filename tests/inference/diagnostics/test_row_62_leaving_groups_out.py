"""Row 62 of the features: fit again after dropping groups, and compare the estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose
from sklearn.base import clone

from inference.diagnostics.diagnostics_cases import CASES
from skmixed import MixedLM, datasets
from skmixed.inference.diagnostics.deletion import group_influence


def test_row_62_refit_after_dropping_groups() -> None:
    data = datasets.load_sleepstudy()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    model = MixedLM(groups="Subject", random_slopes=["Days"]).fit(X, y)
    influence = group_influence(model, X, y, refit=True)
    before = np.array([model.intercept_, *model.coef_])
    for label, theirs in zip(influence.index, CASES["sleep_slopes"]["refits"], strict=True):
        kept = data["Subject"] != label
        left = clone(model).fit(X[kept], y[kept])
        after = np.array([left.intercept_, *left.coef_])
        # lme4's refits stop about 1e-5 from their optimum.
        assert_allclose(after, theirs, rtol=1e-5)
        assert_allclose(
            influence.loc[label, ["dfbeta_Intercept", "dfbeta_Days"]], before - after, atol=1e-6
        )


def test_row_62_dropping_two_groups_at_once() -> None:
    data = datasets.load_sleepstudy()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    model = MixedLM(groups="Subject", random_slopes=["Days"]).fit(X, y)
    out = data["Subject"].isin(["308", "332"])
    labels = pd.Series(np.where(out, "dropped", "kept"), name="part")
    dropped = group_influence(model, X, y, factor=labels, refit=True).loc["dropped"]
    left = clone(model).fit(X[~out], y[~out])
    assert_allclose(dropped["dfbeta_Days"], model.coef_[0] - left.coef_[0], atol=1e-6)
    assert dropped["n_rows"] == 20
