"""Families of distributions side by side: are their densities comparable, is one a case of another.

A linear mixed model counts as the family of normal responses.
"""

from __future__ import annotations

from typing import Any

from skmixed.families.gaussian import Gaussian
from skmixed.families.zero_inflation import without_inflation
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import ExtraColumns, GLMMModel
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.inference.comparison.column_spaces import fixed_columns, spans

__all__ = ["added_by_family", "densities_differ", "require_no_penalty"]

# Families that are the limit of others as their dispersion vanishes.
LIMITS = {"poisson": ("negative_binomial", "negative_binomial_1")}


def densities_differ(one: LMMModel | GLMMModel, other: LMMModel | GLMMModel) -> str | None:
    """Say why the likelihoods of two models of a response are not comparable, None if they are."""
    families = _family(one), _family(other)
    if families[0].is_discrete != families[1].is_discrete:
        names = " and ".join(repr(family.name) for family in families)
        return f"one gives probabilities of counts, the other a density (families {names})"
    trials = [isinstance(model, GLMMModel) and model.trials for model in (one, other)]
    if trials[0] != trials[1]:
        return "the weights of only one of them count trials"
    return None


def require_no_penalty(fit: LMMFit) -> None:
    """Raise ValueError if a fit maximises more than the likelihood."""
    if isinstance(fit, GLMMFit) and fit.penalty is not None:
        raise ValueError(
            f"With penalty={fit.penalty!r} the fit is not at the maximum of the likelihood, whose "
            "ratios and criteria compare maxima. Fit without penalty=, or use Wald tests."
        )


def added_by_family(
    small: LMMModel | GLMMModel, large: LMMModel | GLMMModel
) -> list[ExtraColumns] | None:
    """Return the further predictors that only the family of a larger model of the same rows has.

    Each has a parameter on the boundary of its range where it is not there. None if the smaller
    family is no case of the larger one.
    """
    inner, outer = _family(small), _family(large)
    if inner.link != outer.link:
        return None
    bases = without_inflation(inner), without_inflation(outer)
    if bases[0] != bases[1] and bases[1].name not in LIMITS.get(bases[0].name, ()):
        return None
    ours, theirs = _columns(small), _columns(large)
    if not set(ours) <= set(theirs):
        return None
    if not all(spans(fixed_columns(theirs[name]), fixed_columns(ours[name])) for name in ours):
        return None
    return [theirs[name] for name in theirs if name not in ours]


def _family(model: LMMModel | GLMMModel) -> Any:
    """Return the family of a model."""
    return model.family if isinstance(model, GLMMModel) else Gaussian()


def _columns(model: LMMModel | GLMMModel) -> dict[str, ExtraColumns]:
    """Return the columns of the further predictors by name."""
    if not isinstance(model, GLMMModel):
        return {"dispersion": ExtraColumns.constant(model.design.n_rows)}
    return dict(zip(model.family.extra_names, model.extra, strict=True))
