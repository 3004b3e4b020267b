"""Marginal means, slopes and contrasts are emmeans' to R's own precision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from parity.reference import fit_case, shared_case

from skmixed.inference.marginal.means import marginal_means

from .emmeans_cases import Rows, case_names, estimates_of, figures_of, rows_of

pytestmark = pytest.mark.exhaustive(5)

# lme4 leaves some 1e-8 of the variances' relative error, and lmerTest differentiates numerically.
CLOSE = {"estimate": 1e-7, "se": 1e-6, "df": 1e-4, "statistic": 1e-6, "lower": 1e-5, "upper": 1e-5}
P_VALUES = 1e-6
# mvtnorm's integral is random in its fourth digit.
MONTE_CARLO = 2e-3


def assert_same(ours: Rows, theirs: Rows, **looser: float) -> None:
    assert ours.keys() == theirs.keys()
    for key, figures in theirs.items():
        for column, value in figures.items():
            if column == "p_value":
                expected = pytest.approx(value, abs=looser.get(column, P_VALUES), nan_ok=True)
            else:
                scale = abs(figures["se"]) if column in ("estimate", "lower", "upper") else 0.0
                tolerance = looser.get(column, CLOSE[column])
                expected = pytest.approx(value, rel=tolerance, abs=tolerance * scale, nan_ok=True)
            assert ours[key][column] == expected, (key, column)


def check(name: str, folder: Path | None) -> None:
    case = figures_of(name)
    found = estimates_of(name, folder)
    names = [*case["by"], *(one for one in case["specs"] if one != "1")]
    # emtrends takes a forward difference over 1e-5: for log(x + 1) at 4, it is 1e-6 too small.
    looser = dict.fromkeys(("estimate", "se", "statistic"), 1e-5) if case["variable"] else {}
    assert_same(rows_of(found.tidy(), names), rows_of(case["estimates"], names), **looser)
    headings = [*case["by"], "contrast"]
    for adjust, theirs in dict(case["pairwise"]).items():
        ours = found.contrasts(adjust={"fdr": "bh"}.get(adjust, adjust))
        assert_same(rows_of(ours, headings), rows_of(theirs, headings), **looser)
    if "eff" in case:
        assert_same(
            rows_of(found.contrasts("eff"), headings), rows_of(case["eff"], headings), **looser
        )
    # emmeans has no joint p-values where one of the contrasts cannot be estimated.
    if "control" in case and all(row["estimate"] is not None for row in case["control"]):
        ours = found.contrasts("trt.vs.ctrl")
        reach = looser | {"p_value": MONTE_CARLO, "lower": MONTE_CARLO, "upper": MONTE_CARLO}
        assert_same(rows_of(ours, headings), rows_of(case["control"], headings), **reach)


@pytest.mark.parametrize("name", case_names(shared=False))
def test_bundled_data(name: str) -> None:
    check(name, None)


@pytest.mark.parametrize("name", case_names(shared=True))
def test_shared_data(name: str, shared: Path) -> None:
    check(name, shared)


def read_figures(shared: Path, name: str) -> dict[str, Any]:
    path = shared / "reference" / "reference.json"
    return json.loads(path.read_text(encoding="utf-8"))["cases"][name]


@pytest.mark.parametrize("name", ["cake_emm", "machines_emm", "machines_emm_sat", "oats_emm"])
def test_shared_references(name: str, shared: Path) -> None:
    case = read_figures(shared, name)
    results = fit_case(shared_case(shared, case["of"])).results
    factor = case["specs"].removeprefix("~")
    means = marginal_means(results, factor, df_method=case["df_method"])

    assert_same(
        rows_of(means.tidy().drop(columns=["statistic", "p_value"]), [factor]),
        rows_of(case["emmeans"], [factor]),
    )
    for adjust in ("none", "tukey"):
        theirs = case["contrasts_" + {"none": "unadjusted"}.get(adjust, adjust)]
        ours = means.contrasts(adjust=adjust).drop(columns=["lower", "upper"])
        assert_same(rows_of(ours, ["contrast"]), rows_of(theirs, ["contrast"]))
