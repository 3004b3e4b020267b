"""Estimates and tests of the coefficients, one by one."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed import inference
from skmixed.inference.coefficients.degrees_of_freedom import DegreesOfFreedom, rule_for
from skmixed.inference.coefficients.wald import TTests, t_tests
from skmixed.results.of_model import OfModel

__all__ = ["CoefficientTests"]

FloatArray = NDArray[np.float64]


class CoefficientTests(OfModel):
    """Read the coefficients, their covariance, tests and limits off a fit."""

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
