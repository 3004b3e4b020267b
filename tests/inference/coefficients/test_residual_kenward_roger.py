"""Information, Satterthwaite and Kenward-Roger of repeated measures in trials, at given estimates.

The figures are those of dense algebra in SAS's parameters, which SAS's own output agrees with
(mmrm_reference.py of the shared references).
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import patsy
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import least_squares

import skmixed.residual
from skmixed.design.groups import factorise
from skmixed.inference.coefficients.kenward_roger import (
    marginal_kenward_roger,
)
from skmixed.inference.coefficients.marginal_information import marginal_information
from skmixed.inference.coefficients.marginal_model import MarginalModel
from skmixed.residual import Heterogeneous
from skmixed.residual.covariance_blocks import NaturalCovariance
from skmixed.residual.learning import learn_residual
from skmixed.residual.natural_covariance import natural_covariance, pattern_keys

pytestmark = pytest.mark.exhaustive(3)

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("SKMIXED_SHARED", HERE.parents[3] / "shared"))
BUNDLED = json.loads((HERE / "fixtures" / "residual_df.json").read_text())
CLASSES = {
    "us": "Unstructured",
    "cs": "CompoundSymmetry",
    "ar1": "AR1",
    "toep": "Toeplitz",
    "ad": "AnteDependence",
    "sp_exp": "Exponential",
}
METHODS = {
    "kenward_roger": ("observed", True),
    "kenward_roger_linear": ("observed", False),
    "kenward_roger_expected_info": ("expected", True),
}


@lru_cache(maxsize=1)
def shared_cases() -> dict[str, Any]:
    """Return the shared references by name, none where they are not mounted."""
    path = SHARED / "reference" / "mmrm_cases.json"
    return {c["name"]: c for c in json.loads(path.read_text())} if path.exists() else {}


def structure_of(case: dict[str, Any]) -> Any:
    """Return the structure of a case as skmixed has it."""
    kind, by = case["structure"], case.get("by")
    heterogeneous = kind.endswith("h") and kind not in CLASSES
    cls = getattr(skmixed.residual, CLASSES[kind[:-1] if heterogeneous else kind])
    if case.get("coordinates"):
        return cls(coordinates=tuple(case["coordinates"]))
    structure = cls(time=case["time"], by=by)
    if heterogeneous or by:
        structure = structure * Heterogeneous(case["time"] if heterogeneous else by)
    return structure


def places(case: dict[str, Any], natural: NaturalCovariance, n_arms: int) -> list[int]:
    """Return where skmixed has the parameters that the references have in SAS's order."""
    n = len(natural.values)
    if case["structure"] == "us":
        m = len(case["time_levels"])
        pairs = {pair: m + k for k, pair in enumerate(zip(*np.tril_indices(m, -1), strict=True))}
        return [i if i == j else pairs[i, j] for i in range(m) for j in range(i + 1)]
    if case["structure"].endswith("h"):
        return list(range(n))
    if case.get("by"):
        return [place for arm in range(n_arms) for place in (n_arms + arm, arm)]
    return [*range(1, n), 0]


def fitted(case: dict[str, Any], data: pd.DataFrame) -> SimpleNamespace:
    """Return the marginal model of a case at its estimates, and where its parameters are."""
    response = case["formula"].split("~")[0].strip()
    data = data[data[response].notna()].copy()
    for column, levels in case["levels"].items():
        data[column] = pd.Categorical(data[column], levels)
    y, X = (np.asarray(one) for one in patsy.dmatrices(case["formula"], data))
    groups = factorise(data[case["subject"]], case["subject"]).codes
    columns = {name: data[name] for name in data}
    learned = learn_residual(structure_of(case), columns, groups)
    rows = learned.rows(columns, groups)
    theta = np.array([one["estimate"] for one in case["cov_params"]])
    if case["structure"] == "cs":  # Covariance and the rest, here covariance and variance.
        theta = np.array([theta[0], theta.sum()])
    at = natural_covariance(learned, rows, np.zeros(learned.n_parameters), 1.0, len(data))
    order = places(case, at, learned.n_arms)
    scale = np.where(theta == 0.0, 1.0, theta)

    def distance(free):
        moved = natural_covariance(learned, rows, free[:-1], np.exp(free[-1]), len(data))
        return (moved.values[order] - theta) / scale

    start = np.append(np.zeros(learned.n_parameters), 0.5 * np.log(np.var(y)))
    free = least_squares(distance, start, xtol=1e-15, ftol=1e-15, gtol=1e-15).x
    assert_allclose(distance(free), 0.0, atol=1e-12)
    natural = natural_covariance(learned, rows, free[:-1], np.exp(free[-1]), len(data))
    beta = np.array([one["estimate"] for one in case["fixed"]])
    model = MarginalModel(
        X=X,
        residuals=y[:, 0] - X @ beta,
        covariance=np.array(case["vcov"]),
        residual=natural,
        random=(),
        groups=groups,
        order=rows.grouped.order,
        keys=pattern_keys(rows, len(data)),
    )
    return SimpleNamespace(model=model, order=order, case=case, reml=case["method"] == "REML")


def bundled_case(kind: str) -> dict[str, Any]:
    """Return a bundled case in the form of the shared ones."""
    return {**BUNDLED["cases"][kind], **BUNDLED["common"], "structure": kind}


CASES = [*BUNDLED["cases"], *shared_cases()]
REML = [name for name in CASES if shared_cases().get(name, {}).get("method") != "ML"]


@pytest.fixture(name="trial", scope="module", params=CASES)
def fixture_of_trials(request):
    if request.param in BUNDLED["cases"]:
        return fitted(bundled_case(request.param), pd.DataFrame(BUNDLED["rows"]))
    case = shared_cases()[request.param]
    return fitted(case, pd.read_csv(SHARED / "data" / f"{case['data']}.csv"))


def test_information_on_the_parameters(trial):
    parts = marginal_information(trial.model, reml=trial.reml)
    size = 1.0 / np.sqrt(parts.observed.diagonal())
    assert_allclose(parts.score * size, 0.0, atol=1e-10)
    chain = np.eye(len(size))
    if trial.case["structure"] == "cs":
        chain[1, 0] = -1.0
    for information in ("observed", "expected"):
        W = parts.parameter_covariance(information)[np.ix_(trial.order, trial.order)]
        expected = np.array(trial.case[f"cov_params_vcov_{information}"])
        assert_allclose(
            chain @ W @ chain.T, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max()
        )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("trial", REML, indirect=True)
def test_kenward_roger(trial, method):
    information, second_order = METHODS[method]
    found = marginal_kenward_roger(trial.model, information=information, second_order=second_order)
    fixed = [one[method] for one in trial.case["fixed"]]
    assert_allclose(np.sqrt(found.covariance.diagonal()), [one["se"] for one in fixed], rtol=1e-9)
    df = [found.f_test(row[None])[0] for row in np.eye(len(fixed))]
    assert_allclose(df, [one["df"] for one in fixed], rtol=1e-8)
    if f"vcov_{method}" in trial.case:
        expected = np.array(trial.case[f"vcov_{method}"])
        assert_allclose(found.covariance, expected, rtol=1e-7, atol=1e-9 * expected.max())
    for test in trial.case.get("type3_tests", []):
        if method in test:
            expected = [test[method]["den_df"], test[method]["scale"]]
            assert_allclose(found.f_test(np.array(test["L"])), expected, rtol=1e-8)


def test_a_trial_of_many_patterns_takes_little_work():
    """Sums over pairs of parameters meet X once for each pattern of visits, not for each pair."""
    trial = fitted(bundled_case("us"), pd.DataFrame(BUNDLED["rows"]))
    n_clusters = len(np.unique(trial.model.groups))
    assert sum(len(batch.counts) for batch in trial.model.batches) < n_clusters / 2
    assert sum(batch.counts.sum() for batch in trial.model.batches) == n_clusters
