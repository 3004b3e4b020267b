"""Names, numbers and sums in LaTeX that MathJax reads as well."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.results.numbers import format_column
from skmixed.results.words.phrases import unquoted
from skmixed.results.words.terms import TermPart

__all__ = ["aligned", "indexed", "matrix", "name", "number", "numbers", "product", "total"]

# Signs of names that mean something to LaTeX, or that it would set as an operator.
ESCAPES = {
    "\\": r"\backslash ",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "~": r"{\sim}",
    "^": r"{\wedge}",
    " ": r"\ ",
    "-": r"\text{-}",
    "*": "{*}",
    "+": "{+}",
    "=": "{=}",
    "<": "{<}",
    ">": "{>}",
    ":": "{:}",
    ",": "{,}",
    ".": "{.}",
    "'": r"\text{'}",
}
# Most signs in one line of a sum, and in a term that may stand beyond them.
WIDTH = 60
SHORT = 6


def name(text: str) -> str:
    r"""Return a name upright, with every sign as it is."""
    # An empty line would end the mathematics, and other control characters have no sign.
    signs = (sign if sign.isprintable() else " " for sign in unquoted(text))
    return rf"\mathrm{{{''.join(ESCAPES.get(sign, sign) for sign in signs)}}}"


def indexed(part: TermPart, index: str) -> str:
    """Return the value that a row or group has of a predictor, or the indicator of its category."""
    if part.level is None:
        return f"{name(part.variable)}_{_subscript(index)}"
    return rf"\mathbf{{1}}\{{{name(part.variable)}_{_subscript(index)} = {name(part.level)}\}}"


def product(factors: Sequence[str]) -> str:
    """Return the product of some values."""
    return r" \times ".join(factors)


def number(text: str) -> str:
    """Return a number that was formatted as text."""
    mantissa, _, exponent = text.strip().partition("e")
    return mantissa if not exponent else rf"{mantissa} \times 10^{{{int(exponent)}}}"


def total(terms: Sequence[str]) -> str:
    """Return a sum over as many lines as it needs; a term may begin with a minus."""
    text, width = "", 0
    for term in terms:
        length = _visible_length(term)
        sign = "-" if term.startswith("-") else "+"
        if not text:
            text, width = term, length
        elif width + length > WIDTH and length > SHORT:
            text += rf" \\ &\quad {{}} {sign} {term.removeprefix('-').strip()}"
            width = length
        else:
            text += f" {sign} {term.removeprefix('-').strip()}"
            width += length + 3
    return text or "0"


def matrix(entries: Sequence[Sequence[str]]) -> str:
    """Return a matrix in parentheses."""
    rows = r" \\ ".join(" & ".join(row) for row in entries)
    return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


def aligned(lines: Sequence[str]) -> str:
    """Return equations one below the other."""
    body = " \\\\\n".join(lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def numbers(values: NDArray[np.float64]) -> list[list[str]]:
    """Return each entry of a matrix with four significant digits."""
    return [[number(format_column([x], 4)[0]) for x in row] for row in values]


def _subscript(index: str) -> str:
    """Return an index, in braces where it has more than one sign."""
    return index if len(index) == 1 else f"{{{index}}}"


def _visible_length(term: str) -> int:
    """Estimate how many signs a term shows."""
    plain = re.sub(r"\\(mathrm|mathbf|text|quad|times)", "", term)
    plain = re.sub(r"\\[a-zA-Z]+", "x", plain)
    return len(re.sub(r"[\\{}_^ ]", "", plain))
