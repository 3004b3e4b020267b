"""How the left side of a formula is written: one expression, a quotient, or two counts."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from skmixed.formula.expression import Expression
from skmixed.formula.program import names_in

__all__ = ["ResponseForm", "require_one_column", "response_expressions", "response_form"]


@dataclass(frozen=True, slots=True)
class ResponseForm:
    """Hold the expressions of a response.

    The kind "values" is one expression, "quotient" that of two names, which may be successes and
    trials, and "cbind" is ``cbind(successes, failures)``.
    """

    kind: str
    parts: tuple[str, ...]


@lru_cache(maxsize=512)
def response_form(code: str) -> ResponseForm:
    """Find out how a response is written; ``I(...)`` around it changes nothing."""
    names_in(code)
    text = code.strip()
    body = ast.parse(text, mode="eval").body
    while _calls(body, "I") and len(body.args) == 1 and not body.keywords:
        body = body.args[0]
    if _calls(body, "cbind"):
        if len(body.args) != 2 or body.keywords:
            raise ValueError(
                f"The response {code!r} must be cbind(successes, failures): expected 2 columns, "
                f"got {len(body.args) + len(body.keywords)}. For more than two outcomes, fit one "
                "model for each."
            )
        return ResponseForm("cbind", tuple(_text(text, node) for node in body.args))
    if isinstance(body, ast.BinOp) and isinstance(body.op, ast.Div):
        parts = tuple(_text(text, node) for node in (body.left, body.right))
        if all(names_in(part).column is not None for part in parts):
            return ResponseForm("quotient", parts)
    return ResponseForm("values", (code,))


def response_expressions(code: str | None) -> tuple[Expression, ...]:
    """Return the expressions of a response, none where there is no response."""
    return () if code is None else tuple(map(Expression, response_form(code).parts))


def require_one_column(code: str | None) -> None:
    """Raise ValueError if a response counts successes and failures: only binomial ones do."""
    if code is not None and response_form(code).kind == "cbind":
        raise ValueError(
            f"The response {code!r} has two columns, successes and failures, which only "
            "family='binomial' takes: expected one number per row. Use that family, or name one "
            "column."
        )


def _calls(node: ast.expr, name: str) -> TypeGuard[ast.Call]:
    """Tell whether a node calls the function of that name."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _text(code: str, node: ast.expr) -> str:
    """Return the text of a node, spelled as in the formula."""
    return ast.get_source_segment(code, node) or ast.unparse(node)
