"""Residuals and sandwiches of trials are mmrm's and SAS's."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.inference import residuals, robust_covariance
from skmixed.results import MixedLMResults

SANDWICHES = [
    f"{name}_arm_reml" for name in ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "sp_exp_2d")
]
# What mmrm calls them, and what they are called here; without random effects both are the same.
RESIDUALS = {
    "raw": ("marginal", "response"),
    "pearson": ("pearson",),
    "student": ("marginal_standardised", "standardised"),
    "scaled": ("decorrelated", "normalised"),
}


@lru_cache
def cases(folder: Path) -> dict[str, Any]:
    """Return the cases by name."""
    found = json.loads((folder / "reference" / "mmrm_cases.json").read_text())
    return {case["name"]: case for case in found}


@lru_cache
def fitted(folder: Path, name: str) -> MixedLMResults:
    """Return the results of one case."""
    case = cases(folder)[name]
    data = pd.read_csv(folder / "data" / f"{case['data']}.csv").dropna(subset=["FEV1"])
    for column, levels in case["levels"].items():
        data[column] = pd.Categorical(data[column], categories=levels)
    at = case["coordinates"] or [case["time"]]
    if case["time"]:
        data[case["time"]] = pd.Categorical(data[case["time"]], case["time_levels"], ordered=True)
    text = f"{case['structure']}({', '.join(at)} | {case['subject']})"
    return mixedlm(case["formula"], data, residual=text, method=case["method"].lower())


@pytest.mark.parametrize("name", SANDWICHES)
def test_empirical_covariance_of_sas(name: str, shared: Path) -> None:
    robust = robust_covariance(fitted(shared, name), kind="CR0")
    expected = np.array(cases(shared)[name]["sandwich_vcov"])
    assert_allclose(robust.covariance, expected, rtol=1e-8)
    assert robust.cluster == "USUBJID"


@pytest.mark.parametrize("name", ["us_full_reml", "sp_exp_1d_arm_reml"])
def test_residuals_of_mmrm(name: str, shared: Path) -> None:
    values = pd.DataFrame(cases(shared)[name]["residuals"]["values"])
    for theirs, ours in RESIDUALS.items():
        for kind in ours:
            found = residuals(fitted(shared, name), kind=kind)[: len(values)]
            assert_allclose(found, values[theirs], rtol=1e-7, atol=1e-7, err_msg=kind)
