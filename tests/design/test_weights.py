"""What weights mean, and how often rows and groups count."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.design.design import Design, RandomBlock, TermLayout
from skmixed.design.groups import factorise
from skmixed.design.weights import Weights

VALUES = np.array([1.0, 2.0, 3.0, 6.0])
CODES = np.array([0, 1, 1, 2])
GROUPS = np.array([2.0, 1.0, 3.0])


def test_precision_weights_are_relative_to_their_mean_and_count_no_rows():
    weights = Weights(VALUES)
    assert weights.scale == 3.0
    assert weights.row_multiplicity is None
    assert weights.repetitions is None
    whitening = weights.whitening()
    assert_allclose(whitening.root, np.sqrt(VALUES / 3.0))
    assert_allclose(whitening.log_determinant, -np.log(VALUES / 3.0).sum())
    # Rows that are added are relative to the mean weight of the fit.
    assert_allclose(weights.whitening(2.0).root, np.sqrt(VALUES / 2.0))


@pytest.mark.parametrize("kind", ["frequency", "sampling"])
def test_counts_are_no_precisions(kind):
    weights = Weights(VALUES, kind)
    assert weights.scale == 1.0
    assert weights.precision is None
    assert_array_equal(weights.row_multiplicity, VALUES)
    whitening = weights.whitening(7.0)
    assert_allclose(whitening.root, np.sqrt(VALUES))
    assert whitening.log_determinant == 0.0


def test_without_weights_nothing_is_copied():
    columns = np.ones((2, 4))
    assert Weights().whitening().apply(columns) is columns
    assert Weights(groups=GROUPS, codes=CODES).whitening().apply(columns) is columns


def test_rows_count_as_often_as_their_groups():
    counts = GROUPS[CODES]
    assert_array_equal(Weights(VALUES, groups=GROUPS, codes=CODES).row_multiplicity, counts)
    both = Weights(VALUES, "frequency", GROUPS, CODES)
    assert_array_equal(both.row_multiplicity, counts * VALUES)
    relative = Weights(VALUES, groups=GROUPS, codes=CODES).whitening()
    assert_allclose(relative.log_determinant, -counts @ np.log(VALUES / 3.0))


@pytest.mark.parametrize("keep", [np.array([False, True, True, True]), np.array([3, 1])])
def test_some_rows_keep_their_weights_and_those_of_their_groups(keep):
    columns = np.arange(4.0)[:, None]
    factor = factorise(list("abbc"), "g")
    design = Design(
        np.arange(4.0),
        columns,
        ("x",),
        True,
        (RandomBlock(factor, np.ones((4, 1)), (TermLayout(("Intercept",)),)),),
        offset=np.arange(4.0),
        weights=Weights(VALUES, "frequency", GROUPS, factor.codes),
    )
    chosen = design.select(keep)
    assert_array_equal(chosen.fixed, columns[keep])
    assert_array_equal(chosen.weights.values, VALUES[keep])
    assert_array_equal(chosen.weights.group_counts, GROUPS[factor.codes][keep])
    assert list(chosen.factors[0].levels.labels) == ["b", "c"]
    assert chosen.count == (VALUES * GROUPS[CODES])[keep].sum()
    assert_array_equal(chosen.response_beside_offset, np.zeros(len(keep.nonzero()[0])))
