"""The rows that were fitted, and predictions of new ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed import inference
from skmixed.prediction.predict import Kind
from skmixed.prediction.related import ResidualMemory
from skmixed.prediction.switches import VarianceUncertainty
from skmixed.results.of_model import OfModel

__all__ = ["RowResults"]

FloatArray = NDArray[np.float64]


class RowResults(OfModel):
    """Read fitted values and residuals where the rows are kept, and predict new rows."""

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

    def predict(
        self,
        data: Any = None,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        return_std: bool = False,
        return_cov: bool = False,
        kind: Kind = "observation",
        variance_uncertainty: VarianceUncertainty = None,
        residual_memory: ResidualMemory = False,
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
            Whether to return the standard deviations, or the covariance, of what is predicted too.
        kind : {"observation", "mean", "population"}, default="observation"
            What the uncertainty is of: as for ``MixedLM.predict``.
        variance_uncertainty : None, "delta" or BootstrapDraws, default=None
            How the variances being estimated is taken into account: as for ``MixedLM.predict``.
        residual_memory : bool or tuple, default=False
            Whether correlated residuals are predicted too, from those of the rows that were fitted;
            or from rows that are given, as for ``MixedLM.predict``.

        Raises
        ------
        ValueError
            If data is needed and not given, or the results hold no predictor.

        Examples
        --------
        Subjects who were slower than expected on the last days will be so on the next:

        >>> from skmixed import mixedlm
        >>> from skmixed.datasets import load_sleepstudy
        >>> data = load_sleepstudy()
        >>> past, next_day = data.query("Days < 8"), data.query("Days == 8").head(3)
        >>> follows = "ar1(Days | Subject)"
        >>> results = mixedlm("Reaction ~ Days + (1 | Subject)", past, residual=follows)
        >>> results.predict(next_day).round()
        array([337., 285., 292.])
        >>> results.predict(next_day, residual_memory=True).round()
        array([313., 248., 275.])
        """
        if data is None:
            if groups is not None or include_random_effects is False or return_std or return_cov:
                raise ValueError(
                    "predict() without data returns the fitted values only. Pass data to choose "
                    "groups, include_random_effects, return_std or return_cov."
                )
            return self.fittedvalues
        return self.fitted_model.predict(
            data,
            groups=groups,
            include_random_effects=include_random_effects,
            return_std=return_std,
            return_cov=return_cov,
            kind=kind,
            variance_uncertainty=variance_uncertainty,
            residual_memory=residual_memory,
        )

    def predict_interval(self, data: Any, *, coverage: float = 0.95, **switches: Any) -> FloatArray:
        """Return limits that what is predicted keeps with the given probability, (n, 2).

        Parameters
        ----------
        data : DataFrame or array-like
            Rows of what the model was fitted to.
        coverage : float, default=0.95
            Probability, between 0 and 1.
        **switches
            groups, include_random_effects, kind, variance_uncertainty and residual_memory, as
            for ``predict``.
        """
        return self.fitted_model.predict_interval(data, coverage=coverage, **switches)

    def predict_quantiles(
        self, data: Any, *, quantiles: Sequence[float] = (0.05, 0.5, 0.95), **switches: Any
    ) -> FloatArray:
        """Return quantiles of what is predicted, (n, n_quantiles).

        Parameters
        ----------
        data : DataFrame or array-like
            Rows of what the model was fitted to.
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Probabilities, between 0 and 1.
        **switches
            groups, include_random_effects, kind, variance_uncertainty and residual_memory, as
            for ``predict``.

        Examples
        --------
        >>> from skmixed import mixedlm
        >>> from skmixed.datasets import load_dyestuff
        >>> dyes = load_dyestuff()
        >>> results = mixedlm("Yield ~ (1 | Batch)", dyes)
        >>> results.predict_quantiles(dyes.head(1), variance_uncertainty="delta").round()
        array([[1418., 1510., 1601.]])
        """
        return self.fitted_model.predict_quantiles(data, quantiles=quantiles, **switches)

    def loo_predict(self, *, return_std: bool = False) -> Any:
        """Predict each row from all others, at the estimated variance parameters.

        Parameters
        ----------
        return_std : bool, default=False
            As for ``skmixed.inference.loo_predict``.
        """
        return inference.loo_predict(self, return_std=return_std)

    def logo_predict(self, *, factor: Any = None, return_std: bool = False) -> Any:
        """Predict each group from the other groups, at the estimated variance parameters.

        Parameters
        ----------
        factor, return_std
            As for ``skmixed.inference.logo_predict``.
        """
        return inference.logo_predict(self, factor=factor, return_std=return_std)

    def kfold_predict(self, cv: Any = 5, *, factor: Any = None, return_std: bool = False) -> Any:
        """Predict each fold from the others, at the estimated variance parameters.

        Parameters
        ----------
        cv, factor, return_std
            As for ``skmixed.inference.kfold_predict``.
        """
        return inference.kfold_predict(self, cv=cv, factor=factor, return_std=return_std)
