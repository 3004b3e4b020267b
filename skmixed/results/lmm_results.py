"""Results of a linear mixed model under the names that statsmodels uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed import inference
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.formula import FormulaRecipe
from skmixed.inference.coefficients.degrees_of_freedom import (
    DF_METHODS,
    DegreesOfFreedom,
    default_df_method,
)
from skmixed.inference.coefficients.rules import rule_for
from skmixed.inference.coefficients.wald import TTests, t_tests
from skmixed.results import group_tables, tables
from skmixed.results.fit_numbers import FitNumbers
from skmixed.results.random_effects_draws import RandomEffectsDraws, sample_random_effects
from skmixed.results.summary import ModelDescription, Summary, summarise
from skmixed.results.words.description import describe
from skmixed.results.words.equation import Equation, Form, equation

__all__ = ["MixedLMResults"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class MixedLMResults(FitNumbers):
    """Read estimates, tests and tables off a fitted linear mixed model.

    Every table is made when it is first asked for. A coefficient that is aliased with others is 0,
    and its standard error and test are NaN.

    Parameters
    ----------
    fit : LMMFit
    model : LMMModel, optional
        What was fitted, with its rows: what refits start from.
    recipe : FormulaRecipe, optional
        How the formula makes its columns.
    data : DataFrame or mapping of columns, optional
        The rows that were fitted, if they are kept.
    response_name : str, default="y"
    formula : str, optional
    predictor : callable, optional
        Makes the predictions of ``predict``: ``predictor(data, groups=...,
        include_random_effects=..., return_std=..., return_cov=...)``.
    n_dropped : int, default=0
        Rows that were left out for missing values.
    response, fitted : array-like of shape (n,), or callable that returns one, optional
        The observations and their conditional means, in units of y, if they are kept.
    weights : array-like of shape (n,), optional
        Weights of the observations, if they are kept.
    df_method : str, optional
        Where degrees of freedom come from: ``"satterthwaite"`` (the default), ``"kenward-roger"``
        (REML), ``"residual"`` (rows less coefficients), ``"normal"`` (infinite), or ``"design"``
        (sampled groups less one, the default with weights that are inverse probabilities).

    Raises
    ------
    ValueError
        If there is no such df_method.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> results
    <MixedLMResults: Reaction ~ Days + (Days | Subject), REML, 180 observations>
    >>> results.conf_int().round(2)
                    0       1
    Intercept  237.01  265.80
    Days         7.21   13.73
    >>> results.variance_components[["group", "name1", "name2", "sdcor"]].round(3)
          group      name1 name2   sdcor
    0   Subject  Intercept  None  24.740
    1   Subject       Days  None   5.922
    2   Subject  Intercept  Days   0.066
    3  Residual       None  None  25.592
    """

    fit: LMMFit
    _: KW_ONLY
    model: LMMModel | None = None
    recipe: FormulaRecipe | None = None
    data: Any = None
    response_name: str = "y"
    formula: str | None = None
    predictor: Callable[..., Any] | None = None
    n_dropped: int = 0
    response: Any = None
    fitted: Any = None
    weights: Any = None
    df_method: str | None = None

    def __post_init__(self) -> None:
        if self.df_method is None:
            object.__setattr__(self, "df_method", default_df_method(self.fit))
        elif self.df_method not in DF_METHODS:
            raise ValueError(
                f"df_method must be one of {sorted(DF_METHODS)}, got {self.df_method!r}."
            )

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

    def with_df_method(self, df_method: str) -> MixedLMResults:
        """Return the same results with degrees of freedom by another rule.

        Parameters
        ----------
        df_method : {"satterthwaite", "kenward-roger", "residual", "normal"}

        Raises
        ------
        ValueError
            If there is no such rule.

        Examples
        --------
        >>> from skmixed import mixedlm
        >>> from skmixed.datasets import load_sleepstudy
        >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> results.tidy()["df"].round(2).to_list()
        [17.0, 17.0]
        >>> results.with_df_method("residual").tidy()["df"].to_list()
        [178.0, 178.0]
        """
        return replace(self, df_method=df_method)

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
        variances; NaN for a covariance). A covariance that the model fixes at 0 is not listed.
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
        self, level: float = 0.95, *, beta_known: bool = False
    ) -> pd.DataFrame:
        """Return one row for each random effect of each group: value, se, limits, excludes_zero.

        Parameters
        ----------
        level, beta_known
            As for ``skmixed.results.random_effects_table``.
        """
        return group_tables.random_effects_table(self, level, beta_known=beta_known)

    def group_coefficients_table(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row for each coefficient of each group, with the standard error of the sum.

        Parameters
        ----------
        level
            As for ``skmixed.results.group_coefficients_table``.
        """
        return group_tables.group_coefficients_table(self, level)

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
        return equation(self, form, values=values)

    def describe(self, level: float = 0.95) -> str:
        """Describe the model in plain words.

        Parameters
        ----------
        level
            As for ``skmixed.results.describe``.
        """
        return describe(self, level=level)

    @cached_property
    def fittedvalues(self) -> Any:
        """Return the conditional means of the observations, random effects included."""
        return self._kept("fitted")

    @cached_property
    def resid(self) -> Any:
        """Return the observations less their conditional means, in units of y."""
        return self._kept("response") - self.fittedvalues

    @property
    def resid_pearson(self) -> Any:
        """Return the residuals over their standard deviation."""
        counted = self.model is not None and self.model.design.frequency
        weight = 1.0 if self.weights is None or counted else self.weights
        return self.resid * np.sqrt(weight) / self.sigma

    def predict(
        self,
        data: Any = None,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        return_std: bool = False,
        return_cov: bool = False,
    ) -> Any:
        """Predict the mean of new rows; without data, return the fitted values.

        Parameters
        ----------
        data : DataFrame or array-like, optional
            Rows of what the model was fitted to.
        groups : array-like of shape (n,), optional
            Labels of the groups, where they are not columns of data.
        include_random_effects : bool or list of str, optional
            False gives the mean of the population, a list includes the named factors; the default
            is that of the fitted model.
        return_std, return_cov : bool, default=False
            Whether to return the standard deviations, or the covariance, of new observations too.

        Raises
        ------
        ValueError
            If data is needed and not given, or the results hold no predictor.
        """
        if data is None:
            if groups is not None or include_random_effects is False or return_std or return_cov:
                raise ValueError(
                    "predict() without data returns the fitted values only. Pass data to choose "
                    "groups, include_random_effects, return_std or return_cov."
                )
            return self.fittedvalues
        if self.predictor is None:
            raise ValueError(
                "These results hold no predictor. Call predict of the estimator that was fitted, "
                "or fit with mixedlm."
            )
        return self.predictor(
            data,
            groups=groups,
            include_random_effects=include_random_effects,
            return_std=return_std,
            return_cov=return_cov,
        )

    def summary(
        self,
        *,
        df_method: str | None = None,
        correlation: bool = False,
        conf_level: float = 0.95,
    ) -> Summary:
        """Summarise the fit as text (``print``) and HTML (in a notebook).

        Parameters
        ----------
        df_method : str, optional
            Where degrees of freedom come from; by default as for all tables of the results.
        correlation : bool, default=False
            Whether to show the correlation of the fixed effects.
        conf_level : float, default=0.95
            Of the limits of the fixed effects.
        """
        if df_method is not None:
            changed = self.with_df_method(df_method)
            return changed.summary(correlation=correlation, conf_level=conf_level)
        description = ModelDescription(
            self.response_name, self.formula, self.n_dropped, self._degrees_of_freedom.description
        )
        return summarise(
            self.fit, self._tests, description, level=conf_level, correlation=correlation
        )

    def __repr__(self) -> str:
        model = self.formula or self.response_name
        return f"<MixedLMResults: {model}, {self.method}, {self.nobs} observations>"

    def _repr_html_(self) -> str:
        return self.summary().as_html()

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

    def _kept(self, name: str) -> Any:
        """Return an array of the training data, if the results keep it."""
        values = getattr(self, name)
        if values is None:
            raise AttributeError(
                "These results keep no rows of the data. Fit with mixedlm, which keeps them, or "
                "call predict of the estimator with the training data."
            )
        return values() if callable(values) else values
