"""Intervals hold new rows as often as is promised, also where nothing is normal."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.interval_coverage import (
    covered,
    limits_of_conformal,
    limits_of_mapie,
    limits_of_normal,
)

pytestmark = pytest.mark.slow


def rates(table):
    """Return the nominal coverage, the rate and its Monte-Carlo standard error, by level."""
    found = table.groupby("coverage")["held"].agg(["mean", "sem"])
    return zip(found.index, found["mean"], found["sem"], strict=True)


@pytest.mark.parametrize("kind", ["normal", "skewed"])
@pytest.mark.parametrize("method", ["split", "cross"])
def test_conformal_intervals_hold_rows_of_new_groups(kind, method):
    table = covered(kind, "new", limits_of_conformal(method), n_samples=60)
    for level, rate, error in rates(table):
        # Of 40 groups the split method sets 20 aside, which makes coverage a multiple of 1/21.
        excess = 1 / 21 if method == "split" else 1 / 41
        assert level - 4 * error < rate < level + excess + 4 * error


def test_normal_intervals_hold_rows_of_new_groups_if_all_is_normal():
    for level, rate, error in rates(covered("normal", "new", limits_of_normal, n_samples=60)):
        # The uncertainty of the variances is not in them.
        assert level - 0.02 - 4 * error < rate < level + 4 * error


def test_normal_intervals_of_skewed_groups_hold_too_many_rows():
    table = covered("skewed", "new", limits_of_normal, n_samples=60, coverages=(0.8,))
    (_, rate, error) = next(iter(rates(table)))
    assert rate > 0.8 + 4 * error
    conformal = covered(
        "skewed", "new", limits_of_conformal("cross"), n_samples=60, coverages=(0.8,)
    )
    assert conformal["width"].median() < 0.8 * table["width"].median()


@pytest.mark.parametrize("kind", ["normal", "skewed"])
def test_mapie_holds_new_rows_of_known_groups_but_not_of_small_ones(kind):
    pytest.importorskip("mapie")
    table = covered(kind, "known", limits_of_mapie, n_samples=60)
    for level, rate, error in rates(table):
        assert level - 4 * error < rate < level + 0.02 + 4 * error
    pairs = table.groupby("coverage")["held_in_pairs"].mean()
    assert np.all(pairs < pairs.index)


def test_normal_intervals_hold_rows_of_known_groups_also_of_small_ones():
    table = covered("normal", "known", limits_of_normal, n_samples=60)
    for level, rate, error in rates(table):
        assert level - 0.01 - 4 * error < rate < level + 0.01 + 4 * error
    pairs = table.groupby("coverage")["held_in_pairs"].agg(["mean", "sem"])
    assert np.all(pairs["mean"] > pairs.index - 0.02 - 4 * pairs["sem"])
