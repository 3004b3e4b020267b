"""Cut the text of a formula into tokens and split it where no bracket is open."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

__all__ = ["Token", "is_enclosed", "quoted", "source", "split", "tokenize", "translate"]

_PATTERN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<quoted>`[^`]+`)
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<symbol>\*\*|\|\||[=!<>]=|//|.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_SPELLED_IN_PYTHON = {"^": "**", "TRUE": "True", "FALSE": "False"}
# Python's words that expressions are made of; any other, such as "yield", can only be a column.
_IN_EXPRESSIONS = frozenset(
    ["True", "False", "None", "and", "or", "not", "in", "is", "if", "else", "for", "lambda"]
)


@dataclass(frozen=True, slots=True)
class Token:
    """Hold one token, where it stands in the text, and how it is bracketed.

    ``depth`` counts the brackets open around the token (a bracket itself belongs outside), and
    ``in_call`` says whether any of them is not mere grouping: a call, a subscript, a list.
    """

    kind: str
    text: str
    start: int
    depth: int = 0
    in_call: bool = False

    @property
    def end(self) -> int:
        """Return the position after the token's last character."""
        return self.start + len(self.text)


def tokenize(text: str, transparent: Collection[str] = ()) -> tuple[Token, ...]:
    """Cut a text into tokens and check that quotes and brackets are closed.

    ``transparent``: names whose call brackets count as mere grouping, such as ``us`` in ``us(x |
    g)``.
    """
    tokens: list[Token] = []
    open_brackets: list[Token] = []
    calls: list[bool] = [False]
    for match in _PATTERN.finditer(text):
        kind, piece = str(match.lastgroup), match.group()
        if kind == "space":
            continue
        if piece in ('"', "'", "`"):
            raise ValueError(_unclosed("quote", text, match.start()))
        if piece in (")", "]", "}"):
            if not open_brackets or _CLOSING[open_brackets[-1].text] != piece:
                raise ValueError(
                    f"The closing bracket {piece!r} at position {match.start() + 1} of the formula "
                    f"{text!r} matches no open bracket: remove it, or open one before it."
                )
            open_brackets.pop()
            calls.pop()
        token = Token(kind, piece, match.start(), len(open_brackets), calls[-1])
        if piece in _CLOSING:
            opens_call = piece != "(" or _is_called(tokens, transparent)
            open_brackets.append(token)
            calls.append(calls[-1] or opens_call)
        tokens.append(token)
    if open_brackets:
        raise ValueError(_unclosed("bracket", text, open_brackets[-1].start))
    return tuple(tokens)


def split(tokens: Sequence[Token], separators: Collection[str]) -> list[Sequence[Token]]:
    """Split tokens at the separators that stand inside no further bracket."""
    if not tokens:
        return [tokens]
    depth = min(token.depth for token in tokens)
    parts, start = [], 0
    for position, token in enumerate(tokens):
        if token.depth == depth and token.kind == "symbol" and token.text in separators:
            parts.append(tokens[start:position])
            start = position + 1
    return [*parts, tokens[start:]]


def is_enclosed(tokens: Sequence[Token]) -> bool:
    """Tell whether one pair of round brackets encloses all the tokens."""
    return (
        len(tokens) >= 2
        and tokens[0].text == "("
        and tokens[-1].text == ")"
        and all(token.depth > tokens[0].depth for token in tokens[1:-1])
    )


def source(text: str, tokens: Sequence[Token]) -> str:
    """Return the stretch of the text that the tokens cover."""
    return text[tokens[0].start : tokens[-1].end] if tokens else ""


def translate(text: str) -> str:
    """Spell R's power, logical constants and backticks as Python and patsy do."""
    pieces, end = [], 0
    for token in tokenize(text):
        pieces += [text[end : token.start], _spelled_in_python(token)]
        end = token.end
    return "".join([*pieces, text[end:]])


def quoted(name: str) -> str:
    """Write the name of a column so that a formula reads it as nothing else."""
    if name.isidentifier() and not keyword.iskeyword(name) and name not in _SPELLED_IN_PYTHON:
        return name
    # The escapes of JSON are those of Python.
    return f"Q({json.dumps(name, ensure_ascii=False)})"


def _spelled_in_python(token: Token) -> str:
    """Return one token as Python and patsy spell it."""
    name = token.text
    if token.kind == "quoted":
        name = token.text[1:-1]
    elif token.kind != "name" or name in _IN_EXPRESSIONS or not keyword.iskeyword(name):
        return _SPELLED_IN_PYTHON.get(name, name)
    return quoted(name)


def _is_called(before: Sequence[Token], transparent: Collection[str]) -> bool:
    """Tell whether a round bracket after these tokens opens a call."""
    if not before:
        return False
    last = before[-1]
    if last.kind == "name":
        return last.text not in transparent
    return last.text in (")", "]", "}")


def _unclosed(what: str, text: str, position: int) -> str:
    """Say which quote or bracket has no end."""
    return (
        f"The {what} {text[position]!r} at position {position + 1} of the formula {text!r} is "
        f"never closed: expected a closing {what} before the end of the formula."
    )
