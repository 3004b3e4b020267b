"""A fitted generalised model in sentences: ratios of odds and rates, and how groups vary."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.random_effects import SINGULAR, RandomEffects
from skmixed.results.words.fixed_words import FixedSentences
from skmixed.results.words.phrases import (
    by_error,
    dispersion_text,
    level_text,
    rounded,
    scale_of_effects,
)

__all__ = ["FamilySentences", "family_sentences", "group_sentences"]

FloatArray = NDArray[np.float64]

# What a ratio is a ratio of, by link; of a binomial family, and of others.
ODDS = {"logit": "the odds of {}", "log": "the probability of {}", "cloglog": "the hazard of {}"}
MEANS = {"log": "the mean of {}", "logit": "the odds of {}"}


@dataclass(frozen=True, slots=True, eq=False)
class FamilySentences(FixedSentences):
    """Write sentences on the fixed effects of a generalised model."""

    fit: GLMMFit

    @property
    def subject(self) -> str:
        """Return what the coefficients multiply, or add to."""
        link = self.fit.family.link.name
        named = ODDS if self.fit.family.name == "binomial" else MEANS
        if link in named:
            return named[link].format(self.response)
        what = "probability" if self.fit.family.name == "binomial" else "mean"
        scale = "" if link == "identity" else f"the {link.replace('_', ' ')} of "
        return f"{scale}the {what} of {self.response}"

    @property
    def multiplies(self) -> bool:
        """Tell whether coefficients are logarithms of ratios."""
        link = self.fit.family.link.name
        return link in (ODDS if self.fit.family.name == "binomial" else MEANS)

    def _sentence(self, j: int) -> str:
        """Return the sentence of one coefficient."""
        name, parts = self.terms.names[j], self.terms.parts[j]
        if name == "Intercept":
            where = self.start or "Over the population"
            return f"{where}, {self._typical} in a typical group is {self._mean(j)}."
        part = parts[0]
        plain = len(parts) == 1 and "[" not in part.variable and not self.terms.sharing(part)
        if plain and part.level is None:
            return f"Per unit of {name}, {self._change(j)}{self.conditions(part)}."
        if plain and part.reduced:
            return (
                f"For {part.variable} {part.level}, compared with {self._reference_level(part)}, "
                f"{self._change(j)}{self.conditions(part)}."
            )
        if plain:
            return (
                f"For {part.variable} {part.level}, {self._typical} in a typical group is "
                f"{self._mean(j)}{self.conditions(part)}."
            )
        return f"The coefficient of {name} is {self._value(j)}."

    @property
    def _typical(self) -> str:
        """Return what the inverse link gives."""
        if self.fit.family.name == "binomial":
            return f"the probability of {self.response}"
        return f"the mean of {self.response}"

    def _mean(self, j: int) -> str:
        """Return the inverse link of a coefficient with its interval."""
        inverse = self.fit.family.link.mean
        ends = np.array([self.tests.estimates[j], *self.limits[j]])
        value, *limits = (rounded(float(one)) for one in inverse(ends))
        lower, upper = sorted(limits, key=float)
        return f"{value} ({level_text(self.level)} interval {lower} to {upper})"

    def _change(self, j: int) -> str:
        """Say what a coefficient does: multiply by a ratio, or add."""
        if not self.multiplies:
            return f"{self.subject} changes by {self._value(j)}"
        ends = np.exp([self.tests.estimates[j], *self.limits[j]])
        verb = "is" if self.subject.startswith(("the mean", "the prob", "the haz")) else "are"
        if not np.isfinite(ends).all():
            return f"{self.subject} {verb} multiplied by {rounded(float(ends[0]))}"
        error = float(ends[0] * self.tests.standard_errors[j])
        value, lower, upper = by_error(list(map(float, ends)), error)
        includes = ", which includes 1" if self.limits[j][0] < 0.0 < self.limits[j][1] else ""
        return (
            f"{self.subject} {verb} multiplied by {value} ({level_text(self.level)} interval "
            f"{lower} to {upper}{includes})"
        )


def group_sentences(effects: RandomEffects, fixed: FamilySentences) -> list[str]:
    """Say how the groups of one factor differ."""
    deviations = np.sqrt(np.diagonal(effects.effect_covariance))
    return [
        _effect(effects, name, float(deviation), fixed)
        for name, deviation in zip(effects.effect_names, deviations, strict=True)
    ]


def _effect(effects: RandomEffects, name: str, deviation: float, fixed: FamilySentences) -> str:
    """Say how one effect varies over the groups."""
    what = "the linear predictor" if name == "Intercept" else f"the coefficient of {name}"
    if deviation <= SINGULAR:
        return f"{_begin(what)} is estimated not to vary between groups of {effects.name}."
    scale = f" ({scale_of_effects(fixed.fit)})" if name == "Intercept" else ""
    text = (
        f"{_begin(what)}{scale} varies between groups of {effects.name} with a standard deviation "
        f"of {rounded(deviation)}"
    )
    if name != "Intercept" or not fixed.multiplies:
        return f"{text}."
    ratio = math.exp(-float(ndtri(0.5 * (1.0 - fixed.level))) * deviation)
    if not math.isfinite(ratio):
        return f"{text}."
    verb, that = ("are", "those") if fixed.subject.startswith("the odds") else ("is", "that")
    return (
        f"{text}: in the central {level_text(fixed.level)} of groups {fixed.subject} {verb} "
        f"{rounded(1.0 / ratio)} to {rounded(ratio)} times {that} of a typical group."
    )


def family_sentences(fit: GLMMFit) -> list[str]:
    """Say what the dispersion and the zero inflation are."""
    sentences = []
    for one in reversed(fit.extra):
        if one.name == "zero_inflation" and one.is_constant:
            share = 1.0 / (1.0 + math.exp(-float(one.coefficients[0])))
            sentences.append(
                "Beside the counts, whose mean this is, there are extra zeros with a probability "
                f"of {rounded(share)}."
            )
        elif one.name == "zero_inflation":
            sentences.append(
                "Beside the counts, whose mean this is, there are extra zeros with a probability "
                "that differs between rows."
            )
        elif fit.dispersion is not None:
            sentences.append(f"The dispersion is {dispersion_text(fit, fit.dispersion)}.")
        else:
            sentences.append("The dispersion differs between rows.")
    return sentences


def _begin(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]
