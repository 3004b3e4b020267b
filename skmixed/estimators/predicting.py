"""Predict, score, and show the matrices of rows: the methods that need a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from skmixed.design.design import NewRows
from skmixed.design.matrices import DesignMatrices, design_matrices
from skmixed.estimators.array_input import ArrayInput
from skmixed.estimators.formula_input import FormulaInput
from skmixed.estimators.routing import GroupRoutingMixin
from skmixed.exceptions import GroupsNotPassedWarning, warn_user
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.predict import (
    Include,
    marginal_covariance,
    predict_covariance,
    predict_mean,
    predict_variance,
)

__all__ = ["PredictionMethods"]

FloatArray = NDArray[np.float64]


class PredictionMethods(GroupRoutingMixin):
    """Predict from ``lmm_fit_``, with and without random effects."""

    include_random_effects: bool | Sequence[str]
    unseen_groups: str
    lmm_fit_: LMMFit
    _input: ArrayInput | FormulaInput

    def predict(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
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
        include_random_effects : bool or list of str, optional
            Whether the groups' random effects are added, or of which factors; the default is the
            constructor's.
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
        rows, include = self._new_rows(X, groups, include_random_effects, labels_needed=return_cov)
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
        include_random_effects: bool | Sequence[str] | None = None,
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
        y : array-like of shape (n,), optional
            Not needed where a formula names it, as a column of X.
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

    def _observed(self, X: Any, y: Any) -> Any:
        """Return the response to score against."""
        return y

    def _new_rows(
        self, X: Any, groups: Any, include: Include | None, *, labels_needed: bool = False
    ) -> tuple[NewRows, Include]:
        """Read rows to predict, and decide which random effects are included."""
        check_is_fitted(self)
        if groups is not None and self._groups_are_columns():
            raise ValueError(
                "Labels were given twice: the constructor names columns of X for them, and "
                "predict got an array of groups. Keep one of them."
            )
        columns, labels = self._input.read(self, X, groups)
        names = self._input.factor_names
        wanted = self._wanted(self.include_random_effects if include is None else include)
        absent = [
            name
            for name, known in zip(names, labels, strict=True)
            if known is None and name in wanted
        ]
        if absent:
            self._say_that_groups_are_absent(absent, insisted=include is not None)
        if not labels_needed:
            labels = [
                known if name in wanted else None for name, known in zip(names, labels, strict=True)
            ]
        unseen = self.unseen_groups if wanted else "population"
        return self._input.new_rows(columns, labels, unseen), wanted

    def _wanted(self, include: Include) -> list[str]:
        """Return the names of the factors whose random effects are included."""
        names = self._input.factor_names
        if isinstance(include, (bool, np.bool_)):
            return names if include else []
        chosen = [include] if isinstance(include, str) else list(include)
        unknown = [name for name in chosen if name not in names]
        if unknown:
            raise ValueError(
                f"include_random_effects names {unknown}, but the grouping factors are {names}. "
                "Name some of these, or give True or False."
            )
        return chosen

    def _say_that_groups_are_absent(self, absent: list[str], *, insisted: bool) -> None:
        """Raise or warn because random effects are wanted and labels are not known."""
        if insisted:
            raise ValueError(
                "include_random_effects=True needs `groups`: this model was fitted with labels of "
                f"{absent}, so pass those of the rows too."
            )
        warn_user(
            f"This model was fitted with groups, but none are given here for {absent}: these are "
            "population predictions. Pass groups=, or include_random_effects=False to say that "
            "this is meant. In scikit-learn's tools name the column of labels in the constructor, "
            "or use GroupScorer with metadata routing.",
            GroupsNotPassedWarning,
        )
