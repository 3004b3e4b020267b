"""Names as formulas write them: Python reads some letters as others, names of columns do not.

Python takes identifiers in Unicode's form NFKC, in which the micro sign is the Greek letter mu.

In ``scale(x) + scale`` the first name is a function and the second a column. Names are therefore
kept under three kinds of key: ``x`` for a variable, ``scale()`` for what is called, ``np.`` for
what has an attribute taken.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Iterable
from typing import Any

__all__ = ["attribute_key", "call_key", "keep_spelling", "python_name", "same_name"]


def python_name(name: str) -> str:
    r"""Return an identifier as Python reads it."""
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


def same_name(name: str, names: Iterable[Any]) -> Any:
    """Return the one of some names that Python does not tell from a name; None if there is none."""
    if name.isascii():
        return None
    read = python_name(name)
    return next((one for one in names if isinstance(one, str) and python_name(one) == read), None)


def keep_spelling(tree: ast.Expression, code: str) -> ast.Expression:
    """Give variables in a parsed expression back the spelling that they have in its text."""
    if code.isascii():
        return tree
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called:
            node.id = ast.get_source_segment(code, node) or node.id
    return tree


def call_key(name: str) -> str:
    """Return the key of a function."""
    return f"{name}()"


def attribute_key(name: str) -> str:
    """Return the key of a module or object whose attribute is taken."""
    return f"{name}."
