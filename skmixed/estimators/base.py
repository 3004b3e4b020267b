"""What all mixed-model estimators share: from their arguments and rows to a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skmixed import inference
from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor
from skmixed.estimators.array_input import ArrayInput
from skmixed.estimators.fitted import FittedMixedModel
from skmixed.estimators.formula_input import FormulaInput
from skmixed.estimators.leaving_out import leave_out
from skmixed.estimators.specification import design_of_arguments
from skmixed.exceptions import NoGroupsWarning, warn_user
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.residual.structure import ResidualStructure

__all__ = ["MixedModel"]


class MixedModel(FittedMixedModel):
    """Fit mixed models; it is neither regressor nor classifier.

    A subclass makes the training model of its arguments, and predicts.
    """

    groups: Any
    fit_intercept: bool
    tol: float
    max_iter: int

    # What is fitted where there are no groups.
    _without_groups: str

    def fit_model(self, model: Any) -> Any:
        """Fit a training model, keep the estimates and give the warnings.

        Parameters
        ----------
        model : LMMModel or GLMMModel
        """
        fit = model.fit()
        self._keep_fit(fit)
        for notice in fit.notices:
            warn_user(notice.message, notice.category)
        return self

    def loo_predict(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        group_weight: Any = None,
        return_std: bool = False,
    ) -> Any:
        """Predict each row from all others, at the estimated variance parameters.

        Parameters
        ----------
        X, y, groups, sample_weight, group_weight
            What the estimator was fitted to.
        return_std : bool, default=False
            Whether to return the standard deviation of each observation about its prediction too.

        Returns
        -------
        mean : ndarray of shape (n,)
            NaN, with a warning, where the others do not tell a coefficient that the row needs. A
            row of weight 0, which was not fitted, is predicted from all that were.
        std : ndarray of shape (n,), if ``return_std``

        Raises
        ------
        ValueError
            If these are not the rows that were fitted.

        See Also
        --------
        skmixed.inference.loo_predict : The formula.
        """
        return leave_out(
            self,
            inference.loo_predict,
            X,
            y,
            groups,
            {},
            return_std,
            sample_weight=sample_weight,
            group_weight=group_weight,
        )

    def logo_predict(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        factor: Any = None,
        sample_weight: Any = None,
        group_weight: Any = None,
        return_std: bool = False,
    ) -> Any:
        """Predict each group from the other groups, at the estimated variance parameters.

        Parameters
        ----------
        X, y, groups, sample_weight, group_weight
            As for ``loo_predict``.
        factor : str or array-like of shape (n,), optional
            Name of the grouping factor, or labels of the groups to leave out. The grouping factor,
            if there is only one.
        return_std : bool, default=False
            As for ``loo_predict``.

        Returns
        -------
        mean, std
            As of ``loo_predict``.

        Raises
        ------
        ValueError
            If these are not the rows that were fitted, or the groups cannot be told.

        See Also
        --------
        skmixed.inference.logo_predict : The formula.
        """
        return leave_out(
            self,
            inference.logo_predict,
            X,
            y,
            groups,
            {"factor": factor},
            return_std,
            sample_weight=sample_weight,
            group_weight=group_weight,
        )

    def kfold_predict(
        self,
        X: Any,
        y: Any = None,
        cv: Any = 5,
        *,
        groups: Any = None,
        factor: Any = None,
        sample_weight: Any = None,
        group_weight: Any = None,
        return_std: bool = False,
    ) -> Any:
        """Predict each fold from the others, at the estimated variance parameters.

        Parameters
        ----------
        X, y, groups, sample_weight, group_weight
            As for ``loo_predict``.
        cv : int, splitter of scikit-learn, or iterable of (train, test), default=5
            The folds; every row must be tested once.
        factor : str or array-like of shape (n,), optional
            What a splitter gets as groups; the grouping factor, if there is only one.
        return_std : bool, default=False
            As for ``loo_predict``.

        Returns
        -------
        mean, std
            As of ``loo_predict``.

        Raises
        ------
        ValueError
            If these are not the rows that were fitted, or the folds are no partition.

        See Also
        --------
        skmixed.inference.kfold_predict : How it is done.
        """
        return leave_out(
            self,
            inference.kfold_predict,
            X,
            y,
            groups,
            {"cv": cv, "factor": factor},
            return_std,
            sample_weight=sample_weight,
            group_weight=group_weight,
        )

    def _keep_fit(self, fit: LMMFit) -> None:
        """Keep the estimates."""
        self.lmm_fit_ = fit
        has_intercept = fit.coordinates.fixed.intercept
        self.intercept_ = float(fit.fixed.coefficients[0]) if has_intercept else 0.0
        self.converged_ = fit.convergence.converged
        self.n_iter_ = fit.convergence.n_iter

    def _keep_levels(self, factors: Sequence[GroupingFactor]) -> None:
        """Keep the levels that are known now."""
        self._input = self._input.with_levels([factor.levels for factor in factors])

    def _design(
        self, X: Any, y: Any, groups: Any
    ) -> tuple[Design, JointCovariance, ArrayInput | FormulaInput]:
        """Return the design of the training rows, its structures, and what was learned of X."""
        return design_of_arguments(self, X, y, groups, self._residual())

    def _residual(self) -> ResidualStructure | None:
        """Return the structure of the residuals, None where they are independent."""
        return None

    def _say_that_there_are_no_groups(self, design: Design) -> None:
        """Warn of a model without random effects, and say how it gets them."""
        if design.blocks:
            return
        if self.formula is None:
            message = (
                f"No groups were given: this is {self._without_groups}. Name a column of X in "
                f"{type(self).__name__}(groups=...), or pass labels to fit(X, y, groups=...)."
            )
        else:
            message = (
                f"The formula {self.formula!r} has no random effects: this is "
                f"{self._without_groups}. Add a term such as '(1 | g)'."
            )
        warn_user(message, NoGroupsWarning)

    def _refuse_second_labels(self, groups: Any) -> None:
        """Raise ValueError if labels stand beside X and among its columns too."""
        if groups is not None and self._groups_are_columns():
            raise ValueError(
                "Labels were given twice: groups= (or formula=) in the constructor names columns, "
                "and fit got an array of groups. Keep one of them."
            )

    def _choices(self) -> dict[str, Sequence[str]]:
        """Return the values that arguments with a few of them may have."""
        return {
            "unseen_groups": ("population", "error"),
            "missing_groups": ("error", "population"),
        }

    def _check_parameters(self) -> None:
        """Raise ValueError for a constructor argument that means nothing."""
        for name, allowed in self._choices().items():
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
