"""Tables of the random effects and of their variances."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from skmixed.results import group_intervals, tables
from skmixed.results.of_model import OfModel
from skmixed.results.random_effects_draws import RandomEffectsDraws, sample_random_effects

__all__ = ["GroupTables"]


class GroupTables(OfModel):
    """Read variances, modes and the coefficients of groups off a fit."""

    @cached_property
    def cov_re(self) -> pd.DataFrame:
        """Return the covariance of the effects of the first grouping factor; empty without one."""
        if not self.fit.random:
            return pd.DataFrame()
        effects = self.fit.random[0]
        names = list(effects.effect_names)
        return pd.DataFrame(effects.effect_covariance, index=names, columns=names, copy=True)

    @cached_property
    def variance_components(self) -> pd.DataFrame:
        """Return one row for each variance and covariance, the residual variance last.

        The columns are group, name1, name2 (None for a variance), vcov, sdcor (the standard
        deviation, or the correlation of a covariance) and share (the part of the sum of all
        variances; NaN for a covariance). A covariance that the model fixes at 0 is not listed. A
        generalised model has no residual variance, and no shares.
        """
        return tables.variance_table(self.fit)

    @cached_property
    def random_effects(self) -> dict[str, pd.DataFrame]:
        """Return for each factor the conditional modes, levels x effects."""
        return {effects.name: tables.mode_table(effects) for effects in self.fit.random}

    @cached_property
    def random_effects_sd(self) -> dict[str, pd.DataFrame]:
        """Return for each factor the standard deviations of the effects given the data."""
        return {effects.name: tables.conditional_sd_table(effects) for effects in self.fit.random}

    @cached_property
    def group_coefficients(self) -> dict[str, pd.DataFrame]:
        """Return for each factor the coefficients of its levels: population plus deviation."""
        return {
            effects.name: tables.group_coefficient_table(self.fit.fixed, effects)
            for effects in self.fit.random
        }

    def random_effects_table(
        self,
        level: float = 0.95,
        *,
        beta_known: bool = False,
        variance_uncertainty: group_intervals.GroupUncertainty = None,
    ) -> pd.DataFrame:
        """Return one row for each random effect of each group: value, se, limits, excludes_zero.

        Parameters
        ----------
        level, beta_known, variance_uncertainty
            As for ``skmixed.results.random_effects_table``.
        """
        return group_intervals.random_effects_table(
            self, level, beta_known=beta_known, variance_uncertainty=variance_uncertainty
        )

    def group_coefficients_table(
        self,
        level: float = 0.95,
        *,
        variance_uncertainty: group_intervals.GroupUncertainty = None,
    ) -> pd.DataFrame:
        """Return one row for each coefficient of each group, with the standard error of the sum.

        Parameters
        ----------
        level, variance_uncertainty
            As for ``skmixed.results.group_coefficients_table``.
        """
        return group_intervals.group_coefficients_table(
            self, level, variance_uncertainty=variance_uncertainty
        )

    def sample_random_effects(
        self, n: int = 1000, *, random_state: Any = None, beta_known: bool = False
    ) -> RandomEffectsDraws:
        """Draw the effects of all groups from their distribution given the data.

        Parameters
        ----------
        n, random_state, beta_known
            As for ``skmixed.results.sample_random_effects``.
        """
        return sample_random_effects(self, n, random_state=random_state, beta_known=beta_known)
