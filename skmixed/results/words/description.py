"""A fitted linear mixed model in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.degrees_of_freedom import rule_for
from skmixed.inference.coefficients.wald import check_level, t_tests
from skmixed.results.numbers import count_text
from skmixed.results.words.family_words import (
    FamilySentences,
    family_sentences,
    group_sentences,
)
from skmixed.results.words.fixed_words import FixedSentences
from skmixed.results.words.phrases import approximation, family_text, listed, unquoted
from skmixed.results.words.random_words import (
    boundary_sentences,
    factor_sentences,
    few_groups_notes,
    share_sentence,
)
from skmixed.results.words.residual_words import residual_sentences
from skmixed.results.words.terms import named_terms

__all__ = ["describe"]


def describe(results: Any, *, level: float = 0.95) -> str:
    """Describe a fitted model in plain words: what was fitted, the effects, how groups differ.

    Numbers are rounded by their standard errors. The central part of the group slopes is beta -+
    z tau, a range of the groups and not of the uncertainty of an estimate.

    Parameters
    ----------
    results : MixedLMResults
    level : float, default=0.95
        Of the confidence intervals, and of the central part of the groups.

    Returns
    -------
    str
        Paragraphs, with empty lines between them.

    Raises
    ------
    ValueError
        If level is not between 0 and 1.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_penicillin
    >>> from skmixed.results import describe
    >>> results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    >>> print(describe(results))
    A linear mixed model of diameter, fitted to 144 observations in 24 groups of plate and 6 groups
    of sample by restricted maximum likelihood (REML).
    <BLANKLINE>
    Over the population, diameter is 22.97 (95% interval 20.95 to 25.00) on average.
    <BLANKLINE>
    The mean of diameter varies between groups of plate with a standard deviation of 0.847: the
    central 95% of group means lies between 21.31 and 24.63. The mean of diameter varies between
    groups of sample with a standard deviation of 1.93: the central 95% of group means lies between
    19.2 and 26.8.
    <BLANKLINE>
    The residual standard deviation is 0.550. Of the variance around the fixed effects, 15% lies
    between groups of plate and 79% between groups of sample (intraclass correlation 0.94).
    """
    check_level(level)
    fit: LMMFit = results.fit
    tests = t_tests(fit, np.eye(len(fit.fixed.names)), rule_for(results, None))
    terms = named_terms(fit.fixed.names, results.recipe)
    shared = terms, tests, tests.limits(level), level
    if isinstance(fit, GLMMFit):
        outcome = results.fitted_model.outcome
        return _joined(_of_family(results, fit, FamilySentences(*shared, outcome, fit)))
    fixed = FixedSentences(*shared, results.response_name)
    random = [
        sentence for effects in fit.random for sentence in factor_sentences(fit, effects, fixed)
    ]
    paragraphs = [
        [_what_was_fitted(results), *_reservations(fit)],
        fixed.sentences(),
        random,
        few_groups_notes(fit),
        [share_sentence(fit)],
        residual_sentences(fit, level),
        boundary_sentences(fit),
    ]
    return _joined(paragraphs)


def _joined(paragraphs: Sequence[Sequence[str]]) -> str:
    """Return paragraphs of sentences as text."""
    text = "\n\n".join(" ".join(sentences) for sentences in paragraphs if sentences)
    return unquoted(text)


def _of_family(results: Any, fit: GLMMFit, fixed: FamilySentences) -> list[list[str]]:
    """Return the paragraphs of a generalised model."""
    random = [text for effects in fit.random for text in group_sentences(effects, fixed)]
    return [
        [_what_was_fitted(results), *_reservations(fit)],
        fixed.sentences(),
        random,
        few_groups_notes(fit),
        family_sentences(fit),
        boundary_sentences(fit),
    ]


def _what_was_fitted(results: Any) -> str:
    """Name the model, the rows and the groups."""
    fit: LMMFit = results.fit
    kind = _kind(fit)
    sizes = [(len(effects.levels), effects.name) for effects in fit.random]
    groups = listed([f"{n:,} {'group' if n == 1 else 'groups'} of {name}" for n, name in sizes])
    inside = f" in {groups}" if groups else ""
    n_dropped = results.n_dropped
    dropped = f" ({n_dropped:,} rows with missing values left out)" if n_dropped else ""
    rows = f"{count_text(fit.n_rows, ',')} observations{inside}{dropped}"
    return f"{kind} of {results.response_name}, fitted to {rows} by {_method(fit)}."


def _kind(fit: LMMFit) -> str:
    """Name the kind of model, and the family of a generalised one."""
    if isinstance(fit, GLMMFit):
        kind = "mixed model" if fit.random else "model without random effects"
        return f"A generalised linear {kind} ({family_text(fit)})"
    return "A linear mixed model" if fit.random else "A linear model without random effects"


def _method(fit: LMMFit) -> str:
    """Name what the fit maximised."""
    if fit.n_sampled is not None:
        return "maximum pseudo-likelihood, weighted by inverse probabilities of selection"
    if isinstance(fit, GLMMFit):
        return f"maximum likelihood ({approximation(fit)})" if fit.random else "maximum likelihood"
    if not fit.random and fit.residual is None:
        return "least squares"
    return "restricted maximum likelihood (REML)" if fit.reml else "maximum likelihood (ML)"


def _reservations(fit: LMMFit) -> list[str]:
    """Say why the numbers may not be what they seem."""
    found = []
    if not fit.convergence.converged:
        found.append("The search for the estimates did not converge: do not rely on these numbers.")
    if fit.coordinates.exact:
        found.append("The fixed effects explain every observation: the intervals mean nothing.")
    if fit.unidentified is not None:
        names = [fit.random[i].name for i in fit.unidentified.factors]
        names += ["the residuals"] if fit.unidentified.sigma else []
        found.append(
            f"The data do not determine the variances of {listed(names)}: the numbers given for "
            "them are one choice among many that fit equally well."
        )
    return found
