"""The choice of a kernel from an estimate of what a fit costs."""

from __future__ import annotations

import numpy as np
import pytest

from skmixed.likelihood import memory
from skmixed.likelihood.cells import CellProducts
from skmixed.likelihood.choose import direct_cost, iterative_cost, kernel_for
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts
from skmixed.likelihood.iterative import IterativeKernel
from skmixed.likelihood.single_factor import SingleFactorKernel


def products(levels: tuple[int, int], cells_per_level: int) -> CrossProducts:
    """Return cross-products of two factors whose levels meet in a regular pattern."""
    first, other = levels
    starts = cells_per_level * np.arange(first + 1)
    left = np.repeat(np.arange(first), cells_per_level)
    right = (left * 7 + np.tile(np.arange(cells_per_level), first)) % other
    right = np.sort(right.reshape(first, -1), axis=1).ravel()
    cells = CellProducts(starts, right, np.ones((1, 1, len(right))), other)
    sizes = (np.full(first, float(cells_per_level)), np.bincount(right, minlength=other) * 1.0)
    factors = tuple(
        FactorProducts(size[None, None], np.stack([size, size])[:, None]) for size in sizes
    )
    return CrossProducts(float(len(right)), 0.0, np.eye(2) * len(right), factors, {(0, 1): cells})


def test_small_problems_are_fitted_exactly():
    assert not isinstance(kernel_for(products((400, 100), 10)), IterativeKernel)


def test_large_problems_are_fitted_iteratively():
    assert isinstance(kernel_for(products((20_000, 8_000), 20)), IterativeKernel)


def test_what_is_asked_for_is_chosen():
    small = products((400, 100), 10)
    assert isinstance(kernel_for(small, "iterative"), IterativeKernel)
    assert not isinstance(kernel_for(small, "direct"), IterativeKernel)


@pytest.mark.parametrize("solver", ["auto", "direct", "iterative"])
def test_one_factor_is_always_exact(solver):
    one = products((400, 100), 10).of_factors([0])
    assert isinstance(kernel_for(one, solver), SingleFactorKernel)


def test_nested_factors_cost_nothing_that_grows_faster_than_their_levels():
    assert direct_cost(products((20_000, 8_000), 1)).seconds < 0.1
    assert not isinstance(kernel_for(products((600, 300), 1)), IterativeKernel)


def test_memory_decides_before_time(monkeypatch):
    middle = products((2_000, 300), 10)
    needed = direct_cost(middle).n_bytes
    assert iterative_cost(middle).n_bytes < 0.5 * needed
    monkeypatch.setattr(memory, "free_memory", lambda: 0.7 * needed)
    assert isinstance(kernel_for(middle), IterativeKernel)
    with pytest.raises(MemoryError, match=r"\['a', 'b'\].*GiB.*solver='iterative'"):
        kernel_for(middle, "direct", ["a", "b"])
    monkeypatch.setattr(memory, "free_memory", lambda: 1e3)
    with pytest.raises(MemoryError, match="fewer factors"):
        kernel_for(middle)


def test_costs_grow_as_the_work_does():
    cost, larger = (products((4_000, levels), 20) for levels in (1_000, 2_000))
    ratio = direct_cost(larger).seconds / direct_cost(cost).seconds
    assert 4.0 < ratio < 8.5
    assert iterative_cost(larger).seconds < 1.5 * iterative_cost(cost).seconds
