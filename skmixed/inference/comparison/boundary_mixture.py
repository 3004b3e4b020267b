"""The reference distribution of a likelihood-ratio test whose hypothesis lies on a boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.model import LMMModel
from skmixed.inference.comparison.column_spaces import spans
from skmixed.inference.comparison.compared_families import added_by_family
from skmixed.inference.comparison.random_terms import ModelTerm, terms_by_block

__all__ = ["ChiSquaredMixture", "boundary_mixture"]


@dataclass(frozen=True, slots=True)
class ChiSquaredMixture:
    """Hold a mixture of chi-squared distributions with equal weights; chi2(0) is a point at 0."""

    degrees: tuple[int, ...]

    def p_value(self, statistic: float) -> float:
        """Return the probability of a statistic at least as large."""
        tails = [
            float(statistic <= 0.0) if df == 0 else float(stats.chi2.sf(statistic, df))
            for df in self.degrees
        ]
        return float(np.mean(tails))

    def __str__(self) -> str:
        share = "" if len(self.degrees) == 1 else f"1/{len(self.degrees)} "
        return " + ".join(f"{share}chi2({df})" for df in self.degrees)


def boundary_mixture(
    small: LMMModel | GLMMModel, large: LMMModel | GLMMModel, df: int
) -> ChiSquaredMixture | None:
    """Return the asymptotic distribution of twice the difference of the log-likelihoods.

    Where the hypothesis fixes variances at 0, the statistic is a mixture of chi-squares (Self and
    Liang 1987; Stram and Lee 1994, cases 1 to 3), here with f fixed effects tested besides:

    - no variance is added: chi2(df), also where only correlations are;
    - one variance component: 1/2 chi2(f) + 1/2 chi2(f + 1); likewise a dispersion, or a probability
      of zero, that the smaller model does not have;
    - an effect correlated with k others of the same groups: 1/2 chi2(f + k) + 1/2 chi2(f + k + 1).

    None where the weights are not known in general, as for two components at once.
    """
    terms = [[term for own in terms_by_block(one) for term in own] for one in (small, large)]
    of_small, of_large = _unmatched(*terms)
    added = added_by_family(small, large)
    # On the boundary the coefficients of a further predictor say nothing, but for its constant.
    if added is None or any(one.fixed.shape[1] for one in added):
        return None
    if of_small or of_large:
        return None if added else _of_terms(of_small, of_large, df)
    return None if len(added) > 1 else ChiSquaredMixture((df - 1, df) if added else (df,))


def _of_terms(
    of_small: Sequence[ModelTerm], of_large: Sequence[ModelTerm], df: int
) -> ChiSquaredMixture | None:
    """Return the distribution where the models have other random terms."""
    added = sum(t.n_parameters for t in of_large) - sum(t.n_parameters for t in of_small)
    if not of_small and len(of_large) == 1 and of_large[0].n_parameters == 1:
        return ChiSquaredMixture((df - 1, df))
    # All small terms must belong to the groups and the columns of the large one.
    if (
        len(of_large) != 1
        or not of_small
        or not all(
            _same_groups(term.factor, of_large[0].factor)
            and spans(of_large[0].columns, term.columns)
            for term in of_small
        )
    ):
        return None
    grown = of_large[0].n_effects - sum(term.n_effects for term in of_small)
    if grown == 0:
        return ChiSquaredMixture((df,))
    whole = len(of_small) == 1 and of_large[0].structure.invariance == "linear"
    if whole and grown == 1 and added == of_large[0].n_effects:
        return ChiSquaredMixture((df - 1, df))
    return None


def _unmatched(
    small: Sequence[ModelTerm], large: Sequence[ModelTerm]
) -> tuple[list[ModelTerm], list[ModelTerm]]:
    """Return the terms of each model that the other does not have."""
    left, right = [], list(large)
    for term in small:
        match = next((i for i, other in enumerate(right) if _equal(term, other)), None)
        if match is None:
            left.append(term)
        else:
            del right[match]
    return left, right


def _equal(one: ModelTerm, other: ModelTerm) -> bool:
    """Tell whether two terms are one and the same model."""
    if one.structure != other.structure and max(one.n_effects, other.n_effects) > 1:
        return False
    if one.n_effects != other.n_effects or not _same_groups(one.factor, other.factor):
        return False
    if one.structure.invariance == "linear":
        return spans(one.columns, other.columns)
    return bool(np.allclose(one.columns, other.columns, rtol=1e-12, atol=0.0))


def _same_groups(one: GroupingFactor, other: GroupingFactor) -> bool:
    """Tell whether two factors divide the rows in the same way, whatever their labels."""
    n_levels = len(one.levels)
    if n_levels != len(other.levels):
        return False
    pairs = one.codes.astype(np.int64) * n_levels + other.codes
    return len(np.unique(pairs)) == n_levels
