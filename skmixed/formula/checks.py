"""Refuse code in an expression that is more than arithmetic and calls of known functions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmixed.formula.functions import NUMPY_NAMES, VALUE_ATTRIBUTES, is_own
from skmixed.formula.identifiers import attribute_key, call_key

__all__ = ["Access", "accesses_in", "check_accesses", "check_syntax", "refused"]

_ALLOWED = (
    *(ast.Expression, ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.keyword),
    *(ast.Subscript, ast.Slice, ast.List, ast.Tuple, ast.Dict),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context),
)
_SPELLED = {
    ast.Lambda: "a lambda",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "an f-string",
    ast.Starred: "a starred argument",
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), "a comprehension"),
}


@dataclass(frozen=True, slots=True)
class Access:
    """Hold an attribute, or a text with a leading underscore, and what it is given to.

    Attributes
    ----------
    owner : str or None
        Key of the name that the attribute's chain begins with, or of the function that gets the
        text; None if it begins with no name.
    kind : {"direct", "result", "text"}
        Whether it is an attribute of the name itself, an attribute of what the name gave, or a
        text.
    """

    owner: str | None
    name: str
    kind: str


def refused(code: str, what: str, remedy: str) -> ValueError:
    """Return the error of an expression with a piece that formulas do not allow."""
    return ValueError(
        f"The expression {code!r} of the formula has {what}, which formulas do not allow: {remedy}"
    )


def check_syntax(tree: ast.Expression, code: str) -> None:
    """Raise ValueError unless an expression has allowed syntax, and no underscored names.

    A variable may have a leading underscore: it can only be a column.
    """
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            kind = _SPELLED.get(type(node), f"a {type(node).__name__}")
            raise refused(
                code,
                kind,
                "expected plain calls and operators. Define a function and call it by name.",
            )
        if isinstance(node, ast.keyword) and node.arg is None:
            raise refused(code, "'**'", "expected plain arguments. Write each argument out.")
        name = _underscored(node)
        if name is not None:
            raise refused(
                code,
                f"{name!r}",
                "names with a leading underscore can only be columns. Give a function of yours "
                "another name.",
            )


def accesses_in(tree: ast.Expression) -> tuple[Access, ...]:
    """Return the attributes and underscored texts of an expression, the innermost first."""
    found: list[Access] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            kind = "direct" if isinstance(node.value, ast.Name) else "result"
            found.append(Access(_owner(node), node.attr, kind))
        elif isinstance(node, ast.Call):
            owner = _owner(node)
            found += [Access(owner, text, "text") for text in _underscored_texts(node)]
    return tuple(reversed(dict.fromkeys(found)))


def check_accesses(accesses: tuple[Access, ...], code: str, constants: Mapping[str, Any]) -> None:
    """Raise ValueError for an attribute that is not of the user's environment, nor listed."""
    for access in accesses:
        value = constants.get(access.owner) if access.owner is not None else None
        of_user = access.owner in constants and not is_own(value)
        if access.kind == "text":
            if of_user:
                raise refused(
                    code,
                    f"{access.name!r} in a call",
                    "texts with a leading underscore are not given to functions of the "
                    "environment. Use Q() for a column of that name.",
                )
        elif access.kind == "direct" and value is np:
            if access.name not in NUMPY_NAMES:
                raise ValueError(
                    f"The expression {code!r} of the formula: np has no attribute {access.name!r} "
                    "here, where it offers elementwise functions such as np.log and np.where, and "
                    "summaries such as np.mean. Compute it as a column of the data first, or "
                    "define a function and call it by name in mixedlm."
                )
        elif not of_user and access.name not in VALUE_ATTRIBUTES:
            raise refused(
                code,
                f"the attribute '.{access.name}'",
                f"columns and what is computed from them have only {sorted(VALUE_ATTRIBUTES)} "
                "here. Compute it as a column of the data first.",
            )


def _underscored(node: ast.AST) -> str | None:
    """Return the underscored name of an attribute, a function or an item, None without one."""
    name: Any = None
    if isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name = node.func.id
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        name = node.slice.value
    return name if isinstance(name, str) and name.startswith("_") else None


def _underscored_texts(call: ast.Call) -> list[str]:
    """Return the texts with a leading underscore that a call gets."""
    arguments = [*call.args, *(word.value for word in call.keywords)]
    texts = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and text.startswith("_")]


def _owner(node: ast.AST) -> str | None:
    """Return the key of the name that a chain of attributes, calls and items begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        inner = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(inner, ast.Name):
            if isinstance(node, ast.Call):
                return call_key(inner.id)
            return attribute_key(inner.id) if isinstance(node, ast.Attribute) else inner.id
        node = inner
    return None
