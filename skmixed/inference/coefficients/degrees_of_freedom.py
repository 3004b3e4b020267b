"""The rules for the reference distributions of tests of the fixed effects, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import differs_within
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.inference.coefficients.df_rule import (
    DegreesOfFreedom,
    FixedEffectsTheory,
    estimated_covariance,
)
from skmixed.inference.coefficients.kenward_roger import KenwardRogerRule
from skmixed.inference.coefficients.satterthwaite import Satterthwaite
from skmixed.inference.inputs import fitted_model_of

__all__ = ["DF_METHODS", "DegreesOfFreedom", "default_df_method", "rule_for"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Constant:
    """The same degrees of freedom for every test."""

    covariance: FloatArray
    df: float

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the degrees of freedom for each row."""
        return np.full(len(contrasts), self.df)

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return the degrees of freedom; the statistic is not scaled."""
        return self.df, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _ByCoefficient:
    """Degrees of freedom of each coefficient; NaN where groups or rows are too few."""

    covariance: FloatArray
    df: FloatArray

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the fewest degrees of freedom among the coefficients of each row."""
        return np.min(np.where(contrasts != 0.0, self.df, np.inf), axis=1, initial=np.inf)

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return the fewest of all rows; the statistic is not scaled."""
        return float(self.t_df(contrasts).min()), 1.0


class Normal(DegreesOfFreedom):
    """Take the estimates as normally distributed: infinitely many degrees of freedom."""

    description: ClassVar[str] = "normal distribution"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        return _Constant(estimated_covariance(fit.fixed), np.inf)


class Residual(DegreesOfFreedom):
    """Count the rows, less the coefficients, as if there were no groups."""

    description: ClassVar[str] = "t distribution, residual degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        df = fit.n_rows - len(fit.fixed.standardised)
        return _Constant(estimated_covariance(fit.fixed), df)


class SampledGroups(DegreesOfFreedom):
    """Count the sampled groups less one, beside the sandwich covariance of a weighted sample."""

    description: ClassVar[str] = "t distribution, groups less one, sandwich standard errors"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit, or raise ValueError if its weights are not those of a sample."""
        if fit.n_sampled is None:
            raise ValueError(
                "df_method='design' is for weight_type='sampling'. Use 'satterthwaite', or "
                "inference.robust_covariance for the sandwich without such weights."
            )
        return _Constant(estimated_covariance(fit.fixed), fit.n_sampled - 1.0)


class BetweenWithin(DegreesOfFreedom):
    """Count groups for columns that are constant within them, rows for the others.

    Of m_1 groups of a factor, m_2 of the next factor nested in it, and so on down to n rows, a
    column that is constant within the groups of level i, and not within those of level i - 1, has

        m_i - m_{i-1} - p_i

    degrees of freedom, with p_i the number of such columns and m_0 = 1 for the intercept, which
    itself has those of the rows (the inner-outer rule of Pinheiro and Bates 2000, section 2.4.2;
    with one factor it is SAS's and mmrm's rule).
    """

    description: ClassVar[str] = "t distribution, between-within degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit; raise ValueError if factors are crossed."""
        model = self.rows("df_method='between-within'")
        design, levels = model.design, _nested_groups(model)
        counts = design.weights.group_counts
        counts = np.ones(design.n_rows) if counts is None else counts
        firsts = [np.unique(codes, return_index=True)[1] for codes in levels]
        sizes = [float(design.intercept), *(counts[first].sum() for first in firsts), fit.n_rows]
        where = np.full(design.fixed.shape[1], len(levels))
        for i, codes in reversed(list(enumerate(levels))):
            where[~differs_within(design.fixed, codes).any(axis=0)] = i
        if design.intercept:
            where = np.append(len(levels), where)
        estimated = ~fit.fixed.aliased
        estimated[: int(design.intercept)] = False
        df = np.diff(sizes) - np.bincount(where[estimated], minlength=len(levels) + 1)
        return _ByCoefficient(
            estimated_covariance(fit.fixed), np.where(df > 0.0, df, np.nan)[where]
        )


def _nested_groups(model: LMMModel) -> list[Integers]:
    """Return the codes of the factors from the coarsest on, or of the groups of the residuals."""
    factors = [(one.levels.name, one.codes) for one in model.design.factors]
    if not factors:
        grouped = None if model.residual is None else model.residual.rows.grouped
        return [] if grouped is None else [grouped.groups]
    factors.sort(key=lambda one: len(np.unique(one[1])))
    for (outer_name, outer), (name, inner) in pairwise(factors):
        if differs_within(outer, inner).any():
            raise ValueError(
                f"df_method='between-within' needs factors that are nested, and {outer_name!r} "
                f"and {name!r} are crossed. Use df_method='satterthwaite'."
            )
    return [codes for _, codes in factors]


DF_METHODS: Mapping[str, DegreesOfFreedom] = {
    "satterthwaite": Satterthwaite(),
    "kenward-roger": KenwardRogerRule(),
    "kenward-roger-linear": KenwardRogerRule(second_order=False),
    "between-within": BetweenWithin(),
    "residual": Residual(),
    "normal": Normal(),
    "design": SampledGroups(),
}


def default_df_method(fit: LMMFit) -> str:
    """Name the rule for a fit for which none is asked."""
    if not fit.is_linear:
        return "normal"
    return "satterthwaite" if fit.n_sampled is None else "design"


def rule_for(fitted: Any, df_method: str | None) -> DegreesOfFreedom:
    """Return the rule of a name, by default that of the results, for their rows and information."""
    found = fitted_model_of(fitted)
    name = df_method or found.df_method or default_df_method(found.fit)
    if name not in DF_METHODS:
        raise ValueError(f"df_method must be one of {sorted(DF_METHODS)}, got {name!r}.")
    model = None if found.rows is None else found.rows.model
    return replace(DF_METHODS[name], model=model, information=found.information)
