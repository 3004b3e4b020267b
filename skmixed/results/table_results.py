"""What a fit says in tables and words: of its coefficients, its variances and its groups."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed import inference
from skmixed.inference.coefficients.degrees_of_freedom import DegreesOfFreedom, rule_for
from skmixed.inference.coefficients.wald import TTests, t_tests
from skmixed.results import group_intervals, tables, words
from skmixed.results.fit_results import FitResults
from skmixed.results.random_effects_draws import RandomEffectsDraws, sample_random_effects

if TYPE_CHECKING:
    from skmixed.results.words.equation import Equation, Form

__all__ = ["TableResults"]

FloatArray = NDArray[np.float64]


class TableResults(FitResults):
    """Make tables of the coefficients with their tests, of variances and of groups."""

    @cached_property
    def params(self) -> pd.Series:
        """Return the estimated coefficients, indexed by their names."""
        return self._series(self._tests.estimates)

    @cached_property
    def bse(self) -> pd.Series:
        """Return the standard errors of the coefficients."""
        return self._series(self._tests.standard_errors)

    @cached_property
    def tvalues(self) -> pd.Series:
        """Return the coefficients over their standard errors."""
        return self._series(self._tests.statistics)

    @cached_property
    def pvalues(self) -> pd.Series:
        """Return the two-sided p-values of the tests against 0."""
        return self._series(self._tests.p_values)

    def conf_int(
        self,
        alpha: float = 0.05,
        *,
        method: Literal["wald", "profile", "bootstrap"] = "wald",
        which: Literal["fixed", "random", "all"] = "fixed",
        n: int = 1000,
        random_state: Any = None,
    ) -> pd.DataFrame:
        """Return limits of confidence 1 - alpha: columns 0 (lower) and 1 (upper).

        Parameters
        ----------
        alpha : float, default=0.05
        method : {"wald", "profile", "bootstrap"}, default="wald"
        which : {"fixed", "random", "all"}, default="fixed"
            The coefficients, the standard deviations and correlations, or both;
            ``skmixed.inference.confint`` gives the same as a tidy table.
        n : int, default=1000
            Replicates of the bootstrap.
        random_state : int, numpy.random.Generator or None, default=None
            Of the bootstrap.

        Raises
        ------
        ValueError
            If an argument cannot be used.
        TypeError
            If a bootstrap is asked of results that keep no rows.
        """
        if method == "wald" and which == "fixed":
            return pd.DataFrame(self._tests.limits(1.0 - alpha), index=self._names)
        table = inference.confint(
            self,
            method,
            which,
            level=1.0 - alpha,
            df_method=self.df_method,
            n=n,
            random_state=random_state,
        )
        limits = table.set_index("parameter")[["lower", "upper"]]
        return limits.set_axis([0, 1], axis=1).rename_axis(None)

    def t_test(
        self, hypotheses: Any, *, df_method: str | None = None, conf_level: float = 0.95
    ) -> pd.DataFrame:
        """Test linear hypotheses on the coefficients, such as ``"x1 = x2, x3 = 0"``, one by one.

        Parameters
        ----------
        hypotheses, df_method, conf_level
            As for ``skmixed.inference.t_test``.
        """
        return inference.t_test(self, hypotheses, df_method=df_method, conf_level=conf_level)

    def wald_test(self, hypotheses: Any, *, df_method: str | None = None) -> pd.DataFrame:
        """Test linear hypotheses on the coefficients together, by an F test.

        Parameters
        ----------
        hypotheses, df_method
            As for ``skmixed.inference.wald_test``.
        """
        return inference.wald_test(self, hypotheses, df_method=df_method)

    def cov_params(self) -> pd.DataFrame:
        """Return the covariance of the estimated coefficients, not adjusted by any df_method."""
        covariance = self.fit.fixed.covariance
        return pd.DataFrame(covariance, index=self._names, columns=self._names, copy=True)

    def tidy(self, conf_level: float = 0.95) -> pd.DataFrame:
        """Return one row for each fixed effect.

        Parameters
        ----------
        conf_level : float, default=0.95
            Of the limits.

        Returns
        -------
        DataFrame
            With columns term, estimate, se, df, statistic, p_value, lower, upper.
        """
        return self._tests.table(self.fit.fixed.names, conf_level)

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

    def equation(self, form: Form = "conditional", *, values: bool = False) -> Equation:
        """Write the model as equations in LaTeX.

        Parameters
        ----------
        form, values
            As for ``skmixed.results.equation``.
        """
        return words.equation(self, form, values=values)

    def describe(self, level: float = 0.95) -> str:
        """Describe the model in plain words.

        Parameters
        ----------
        level
            As for ``skmixed.results.describe``.
        """
        return words.describe(self, level=level)

    @property
    def _degrees_of_freedom(self) -> DegreesOfFreedom:
        return rule_for(self, None)

    @cached_property
    def _tests(self) -> TTests:
        return t_tests(self.fit, np.eye(len(self._names)), self._degrees_of_freedom)

    @property
    def _names(self) -> list[str]:
        return list(self.fit.fixed.names)

    def _series(self, values: FloatArray) -> pd.Series:
        return pd.Series(values, index=self._names, copy=True)
