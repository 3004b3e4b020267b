"""Random terms dropped in turn, against lmerTest's ranova."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.names import factor_key
from parity.reference import fit_case, shared_case

from inference.comparison.comparison_cases import COMPARISON, comparison_fit
from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_dyestuff2, load_sleepstudy
from skmixed.inference import ranova

SHARED = (
    "pigs_ri",
    "pigs_rs",
    "gpa_ri",
    "pupils",
    "nurses_slash",
    "sleep_rs",
    "pastes",
    "machines_nested",
    "oats",
)


def group_of(label: str) -> frozenset[str]:
    """Return a key of the grouping factor in the label of a term."""
    return factor_key(label.rstrip(")").split("|")[-1].strip()) if "|" in label else frozenset()


def in_r_s_order(table: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Return the rows in the order of R's labels."""
    ours = [group_of(label) for label in table["term"]]
    return table.iloc[[ours.index(group_of(label)) for label in labels]]


@pytest.mark.parametrize("name", SHARED)
def test_tables_of_lmertest(name: str, shared: Path) -> None:
    case = shared_case(shared, name)
    figures = case.figures["ranova"]
    table = in_r_s_order(ranova(fit_case(case).results), list(figures))
    assert len(table) == len(figures)
    theirs = pd.DataFrame(figures.values()).astype(float)
    for ours, column in {"n_parameters": "npar", "log_likelihood": "loglik", "aic": "AIC"}.items():
        assert_allclose(table[ours], theirs[column], rtol=1e-9)
    assert_allclose(table["statistic"], theirs["LRT"], rtol=1e-8)
    assert_allclose(table["df"], theirs["df"])
    assert_allclose(table["p_value"], theirs["p"], rtol=1e-6)


@pytest.mark.parametrize("name", COMPARISON["models"])
def test_tables_of_lmertest_on_bundled_data(name: str) -> None:
    figures = COMPARISON["models"][name]["ranova"]
    table = in_r_s_order(ranova(comparison_fit(name)), figures["term"])
    numbers = {key: np.array(figures[key], dtype=float) for key in ("statistic", "df", "p_value")}
    assert_allclose(table["statistic"], numbers["statistic"], rtol=1e-6)
    assert_allclose(table["df"], numbers["df"])
    assert_allclose(table["p_value"], numbers["p_value"], rtol=1e-5)


def test_a_categorical_effect_is_dropped_as_a_whole() -> None:
    sleepstudy = load_sleepstudy()
    sleepstudy["part"] = pd.Categorical.from_codes(sleepstudy["Days"] // 4, ["a", "b", "c"])
    small = mixedlm("Reaction ~ part + (1 | Subject)", sleepstudy)
    for effects, written in (("part", "1 + part"), ("0 + part", "0 + part")):
        large = mixedlm(f"Reaction ~ part + ({effects} | Subject)", sleepstudy)
        table = ranova(large)
        assert table["term"].tolist() == ["<none>", f"part in ({written} | Subject)"]
        assert_allclose(table["log_likelihood"], [large.llf, small.llf], rtol=1e-9)
        assert table["df"][1] == 5


def test_each_effect_of_a_term_but_its_intercept() -> None:
    sleepstudy = load_sleepstudy()
    sleepstudy["late"] = (sleepstudy["Days"] > 5) * 1.0
    large = mixedlm("Reaction ~ Days + late + (Days + late | Subject)", sleepstudy)
    table = ranova(large)
    label = "(1 + Days + late | Subject)"
    assert table["term"].tolist() == ["<none>", f"Days in {label}", f"late in {label}"]
    without = mixedlm("Reaction ~ Days + late + (late | Subject)", sleepstudy)
    assert_allclose(table["log_likelihood"][1], without.llf, rtol=1e-9)
    assert set(table["reference"][1:]) == {"1/2 chi2(2) + 1/2 chi2(3)"}
    whole = ranova(large, reduce_terms=False)
    assert whole["term"].tolist() == ["<none>", label]
    assert whole["df"][1] == 6


def test_uncorrelated_slopes_are_dropped_one_by_one() -> None:
    sleepstudy = load_sleepstudy()
    table = ranova(mixedlm("Reaction ~ Days + (Days || Subject)", sleepstudy))
    assert table["term"].tolist() == ["<none>", "(1 | Subject)", "(0 + Days | Subject)"]
    intercepts = mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy)
    assert_allclose(table["log_likelihood"][2], intercepts.llf, rtol=1e-9)


def test_an_estimator_gives_its_training_model() -> None:
    sleepstudy = load_sleepstudy()
    X, y = sleepstudy[["Days", "Subject"]], sleepstudy["Reaction"]
    estimator = MixedLM(groups="Subject", random_slopes="Days")
    with pytest.raises(TypeError, match="training_model"):
        ranova(estimator.fit(X, y))
    table = ranova(estimator.training_model(X, y))
    expected = ranova(mixedlm("Reaction ~ Days + (Days | Subject)", sleepstudy))
    assert table["term"].tolist() == expected["term"].tolist()
    assert_allclose(table["log_likelihood"], expected["log_likelihood"], rtol=1e-12)


def test_group_weights_stay_when_the_groups_leave() -> None:
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(10), 6)
    X = rng.normal(size=(60, 1))
    y = X[:, 0] + rng.normal(size=10)[g] + rng.normal(size=60)
    counts = rng.integers(1, 4, 10)
    estimator = MixedLM()
    model = estimator.training_model(X, y, groups=g, group_weight=counts[g])
    rows = np.concatenate([np.tile(np.flatnonzero(g == i), counts[i]) for i in range(10)])
    copies = np.concatenate([np.repeat(np.arange(counts[i]), 6) + 10 * i for i in range(10)])
    replicated = MixedLM().training_model(X[rows], y[rows], groups=copies)
    weighted, written_out = (ranova(one) for one in (model, replicated))
    assert_allclose(weighted["log_likelihood"], written_out["log_likelihood"], rtol=1e-9)


@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_a_variance_of_zero_has_p_value_one() -> None:
    row = ranova(mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())).iloc[1]
    assert row["statistic"] == 0.0
    assert row["p_value"] == row["p_value_mixture"] == 1.0


@pytest.mark.filterwarnings("ignore::skmixed.NoGroupsWarning")
def test_nothing_to_drop() -> None:
    with pytest.raises(ValueError, match="has none"):
        ranova(mixedlm("Reaction ~ Days", load_sleepstudy()))
