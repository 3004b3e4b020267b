"""The one place where matplotlib, an optional dependency, is imported."""

from __future__ import annotations

from types import ModuleType

__all__ = ["require_pyplot"]


def require_pyplot(caller: str) -> ModuleType:
    """Return ``matplotlib.pyplot``, or raise ImportError that says what needs it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} requires matplotlib. Install it with `pip install scikit-mixed[plot]`."
        ) from error
    return plt
