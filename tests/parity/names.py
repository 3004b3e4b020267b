"""R's names of effects and levels, matched with ours."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

__all__ = ["factor_key", "in_r_words", "level_labels", "matching"]

_POLYNOMIALS = {".Linear": ".L", ".Quadratic": ".Q", ".Cubic": ".C"}
_COLON_OUTSIDE_BRACKETS = re.compile(r":(?![^\[(]*[\])])")


def matching(ours: Iterable[str], theirs: Iterable[str]) -> list[int]:
    """Return for each of R's effects the position of ours.

    An effect is the set of what it is the product of: R lists the columns of a model, and the
    parts of an interaction, in the order of the formula; patsy puts factors before numbers.
    """
    keys = [_key(name) for name in ours]
    return [keys.index(_key(name)) for name in theirs]


def factor_key(name: str) -> frozenset[str]:
    """Return a key of a grouping factor: lme4 calls ``b:a`` what a formula writes as ``a/b``."""
    return frozenset(name.split(":"))


def level_labels(index: pd.Index, factor: str) -> pd.Index:
    """Return the labels of levels as R writes them: text, joined as in the factor's name."""
    if index.nlevels == 1:
        return index.astype(str)
    order = [index.names.index(name) for name in factor.split(":")]
    return pd.Index([":".join(str(label[i]) for i in order) for label in index])


def in_r_words(name: str) -> str:
    """Return one part of an interaction in R's words."""
    if name == "Intercept":
        return "(Intercept)"
    name = name.replace("np.pi", "pi").replace(" ** ", "^").replace("=False", " = FALSE")
    name = re.sub(r"^C\((\w+), Poly\)", r"\1", name)
    for ours, theirs in _POLYNOMIALS.items():
        if name.endswith(ours):
            return name.removesuffix(ours) + theirs
    if name.startswith("poly("):
        return re.sub(r"\[(\d+)\]$", lambda match: str(int(match[1]) + 1), name)
    return re.sub(r"\[(?:T\.)?(.*)\]$", r"\1", name)


def _key(name: str) -> frozenset[str]:
    """Return a key under which R's name of an effect and ours are equal."""
    return frozenset(in_r_words(part) for part in _COLON_OUTSIDE_BRACKETS.split(name))
