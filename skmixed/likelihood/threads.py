"""How many threads the dense linear algebra of one evaluation may use."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread", "threads_for"]

# Below this size threads cost more than they gain: NumPy and SciPy bring a pool each, and they wait
# for each other busily.
LARGE = 2000


def threads_for(n: int) -> AbstractContextManager[Any]:
    """Return a context in which n x n matrices are factored with as many threads as are useful."""
    return one_thread() if 0 < n < LARGE else nullcontext()


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which dense linear algebra is done in one thread."""
    return _blas().limit(limits=1)


@cache
def _blas() -> ThreadpoolController:
    """Find the BLAS libraries of this process, once."""
    return ThreadpoolController().select(user_api="blas")
