"""What the linear mixed-model estimators share: fit, predict, score and the reports."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from skmixed.covariance import DirectSum
from skmixed.design.design import Design, NewRows
from skmixed.design.matrices import DesignMatrices, design_matrices
from skmixed.estimators.array_input import ArrayInput
from skmixed.estimators.attributes import FittedAttributes
from skmixed.estimators.formula_input import FormulaInput
from skmixed.estimators.routing import GroupRoutingMixin
from skmixed.estimators.weights import row_weights, weighted_design
from skmixed.exceptions import GroupsNotPassedWarning, NoGroupsWarning
from skmixed.fitting.fit import fit_lmm
from skmixed.prediction.predict import (
    marginal_covariance,
    predict_covariance,
    predict_mean,
    predict_variance,
)
from skmixed.results.lmm_results import MixedLMResults

__all__ = ["LinearMixedModel"]

FloatArray = NDArray[np.float64]


class LinearMixedModel(FittedAttributes, GroupRoutingMixin, RegressorMixin, BaseEstimator):
    """Fit and predict linear mixed models; subclasses say which arguments make up the model."""

    groups: Any
    fit_intercept: bool
    method: str
    include_random_effects: bool
    unseen_groups: str
    weight_type: str
    tol: float
    max_iter: int
    coef_: FloatArray
    intercept_: float
    converged_: bool
    n_iter_: int
    _input: ArrayInput | FormulaInput

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        group_weight: Any = None,
    ) -> Any:
        """Fit the model.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            Fixed effects, and the column of labels if ``groups`` in the constructor names one.
        y : array-like of shape (n,)
            The response.
        groups : array-like of shape (n,), optional
            Labels of any type, if the constructor names no column for them.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, as ``weight_type`` says; a row of weight 0 is dropped.
        group_weight : array-like of shape (n,) or mapping of labels, optional
            How many times each group's log-likelihood counts; the same in all rows of a group.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument cannot be used, or values are missing.
        """
        self._check_parameters()
        if groups is not None and self._groups_are_columns():
            raise ValueError(
                "Labels were given twice: groups= (or formula=) in the constructor names columns, "
                "and fit got an array of groups. Keep one of them."
            )
        design, structures, self._input = self._design(X, y, groups)
        return self._finish(design, structures, sample_weight, group_weight)

    def predict(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | None = None,
        return_std: bool = False,
        return_cov: bool = False,
    ) -> Any:
        """Predict the response of rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            As in fit.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array. A label that was not fitted gets the
            population mean (or an error, with ``unseen_groups="error"``).
        include_random_effects : bool, optional
            Whether the groups' random effects are added; the default is the constructor's.
        return_std : bool, default=False
            Whether to return the standard deviation of a new observation about its prediction too.
        return_cov : bool, default=False
            Whether to return the covariance of the new observations about their predictions too.

        Returns
        -------
        mean : ndarray of shape (n,)
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``

        Raises
        ------
        ValueError
            If random effects are asked for without labels, or both uncertainties at once.
        """
        if return_std and return_cov:
            raise ValueError("At most one of return_std and return_cov can be True.")
        rows, include = self._new_rows(X, groups, include_random_effects)
        mean = predict_mean(self.lmm_fit_, rows, include_random_effects=include)
        if return_std:
            variance = predict_variance(self.lmm_fit_, rows, include_random_effects=include)
            return mean, np.sqrt(variance)
        if return_cov:
            return mean, predict_covariance(self.lmm_fit_, rows, include_random_effects=include)
        return mean

    def predict_interval(
        self,
        X: Any,
        *,
        coverage: float = 0.95,
        groups: Any = None,
        include_random_effects: bool | None = None,
    ) -> FloatArray:
        """Return limits that a new observation of each row keeps with the given probability.

        The uncertainty of beta, of the random effects and the residual is included, that of the
        variances is not; the quantile is Student's t with n - rank(X) degrees of freedom, which is
        exact without random effects.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        coverage : float, default=0.95
            Probability, between 0 and 1.
        groups, include_random_effects
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n, 2)
            Lower and upper limits.
        """
        if not 0.0 < coverage < 1.0:
            raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}.")
        mean, std = self.predict(
            X, groups=groups, include_random_effects=include_random_effects, return_std=True
        )
        degrees = self.lmm_fit_.n_rows - len(self.lmm_fit_.fixed.standardised)
        width = std * stats.t.isf(0.5 * (1.0 - coverage), max(degrees, 1.0))
        return np.column_stack([mean - width, mean + width])

    def score(
        self, X: Any, y: Any = None, *, groups: Any = None, sample_weight: Any = None
    ) -> float:
        """Return R2 of the predictions.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        y : array-like of shape (n,)
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows in R2.
        """
        return r2_score(
            self._observed(X, y), self.predict(X, groups=groups), sample_weight=sample_weight
        )

    def design_matrices(self, X: Any, *, groups: Any = None) -> DesignMatrices:
        """Show X and Z of some rows, with labelled columns.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        groups : array-like of shape (n,), optional

        Returns
        -------
        DesignMatrices
            ``X`` a DataFrame; ``Z`` sparse, with its columns named by ``Z_columns``.
        """
        rows, _ = self._new_rows(X, groups, True)
        return design_matrices(
            rows,
            self.lmm_fit_.fixed.names,
            [(part.levels, part.effect_names) for part in self.lmm_fit_.random],
        )

    def marginal_covariance(self, X: Any, *, groups: Any = None) -> FloatArray:
        """Return the covariance of y that the model implies for some rows.

        sigma^2 (Z Psi Z' + I): rows of different groups are uncorrelated.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        groups : array-like of shape (n,), optional

        Returns
        -------
        ndarray of shape (n, n)
        """
        rows, _ = self._new_rows(X, groups, True)
        return marginal_covariance(self.lmm_fit_, rows)

    def summary(self, **options: Any) -> Any:
        """Return a summary of the fit, which prints as text and shows as HTML.

        Parameters
        ----------
        **options
            As for ``MixedLMResults.summary``.
        """
        check_is_fitted(self)
        return self.results_.summary(**options)

    @property
    def results_(self) -> MixedLMResults:
        """The fit under statsmodels' names."""
        return MixedLMResults(
            self.lmm_fit_,
            response_name=self._response_name(),
            formula=getattr(self, "formula", None),
            predictor=self.predict,
        )

    def _design(
        self, X: Any, y: Any, groups: Any
    ) -> tuple[Design, DirectSum, ArrayInput | FormulaInput]:
        """Return the design of the training rows, its structures, and what was learned of X."""
        raise NotImplementedError

    def _response_name(self) -> str:
        """Name the response in reports."""
        return "y"

    def _observed(self, X: Any, y: Any) -> Any:
        """Return the response to score against."""
        return y

    def _finish(
        self, design: Design, structures: DirectSum, sample_weight: Any, group_weight: Any = None
    ) -> Any:
        """Fit the design, keep the estimates and give the warnings."""
        if not design.blocks:
            warnings.warn(
                "No groups were given: this is ordinary least squares. Name a column of X in "
                f"{type(self).__name__}(groups=...), or pass labels to fit(X, y, groups=...).",
                NoGroupsWarning,
                stacklevel=3,
            )
        design = weighted_design(
            design,
            row_weights(sample_weight, design.fixed),
            group_weight,
            frequency=self.weight_type == "frequency",
        )
        fit = fit_lmm(
            design, structures, reml=self.method == "reml", tol=self.tol, max_iter=self.max_iter
        )
        self.lmm_fit_ = fit
        coefficients = fit.fixed.coefficients
        self.intercept_ = float(coefficients[0]) if design.intercept else 0.0
        self.coef_ = coefficients[int(design.intercept) :].copy()
        self.converged_ = fit.convergence.converged
        self.n_iter_ = fit.convergence.n_iter
        for notice in fit.notices:
            warnings.warn(notice.message, notice.category, stacklevel=3)
        return self

    def _new_rows(self, X: Any, groups: Any, include: bool | None) -> tuple[NewRows, bool]:
        """Read rows to predict, and decide whether their random effects are included."""
        check_is_fitted(self)
        if groups is not None and self._groups_are_columns():
            raise ValueError(
                "Labels were given twice: the constructor names columns of X for them, and "
                "predict got an array of groups. Keep one of them."
            )
        columns, labels = self._input.read(self, X, groups)
        wanted = self.include_random_effects if include is None else include
        if labels is None and wanted and self._input.has_groups:
            if include:
                raise ValueError(
                    "include_random_effects=True needs `groups`: this model was fitted with "
                    "labels, so pass those of the rows too."
                )
            warnings.warn(
                "This model was fitted with groups, but none are given here: these are population "
                "predictions. Pass groups=, or include_random_effects=False to say that this is "
                "meant. In scikit-learn's tools name the column of labels in the constructor, or "
                "use GroupScorer with metadata routing.",
                GroupsNotPassedWarning,
                stacklevel=3,
            )
        include = bool(wanted and labels is not None)
        unseen = self.unseen_groups if include else "population"
        return self._input.new_rows(columns, labels, unseen), include

    def _check_parameters(self) -> None:
        """Raise ValueError for a constructor argument that means nothing."""
        for name, allowed in (
            ("method", ("reml", "ml")),
            ("unseen_groups", ("population", "error")),
            ("weight_type", ("precision", "frequency")),
        ):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in allowed:
                raise ValueError(
                    f"The {name!r} parameter of {type(self).__name__} must be one of {allowed}, "
                    f"got {value!r}."
                )
        if not self.tol > 0:
            raise ValueError(f"tol must be positive, got {self.tol!r}.")
        if not self.max_iter >= 1:
            raise ValueError(f"max_iter must be at least 1, got {self.max_iter!r}.")


def shrinkage(estimator: FittedAttributes) -> pd.Series:
    """Return the weight of each group's own mean in its estimated mean."""
    (effects,) = estimator.lmm_fit_.random
    between = effects.effect_covariance[0, 0] * effects.precision
    total = between + estimator.lmm_fit_.sigma**2
    values = np.divide(between, total, out=np.zeros_like(between), where=total > 0)
    return pd.Series(values, index=effects.levels.labels.rename(effects.name), name="shrinkage")
