"""Degrees of freedom and adjusted covariances against lmerTest and pbkrtest."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.names import matching
from parity.reference import fit_case, shared_case

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_dyestuff, load_pastes, load_penicillin, load_sleepstudy
from skmixed.inference.coefficients.degrees_of_freedom import DF_METHODS

pytestmark = pytest.mark.exhaustive(3)

FIXTURES = json.loads((Path(__file__).parent / "fixtures" / "degrees_of_freedom.json").read_text())
DATA = {
    "dyestuff": load_dyestuff,
    "pastes": load_pastes,
    "penicillin": load_penicillin,
    "sleepstudy": load_sleepstudy,
}
LARGE = "insteval"


def shared_cases(key: str) -> list[str]:
    """Name the cases of the shared references that have such figures."""
    path = Path(__file__).parents[4] / "shared" / "reference" / "reference.json"
    if not path.exists():
        return []
    cases = json.loads(path.read_text())["cases"]
    return [name for name, case in cases.items() if case.get(key) and name != LARGE]


@pytest.fixture(params=FIXTURES)
def bundled(request):
    figures = FIXTURES[request.param]
    return figures, mixedlm(figures["formula"], DATA[request.param.split("_")[0]]())


def test_satterthwaite_of_the_bundled_data(bundled):
    figures, results = bundled
    table = results.tidy()
    assert_allclose(table["df"], figures["satterthwaite"], rtol=1e-5)
    assert_allclose(table["p_value"], figures["p_values"], rtol=1e-4, atol=1e-12)


def test_kenward_roger_of_the_bundled_data(bundled):
    figures, results = bundled
    table = results.with_df_method("kenward-roger").tidy()
    assert_allclose(table["df"], figures["kenward_roger"], rtol=1e-5)
    assert_allclose(table["se"], figures["kenward_roger_se"], rtol=1e-6)
    assert_allclose(table["p_value"], figures["kenward_roger_p"], rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("name", shared_cases("satterthwaite"))
def test_satterthwaite_of_the_references(shared, name):
    case = shared_case(shared, name)
    expected = case.figures["satterthwaite"]["coef"]
    table = fit_case(case).results.tidy()
    rows = table.iloc[matching(table["term"], expected)]
    assert_allclose(rows["df"], [row["df"] for row in expected.values()], rtol=1e-5)
    assert_allclose(rows["p_value"], [row["p"] for row in expected.values()], atol=1e-7)


@pytest.mark.parametrize("name", shared_cases("kenward_roger"))
def test_kenward_roger_of_the_references(shared, name):
    case = shared_case(shared, name)
    expected = case.figures["kenward_roger"]
    results = fit_case(case).results.with_df_method("kenward-roger")
    table = results.tidy()
    order = matching(table["term"], expected["coef"])
    rows = table.iloc[order]
    assert_allclose(rows["df"], [row["df"] for row in expected["coef"].values()], rtol=1e-7)
    assert_allclose(rows["p_value"], [row["p"] for row in expected["coef"].values()], atol=1e-7)
    covariance = DF_METHODS["kenward-roger"].at(results.fit).covariance[np.ix_(order, order)]
    adjusted = np.asarray(expected["vcov_adj"], dtype=float)
    assert_allclose(covariance, adjusted, rtol=1e-6, atol=1e-9 * np.abs(adjusted).max())


# "design" is for weights that are inverse probabilities: tests/estimators/test_sampling_weights.py.
# "between-within" needs the rows, which estimators do not keep: test_between_within.py.
GENERAL = sorted(set(DF_METHODS) - {"design", "between-within"})


@pytest.mark.parametrize("df_method", GENERAL)
def test_without_random_effects_every_rule_but_the_normal_counts_rows(df_method):
    data = load_sleepstudy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = mixedlm("Reaction ~ Days", data)
    df = results.with_df_method(df_method).tidy()["df"]
    assert_allclose(df, np.inf if df_method == "normal" else 178.0, rtol=1e-10)


@pytest.mark.parametrize("df_method", ["satterthwaite", "kenward-roger"])
@pytest.mark.parametrize(
    "formula", ["Reaction ~ Days + (Days | Subject)", "Reaction ~ Days + (1 | Subject)"]
)
def test_units_change_no_degree_of_freedom(df_method, formula):
    data = load_sleepstudy()
    scaled = data.assign(Reaction=data["Reaction"] * 1e-6, Days=data["Days"] * 1e4 + 1e6)
    base, other = (
        mixedlm(formula, frame).with_df_method(df_method).tidy() for frame in (data, scaled)
    )
    assert_allclose(other["df"].iloc[1], base["df"].iloc[1], rtol=1e-6)
    assert_allclose(other["statistic"].iloc[1], base["statistic"].iloc[1], rtol=1e-6)


def test_groups_that_count_twice_are_two_groups():
    data = load_sleepstudy()
    weighted = MixedLM("Subject").fit(
        data[["Days", "Subject"]], data["Reaction"], group_weight=np.full(len(data), 2)
    )
    other = data.assign(Subject=data["Subject"].astype(int) + 1000)
    both = pd.concat([data.assign(Subject=data["Subject"].astype(int)), other])
    doubled = MixedLM("Subject").fit(both[["Days", "Subject"]], both["Reaction"])
    for df_method in ("satterthwaite", "kenward-roger"):
        ours = weighted.results_.with_df_method(df_method).tidy()
        theirs = doubled.results_.with_df_method(df_method).tidy()
        assert_allclose(ours["df"], theirs["df"], rtol=1e-8)
        assert_allclose(ours["se"], theirs["se"], rtol=1e-8)


def test_kenward_roger_is_for_reml():
    results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), method="ml")
    with pytest.raises(ValueError, match=r"REML.*method='reml'.*satterthwaite"):
        results.summary(df_method="kenward-roger")


def test_kenward_roger_needs_the_cross_products():
    data = load_penicillin()
    fit = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", data, solver="iterative")
    with pytest.raises(ValueError, match=r"cross-products.*satterthwaite"):
        fit.summary(df_method="kenward-roger")


def test_an_estimator_gives_the_same_after_pickling():
    data = load_sleepstudy()
    model = MixedLM("Subject", random_slopes="Days").fit(
        data[["Days", "Subject"]], data["Reaction"]
    )
    restored = pickle.loads(pickle.dumps(model))
    for df_method in GENERAL:
        assert str(restored.summary(df_method=df_method)) == str(model.summary(df_method=df_method))
