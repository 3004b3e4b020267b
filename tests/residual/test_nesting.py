"""Which structures are known to be special cases of which."""

from __future__ import annotations

import pytest

from skmixed.residual import (
    AR1,
    ARMA,
    AnteDependence,
    CompoundSymmetry,
    Exponential,
    Heterogeneous,
    KnownVariance,
    Toeplitz,
    Unstructured,
    UnstructuredCorrelation,
    VariancePower,
)
from skmixed.residual.structure import contains


@pytest.mark.parametrize(
    ("large", "small"),
    [
        (AR1("t"), None),
        (Toeplitz("t"), AR1("t")),
        (Toeplitz("t"), CompoundSymmetry()),
        (UnstructuredCorrelation("t"), Toeplitz("t")),
        (UnstructuredCorrelation("t"), AnteDependence("t")),
        (AnteDependence("t"), AR1("t")),
        (ARMA(1, 1, "t"), AR1("t")),
        (ARMA(2, 1, "t"), ARMA(1, 1, "t")),
        (AR1("t", by="arm"), AR1("t")),
        (AR1("t") * Heterogeneous("s"), AR1("t")),
        (AR1("t") * Heterogeneous("s"), Heterogeneous("s")),
        (Unstructured("t", "g"), AR1("t", "g") * Heterogeneous("t")),
        (Heterogeneous(["s", "arm"]), Heterogeneous("arm")),
        (VariancePower("v", by="s"), VariancePower("v")),
        (KnownVariance("v") * AR1("t"), KnownVariance("v")),
        (None, None),
    ],
)
def test_a_structure_contains_its_special_cases_and_not_the_other_way_round(large, small):
    assert contains(large, small)
    assert contains(small, large) == (large is small)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (AR1("t"), CompoundSymmetry()),
        (AR1("t"), AR1("u")),
        (AR1("t", "g"), AR1("t", "h")),
        (AR1("t"), Heterogeneous("s")),
        (VariancePower("v"), Heterogeneous("s")),
        (UnstructuredCorrelation("t"), Exponential("t")),
        (KnownVariance("v"), None),
    ],
)
def test_others_contain_neither(one, other):
    assert not contains(one, other)
    assert not contains(other, one)
