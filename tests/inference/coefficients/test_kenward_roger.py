"""Kenward and Roger's F test where theory knows its distribution: in balanced designs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skmixed import mixedlm
from skmixed.inference import anova_terms, t_test
from skmixed.inference.coefficients.kenward_roger import KenwardRoger


@pytest.mark.parametrize("n_contrasts", [1, 2, 3])
@pytest.mark.parametrize("df", [2.0, 3.0, 4.0, 5.0, 30.0])
def test_one_variance_with_a_chi_squared_estimate(df, n_contrasts):
    # The covariance is v I, and the estimate of v has variance 2 v^2 / df: F has df degrees of
    # freedom and scale 1. The formula divides 0 by 0 with 2 of them, and by 0 with 4.
    identity = np.eye(n_contrasts)
    rule = KenwardRoger(identity, identity, np.array([[2.0 / df]]), identity[None])
    assert_allclose(rule.f_test(identity), [df, 1.0], rtol=1e-7)


@pytest.mark.parametrize("n_groups", [4, 6])
def test_few_groups_in_a_balanced_design(n_groups):
    # The line through the means of the groups, by least squares, has an exact t test.
    w, group = np.arange(n_groups, dtype=float), np.repeat(np.arange(n_groups), 10)
    rng = np.random.default_rng(0)
    for _ in range(20):
        y = 5.0 * rng.normal(size=n_groups)[group] + rng.normal(size=len(group))
        rows = pd.DataFrame({"y": y, "w": w[group], "g": group})
        test = t_test(mixedlm("y ~ w + (1 | g)", rows), "w = 0", df_method="kenward-roger").iloc[0]
        line = stats.linregress(w, rows.groupby("g")["y"].mean().to_numpy())
        expected = [line.slope, line.stderr, n_groups - 2.0, line.pvalue]
        assert_allclose(test[["estimate", "se", "df", "p_value"]].to_numpy(float), expected, 1e-6)


@pytest.fixture(name="rows")
def fixture_of_rows_with_empty_cells() -> pd.DataFrame:
    """Return rows in which one combination of two factors is empty, and x2 is twice x."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"g": np.repeat(np.arange(6), 5), "h": np.tile(np.arange(5), 6)})
    rows["f"] = np.tile(["a", "b"], 15)
    kinds = np.resize(["u", "v", "w"], 30), np.resize(["u", "v", "v"], 30)
    rows["k"] = np.where(rows["f"] == "a", *kinds)
    rows["x"], effects = rng.normal(size=30), rng.normal(size=6)
    slopes, others = rng.normal(size=6), rng.normal(size=5)
    rows["y"] = effects[rows["g"]] + (1.0 + slopes[rows["g"]]) * rows["x"] + others[rows["h"]]
    rows["y"] += 0.5 * rng.normal(size=30)
    return rows.assign(x2=2.0 * rows["x"])[(rows["f"] == "a") | (rows["k"] != "u")]


@pytest.mark.filterwarnings("ignore:The covariance of", "ignore:X is rank deficient")
@pytest.mark.parametrize("bars", ["(1 | g)", "(x | g)", "(1 | g) + (1 | h)"])
def test_aliased_columns_leave_the_answers_of_the_others(rows, bars):
    fit = mixedlm(f"y ~ f * k + x + x2 + {bars}", rows).with_df_method("kenward-roger")
    alone = mixedlm(f"y ~ f + k + x + {bars}", rows).with_df_method("kenward-roger")
    table, expected = fit.tidy().set_index("term"), alone.tidy().set_index("term")
    assert_allclose(table.loc[expected.index], expected, rtol=1e-6)
    aliased = ["f[T.b]:k[T.v]", "f[T.b]:k[T.w]", "x2"]
    assert table.loc[aliased].drop(columns="estimate").isna().all(axis=None)
    assert "rank deficient" in str(fit.summary())
    assert_allclose(fit.conf_int().loc[expected.index], alone.conf_int(), rtol=1e-6)
    by_term = anova_terms(fit, type=1).set_index("term").loc[["f", "k", "x"]]
    assert_allclose(by_term, anova_terms(alone, type=1).set_index("term"), rtol=1e-6)


def test_empty_cells_as_pbkrtest_has_them(rows):
    with pytest.warns(UserWarning, match="rank deficient"):
        fit = mixedlm("y ~ f * k + x + (1 | g) + (1 | h)", rows).with_df_method("kenward-roger")
    found = fit.tidy().set_index("term").loc[["Intercept", "f[T.b]", "k[T.v]", "k[T.w]", "x"]]
    # lmerTest 3.1 with pbkrtest 0.5, which drop the columns.
    expected = [
        [-1.41770989, 0.93116405, 16.0520285],
        [1.24266590, 0.86049390, 11.5377607],
        [1.08684436, 0.98849379, 11.7763103],
        [1.70029787, 0.98140814, 11.5541169],
        [-0.06768022, 0.42091707, 17.2486959],
    ]
    assert_allclose(found[["estimate", "se", "df"]], expected, rtol=1e-5)


@pytest.mark.parametrize("bars", ["(1 | g)", "(1 | g) + (1 | h)"])
def test_no_fixed_effects_have_an_empty_table(rows, bars):
    fit = mixedlm(f"y ~ 0 + {bars}", rows).with_df_method("kenward-roger")
    assert fit.tidy().empty


def test_rounding_is_no_information_on_the_variances():
    """As many coefficients as rows take all of it: estimates without errors, and no adjustment."""
    rows = pd.DataFrame({"g": np.arange(6) // 2, "y": np.sin(np.arange(6.0))})
    rows["x"], rows["z"] = np.cos(np.arange(6.0)), np.exp(np.arange(6.0))
    with pytest.warns(UserWarning, match="as many coefficients as rows"):
        fit = mixedlm("y ~ x + z + I(x**2) + I(z**2) + I(x**3) + (1 | g)", rows)
    table = fit.with_df_method("kenward-roger").tidy()
    assert not table["se"].any()
    assert table[["statistic", "p_value"]].isna().all(axis=None)
