"""How many threads the dense linear algebra of one evaluation may use."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["threads_for"]

# Below the first size BLAS hardly starts threads, above the second they pay. In between they cost
# more than they gain: NumPy and SciPy bring a pool each, which wait for each other busily.
FIRST, LAST = 50, 2000


def threads_for(n: int) -> AbstractContextManager[Any]:
    """Return a context in which n x n matrices are factored with as many threads as are useful."""
    return _blas().limit(limits=1) if FIRST <= n < LAST else nullcontext()


@cache
def _blas() -> ThreadpoolController:
    """Find the BLAS libraries of this process, once."""
    return ThreadpoolController().select(user_api="blas")
