"""Kenward and Roger's F test where theory knows its distribution: in balanced designs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skmixed import mixedlm
from skmixed.inference import t_test
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
