"""The distribution of the observations without the random effects."""

from __future__ import annotations

from skmixed.results.numbers import format_column
from skmixed.results.words.latex import matrix, number, total
from skmixed.results.words.symbols import FactorSymbols, ModelSymbols
from skmixed.results.words.terms import parts_of

__all__ = ["marginal_lines"]

# Most effects of a level whose covariances between two rows are written term by term.
WRITTEN_OUT = 2


def marginal_lines(symbols: ModelSymbols) -> list[str]:
    """Return y ~ N(X beta, Z G Z' + R), and mean, variance and covariance row by row."""
    names = symbols.fixed_names
    mean = [*(symbols.fixed_term(name) for name in names), *symbols.offsets]
    residual = symbols.residuals.matrix
    covariance = rf"\mathbf{{Z}} \mathbf{{G}} \mathbf{{Z}}^\top + {residual}"
    if not symbols.factors:
        covariance = residual
    y = f"{symbols.response}_i"
    lines = [
        rf"\mathbf{{y}} &\sim \mathcal{{N}}(\mathbf{{X}} \boldsymbol{{\beta}},\; {covariance})",
        rf"\operatorname{{E}}({y}) &= {total(mean)}",
    ]
    own = [term for factor in symbols.factors for term in _terms(symbols, factor, "i")]
    lines.append(rf"\operatorname{{Var}}({y}) &= {total([*own, symbols.residuals.variance])}")
    shared = [_shared(symbols, factor) for factor in symbols.factors]
    shared += filter(None, [symbols.residuals.covariance])
    if shared:
        pair = rf"\operatorname{{Cov}}({y}, {symbols.response}_{{i'}})"
        lines.append(rf"{pair} &= {total(shared)}, \quad i \ne i'")
    for factor in symbols.factors:
        if len(factor.numbers) > WRITTEN_OUT:
            lines += _definitions(symbols, factor)
    return [*lines, *symbols.residuals.definitions]


def _shared(symbols: ModelSymbols, factor: FactorSymbols) -> str:
    """Return what two rows share that belong to the same level."""
    terms = _terms(symbols, factor, "i'")
    same = rf"\mathbf{{1}}\{{{factor.index}[i] = {factor.index}[i']\}}"
    inner = total(terms)
    if len(terms) == 1:
        return rf"{inner} \, {same}"
    return rf"\bigl( {inner} \bigr) \, {same}"


def _terms(symbols: ModelSymbols, factor: FactorSymbols, other: str) -> list[str]:
    """Return z_i' Psi z_other as a sum."""
    k = len(factor.numbers)
    if k > WRITTEN_OUT:
        z, Psi = _vector(factor), _psi(factor)
        return [rf"{z}_i^\top {Psi} {z}_{{{other}}}"]
    pairs = [(q, r) for q in range(k) for r in range(q, k)]
    terms = [_pair(symbols, factor, q, r, other) for q, r in pairs]
    return [term for term in terms if term]


def _pair(symbols: ModelSymbols, factor: FactorSymbols, q: int, r: int, other: str) -> str:
    """Return what two effects contribute to the covariance of two rows, empty for nothing."""
    if factor.covariance(q, r) == "0":
        return ""
    names = factor.effects.effect_names
    left, right = (symbols.column(names[effect], "i") for effect in (q, r))
    twice = q != r and other == "i"
    if twice and _exclusive(symbols, names[q], names[r]):
        return ""
    if symbols.values:
        value = factor.effects.effect_covariance[q, r] * (2 if twice else 1)
        entry = number(format_column([value], 4)[0])
    else:
        entry = ("2 " if twice else "") + factor.covariance(q, r)
    if other == "i":
        columns = _power(left) if q == r else [left, right]
    elif q == r:
        columns = [left, symbols.column(names[q], other)]
    else:
        moved = [symbols.column(names[effect], other) for effect in (q, r)]
        columns = [f"({_joined([moved[0], right])} + {_joined([left, moved[1]])})"]
    return r" \, ".join(filter(None, (entry, _joined(columns))))


def _exclusive(symbols: ModelSymbols, left: str, right: str) -> bool:
    """Tell whether two columns are indicators of which no row has both."""
    pair = [parts_of(column, symbols.recipe) for column in (left, right)]
    return any(
        one.variable == other.variable and one.level != other.level
        for one in pair[0]
        for other in pair[1]
        if one.level is not None and other.level is not None
    )


def _power(column: str) -> list[str]:
    """Return the square of a column; an indicator is its own."""
    if not column or (column.startswith(r"\mathbf") and r"\times" not in column):
        return [column]
    return [rf"({column})^2" if r"\times" in column else f"{column}^2"]


def _joined(columns: list[str]) -> str:
    """Return the product of columns; one of ones is empty."""
    return r" \, ".join(filter(None, columns))


def _vector(factor: FactorSymbols) -> str:
    """Name the columns of the effects of one factor."""
    return r"\mathbf{z}" if factor.alone else rf"\mathbf{{z}}^{{({factor.letter})}}"


def _psi(factor: FactorSymbols) -> str:
    """Name the covariance of the effects of one level."""
    return r"\boldsymbol{\Psi}" if factor.alone else rf"\boldsymbol{{\Psi}}_{factor.letter}"


def _definitions(symbols: ModelSymbols, factor: FactorSymbols) -> list[str]:
    """Say what stands in the columns and in the covariance of many effects."""
    names = factor.effects.effect_names
    columns = [symbols.column(names[q], "i") or "1" for q in range(len(names))]
    vector = rf"{_vector(factor)}_i &= {matrix([[column] for column in columns])}"
    return [vector, rf"{_psi(factor)} &= {factor.matrix(values=symbols.values)}"]
