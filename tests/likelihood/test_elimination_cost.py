"""Which generalised models are estimated from probes, and which are exact."""

import numpy as np
import pytest

from skmixed.likelihood import memory
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.elimination_cost import exact_cost, probed_cost, probes_for


def elimination(n, *sizes):
    """Return the elimination of intercepts of factors whose levels meet at random."""
    rng = np.random.default_rng(0)
    codes = tuple(np.concatenate([np.arange(g), rng.integers(0, g, n - g)]) for g in sizes)
    return Elimination(EffectRows(tuple(np.ones((1, n)) for _ in sizes), codes, sizes))


def test_small_models_are_exact():
    assert probes_for(elimination(3000, 200, 50)) is None


def test_large_models_are_estimated():
    large = elimination(20_000, 6000, 3000)
    probes = probes_for(large)
    assert probes is not None
    assert len(probes.columns) == large.n_dense
    assert exact_cost(large).seconds > 5.0 * probed_cost(large).seconds


def test_what_is_asked_for_is_chosen():
    small = elimination(3000, 200, 50)
    assert probes_for(small, "iterative") is not None
    assert probes_for(elimination(8000, 4000, 2500), "direct") is None


@pytest.mark.parametrize("solver", ["auto", "direct", "iterative"])
def test_factors_that_are_eliminated_level_by_level_are_exact(solver):
    assert probes_for(elimination(300, 50), solver) is None


def test_memory_decides_before_time(monkeypatch):
    middle = elimination(3000, 900, 700)
    needed = exact_cost(middle).n_bytes
    assert probed_cost(middle).n_bytes < 0.5 * needed
    assert probes_for(middle) is None
    monkeypatch.setattr(memory, "free_memory", lambda: 0.7 * needed)
    assert probes_for(middle) is not None
    with pytest.raises(MemoryError, match=r"\['a', 'b'\].*GiB.*solver='iterative'"):
        probes_for(middle, "direct", ["a", "b"])
    monkeypatch.setattr(memory, "NEGLIGIBLE", 0.0)
    monkeypatch.setattr(memory, "free_memory", lambda: 1e3)
    with pytest.raises(MemoryError, match="fewer factors"):
        probes_for(middle)
