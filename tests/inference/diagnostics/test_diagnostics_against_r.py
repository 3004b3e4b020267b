"""Residuals, leverage, influence and robust covariances are R's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.names import matching

from inference.diagnostics.diagnostics_cases import CASES, fitted, with_part
from skmixed.inference.diagnostics.deletion import group_influence
from skmixed.inference.diagnostics.row_diagnostics import cooks_distance, leverage, residuals
from skmixed.inference.diagnostics.sandwich import robust_covariance

KINDS = ("response", "conditional", "pearson", "standardised", "marginal", "decorrelated")
MEASURES = ("cooks_distance", "mdffits", "covratio", "covtrace", "sigma")


def assert_rows(ours: pd.Series, theirs: dict[str, Any], *, rtol: float = 1e-6) -> None:
    scale = ours.abs().max()
    if "first" in theirs:
        assert_allclose(ours[:30], theirs["first"], rtol=rtol, atol=rtol * scale)
    assert_allclose((ours**2).sum(), theirs["sumsq"], rtol=rtol)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", with_part("rows"))
def test_residuals(name: str, kind: str) -> None:
    assert_rows(residuals(fitted(name), kind=kind), CASES[name]["rows"][kind])


@pytest.mark.parametrize("name", with_part("rows"))
def test_leverage(name: str) -> None:
    assert_rows(leverage(fitted(name)), CASES[name]["rows"]["leverage"])


@pytest.mark.parametrize("name", with_part("rows"))
def test_cooks_distance(name: str) -> None:
    assert_rows(cooks_distance(fitted(name)), CASES[name]["rows"]["cooks_distance"])


@pytest.mark.parametrize("name", with_part("groups"))
def test_groups_left_out_at_fixed_theta(name: str) -> None:
    case, results = CASES[name], fitted(name)
    ours = group_influence(results, factor=case["group"])
    assert len(ours) == len(case["groups"])
    for label, theirs in case["groups"].items():
        row = ours.loc[_label(ours.index, label)]
        assert_allclose(row[list(MEASURES)], [theirs[m] for m in MEASURES], rtol=1e-6, atol=1e-9)
        dfbeta = [f"dfbeta_{term}" for term in results.params.index]
        order = matching(results.params.index, case["names"])
        scale = results.bse.to_numpy()[order]
        assert_allclose(
            row[dfbeta].to_numpy()[order] / scale, np.array(theirs["dfbeta"]) / scale, atol=1e-6
        )


def test_groups_left_out_and_refitted() -> None:
    # lme4's refits stop where its optimiser does, about 1e-5 from the optimum.
    results = fitted("sleep_slopes")
    theirs = results.params.to_numpy() - CASES["sleep_slopes"]["refits"]
    ours = group_influence(results, refit=True)[["dfbeta_Intercept", "dfbeta_Days"]].to_numpy()
    assert_allclose(ours, theirs, atol=1e-4 * results.bse.min())


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR1S", "CR2"])
@pytest.mark.parametrize("name", with_part("robust"))
def test_robust_covariance(name: str, kind: str) -> None:
    case, results = CASES[name], fitted(name)
    theirs = case["robust"][kind]
    ours = robust_covariance(results, kind=kind, cluster=case.get("cluster"))
    order = matching(results.params.index, theirs["names"])
    # nlme stands where its optimiser stopped.
    rtol = 1e-5 if name == "sleep_weights_lme" else 1e-6
    assert_allclose(
        ours.covariance[np.ix_(order, order)], theirs["vcov"], rtol=rtol, atol=rtol * 1e-2
    )
    table = ours.tidy().iloc[order]
    assert_allclose(table["df"], theirs["df"], rtol=rtol)
    assert_allclose(table["p_value"], theirs["p"], rtol=10 * rtol)


def _label(index: pd.Index, text: str) -> Any:
    """Return the label that R writes as text."""
    if index.nlevels == 1:
        return next(label for label in index if str(label) == text)
    return next(label for label in index if ".".join(map(str, label)) == text)
