"""What a fit says in single numbers, of its residuals and of its rows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skmixed import inference
from skmixed.fitting.at_theta import criterion_at
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.formula import FormulaRecipe
from skmixed.inference.coefficients.degrees_of_freedom import default_df_method
from skmixed.inference.intervals.residual_table import residual_table
from skmixed.prediction.fitted_model import FittedModel
from skmixed.results.numbers import whole
from skmixed.saving.fields import FieldState
from skmixed.saving.versions import VersionedState

__all__ = ["FitResults"]

FloatArray = NDArray[np.float64]


class FitResults(VersionedState, FieldState):
    """Read numbers, residuals and what was fitted off a fitted model."""

    fitted_model: FittedModel

    @property
    def fit(self) -> LMMFit:
        """Return the fit."""
        return self.fitted_model.fit

    @property
    def model(self) -> LMMModel | None:
        """Return what was fitted, with its rows: what refits start from; None without rows."""
        return None if self.fitted_model.rows is None else self.fitted_model.rows.model

    @property
    def recipe(self) -> FormulaRecipe | None:
        """Return how the formula makes its columns; None without a formula."""
        return self.fitted_model.recipe

    @property
    def data(self) -> Any:
        """Return the rows that were fitted; None if they are not kept."""
        return None if self.fitted_model.rows is None else self.fitted_model.rows.data

    @property
    def response_name(self) -> str:
        """Return the name of the response."""
        return self.fitted_model.response_name

    @property
    def formula(self) -> str | None:
        """Return the formula; None without one."""
        return self.fitted_model.formula

    @property
    def n_dropped(self) -> int:
        """Count the rows that were left out for missing values."""
        return 0 if self.fitted_model.rows is None else self.fitted_model.rows.n_dropped

    @property
    def weights(self) -> Any:
        """Return the weights of the observations; None without weights, or if not kept."""
        return None if self.fitted_model.rows is None else self.fitted_model.rows.weights

    @property
    def df_method(self) -> str:
        """Say where degrees of freedom come from."""
        chosen = self.fitted_model.df_method
        return default_df_method(self.fit) if chosen is None else chosen

    @property
    def theta(self) -> FloatArray:
        """Return the parameters of the relative covariance factors, that of most levels first."""
        return self.fit.theta

    @property
    def sigma(self) -> float:
        """Return the residual standard deviation of a row of weight 1."""
        return self.fit.sigma

    @property
    def scale(self) -> float:
        """Return the residual variance of a row of weight 1."""
        return self.fit.sigma**2

    @property
    def n_groups(self) -> dict[str, int]:
        """Return the number of levels of each grouping factor."""
        return {effects.name: len(effects.levels) for effects in self.fit.random}

    @property
    def method(self) -> str:
        """Return ``"REML"`` or ``"ML"``."""
        return "REML" if self.fit.reml else "ML"

    @property
    def llf(self) -> float:
        """Return the log-likelihood, or the restricted one for REML, with all constants."""
        return self.fit.log_likelihood

    @property
    def criterion(self) -> float:
        """Return -2 llf."""
        return self.fit.criterion

    @property
    def deviance(self) -> float:
        """Return -2 llf."""
        return self.fit.criterion

    def objective(self, theta: ArrayLike) -> float:
        """Return -2 llf at other variance parameters, beta and sigma being at their best for them.

        Parameters
        ----------
        theta : array-like of shape (n_parameters,)
            As ``theta``: relative to sigma, in lme4's order.

        Raises
        ------
        ValueError
            If theta has another shape, or the cross-products were too large to be kept.
        """
        at = np.asarray(theta, dtype=np.float64)
        if at.shape != self.theta.shape:
            raise ValueError(f"theta must have shape {self.theta.shape}, got {at.shape}.")
        return criterion_at(self.fit, at)

    @property
    def aic(self) -> float:
        """Return -2 llf + 2 (number of parameters)."""
        return self.fit.aic

    @property
    def bic(self) -> float:
        """Return -2 llf + log(nobs) (number of parameters), as lme4."""
        return self.fit.bic

    @property
    def icc(self) -> float:
        """Return the share of the groups in the variance around the fixed effects.

        Of a binomial response it is that of its latent response; for other generalised models see
        ``skmixed.inference.icc``.
        """
        return self.fit.icc

    @property
    def nobs(self) -> int | float:
        """Return the number of observations, each as often as it counts."""
        return whole(self.fit.n_rows)

    @property
    def df_resid(self) -> int | float:
        """Return nobs less all parameters, those of the variances included, as lme4."""
        return whole(self.fit.n_rows - self.fit.n_parameters)

    @property
    def optimizer_message(self) -> str:
        """Say how the search for theta ended."""
        return self.fit.convergence.message

    @property
    def converged(self) -> bool:
        """Tell whether the search ended at a stationary point or on the boundary."""
        return self.fit.convergence.converged

    @property
    def monte_carlo_error(self) -> FloatArray:
        """Return the standard errors of theta that random probes cause; 0 for an exact fit."""
        error = self.fit.monte_carlo
        return np.zeros(len(self.theta)) if error is None else error.theta

    @property
    def llf_monte_carlo_error(self) -> float:
        """Return the standard error of llf that random probes cause; 0 for an exact fit."""
        error = self.fit.monte_carlo
        return 0.0 if error is None else error.log_likelihood

    @property
    def is_singular(self) -> bool:
        """Tell whether some covariance of random effects is estimated on its boundary."""
        return self.fit.singular

    @property
    def residual_parameters(self) -> dict[str, float]:
        """Return the parameters of the residual structure by name, empty without one.

        Correlations, ranges and powers as they are; standard deviations of strata as ratios to that
        of the first, which is ``sigma``.
        """
        return {} if self.fit.residual is None else self.fit.residual.parameters

    def residual_table(self, conf_level: float = 0.95) -> pd.DataFrame:
        """Return the parameters of the residual structure with standard errors and limits.

        Parameters
        ----------
        conf_level : float, default=0.95

        Returns
        -------
        DataFrame
            One row for each of ``residual_parameters``, then the standard deviation of each
            stratum: parameter, estimate, se, lower and upper. Limits are those of the scale on
            which an estimate is nearly normal.
        """
        return residual_table(self.fit, conf_level)

    @property
    def residual_variances(self) -> pd.Series:
        """Return the residual variance of each stratum.

        Without strata there is one, ``sigma`` squared.
        """
        self.fit.require_gaussian("A residual variance", "see dispersion and dispersion_params")
        variance = self.fit.sigma**2
        if self.fit.residual is None:
            return pd.Series([variance], index=["Residual"], name="variance")
        ratios = self.fit.residual.strata
        return (variance * ratios**2).rename("variance")

    def residual_covariance(self, rows: Any = None, *, by: Any = None) -> pd.DataFrame:
        """Return the covariance of the residuals of one group.

        Parameters
        ----------
        rows : array-like of shape (m,) or DataFrame of m rows, optional
            Times, in the type of their column; by default all occasions, for a structure that has
            occasions. A data frame has all columns that the structure reads: coordinates, strata.
        by : label, or tuple of labels, optional
            Whose parameters are taken, where each label of some columns has its own.

        Raises
        ------
        ValueError
            If there is no residual structure, or columns that it reads are not given.
        """
        self.fit.require_gaussian("A covariance of residuals", "use family='gaussian' (mixedlm)")
        fitted = self.fit.residual
        if fitted is None:
            raise ValueError(
                "The model has no residual structure: residuals are independent, with the variance "
                "`scale`. Fit with residual=, such as residual=AR1(time='visit')."
            )
        columns, index = fitted.columns_of_one_group(rows, by)
        covariance = self.fit.sigma**2 * fitted.covariance(columns, len(index))
        return pd.DataFrame(covariance, index=index, columns=index)

    @cached_property
    def fittedvalues(self) -> Any:
        """Return the conditional means of the observations, random effects included."""
        return self.fitted_model.fitted_values()

    @cached_property
    def resid(self) -> Any:
        """Return the observations less their conditional means, in units of y."""
        return self.fitted_model.response() - self.fittedvalues

    @property
    def resid_pearson(self) -> Any:
        """Return the residuals over the standard deviation of the row's error."""
        if self.fit.residual is not None:
            return inference.residuals(self, kind="pearson")
        counted = self.model is not None and self.model.design.weights.kind != "precision"
        weight = 1.0 if self.weights is None or counted else self.weights
        return self.resid * np.sqrt(weight) / self.fit.sigma
