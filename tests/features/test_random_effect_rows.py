"""Rows 40 to 43 and 67 of the promised features: the effects of groups and their uncertainty."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_pastes, load_penicillin, load_sleepstudy
from skmixed.results import (
    group_coefficients_table,
    random_effects_table,
    sample_random_effects,
)

REFERENCE = Path(__file__).parents[1] / "prediction" / "fixtures" / "group_effects.json"
DATA = {"sleepstudy": load_sleepstudy, "penicillin": load_penicillin, "pastes": load_pastes}
KEYS = ["factor", "effect", "group"]


def in_our_order(table: pd.DataFrame) -> pd.DataFrame:
    """Name R's effects and factors as here: a nested factor is ``cask:batch`` in lme4."""
    table = table.rename(columns={"term": "effect"})
    table["effect"] = table["effect"].str.strip("()")
    turned = table["factor"].str.contains(":")
    for column in ("factor", "group"):
        parts = table.loc[turned, column].str.split(":")
        table.loc[turned, column] = parts.str[::-1].str.join(":")
    return table


def beside(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Put the figures of R, named with _r, beside ours."""
    merged = ours.merge(in_our_order(theirs), on=KEYS, suffixes=("", "_r"), validate="1:1")
    assert len(merged) == len(ours) == len(theirs)
    return merged


@pytest.fixture(scope="module", params=DATA, ids=str)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def figures(name):
    return json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"][name]


@pytest.fixture(scope="module")
def results(name, figures):
    return mixedlm(figures["formula"], DATA[name]())


@pytest.fixture(scope="module")
def sleep():
    return mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())


def test_row_40_blups_with_limits(results, figures):
    merged = beside(random_effects_table(results), pd.DataFrame(figures["ranef"]))
    assert_allclose(merged["value"], merged["value_r"], rtol=1e-4, atol=1e-5)
    reach = stats.norm.ppf(0.975) * merged["se"]
    assert_allclose(merged["lower"], merged["value"] - reach)
    assert_allclose(merged["upper"], merged["value"] + reach)
    expected = np.sign(merged["lower"]) == np.sign(merged["upper"])
    assert (merged["excludes_zero"] == expected).all()


def test_row_41_conditional_standard_deviations(results, figures):
    """As lme4's, given beta; the errors of the effects themselves are larger."""
    known = random_effects_table(results, beta_known=True)
    merged = beside(known, pd.DataFrame(figures["ranef"]))
    assert_allclose(merged["se"], merged["se_r"], rtol=1e-4)
    assert (random_effects_table(results)["se"] > known["se"]).all()


def test_row_42_group_coefficients(results, figures):
    """The joint standard error is below mixedup's, which adds the variances of both parts."""
    theirs = pd.concat(
        [
            pd.DataFrame(table).assign(factor=factor)
            for factor, table in figures["added_variances"].items()
        ]
    )
    ours = group_coefficients_table(results).rename(columns={"term": "effect"})
    merged = beside(ours, theirs)
    assert_allclose(merged["value"], merged["value_r"], rtol=1e-5)
    assert (merged["se"] < merged["se_r"]).all()
    known = random_effects_table(results, beta_known=True)["se"]
    errors = results.bse[ours["effect"]].to_numpy()
    assert_allclose(merged["se_r"], np.hypot(known, errors), rtol=1e-4)


def test_row_42_of_a_balanced_one_way_layout():
    """With 5 rows in each of 6 groups the errors are known: lambda = tau^2 / (tau^2 + s^2 / 5).

    beta + b is estimated by lambda ybar_g + (1 - lambda) ybar, and its error has the variance
    (lambda + (1 - lambda) / 6) s^2 / 5.
    """
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(6), 5)
    y = rng.normal(size=6)[group] + rng.normal(size=30)
    results = mixedlm("y ~ 1 + (1 | group)", {"y": y, "group": group})
    tau2, s2 = results.variance_components["vcov"]
    share = tau2 / (tau2 + s2 / 5)
    table = group_coefficients_table(results)
    means = pd.Series(y).groupby(group).mean().to_numpy()
    assert_allclose(table["value"], share * means + (1 - share) * y.mean(), rtol=1e-8)
    assert_allclose(table["se"], np.sqrt((share + (1 - share) / 6) * s2 / 5), rtol=1e-6)


def test_row_43_limits_of_the_fixed_effects(sleep):
    assert_allclose(sleep.conf_int(0.05), sleep.tidy()[["lower", "upper"]])
    profile = sleep.conf_int(method="profile")
    assert_allclose(profile.loc["Days"], [7.358653, 13.575919], atol=5e-3)  # confint(lme4).


def test_row_67_draws_with_flag_and_rank(results, figures):
    """The expected rank of merTools takes the effects as independent given beta."""
    draws = sample_random_effects(results, n=20_000, random_state=0, beta_known=True)
    table = draws.table()
    merged = beside(table, pd.DataFrame(figures["ranef"]))
    error = merged["se"] / np.sqrt(20_000)
    assert (np.abs(merged["mean"] - merged["value"]) < 5 * error).all()
    assert (np.abs(merged["median"] - merged["value"]) < 7 * error).all()
    assert_allclose(merged["sd"], merged["se"], rtol=0.03)
    flags = (merged["lower"] > 0) | (merged["upper"] < 0)
    assert (merged["excludes_zero"] == flags).all()
    n_levels = table.groupby(["factor", "effect"])["group"].transform("size")
    assert_allclose(table["percentile"], 100 * (table["expected_rank"] - 0.5) / n_levels)
    totals = table.groupby(["factor", "effect"])["expected_rank"].sum()
    sizes = n_levels.groupby([table["factor"], table["effect"]]).first()
    assert_allclose(totals, sizes * (sizes + 1) / 2)


def test_row_67_expected_rank_of_mertools(sleep):
    """One factor: the subjects are independent given beta."""
    figures = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]["sleepstudy"]
    table = sample_random_effects(sleep, 20_000, random_state=1, beta_known=True).table()
    merged = beside(table, pd.DataFrame(figures["expectedRank"]))
    # A rank has a standard deviation below 5, so that its mean over the draws has one below 0.035.
    assert_allclose(merged["expected_rank"], merged["expected_rank_r"], atol=0.15)
    assert_allclose(merged["percentile"], merged["percentile_r"], atol=0.5 + 0.85)


def test_row_67_simulations_of_mertools():
    """REsim draws beta too, and sigma, with 143 degrees of freedom.

    Only where Lambda is diagonal and lme4's factor L is not permuted: arm::sim, which it calls,
    transposes the one and leaves out the permutation of the other.
    """
    figures = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]["penicillin"]
    results = mixedlm(figures["formula"], load_penicillin())
    table = sample_random_effects(results, 20_000, random_state=2).table()
    merged = beside(table, pd.DataFrame(figures["REsim"]))
    assert_allclose(merged["sd"], merged["sd_r"], rtol=0.03)
    assert_allclose(merged["median"], merged["median_r"], atol=0.05)


def test_row_67_of_an_estimator(sleep):
    model = MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(load_sleepstudy())
    ours = sample_random_effects(model, 5, random_state=3)
    again = sample_random_effects(sleep, 5, random_state=3)
    assert_allclose(ours.draws["Subject"], again.draws["Subject"])
    assert ours.draws["Subject"].shape == (5, 18, 2)
