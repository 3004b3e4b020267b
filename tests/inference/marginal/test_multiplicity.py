"""Adjustments agree with statsmodels, with each other where they must, and keep their order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from skmixed.inference.marginal.multiplicity import ADJUSTMENTS, Family

NAMES = {"holm": "holm", "bonferroni": "bonferroni", "sidak": "sidak", "bh": "fdr_bh"}


def family_of(statistics, df, *, correlation=None, n_means=None) -> Family:
    statistics = np.asarray(statistics, dtype=float)
    m = len(statistics)
    correlation = np.eye(m) if correlation is None else correlation
    return Family(statistics, np.broadcast_to(float(df), m), correlation, n_means)


def pairs_of_independent_means(k: int) -> np.ndarray:
    rows = [np.eye(k)[i] - np.eye(k)[j] for i in range(k) for j in range(i + 1, k)]
    return np.array(rows) @ np.array(rows).T / 2.0


@pytest.mark.parametrize("name", NAMES)
def test_p_values_are_those_of_statsmodels(name: str) -> None:
    family = family_of([0.3, -4.0, 2.2, 2.2, 1.9, 7.0], 11.3)
    expected = multipletests(family.p_values, method=NAMES[name])[1]
    np.testing.assert_allclose(ADJUSTMENTS[name].p_values(family), expected, rtol=1e-9)


@pytest.mark.parametrize("df", [3.2, 20.0, np.inf])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_joint_t_of_all_pairs_is_the_studentized_range(df: float, k: int) -> None:
    m = k * (k - 1) // 2
    family = family_of(
        np.linspace(0.5, 4.0, m), df, correlation=pairs_of_independent_means(k), n_means=k
    )
    for method in ("p_values", "critical"):
        arguments = () if method == "p_values" else (0.05,)
        joint, tukey = (
            getattr(ADJUSTMENTS[name], method)(family, *arguments) for name in ("mvt", "tukey")
        )
        np.testing.assert_allclose(joint, tukey, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("name", ["tukey", "mvt", "sidak", "bonferroni"])
def test_limits_exclude_zero_where_the_p_value_is_below_the_error(name: str) -> None:
    family = family_of([2.1, 2.3, 2.9], 9.0, correlation=pairs_of_independent_means(3), n_means=3)
    reach = ADJUSTMENTS[name].critical(family, 0.05)
    p_at_limit = ADJUSTMENTS[name].p_values(
        family_of(reach, 9.0, correlation=family.correlation, n_means=3)
    )
    np.testing.assert_allclose(p_at_limit, 0.05, rtol=1e-6)


def test_independent_statistics_with_known_variance_are_sidaks() -> None:
    family = family_of([1.0, 2.0, 3.0, 2.5], np.inf)
    joint, sidak = (ADJUSTMENTS[name].p_values(family) for name in ("mvt", "sidak"))
    np.testing.assert_allclose(joint, sidak, rtol=2e-3)


def test_comparisons_with_a_control_are_dunnetts() -> None:
    # Dunnett (1964), two-sided 5 %, 3 comparisons, 20 degrees of freedom.
    family = family_of([1.0, 1.0, 1.0], 20.0, correlation=np.full((3, 3), 0.5) + np.eye(3) / 2)
    np.testing.assert_allclose(ADJUSTMENTS["mvt"].critical(family, 0.05), 2.54, atol=0.005)


def test_one_test_is_not_adjusted() -> None:
    family = family_of([2.0], 7.0, n_means=2)
    for adjustment in ADJUSTMENTS.values():
        np.testing.assert_allclose(adjustment.p_values(family), 2 * stats.t.sf(2.0, 7.0))
        np.testing.assert_allclose(adjustment.critical(family, 0.1), stats.t.isf(0.05, 7.0))


@pytest.mark.parametrize("name", ADJUSTMENTS)
def test_what_has_no_estimate_stays_nan(name: str) -> None:
    correlation = pairs_of_independent_means(3)
    correlation[1], correlation[:, 1] = np.nan, np.nan
    statistics, df = np.array([2.0, np.nan, 3.0]), np.array([8.0, np.nan, 9.0])
    family = Family(statistics, df, correlation, 3)
    assert np.isnan(ADJUSTMENTS[name].p_values(family)).tolist() == [False, True, False]
    assert np.isnan(ADJUSTMENTS[name].critical(family, 0.05)).tolist() == [False, True, False]


def test_nothing_to_estimate_at_all() -> None:
    family = Family(np.full(2, np.nan), np.full(2, np.nan), np.full((2, 2), np.nan))
    assert np.isnan(ADJUSTMENTS["mvt"].p_values(family)).all()
    assert np.isnan(ADJUSTMENTS["mvt"].critical(family, 0.05)).all()


def test_tails_beyond_the_precision_of_the_integral_keep_their_order() -> None:
    family = family_of([30.0, 20.0, 10.0], 12.0, n_means=3)
    adjusted = ADJUSTMENTS["tukey"].p_values(family)
    assert (np.diff(adjusted) > 0).all()
    assert (adjusted >= family.p_values).all()
