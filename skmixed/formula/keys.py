"""The keys under which the names of an expression are kept, one kind for each use.

In ``scale(x) + scale`` the first name is a function and the second a column. Names are therefore
kept under three kinds of key: ``x`` for a variable, ``scale()`` for what is called, ``np.`` for
what has an attribute taken.
"""

from __future__ import annotations

__all__ = ["attribute_key", "call_key"]


def call_key(name: str) -> str:
    """Return the key of a function."""
    return f"{name}()"


def attribute_key(name: str) -> str:
    """Return the key of a module or object whose attribute is taken."""
    return f"{name}."
