"""A fitted model: it reads new data, predicts, and gives its rows where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skmixed.design.design import NewRows
from skmixed.design.matrices import DesignMatrices, design_matrices
from skmixed.design.rows import take_rows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.formula import FormulaRecipe, rows_with_missing
from skmixed.formula.columns import column_names
from skmixed.prediction.kept_rows import KeptRows
from skmixed.prediction.missing_rows import AmongMissing
from skmixed.prediction.new_rows import NewRowReader, read_new_rows
from skmixed.prediction.predict import Include, Kind, marginal_covariance
from skmixed.prediction.predictive import Predictive, central, predictive
from skmixed.prediction.uncertainty import (
    VarianceUncertainty,
    check_kind,
    check_probabilities,
    read_variance_uncertainty,
)

__all__ = ["FittedModel"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel:
    """Hold a fit, how it reads new data, and its rows where they are kept.

    Attributes
    ----------
    fit : LMMFit
    reader : NewRowReader or None
        What fit learned of the data; None for a model of arrays, which predicts nothing.
    rows : KeptRows or None
        What was fitted; a fitted estimator keeps none.
    response_name : str
    formula : str or None
    include_random_effects : bool, str or sequence of str
        Factors whose random effects predictions include by default.
    unseen_groups : {"population", "error"}
        What becomes of a label that was not fitted.
    missing_groups : {"error", "population"}
        What becomes of a missing label.
    skip_missing : bool
        Whether a row that misses a predictor is predicted as NaN; else it is an error.
    df_method : str or None
        Where degrees of freedom come from; None is the default of the fit.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> data = load_sleepstudy()
    >>> model = mixedlm("Reaction ~ Days + (Days | Subject)", data).fitted_model
    >>> model.predict(data.head(2)).round(2)
    array([253.66, 273.33])
    >>> model.rows.model.design.n_rows
    180
    """

    fit: LMMFit
    reader: NewRowReader | None = None
    rows: KeptRows | None = None
    _: KW_ONLY
    response_name: str = "y"
    formula: str | None = None
    include_random_effects: Include = True
    unseen_groups: str = "population"
    missing_groups: str = "error"
    skip_missing: bool = False
    df_method: str | None = None

    @property
    def fitted_model(self) -> FittedModel:
        """Return the model itself: results and estimators have one under this name."""
        return self

    @property
    def recipe(self) -> FormulaRecipe | None:
        """Return how the formula makes its columns; None without a formula."""
        return None if self.reader is None else self.reader.formula_recipe

    @property
    def variables(self) -> list[str] | None:
        """Name the columns of data that predictions read; None for all of them."""
        return None if self.reader is None else self.reader.variables

    def refitted(self, fit: LMMFit, model: LMMModel) -> FittedModel:
        """Return the same with another fit, of other rows of the same columns.

        Parameters
        ----------
        fit : LMMFit
        model : LMMModel
            What was fitted.
        """
        levels = [factor.levels for factor in model.design.factors]
        reader = None if self.reader is None else self.reader.with_levels(levels)
        return replace(self, fit=fit, reader=reader, rows=KeptRows(model))

    def read(
        self,
        X: Any,
        groups: Any = None,
        include_random_effects: Include | None = None,
        *,
        labels_needed: bool = False,
    ) -> tuple[NewRows, list[str]]:
        """Read rows, and decide which random effects their predictions include.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        groups : array-like of shape (n,), data frame or None
        include_random_effects : bool, str, sequence of str or None
            None is the default of the model.
        labels_needed : bool, default=False
            Whether the rows hold the labels of factors that are not included too.

        Returns
        -------
        tuple of (NewRows, list of str)

        Raises
        ------
        ValueError
            If the model is one of arrays, or the rows cannot be read.
        """
        return read_new_rows(
            self._reader(),
            X,
            groups,
            include_random_effects,
            default=self.include_random_effects,
            unseen=self.unseen_groups,
            missing=self.missing_groups,
            labels_needed=labels_needed,
        )

    def predict(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: Include | None = None,
        return_std: bool = False,
        return_cov: bool = False,
        kind: Kind = "observation",
        variance_uncertainty: VarianceUncertainty = None,
    ) -> Any:
        """Predict the response of rows.

        Parameters
        ----------
        X, groups, include_random_effects, return_std, return_cov, kind, variance_uncertainty
            As for ``MixedLM.predict``.

        Returns
        -------
        mean : ndarray of shape (n,)
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``
        """
        if return_std and return_cov:
            raise ValueError("At most one of return_std and return_cov can be True.")
        prediction = self._predictive(
            X,
            groups,
            include_random_effects,
            kind,
            variance_uncertainty,
            labels_needed=return_cov,
        )
        if return_std:
            return prediction.mean, prediction.std
        if return_cov:
            return prediction.mean, prediction.covariance()
        return prediction.mean

    def predict_interval(self, X: Any, *, coverage: float = 0.95, **switches: Any) -> FloatArray:
        """Return limits that what is predicted keeps with the given probability, (n, 2).

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        coverage : float, default=0.95
            Probability, between 0 and 1.
        **switches
            groups, include_random_effects, kind and variance_uncertainty, as for ``predict``.
        """
        return self.predict_quantiles(X, quantiles=central(coverage), **switches)

    def predict_quantiles(
        self,
        X: Any,
        *,
        quantiles: Sequence[float] | ArrayLike = (0.05, 0.5, 0.95),
        groups: Any = None,
        include_random_effects: Include | None = None,
        kind: Kind = "observation",
        variance_uncertainty: VarianceUncertainty = None,
    ) -> FloatArray:
        """Return quantiles of what is predicted, (n, n_quantiles).

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Probabilities, between 0 and 1.
        groups, include_random_effects, kind, variance_uncertainty
            As for ``predict``.
        """
        probabilities = check_probabilities(quantiles)
        prediction = self._predictive(X, groups, include_random_effects, kind, variance_uncertainty)
        return prediction.quantiles(probabilities)

    def design_matrices(self, X: Any, *, groups: Any = None) -> DesignMatrices:
        """Show X and Z of some rows, with labelled columns.

        Parameters
        ----------
        X, groups
            As for ``predict``.
        """
        rows, _ = self.read(X, groups, True)
        parts = [(part.levels, part.effect_names) for part in self.fit.random]
        return design_matrices(rows, self.fit.fixed.names, parts)

    def marginal_covariance(self, X: Any, *, groups: Any = None) -> FloatArray:
        """Return the covariance of y that the model implies for some rows, (n, n).

        Parameters
        ----------
        X, groups
            As for ``predict``.
        """
        rows, _ = self.read(X, groups, True)
        return marginal_covariance(self.fit, rows)

    def observed(self, X: Any, y: Any = None) -> Any:
        """Return y, or the response that the formula finds in the columns of X.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        y : array-like of shape (n,), optional
        """
        return self._reader().observed(X, y)

    def fitted_values(self) -> Any:
        """Return the conditional means of the kept rows, under their index.

        Raises
        ------
        AttributeError
            If no rows are kept as the user knows them.
        """
        data = self._given_rows()
        return _indexed(self.predict(data, include_random_effects=True), data, "fittedvalues")

    def response(self) -> Any:
        """Return the response of the kept rows, under their index.

        Raises
        ------
        AttributeError
            If no rows are kept as the user knows them.
        """
        data = self._given_rows()
        return _indexed(self.observed(data), data, self.response_name)

    def _predictive(
        self,
        X: Any,
        groups: Any,
        include_random_effects: Include | None,
        kind: Kind,
        variance_uncertainty: VarianceUncertainty,
        *,
        labels_needed: bool = False,
    ) -> Predictive:
        """Read rows, and predict them; those that miss a predictor are NaN if they may."""
        check_kind(kind)
        complete = self._complete(X)
        if complete is not None:
            X = take_rows(X, complete)
        rows, include = self.read(X, groups, include_random_effects, labels_needed=labels_needed)
        prediction = predictive(
            self.fit,
            rows,
            include_random_effects=include,
            kind=kind,
            variance_uncertainty=read_variance_uncertainty(self.fit, variance_uncertainty),
        )
        return prediction if complete is None else AmongMissing(prediction, complete)

    def _complete(self, X: Any) -> NDArray[np.bool_] | None:
        """Tell which rows miss no predictor; None where all are to be predicted."""
        variables = self.variables
        if not self.skip_missing or variables is None:
            return None
        there = column_names(X)
        complete = ~rows_with_missing(X, [name for name in variables if name in there])
        return None if complete.all() else complete

    def _reader(self) -> NewRowReader:
        """Return what reads new data."""
        if self.reader is None:
            raise ValueError(
                "These results hold no predictor. Call predict of the estimator that was fitted, "
                "or fit with mixedlm."
            )
        return self.reader

    def _given_rows(self) -> Any:
        """Return the rows as the user gave them."""
        if self.rows is None or self.rows.given is None:
            raise AttributeError(
                "These results keep no rows of the data. Fit with mixedlm, which keeps them, or "
                "call predict of the estimator with the training data."
            )
        return self.rows.given


def _indexed(values: NDArray[np.float64], data: Any, name: str) -> Any:
    """Return values as a Series where the data have an index."""
    index = getattr(data, "index", None)
    return pd.Series(values, index, name=name) if isinstance(index, pd.Index) else values
