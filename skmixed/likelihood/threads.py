"""How many threads the dense linear algebra of one evaluation may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import Any

from threadpoolctl import OpenBLASController, ThreadpoolController

__all__ = ["one_thread", "threads_for"]

# Below this size threads cost more than they gain: NumPy and SciPy bring a pool each, and they wait
# for each other busily.
LARGE = 2000


def threads_for(n: int) -> AbstractContextManager[Any]:
    """Return a context in which n x n matrices are factored with as many threads as are useful."""
    return one_thread() if 0 < n < LARGE else nullcontext()


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which dense linear algebra is done in one thread."""
    return _LIMIT.held()


class _SharedLimit:
    """Keep BLAS at one thread while anyone needs it.

    The number of threads belongs to the process. The contexts of several Python threads overlap
    without being nested, so the first to begin sets the number and the last to end restores it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._blas: ThreadpoolController | None = None
        self._limiter: Any = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the limit."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        """Set the limit, unless it is held already."""
        with self._lock:
            if not self._users:
                if self._blas is None:
                    self._blas = ThreadpoolController().select(user_api="blas")
                self._limiter = self._blas.limit(limits=1)
            self._users += 1

    def _leave(self) -> None:
        """Restore the number of threads, if nobody else holds the limit."""
        with self._lock:
            self._users -= 1
            if not self._users:
                _release_openblas()
                self._limiter.restore_original_limits()
                _release_openblas()


def _release_openblas() -> None:
    """Let another Python thread than the last one set the number of threads of OpenBLAS."""
    # threadpoolctl 3.8 ignores every thread but the one that came first; earlier versions do not.
    release = getattr(OpenBLASController, "clear_controlling_thread", None)
    if release is not None:
        release(force=True)


_LIMIT = _SharedLimit()
