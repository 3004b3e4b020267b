"""The symbols of a fitted model: one letter and one index for each grouping factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import NaturalParameter
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.formula import FormulaRecipe
from skmixed.results.numbers import format_column, format_estimates
from skmixed.results.words.family_symbols import FamilySymbols
from skmixed.results.words.latex import indexed, matrix, name, number, numbers, product
from skmixed.results.words.residual_symbols import ResidualSymbols
from skmixed.results.words.terms import parts_of

__all__ = ["FactorSymbols", "ModelSymbols", "model_symbols"]

LETTERS = "bcdghuvw"
INDICES = "jklmnpqr"
_WithPowers = list[tuple[NaturalParameter, NDArray[np.intp]]]
# Most effects of a level whose covariance is written entry by entry.
WRITTEN_OUT = 5


@dataclass(frozen=True, slots=True, eq=False)
class FactorSymbols:
    """Hold the symbols of one grouping factor: letters of its effects and of its levels.

    Attributes
    ----------
    numbers : tuple of str
        Subscript of each effect; empty for an intercept that is alone.
    alone : bool
        Whether the model has no other factor.
    """

    effects: RandomEffects
    letter: str
    index: str
    numbers: tuple[str, ...]
    alone: bool

    @property
    def of_row(self) -> str:
        """Return the index of a row's level."""
        return f"{self.index}[i]"

    def effect(self, q: int, index: str) -> str:
        """Return one random effect of a level."""
        return f"{self.letter}_{{{','.join(filter(None, (self.numbers[q], index)))}}}"

    def covariance(self, q: int, r: int) -> str:
        """Return the covariance of two effects of a level in symbols."""
        if not self.effects.covariance.linked_effects[q, r]:
            return "0"
        term = self._term_of(q)
        first = self.effects.covariance.effect_slices[term].start
        entry = min(q, r) - first, max(q, r) - first
        deviations, correlations = self._parameters(term)
        pair = self.numbers[first + entry[0]] + self.numbers[first + entry[1]]
        if not deviations:
            return rf"\Psi_{{{pair}}}"
        symbols = [
            _raised(self._symbol(one, term), int(powers[entry]))
            for one, powers in [*correlations, *deviations]
            if powers[entry]
        ]
        tied = q == r or any(powers[entry] for _, powers in correlations)
        return " ".join(symbols if tied else [rf"\rho_{{{pair}}}", *symbols])

    def distribution(self, *, values: bool) -> str:
        """Return how the effects of a level are distributed, and how many levels there are."""
        k, index = len(self.numbers), self.index
        levels = (
            rf"\quad {index} = 1, \dots, {len(self.effects.levels)} \;({name(self.effects.name)})"
        )
        if k == 1:
            variance = self._value(0, 0) if values else self.covariance(0, 0)
            return rf"{self.effect(0, index)} &\sim \mathcal{{N}}(0,\; {variance}), {levels}"
        if k > WRITTEN_OUT:
            vector = rf"\mathbf{{{self.letter}}}_{index}"
            rule = rf"\Psi_{{rs}} = {self._rule()}, \quad r, s = 1, \dots, {k}"
            normal = r"\mathcal{N}(\mathbf{0},\; \boldsymbol{\Psi})"
            return rf"{vector} &\sim {normal}, \quad {rule}, {levels}"
        vector = matrix([[self.effect(q, index)] for q in range(k)])
        return (
            rf"{vector} &\sim \mathcal{{N}}\!\left(\mathbf{{0}},\; {self.matrix(values=values)}"
            rf"\right), {levels}"
        )

    def matrix(self, *, values: bool) -> str:
        """Return the covariance matrix of the effects of a level."""
        k = len(self.numbers)
        if values:
            return matrix(numbers(self.effects.effect_covariance))
        return matrix([[self.covariance(q, r) for r in range(k)] for q in range(k)])

    def _value(self, q: int, r: int) -> str:
        """Return an estimated covariance."""
        return number(format_column([self.effects.effect_covariance[q, r]], 4)[0])

    def _term_of(self, q: int) -> int:
        """Return the term of an effect."""
        slices = self.effects.covariance.effect_slices
        return next(i for i, own in enumerate(slices) if own.start <= q < own.stop)

    def _parameters(self, term: int) -> tuple[_WithPowers, _WithPowers]:
        """Return deviations and correlations, with their powers in each covariance of a term."""
        naturals = self.effects.natural_parameters[term]
        listed = [(one, one.powers) for one in naturals if one.powers is not None]
        deviations = [(one, powers) for one, powers in listed if len(one.effects) == 1]
        return deviations, [(one, powers) for one, powers in listed if len(one.effects) == 2]

    def _symbol(self, parameter: NaturalParameter, term: int) -> str:
        """Return the symbol of a parameter; only one of several of a kind has numbers."""
        names = [one.name for one in self.effects.natural_parameters[term]]
        own = self.effects.covariance.effect_slices[term]
        numbers = "".join(self.numbers[own][i] for i in parameter.effects)
        if names.count(parameter.name) == 1 and 1 < len(self.numbers) == own.stop - own.start:
            numbers = ""
        between = "," if len(parameter.effects) == 2 else ""
        subscript = between.join(filter(None, ("" if self.alone else self.letter, numbers)))
        return rf"{parameter.symbol}_{{{subscript}}}" if subscript else parameter.symbol

    def _rule(self) -> str:
        """Return the covariance of effects r and s of a structure with many effects."""
        if len(self.effects.natural_parameters) > 1:
            return r"\operatorname{Cov}(r, s)"
        deviations, correlations = self._parameters(0)
        if not deviations:
            return r"\Psi_{rs}"
        shared = len(deviations) == 1
        square = f"{self._symbol(deviations[0][0], 0)}^2" if shared else r"\tau_r^2"
        linked = self.effects.covariance.linked_effects
        if np.array_equal(linked, np.eye(len(linked), dtype=bool)):
            return square + r" \,\mathbf{1}\{r = s\}"
        if not linked.all():
            return r"\Psi_{rs}"
        common = len(correlations) == 1 and correlations[0][0].common
        far = common and correlations[0][1].max() > 1
        rho = r"\rho" if common else r"\rho_{rs}"
        power = "|r - s|" if far else r"\mathbf{1}\{r \ne s\}"
        return f"{square} {rho}^{{{power}}}" if shared else rf"{rho}^{{{power}}} \tau_r \tau_s"


@dataclass(frozen=True, slots=True, eq=False)
class ModelSymbols:
    """Hold the symbols of a model.

    Attributes
    ----------
    numbers : dict of str to int
        Number of each coefficient and effect.
    values : bool
        Whether estimates stand in the place of the coefficients.
    weighted : bool
        Whether rows have precision weights.
    """

    fit: LMMFit
    recipe: FormulaRecipe | None
    response: str
    factors: tuple[FactorSymbols, ...]
    numbers: dict[str, int]
    values: bool
    weighted: bool
    family: FamilySymbols | None = None

    @property
    def left(self) -> str:
        """Return what the sum of fixed and random effects makes up: y_i, or g(mu_i)."""
        return f"{self.response}_i" if self.family is None else self.family.linked_mean

    @property
    def given(self) -> list[str]:
        """Return how y_i is distributed given g(mu_i); nothing in a linear model."""
        return [] if self.family is None else self.family.response(self.response)

    @property
    def errors(self) -> list[str]:
        """Return the residual as a term of the sum."""
        return [r"\varepsilon_i"] if self.family is None else []

    def column(self, name: str, index: str = "i") -> str:
        """Return the value of a column in a row; empty for the intercept."""
        if name == "Intercept":
            return ""
        return product([indexed(part, index) for part in parts_of(name, self.recipe)])

    @property
    def fixed_names(self) -> list[str]:
        """Name the fixed effects; with estimates in their place, without those set to 0."""
        names, aliased = self.fit.fixed.names, self.fit.fixed.aliased
        return [name for name, out in zip(names, aliased, strict=True) if not (out and self.values)]

    def fixed_term(self, name: str, column: str | None = None) -> str:
        """Return a coefficient times its column."""
        column = self.column(name) if column is None else column
        return rf"{self.coefficient(name)} \, {column}" if column else self.coefficient(name)

    def coefficient(self, name: str) -> str:
        """Return a fixed effect as a symbol or as its estimate."""
        if not self.values:
            return rf"\beta_{{{self.numbers[name]}}}"
        j = self.fit.fixed.names.index(name)
        value, variance = self.fit.fixed.coefficients[j], self.fit.fixed.covariance[j, j]
        [text] = format_estimates(np.array([[value]]), np.sqrt([variance]), digits=3)
        return number(text[0])

    @property
    def offsets(self) -> list[str]:
        """Return the known parts of the mean."""
        if self.recipe is None:
            return []
        return [f"{name(code)}_i" for code in self.recipe.parsed.offsets]

    @property
    def residuals(self) -> ResidualSymbols:
        """Return the symbols of the residuals."""
        return ResidualSymbols(self.fit, self.values, self.weighted)

    @property
    def distributions(self) -> list[str]:
        """Return how the random effects and the residuals are distributed."""
        own = [factor.distribution(values=self.values) for factor in self.factors]
        rest = self.residuals.lines if self.family is None else self.family.further
        return [*own, *rest]


def model_symbols(results: Any, *, values: bool) -> ModelSymbols:
    """Choose the symbols of a fitted model; values are estimates in the place of coefficients."""
    fit = results.fit
    recipe = results.recipe
    first = 0 if "Intercept" in fit.fixed.names else 1
    order = {term: j for j, term in enumerate(fit.fixed.names, first)}
    for effects in fit.random:
        for term in effects.effect_names:
            if term not in order:
                order[term] = 0 if term == "Intercept" else max(order.values(), default=0) + 1
    alone = len(fit.random) == 1
    factors = tuple(
        FactorSymbols(
            effects, _letter(LETTERS, i), _letter(INDICES, i), _subscripts(effects, order), alone
        )
        for i, effects in enumerate(fit.random)
    )
    family = FamilySymbols(fit, values) if isinstance(fit, GLMMFit) else None
    return ModelSymbols(
        fit, recipe, name(results.response_name), factors, order, values, _weighted(results), family
    )


def _subscripts(effects: RandomEffects, order: dict[str, int]) -> tuple[str, ...]:
    """Return the subscript of each effect; a second effect of the same column gets a prime."""
    if effects.effect_names == ("Intercept",):
        return ("",)
    subscripts: list[str] = []
    for term in effects.effect_names:
        subscript = str(order[term])
        while subscript in subscripts:
            subscript += "'"
        subscripts.append(subscript)
    return tuple(subscripts)


def _letter(letters: Sequence[str], i: int) -> str:
    """Return the letter of a factor."""
    return letters[i] if i < len(letters) else f"{letters[-1]}^{{({i + 1})}}"


def _raised(symbol: str, power: int) -> str:
    """Return a symbol with its power."""
    return symbol if power == 1 else f"{symbol}^{power}" if power < 10 else f"{symbol}^{{{power}}}"


def _weighted(results: Any) -> bool:
    """Tell whether rows have different precision weights."""
    model = results.model
    if model is not None:
        return model.design.weights.precision is not None
    fit = results.fit
    unequal = fit.products is not None and fit.products.sum_log_weights != 0.0
    return bool(unequal or fit.working_sigma != fit.sigma)
