"""Residual structures as text, in the spelling of mmrm and glmmTMB."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from skmixed.formula.grouping import is_name
from skmixed.formula.tokens import Token, is_enclosed, source, split, tokenize
from skmixed.residual.antedependence import AnteDependence
from skmixed.residual.ar1 import AR1
from skmixed.residual.car1 import CAR1
from skmixed.residual.compound_symmetry import CompoundSymmetry
from skmixed.residual.correlation import Correlation
from skmixed.residual.heterogeneous import Heterogeneous
from skmixed.residual.spatial import Exponential, Gaussian
from skmixed.residual.structure import ResidualStructure, named
from skmixed.residual.toeplitz import Toeplitz
from skmixed.residual.unstructured import Unstructured

__all__ = ["parse_residual"]

_OF_OCCASIONS: dict[str, Callable[..., Correlation]] = {
    "cs": CompoundSymmetry,
    "ar1": AR1,
    "toep": Toeplitz,
    "ad": AnteDependence,
}
_IN_SPACE: dict[str, Callable[..., Correlation]] = {"sp_exp": Exponential, "sp_gau": Gaussian}
_NAMES = ("us", "diag", *(name + h for name in _OF_OCCASIONS for h in ("", "h")), "ou", *_IN_SPACE)
_EXAMPLE = "Write for instance 'us(visit | subject)', or 'us(visit | arm/subject)' for each arm."


def parse_residual(text: str) -> ResidualStructure:
    """Return the residual structure that a text stands for.

    The names are those of mmrm: ``us``, ``cs``, ``csh``, ``ar1``, ``ar1h``, ``toep``, ``toeph``,
    ``ad``, ``adh``, ``sp_exp`` and ``sp_gau``; an ``h`` at the end gives each occasion its own
    variance. From glmmTMB come ``ou``, autoregression in continuous time, and ``diag``, variances
    without correlations. Where ``ar1`` is given integers, gaps between them count, as in nlme; give
    it text or a categorical column if only the order of the visits should count.

    Parameters
    ----------
    text : str
        ``name(visit | subject)``; ``name(visit | arm/subject)`` for parameters, the variance
        included, of each arm; ``sp_exp(x, y | subject)`` with several coordinates. Names of columns
        may have dots, or stand in backticks.

    Raises
    ------
    TypeError
        If it is not a str.
    ValueError
        If it is not of this form, or the name is unknown.

    Examples
    --------
    >>> from skmixed.residual import parse_residual
    >>> parse_residual("ar1h(visit | subject)")
    AR1(time='visit', group='subject', by=None) * Heterogeneous(by='visit')
    >>> parse_residual("ou(hours | ward:patient)")
    CAR1(time='hours', group=('ward', 'patient'), by=None)
    """
    if not isinstance(text, str):
        raise TypeError(
            f"A residual structure as text must be a str, got {type(text).__name__}. {_EXAMPLE}"
        )
    return _structure(*_parse(text), text)


def _structure(
    name: str, columns: tuple[str, ...], group: Any, by: Any, text: str
) -> ResidualStructure:
    """Return the structure, times variances of the strata that it is to have."""
    if name in _IN_SPACE:
        return _with_variances(_IN_SPACE[name](columns, group, by), by)
    if len(columns) > 1:
        raise ValueError(
            f"{text!r} names {len(columns)} columns before the bar: expected one, the time. "
            f"Only {' and '.join(_IN_SPACE)} have several coordinates."
        )
    time = columns[0]
    strata = time if by is None else (*named(by), time)
    if name == "us":
        return Unstructured(time, group, by)
    if name == "diag":
        return Heterogeneous(strata)
    if name == "ou":
        return _with_variances(CAR1(time, group, by), by)
    kind = _OF_OCCASIONS[name.removesuffix("h")]
    return _with_variances(kind(time, group, by), strata if name.endswith("h") else by)


def _with_variances(correlation: Correlation, strata: Any) -> ResidualStructure:
    """Return correlations with a variance of its own for each stratum, if there are strata."""
    return correlation if strata is None else correlation * Heterogeneous(strata)


def _parse(text: str) -> tuple[str, tuple[str, ...], Any, Any]:
    """Return the parts of NAME(TIMES | BY/GROUP): name, times, group, by."""
    tokens = tokenize(text, transparent=_NAMES)
    if len(tokens) < 3 or tokens[0].kind != "name" or not is_enclosed(tokens[1:]):
        raise ValueError(
            f"{text!r} is not a residual structure: expected name(time | group). {_EXAMPLE}"
        )
    name = tokens[0].text
    if name not in _NAMES:
        close = difflib.get_close_matches(name.lower(), _NAMES, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"Unknown residual structure {name!r} in {text!r}: expected one of {list(_NAMES)}."
            + hint
        )
    sides = split(tokens[2:-1], ("|",))
    nesting = split(sides[-1], ("/",))
    if len(sides) != 2 or len(nesting) > 2:
        raise ValueError(
            f"{text!r} has the wrong number of bars or slashes between its parentheses: expected "
            f"{name}(time | group) or {name}(time | by/group). {_EXAMPLE}"
        )
    times = tuple(_column(_without_zero(part), text) for part in split(sides[0], (",",)))
    *by, group = (_columns(part, text) for part in nesting)
    return name, times, group, by[0] if by else None


def _without_zero(tokens: Sequence[Token]) -> Sequence[Token]:
    """Return a time without the zero of glmmTMB's ``visit + 0``, which leaves out an intercept."""
    parts = [part for part in split(tokens, ("+",)) if [token.text for token in part] != ["0"]]
    return parts[0] if len(parts) == 1 else tokens


def _columns(tokens: Sequence[Token], text: str) -> Any:
    """Return a column of labels, or several that are joined by colons."""
    names = tuple(_column(part, text) for part in split(tokens, (":",)))
    return names if len(names) > 1 else names[0]


def _column(tokens: Sequence[Token], text: str) -> str:
    """Return the column that a name means, which may be quoted by backticks."""
    if len(tokens) == 1 and tokens[0].kind == "quoted":
        return tokens[0].text[1:-1]
    if is_name(tokens):
        return "".join(token.text for token in tokens)
    raise ValueError(
        f"{source(text, tokens)!r} in {text!r} is not the name of a column: expected a word, "
        "or anything in backticks. Compute anything else as a column of the data first."
    )
