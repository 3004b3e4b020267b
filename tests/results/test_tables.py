"""Which covariances are listed follows from the structures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.covariance import (
    AR1,
    CompoundSymmetry,
    Diagonal,
    DirectSum,
    Identity,
    Unstructured,
)
from skmixed.design.design import TermLayout
from skmixed.results.tables import variance_table


@pytest.mark.parametrize(
    ("structures", "sizes", "linked"),
    [
        ((Unstructured(),), (2,), [(0, 1)]),
        ((Diagonal(),), (2,), []),
        ((Identity(),), (2,), []),
        ((Unstructured(), Unstructured()), (1, 1), []),
        ((Unstructured(), Diagonal()), (2, 2), [(0, 1)]),
        ((Diagonal(), Unstructured()), (1, 3), [(1, 2), (1, 3), (2, 3)]),
        ((AR1(),), (3,), [(0, 1), (0, 2), (1, 2)]),
        ((CompoundSymmetry(), Identity()), (2, 1), [(0, 1)]),
        ((CompoundSymmetry(equal_variances=True),), (3,), [(0, 1), (0, 2), (1, 2)]),
    ],
)
# On the boundary too, where the entries themselves are 0.
@pytest.mark.parametrize("size", [0.0, 0.5])
def test_pairs(slopes, structures, sizes, linked, size):
    covariance = DirectSum(structures, sizes)
    factor = covariance.factor(np.full(covariance.n_parameters, size))
    k = len(factor)
    effects = replace(
        slopes.fit.random[0],
        terms=(TermLayout(tuple(f"x{i}" for i in range(k))),),
        covariance=covariance,
        standardised_factor=factor,
        coordinates=_Unchanged(np.eye(k)),
        weight_scale=1.0,
    )
    expected = np.eye(k, dtype=bool)
    for i, j in linked:
        expected[i, j] = expected[j, i] = True
    assert_array_equal(effects.covariance.linked_effects, expected)
    table = variance_table(replace(slopes.fit, random=(effects,)))
    covariances = table[table["name2"].notna()]
    assert list(zip(covariances["name1"], covariances["name2"], strict=True)) == [
        (f"x{i}", f"x{j}") for i, j in linked
    ]
    assert_allclose(table["share"].sum(), 1.0)


class _Unchanged:
    def __init__(self, matrix):
        self.matrix = matrix
