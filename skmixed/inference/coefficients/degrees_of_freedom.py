"""Rules for the reference distributions of tests of the fixed effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.between_within import BetweenWithin, between_within
from skmixed.inference.coefficients.df_rule import (
    DegreesOfFreedom,
    FixedEffectsTheory,
    WithoutRows,
    WithRows,
    estimated_covariance,
)
from skmixed.inference.coefficients.kenward_roger_rule import KenwardRogerRule
from skmixed.inference.coefficients.satterthwaite import Satterthwaite

__all__ = ["DF_METHODS", "DegreesOfFreedom", "FixedEffectsTheory", "default_df_method"]

FloatArray = NDArray[np.float64]


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


class Normal(WithoutRows):
    """Take the estimates as normally distributed: infinitely many degrees of freedom."""

    description: ClassVar[str] = "normal distribution"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        return _Constant(estimated_covariance(fit.fixed), np.inf)


class Residual(WithoutRows):
    """Count the rows, less the coefficients, as if there were no groups."""

    description: ClassVar[str] = "t distribution, residual degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        df = fit.n_rows - len(fit.fixed.standardised)
        return _Constant(estimated_covariance(fit.fixed), df)


class SampledGroups(WithoutRows):
    """Count the sampled groups less one, beside the sandwich covariance of a weighted sample."""

    description: ClassVar[str] = "t distribution, groups less one, sandwich standard errors"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit.

        Raises
        ------
        ValueError
            If its weights are not those of a sample.
        """
        if fit.n_sampled is None:
            raise ValueError(
                "df_method='design' is for weight_type='sampling'. Use 'satterthwaite', or "
                "inference.robust_covariance for the sandwich without such weights."
            )
        return _Constant(estimated_covariance(fit.fixed), fit.n_sampled - 1.0)


@dataclass(frozen=True, slots=True)
class BetweenWithinRule(WithRows):
    """Count groups for columns that are constant within them, rows for the others."""

    description: ClassVar[str] = "t distribution, between-within degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit.

        Raises
        ------
        ValueError
            If its rows are not known, or factors are crossed.
        """
        rows = self.rows("df_method='between-within'")
        return BetweenWithin(estimated_covariance(fit.fixed), between_within(fit, rows))


DF_METHODS: Mapping[str, DegreesOfFreedom] = {
    "satterthwaite": Satterthwaite(),
    "kenward-roger": KenwardRogerRule(),
    "kenward-roger-linear": KenwardRogerRule(second_order=False),
    "between-within": BetweenWithinRule(),
    "residual": Residual(),
    "normal": Normal(),
    "design": SampledGroups(),
}


def default_df_method(fit: LMMFit) -> str:
    """Name the rule for a fit for which none is asked."""
    if not fit.is_linear:
        return "normal"
    return "satterthwaite" if fit.n_sampled is None else "design"
