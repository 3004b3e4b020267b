"""How much memory a computation would need, and whether it is there."""

from __future__ import annotations

from skmixed.likelihood.free_memory import free_memory

__all__ = ["is_available", "require_memory"]


# So much is always there: to ask how much is free takes longer than to fit a small model.
NEGLIGIBLE = 2.0**20


def require_memory(n_bytes: float, what: str, remedy: str) -> None:
    """Raise MemoryError beforehand if the machine has not as much memory free.

    Parameters
    ----------
    what : str
        What needs it, for the message.
    remedy : str
        What the user can do instead.
    """
    if n_bytes <= NEGLIGIBLE:
        return
    free = free_memory()
    if free is not None and n_bytes > free:
        raise MemoryError(
            f"{what} would need about {n_bytes / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are "
            f"free. {remedy}"
        )


def is_available(n_bytes: float) -> bool:
    """Tell whether the machine has as much memory free, or does not say."""
    free = free_memory()
    return free is None or n_bytes <= free
