"""Fits in several Python threads leave BLAS the threads that it had."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info

from skmixed import MixedLM
from skmixed.likelihood.threads import one_thread


def threads_of_blas() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def set_threads(n: int) -> None:
    """Set the threads of BLAS in a Python thread that ends, so that no thread owns the setting."""
    pools = ThreadpoolController().select(user_api="blas").lib_controllers

    def set_all() -> None:
        for pool in pools:
            pool.set_num_threads(n)

    setter = Thread(target=set_all)
    setter.start()
    setter.join()


@pytest.fixture
def _two_threads() -> Iterator[None]:
    """Give BLAS two threads within the test, whatever the environment allows it."""
    before = threads_of_blas()
    if len(before) != 1:
        pytest.skip("there is no BLAS whose threads can be counted")
    set_threads(2)
    if threads_of_blas() != {2}:
        pytest.skip("this BLAS cannot have two threads")
    yield
    set_threads(*before)


@pytest.mark.usefixtures("_two_threads")
def test_contexts_that_overlap_keep_the_limit_and_give_it_back():
    second_is_in, first_is_out = Event(), Event()
    seen = []

    def second() -> None:
        with one_thread():
            second_is_in.set()
            first_is_out.wait()
            seen.append(threads_of_blas())

    with ThreadPoolExecutor(1) as pool:
        with one_thread(), one_thread():
            running = pool.submit(second)
            second_is_in.wait()
        first_is_out.set()
        running.result()
        assert seen == [{1}]
        assert threads_of_blas() == {2}


@pytest.mark.usefixtures("_two_threads")
def test_fits_in_threads_agree_and_blas_has_its_threads_back():
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(120, 1)), rng.integers(0, (12, 9), size=(120, 2))
    effects = rng.normal(scale=2.0, size=(12, 2))
    y = X[:, 0] + effects[groups[:, 0], 0] + effects[groups[:, 1], 1] + rng.normal(size=120)
    columns = np.column_stack([X, groups])
    start = Barrier(4)

    def fit(_: int) -> np.ndarray:
        start.wait()
        return MixedLM([1, 2]).fit(columns, y).theta_

    alone = MixedLM([1, 2]).fit(columns, y).theta_
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fit, range(16)))
        assert threads_of_blas() == {2}
    np.testing.assert_allclose(found, [alone] * 16, rtol=1e-7)
