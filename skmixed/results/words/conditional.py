"""The equation of one observation given the random effects."""

from __future__ import annotations

from skmixed.results.words.latex import total
from skmixed.results.words.symbols import ModelSymbols

__all__ = ["conditional_lines"]


def conditional_lines(symbols: ModelSymbols) -> list[str]:
    """Return y_i = x_i'beta + z_i'b + e_i and the distributions of b and e.

    A generalised model has g(mu_i) on the left, and the distribution of y_i before it.
    """
    terms = [symbols.fixed_term(name) for name in symbols.fixed_names]
    for factor in symbols.factors:
        for q, name in enumerate(factor.effects.effect_names):
            effect, column = factor.effect(q, factor.of_row), symbols.column(name)
            terms.append(rf"{effect} \, {column}" if column else effect)
    terms += [*symbols.offsets, *symbols.errors]
    return [*symbols.given, f"{symbols.left} &= {total(terms)}", *symbols.distributions]
