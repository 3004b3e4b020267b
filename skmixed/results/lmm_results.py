"""Results of a linear mixed model under the names that statsmodels uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from skmixed import inference
from skmixed.inference.coefficients.degrees_of_freedom import DF_METHODS
from skmixed.inference.coefficients.marginal_information import Information
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.predict import Kind
from skmixed.prediction.related import ResidualMemory
from skmixed.prediction.switches import VarianceUncertainty
from skmixed.results.numbers import count_text
from skmixed.results.summary import Summary, summarise
from skmixed.results.table_results import TableResults

__all__ = ["MixedLMResults"]

FloatArray = NDArray[np.float64]
Results = TypeVar("Results", bound="MixedLMResults")


@dataclass(frozen=True, eq=False, repr=False)
class MixedLMResults(TableResults):
    """Read estimates, tests and tables off a fitted linear mixed model.

    Every table is made when it is first asked for. A coefficient that is aliased with others is 0,
    and its standard error and test are NaN.

    Parameters
    ----------
    fitted_model : FittedModel
        The fit, what it was fitted to if that is kept, how it reads new data, and where degrees of
        freedom come from: ``"satterthwaite"`` (the default), ``"kenward-roger"`` or
        ``"kenward-roger-linear"`` (REML), ``"between-within"`` (groups or rows, less columns),
        ``"residual"`` (rows less coefficients), ``"normal"`` (infinite), or ``"design"`` (sampled
        groups less one, the default with weights that are inverse probabilities).

    Raises
    ------
    ValueError
        If there is no such df_method, or information.

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

    fitted_model: FittedModel

    def __post_init__(self) -> None:
        if self.df_method not in DF_METHODS:
            raise ValueError(
                f"df_method must be one of {sorted(DF_METHODS)}, got {self.df_method!r}."
            )
        information = self.fitted_model.information
        if information not in (None, "observed", "expected"):
            raise ValueError(
                f"information must be 'observed', 'expected' or None, got {information!r}."
            )

    def with_df_method(
        self: Results, df_method: str, *, information: Information | None = None
    ) -> Results:
        """Return the same results with degrees of freedom by another rule.

        Parameters
        ----------
        df_method : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", \
                "residual", "normal"}
        information : {"observed", "expected"}, optional
            The information on the variance parameters that Satterthwaite's method and Kenward and
            Roger's take; by default that of lmerTest, pbkrtest and, with a residual structure, SAS.

        Raises
        ------
        ValueError
            If there is no such rule, or information.

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
        changed = replace(self.fitted_model, df_method=df_method, information=information)
        return replace(self, fitted_model=changed)

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
            changed = self.with_df_method(df_method, information=self.fitted_model.information)
            return changed.summary(correlation=correlation, conf_level=conf_level)
        return self._summary(conf_level, correlation=correlation)

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

    def _summary(self, conf_level: float, *, correlation: bool) -> Summary:
        """Collect what is worth reading of the fit."""
        return summarise(self, level=conf_level, correlation=correlation)

    def __repr__(self) -> str:
        model = self.formula or self.response_name
        words = f"{model}, {self.method}, {count_text(self.nobs)} observations"
        return f"<{type(self).__name__}: {words}>"

    def _repr_html_(self) -> str:
        return self.summary().as_html()
