"""The model level by level: coefficients of the rows, explained by columns of the groups."""

from __future__ import annotations

from dataclasses import dataclass

from skmixed.results.words.group_columns import GroupColumns
from skmixed.results.words.latex import indexed, name, product, total
from skmixed.results.words.symbols import ModelSymbols
from skmixed.results.words.terms import parts_of

__all__ = ["hierarchical_lines"]

# Coefficients that vary between the groups of level 2, of level 3, and so on.
VARYING = (r"\alpha", r"\gamma", r"\delta", r"\eta", r"\kappa", r"\lambda", r"\mu", r"\omega")


@dataclass(frozen=True, slots=True)
class _Predictor:
    """Hold a fixed effect that is constant within groups of a factor, and what it explains of them.

    That is ``"Intercept"``, or the column whose slope it explains.
    """

    term: str
    explains: str
    factor: int


def hierarchical_lines(symbols: ModelSymbols, columns: GroupColumns) -> list[str]:
    """Return the equations of level 1, of the levels above, and the distributions."""
    random = {name for factor in symbols.factors for name in factor.effects.effect_names}
    varying = sorted(random, key=lambda name: symbols.numbers[name])
    constant = [term for term in symbols.fixed_names if term not in varying]
    found = (_explained(symbols, columns, varying, term) for term in constant)
    predictors = [one for one in found if one is not None]
    explained = {one.term for one in predictors}
    index = range(len(symbols.factors))
    stages = [[i] for i in index] if columns.nested else [list(index)]
    terms = []
    for term in dict.fromkeys([*symbols.fixed_names, *varying]):
        if term in varying:
            stage = next(i for i, own in enumerate(stages) if _has(symbols, own, term))
            column = symbols.column(term)
            coefficient = _coefficient(symbols, term, stages, stage, "i")
            terms.append(rf"{coefficient} \, {column}" if column else coefficient)
        elif term not in explained:
            terms.append(symbols.fixed_term(term))
    terms += [*symbols.offsets, *symbols.errors]
    level = [*symbols.given, f"{symbols.left} &= {total(terms)}"]
    lines = [r"&\text{Level 1 (rows)}", *level]
    for stage, own in enumerate(stages if symbols.factors else []):
        factors = r",\ ".join(name(symbols.factors[i].effects.name) for i in own)
        lines.append(rf"&\text{{Level {stage + 2} }}({factors})")
        lines += [
            _equation(symbols, term, stages, stage, predictors)
            for term in varying
            if _has(symbols, own, term)
        ]
    return [*lines, r"&\text{where}", *symbols.distributions]


def _equation(
    symbols: ModelSymbols,
    term: str,
    stages: list[list[int]],
    stage: int,
    predictors: list[_Predictor],
) -> str:
    """Return the equation of one coefficient that varies between groups."""
    left = _coefficient(symbols, term, stages, stage)
    above = [s for s in range(stage + 1, len(stages)) if _has(symbols, stages[s], term)]
    right = []
    if above:
        index = symbols.factors[stages[stage][0]].index
        right.append(_coefficient(symbols, term, stages, above[0], index))
    elif term in symbols.fixed_names:
        right.append(symbols.coefficient(term))
    for one in predictors:
        if one.explains == term and one.factor in stages[stage]:
            column = _group_column(symbols, one)
            right.append(symbols.fixed_term(one.term, column))
    for i in stages[stage]:
        factor = symbols.factors[i]
        for q, effect in enumerate(factor.effects.effect_names):
            if effect == term:
                right.append(factor.effect(q, factor.index))
    return f"{left} &= {total(right)}"


def _group_column(symbols: ModelSymbols, one: _Predictor) -> str:
    """Return the value that a group has of what explains a coefficient."""
    index = symbols.factors[one.factor].index
    parts = list(parts_of(one.term, symbols.recipe))
    for part in parts_of(one.explains, symbols.recipe) if one.explains != "Intercept" else ():
        parts.remove(part)
    return product([indexed(part, index) for part in parts])


def _coefficient(
    symbols: ModelSymbols, term: str, stages: list[list[int]], stage: int, within: str = ""
) -> str:
    """Return a coefficient that varies, with the index of its groups for a row or a lower group."""
    own = [i for i in stages[stage] if _has(symbols, [i], term)]
    indices = [symbols.factors[i].index + (f"[{within}]" if within else "") for i in own]
    return rf"{VARYING[stage]}_{{{symbols.numbers[term]},{','.join(indices)}}}"


def _has(symbols: ModelSymbols, factors: list[int], term: str) -> bool:
    """Tell whether a coefficient varies between the groups of one of some factors."""
    return any(term in symbols.factors[i].effects.effect_names for i in factors)


def _explained(
    symbols: ModelSymbols, columns: GroupColumns, varying: list[str], term: str
) -> _Predictor | None:
    """Return what a fixed effect explains, None if it belongs to the rows.

    Its column is constant within groups whose intercepts vary, or it is a column whose slope
    varies, times one that is constant within these groups. The coarsest such factor is taken.
    """
    parts = parts_of(term, symbols.recipe)
    for explains in varying:
        intercept = explains == "Intercept"
        # An interaction has all parts of the column whose slope it explains, and more.
        if not intercept and not set(parts_of(explains, symbols.recipe)) < set(parts):
            continue
        for i in reversed(range(len(symbols.factors))):
            if not _has(symbols, [i], explains):
                continue
            if (
                columns.constant(term, i)
                if intercept
                else columns.ratio_constant(term, explains, i)
            ):
                return _Predictor(term, explains, i)
    return None
