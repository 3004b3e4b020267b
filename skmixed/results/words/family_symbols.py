r"""A family, its link and its further predictors in symbols.

A row has the mean :math:`\mu_i` (:math:`p_i`, if it is a probability) given the random effects, and
perhaps a probability :math:`\pi_i` of an extra zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skmixed.families.zero_inflation import ZeroInflated, without_inflation
from skmixed.fitting.glmm_fit import ExtraPredictor, GLMMFit
from skmixed.results.numbers import format_column, format_estimates
from skmixed.results.words.latex import name, number, total

__all__ = ["FamilySymbols"]

LINKS = {
    "identity": "{}",
    "log": r"\log({})",
    "logit": r"\operatorname{{logit}}({})",
    "probit": r"\Phi^{{-1}}({})",
    "cloglog": r"\log(-\log(1 - {}))",
    "loglog": r"-\log(-\log({}))",
    "cauchit": r"\tan(\pi ({} - \tfrac{{1}}{{2}}))",
    "inverse": r"1 / {}",
    "inverse_squared": r"1 / {}^2",
    "sqrt": r"\sqrt{{{}}}",
}
NAMES = {
    "poisson": r"\operatorname{Poisson}(\mu_i)",
    "negative_binomial": r"\operatorname{NegBinomial}(\mu_i, A_i)",
    "negative_binomial_1": r"\operatorname{NegBinomial}_1(\mu_i, A_i)",
    "gamma": r"\operatorname{Gamma}(\mu_i, A_i)",
    "inverse_gaussian": r"\operatorname{InvGaussian}(\mu_i, A_i)",
    "beta": r"\operatorname{Beta}(\mu_i, A_i)",
    "gaussian": r"\mathcal{N}(\mu_i,\; A_i)",
}


@dataclass(frozen=True, slots=True, eq=False)
class FamilySymbols:
    """Hold what the distribution of a response is written from, with estimates as values or not."""

    fit: GLMMFit
    values: bool

    @property
    def linked_mean(self) -> str:
        """Return g(mu_i), what the linear predictor is equal to."""
        link = self.fit.family.link.name
        return LINKS[link].format(self._mean) if link in LINKS else rf"g({self._mean})"

    def response(self, y: str) -> list[str]:
        """Return how the response, y in LaTeX, is distributed given the random effects."""
        if self._base.name == "binomial":
            if self.fit.trials:
                return [rf"n_i \, {y}_i &\sim \operatorname{{Binomial}}(n_i, p_i)"]
            return [rf"{y}_i &\sim \operatorname{{Bernoulli}}(p_i)"]
        law = NAMES[self._base.name].replace("A_i", self._dispersion)
        if isinstance(self.fit.family, ZeroInflated):
            law = rf"\pi_i \, \delta_0 + (1 - \pi_i) \, {law}"
        return [rf"{y}_i &\sim {law}{self._variance}"]

    @property
    def further(self) -> list[str]:
        """Return the equations of zero inflation and of a dispersion that is no constant."""
        return [
            rf"{self._linked(one)} &= {total(self._terms(one))}"
            for one in reversed(self.fit.extra)
            if one.name != "dispersion" or not one.is_constant
        ]

    @property
    def _base(self) -> Any:
        """Return the family without zero inflation."""
        return without_inflation(self.fit.family)

    @property
    def _mean(self) -> str:
        """Return the symbol of the mean."""
        return "p_i" if self._base.name == "binomial" else r"\mu_i"

    @property
    def _dispersion(self) -> str:
        """Return the dispersion of a row, as a number where it is constant and known."""
        symbol = str(self._base.dispersion_name)
        found = self.fit.extra_named("dispersion")
        if found is not None and not found.is_constant:
            return _of_row(symbol)
        if self.fit.dispersion is not None and self.values:
            return number(format_column([self.fit.dispersion], 4)[0])
        return symbol

    @property
    def _variance(self) -> str:
        """Return the variance of a family that has a dispersion, but for the normal one."""
        base = self._base
        if base.dispersion_name is None or base.name == "gaussian":
            return ""
        text = base.variance_text.replace(r"\mu", r"\mu_i")
        text = text.replace(base.dispersion_name, self._dispersion)
        return rf", \quad V(\mu_i) = {text}"

    def _linked(self, one: ExtraPredictor) -> str:
        """Return what a further predictor is equal to."""
        if one.name == "zero_inflation":
            return r"\operatorname{logit}(\pi_i)"
        symbol = _of_row(str(self._base.dispersion_name))
        rises = self._base.dispersion_of(np.ones(1))[0] > 1.0
        return rf"\log({symbol})" if rises else rf"\log(1 / {symbol})"

    def _terms(self, one: ExtraPredictor) -> list[str]:
        """Return the coefficients of a further predictor times their columns."""
        letter = r"\zeta" if one.name == "zero_inflation" else r"\xi"
        first = 0 if one.names[:1] == ("Intercept",) else 1
        return [
            self._term(one, j, rf"{letter}_{{{j + first}}}", label)
            for j, label in enumerate(one.names)
        ]

    def _term(self, one: ExtraPredictor, j: int, symbol: str, label: str) -> str:
        """Return one coefficient, as a symbol or a number, times its column."""
        if self.values:
            value, error = one.coefficients[j], np.sqrt(one.covariance[j, j])
            [text] = format_estimates(np.array([[value]]), np.array([error]), digits=3)
            symbol = number(text[0])
        return symbol if label == "Intercept" else rf"{symbol} \, {name(label)}_i"


def _of_row(symbol: str) -> str:
    """Return the symbol of a dispersion with the index of a row."""
    return r"\sigma_i^2" if symbol == r"\sigma^2" else f"{symbol}_i"
