"""Cross-products among more levels are those of the same rows under other codes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.likelihood.cells import cell_products
from skmixed.likelihood.crossproducts import CrossProducts, factor_products


@pytest.mark.parametrize("multiplicity", [None, np.arange(1.0, 6.0)])
def test_sums_move_with_their_levels(multiplicity) -> None:
    rng = np.random.default_rng(0)
    A, Z = rng.normal(size=(3, 40)), (rng.normal(size=(2, 40)), rng.normal(size=(1, 40)))
    codes = (rng.integers(0, 5, 40), rng.integers(0, 3, 40))
    codes[0][:5], codes[1][:3] = np.arange(5), np.arange(3)
    places = (np.array([6, 0, 3, 4, 1]), np.array([2, 3, 0]))

    def products(codes, sizes, counts):
        factors = (
            factor_products(Z[0], A, codes[0], sizes[0], counts),
            factor_products(Z[1], A, codes[1], sizes[1]),
        )
        cells = cell_products(Z[0], codes[0], sizes[0], Z[1], codes[1], sizes[1])
        return CrossProducts(40.0, 0.5, A @ A.T, factors, {(0, 1): cells})

    moved = tuple(place[code] for place, code in zip(places, codes, strict=True))
    counts = None
    if multiplicity is not None:
        counts = np.ones(8)
        counts[places[0]] = multiplicity
    ours = products(codes, (5, 3), multiplicity).among(places, (8, 4))
    theirs = products(moved, (8, 4), counts)
    assert (ours.n_rows, ours.sum_log_weights) == (40.0, 0.5)
    for one, other in zip(ours.factors, theirs.factors, strict=True):
        assert_allclose(one.ZtWZ, other.ZtWZ)
        assert_allclose(one.ZtWA, other.ZtWA)
        assert (one.multiplicity is None) == (other.multiplicity is None)
    if multiplicity is not None:
        assert_allclose(ours.factors[0].multiplicity, counts)
    matrix = ours.crossed[0, 1].matrix()
    assert matrix.shape == (16, 4)
    assert_allclose(matrix.toarray(), theirs.crossed[0, 1].matrix().toarray())
    assert_allclose((ours + theirs).crossed[0, 1].matrix().toarray(), 2.0 * matrix.toarray())
