"""What the variances say, in sentences."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import SINGULAR, RandomEffects
from skmixed.results.tables import correlation_matrix
from skmixed.results.words.fixed_words import FixedSentences
from skmixed.results.words.phrases import level_text, listed, percent, range_text, rounded
from skmixed.results.words.terms import parts_of

__all__ = ["boundary_sentences", "factor_sentences", "few_groups_notes", "share_sentence"]

FloatArray = NDArray[np.float64]

# Most effects and correlations of a factor that are put into words one by one.
MOST_EFFECTS = 3
MOST_CORRELATIONS = 3
# Up to so many groups, the 95% limits of their standard deviation are a factor of six apart or
# more, even if rows without end made the means of these groups known.
FEW = 4


def factor_sentences(fit: LMMFit, effects: RandomEffects, fixed: FixedSentences) -> list[str]:
    """Say how the groups of one factor differ.

    The level of ``fixed`` is the central part of the population of groups too: beta -+ z tau.
    """
    if not effects.estimable:
        name = effects.name
        return [
            f"Variance between groups of {name} cannot be told from residual variance: it is 0."
        ]
    deviations = np.sqrt(np.diagonal(effects.effect_covariance))
    if len(deviations) > MOST_EFFECTS:
        sentences = [_many_effects(effects, deviations)]
    else:
        sentences = [
            _effect_sentence(fit, effects, q, float(deviation), fixed)
            for q, deviation in enumerate(deviations)
        ]
    return [*sentences, *_correlation_sentences(effects)]


def share_sentence(fit: LMMFit) -> str:
    """Say how the variance around the fixed effects is made up."""
    factors = [effects for effects in fit.random if effects.estimable]
    variances = [effects.mean_variance for effects in factors]
    total = sum(variances) + fit.residual_variance
    equal = fit.residual is None or fit.residual.mean_square == 1.0
    deviation = rounded(math.sqrt(fit.residual_variance))
    residual = f"The residual standard deviation is {deviation}"
    residual += "" if equal else " (root of the mean variance over the rows)"
    if not factors or total == 0.0:
        return f"{residual}."
    shares = [
        f"{percent(variance / total)} {'' if i else 'lies '}between groups of {effects.name}"
        for i, (effects, variance) in enumerate(zip(factors, variances, strict=True))
    ]
    slopes = any(effects.effect_names != ("Intercept",) for effects in factors)
    mean = ", over the rows of the data" if slopes else ""
    return (
        f"{residual}. Of the variance around the fixed effects{mean}, {listed(shares)} (intraclass "
        f"correlation {fit.icc:.2f})."
    )


def boundary_sentences(fit: LMMFit) -> list[str]:
    """Say plainly what is estimated on the boundary."""
    sentences = []
    arbitrary = fit.unidentified.factors if fit.unidentified else []
    for i, effects in enumerate(fit.random):
        if not effects.estimable or not effects.boundary or i in arbitrary:
            continue
        vanishing = _vanishing(effects)
        if vanishing:
            of = "" if effects.effect_names == ("Intercept",) else f" of {listed(vanishing)}"
            sentences.append(
                f"The variance{of} between groups of {effects.name} is estimated as 0: the groups "
                "differ no more than chance makes them. This is a valid estimate on the boundary, "
                "not a proof that there is no difference."
            )
        else:
            sentences.append(
                f"The covariance of the effects of {effects.name} is estimated on the boundary: "
                "some combination of them does not vary, and a correlation of 1 or -1 is not to be "
                "taken at its word."
            )
    return sentences


def few_groups_notes(fit: LMMFit) -> list[str]:
    """Return one sentence or two for each factor of few groups whose variance is estimated."""
    arbitrary = fit.unidentified.factors if fit.unidentified else []
    return [
        f"{effects.name} has only {len(effects.levels)} groups, so the variance between them is "
        f"poorly known (degrees of freedom: {len(effects.levels) - 1} at most). See its limits by "
        f"confint(..., 'profile'), or make {effects.name} a fixed effect if no other groups are of "
        "interest."
        for i, effects in enumerate(fit.random)
        if effects.estimable and len(effects.levels) <= FEW and i not in arbitrary
    ]


def _effect_sentence(
    fit: LMMFit, effects: RandomEffects, q: int, deviation: float, fixed: FixedSentences
) -> str:
    """Say how one effect varies over the groups."""
    name = effects.effect_names[q]
    subject, plural, where = _subject(name, fixed)
    if name in _vanishing(effects):
        return f"{subject} is estimated not to vary between groups of {effects.name}."
    text = (
        f"{subject} varies between groups of {effects.name} with a standard deviation of "
        f"{rounded(deviation)}"
    )
    if name not in fit.fixed.names:
        return f"{text}."
    center = float(fit.fixed.coefficients[fit.fixed.names.index(name)])
    reach = -float(ndtri(0.5 * (1.0 - fixed.level))) * deviation
    lower, upper = center - reach, center + reach
    includes = ", which includes 0" if plural != "means" and lower < 0.0 < upper else ""
    return (
        f"{text}: the central {level_text(fixed.level)} of group {plural} lies "
        f"between {range_text(lower, upper)}{includes}{where}."
    )


def _subject(name: str, fixed: FixedSentences) -> tuple[str, str, str]:
    """Name an effect as the subject of a sentence and in the plural; say where it is beta + b."""
    response, parts = fixed.response, parts_of(name, fixed.terms.recipe)
    if name == "Intercept":
        mean = f"he mean of {response}"
        return f"{fixed.start}, t{mean}" if fixed.start else f"T{mean}", "means", ""
    part = parts[0]
    if len(parts) > 1 or "[" in part.variable or fixed.terms.sharing(part):
        return f"The coefficient of {name}", "coefficients", ""
    if part.level is None:
        change = f"The change of {response} per unit of {name}"
        return change, "slopes", fixed.conditions(part)
    category = f"of {response} for {part.variable} {part.level}"
    if part.reduced:
        return f"The difference {category}", "differences", fixed.conditions(part)
    return f"The mean {category}", "means", fixed.conditions(part)


def _many_effects(effects: RandomEffects, deviations: FloatArray) -> str:
    """Say how many effects vary, from the least to the most."""
    names = effects.effect_names
    least, most = rounded(float(deviations.min())), rounded(float(deviations.max()))
    spread = f"standard deviations from {least} to {most}"
    if least == most:
        spread = f"a standard deviation of {most} each"
    return (
        f"{len(names)} effects, {names[0]} to {names[-1]}, vary between groups of {effects.name} "
        f"with {spread}."
    )


def _correlation_sentences(effects: RandomEffects) -> list[str]:
    """Say how effects go together, if they are few or have one correlation."""
    linked = np.tril(effects.covariance.linked_effects, -1)
    correlation = correlation_matrix(effects.effect_covariance)
    pairs = [(int(i), int(j)) for i, j in np.argwhere(linked) if np.isfinite(correlation[i, j])]
    terms = effects.natural_parameters
    common = [one for one in terms[0] if one.name == "cor" and one.common] if not terms[1:] else []
    if len(pairs) > 1 and len(common) == 1 and common[0].powers is not None:
        which = "neighbours" if common[0].powers.max() > 1 else "every two of them"
        i, j = common[0].effects
        return [f"The correlation of {which} is {correlation[i, j]:.2f}."]
    if not pairs or len(pairs) > MOST_CORRELATIONS:
        return []
    texts = [
        f"{correlation[i, j]:.2f} between {effects.effect_names[j]} and {effects.effect_names[i]}"
        for i, j in pairs
    ]
    return [f"The correlation of the effects of {effects.name} is {listed(texts)}."]


def _vanishing(effects: RandomEffects) -> list[str]:
    """Name the effects whose variance is estimated as 0, per unit of a standardised column."""
    deviations = np.sqrt(np.diagonal(effects.effect_covariance)) * effects.coordinates.scale
    least = SINGULAR * effects.working_sigma
    found = zip(effects.effect_names, deviations, strict=True)
    return [name for name, deviation in found if deviation < least]
