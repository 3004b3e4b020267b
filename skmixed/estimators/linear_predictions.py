"""Predict from a fitted linear model, and score its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from skmixed.estimators.base import MixedModel
from skmixed.prediction.predict import Kind, marginal_covariance
from skmixed.prediction.related import ResidualMemory
from skmixed.prediction.switches import VarianceUncertainty

__all__ = ["LinearPredictor"]

FloatArray = NDArray[np.float64]


class LinearPredictor(RegressorMixin, MixedModel):
    """Predict from a linear fit, with and without random effects."""

    def predict(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        return_std: bool = False,
        return_cov: bool = False,
        kind: Kind = "observation",
        variance_uncertainty: VarianceUncertainty = None,
        residual_memory: ResidualMemory = False,
    ) -> Any:
        """Predict the response of rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            As in fit.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array. A label that was not fitted gets the
            population mean (or an error, with ``unseen_groups="error"``); so does a missing one
            with ``missing_groups="population"``, which is an error otherwise.
        include_random_effects : bool or list of str, optional
            Whether the groups' random effects are added, or of which factors; the default is the
            constructor's.
        return_std : bool, default=False
            Whether to return the standard deviation of what is predicted about the prediction too.
        return_cov : bool, default=False
            Whether to return the covariance of what is predicted about the predictions too.
        kind : {"observation", "mean", "population"}, default="observation"
            What the uncertainty is of; the prediction is the same. A new observation of weight 1;
            its mean, X beta + Z b, without the residual; or the mean over all groups of the factors
            whose effect on the row is not known. Of a factor that is left out by
            ``include_random_effects``, or whose label was not fitted or is absent, the first two
            count the whole variance: nothing is known of that effect. ``"population"`` counts none
            of it, and with ``include_random_effects=False`` it is X beta alone.
        variance_uncertainty : None, "delta" or BootstrapDraws, default=None
            The variances are taken as known; or their uncertainty is added to first order, with
            degrees of freedom to match; or by the draws of ``skmixed.inference.bootstrap`` from
            a fit of the same model to the same rows. Of a residual structure, an estimator takes
            the correlations and the ratios of variances as known in either case; results of
            ``mixedlm``, which keep their rows, do not.
        residual_memory : False or tuple of (X, y) or (X, y, groups), default=False
            Rows that were observed, from which correlated residuals are predicted too: the next
            visits of a known person, say, and those in between. Of each group they are all rows up
            to now, those that were fitted among them; their weights, if there are any, come fourth.
            ``kind="mean"`` then includes what the observed residuals tell of the new one. Without
            it, and in groups without a past, the residual of a new row is taken as independent of
            all that were fitted, as it is long after them. Results of ``mixedlm`` keep their rows,
            and take True.

        Returns
        -------
        mean : ndarray of shape (n,)
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``

        Raises
        ------
        ValueError
            If random effects are asked for without labels, or both uncertainties at once; or if
            the uncertainty of the variances needs what the fit has not kept.
        """
        return self.fitted_model.predict(
            X,
            groups=groups,
            include_random_effects=include_random_effects,
            return_std=return_std,
            return_cov=return_cov,
            kind=kind,
            variance_uncertainty=variance_uncertainty,
            residual_memory=residual_memory,
        )

    def predict_interval(
        self,
        X: Any,
        *,
        coverage: float = 0.95,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        kind: Kind = "observation",
        variance_uncertainty: VarianceUncertainty = None,
        residual_memory: ResidualMemory = False,
    ) -> FloatArray:
        """Return limits that what is predicted keeps with the given probability.

        They are quantiles as of ``predict_quantiles``, with equal tails.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        coverage : float, default=0.95
            Probability, between 0 and 1.
        groups, include_random_effects, kind, variance_uncertainty, residual_memory
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n, 2)
            Lower and upper limits.
        """
        return self.fitted_model.predict_interval(
            X,
            coverage=coverage,
            groups=groups,
            include_random_effects=include_random_effects,
            kind=kind,
            variance_uncertainty=variance_uncertainty,
            residual_memory=residual_memory,
        )

    def predict_quantiles(
        self,
        X: Any,
        *,
        quantiles: Sequence[float] | FloatArray = (0.05, 0.5, 0.95),
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        kind: Kind = "observation",
        variance_uncertainty: VarianceUncertainty = None,
        residual_memory: ResidualMemory = False,
    ) -> FloatArray:
        """Return quantiles of what is predicted.

        The uncertainty of beta, of the random effects and, for an observation, the residual is
        included. Without ``variance_uncertainty`` that of the variances is not, and the quantiles
        are Student's t with n - rank(X) degrees of freedom: exact without random effects, too
        narrow for new groups when there were few. With ``"delta"`` each row has degrees of freedom
        of its own, by Satterthwaite's method; with BootstrapDraws they are those of a mixture.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Probabilities, between 0 and 1.
        groups, include_random_effects, kind, variance_uncertainty, residual_memory
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n, n_quantiles)

        Examples
        --------
        >>> from skmixed import MixedLM
        >>> from skmixed.datasets import load_dyestuff
        >>> dyes = load_dyestuff()
        >>> model = MixedLM(formula="Yield ~ (1 | Batch)").fit(dyes)
        >>> new = dyes.head(1).assign(Batch="new")
        >>> model.predict_quantiles(new).round()
        array([[1412., 1528., 1643.]])
        >>> model.predict_quantiles(new, variance_uncertainty="delta").round()
        array([[1408., 1528., 1647.]])
        """
        return self.fitted_model.predict_quantiles(
            X,
            quantiles=quantiles,
            groups=groups,
            include_random_effects=include_random_effects,
            kind=kind,
            variance_uncertainty=variance_uncertainty,
            residual_memory=residual_memory,
        )

    def score(
        self, X: Any, y: Any = None, *, groups: Any = None, sample_weight: Any = None
    ) -> float:
        """Return R2 of the predictions.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        y : array-like of shape (n,), optional
            Not needed where a formula names it, as a column of X.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows in R2.
        """
        return r2_score(
            self.observed_response(X, y),
            self.predict(X, groups=groups),
            sample_weight=sample_weight,
        )

    def marginal_covariance(self, X: Any, *, groups: Any = None) -> FloatArray:
        """Return the covariance of y that the model implies for some rows.

        sigma^2 (Z Psi Z' + R): rows of different groups are uncorrelated, and R is the identity
        without a residual structure. Rows have weight 1.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        groups : array-like of shape (n,), optional

        Returns
        -------
        ndarray of shape (n, n)
        """
        rows, _ = self.fitted_model.read(X, groups, True, labels_needed=True)
        return marginal_covariance(self.lmm_fit_, rows)

    @property
    def sigma_(self) -> float:
        """Residual standard deviation of a row of weight 1."""
        return self.lmm_fit_.sigma

    @property
    def residual_variance_(self) -> float:
        """Residual variance of a row of weight 1."""
        return self.lmm_fit_.sigma**2

    @property
    def residual_parameters_(self) -> dict[str, float]:
        """Parameters of the residual structure by name; empty without one."""
        return self.results_.residual_parameters

    @property
    def residual_variances_(self) -> pd.Series:
        """Residual variance of each stratum; one, of a row of weight 1, without strata."""
        return self.results_.residual_variances

    @property
    def icc_(self) -> float:
        """Share of the groups in the variance around the fixed effects."""
        return self.lmm_fit_.icc

    @property
    def monte_carlo_error_(self) -> np.ndarray:
        """Standard errors of ``theta_`` that random probes cause; 0 for an exact fit."""
        return self.results_.monte_carlo_error
