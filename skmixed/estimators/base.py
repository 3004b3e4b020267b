"""What all mixed-model estimators share: from a training model to a fit, and the reports of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.matrices import DesignMatrices, design_matrices
from skmixed.estimators.array_input import ArrayInput
from skmixed.estimators.attributes import FittedAttributes
from skmixed.estimators.formula_input import FormulaInput
from skmixed.estimators.leaving_out import LeaveOutMethods
from skmixed.estimators.routing import GroupRoutingMixin
from skmixed.estimators.selectors import refuse_selectors
from skmixed.exceptions import NoGroupsWarning, warn_user
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.fitted_model import FittedModel
from skmixed.residual.structure import ResidualStructure
from skmixed.results import words
from skmixed.results.lmm_results import MixedLMResults
from skmixed.saving.versions import VersionedState

if TYPE_CHECKING:
    from skmixed.results.words.equation import Equation, Form

__all__ = ["MixedModel"]

FloatArray = NDArray[np.float64]


class MixedModel(
    VersionedState, FittedAttributes, LeaveOutMethods, GroupRoutingMixin, BaseEstimator
):
    """Fit mixed models and report on them; it is neither regressor nor classifier.

    A subclass says which arguments make up the model, makes the training model of them, and
    predicts.
    """

    groups: Any
    formula: str | None = None
    fit_intercept: bool
    include_random_effects: bool | Sequence[str]
    unseen_groups: str
    missing_groups: str
    average: bool = False
    tol: float
    max_iter: int
    lmm_fit_: LMMFit
    intercept_: float
    converged_: bool
    n_iter_: int
    _input: ArrayInput | FormulaInput
    _response_label: str

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

    def _keep_fit(self, fit: LMMFit) -> None:
        """Keep the estimates."""
        self.lmm_fit_ = fit
        has_intercept = fit.coordinates.fixed.intercept
        self.intercept_ = float(fit.fixed.coefficients[0]) if has_intercept else 0.0
        self.converged_ = fit.convergence.converged
        self.n_iter_ = fit.convergence.n_iter

    @property
    def fitted_model(self) -> FittedModel:
        """The fit with what reads new data: it predicts, and keeps no rows.

        Raises
        ------
        NotFittedError
            If there is no fit.
        """
        check_is_fitted(self)
        return FittedModel(
            self.lmm_fit_,
            self._input,
            response_name=self._response_name(),
            formula=self.formula,
            include_random_effects=self.include_random_effects,
            unseen_groups=self.unseen_groups,
            missing_groups=self.missing_groups,
            average=bool(self.average),
        )

    @property
    def results_(self) -> MixedLMResults:
        """The fit under statsmodels' names."""
        return MixedLMResults(self.fitted_model)

    @property
    def coef_(self) -> FloatArray:
        """Coefficients of the fixed columns, shape (n_features,)."""
        fit = self.lmm_fit_
        if self._groups_are_columns() or fit.residual is not None:
            refuse_selectors()
        return fit.fixed.coefficients[int(fit.coordinates.fixed.intercept) :].copy()

    def summary(self, **options: Any) -> Any:
        """Return a summary of the fit, which prints as text and shows as HTML.

        Parameters
        ----------
        **options
            As for ``MixedLMResults.summary``.
        """
        check_is_fitted(self)
        return self.results_.summary(**options)

    def equation(
        self, form: Form = "conditional", *, values: bool = False, X: Any = None, groups: Any = None
    ) -> Equation:
        """Write the model as equations in LaTeX.

        Parameters
        ----------
        form, values
            As for ``skmixed.results.equation``.
        X : array-like or data frame of shape (n, n_columns), optional
            Rows that show which columns are constant within groups: the hierarchical form has all
            fixed effects at the level of the rows without.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array.
        """
        check_is_fitted(self)
        rows = None if X is None else self.fitted_model.read(X, groups, True)[0]
        return words.equation(self.results_, form, values=values, rows=rows)

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
        rows, _ = self.fitted_model.read(X, groups, True)
        parts = [(part.levels, part.effect_names) for part in self.lmm_fit_.random]
        return design_matrices(rows, self.lmm_fit_.fixed.names, parts)

    def _design(
        self, X: Any, y: Any, groups: Any
    ) -> tuple[Design, JointCovariance, ArrayInput | FormulaInput]:
        """Return the design of the training rows, its structures, and what was learned of X."""
        raise NotImplementedError

    def _residual(self) -> ResidualStructure | None:
        """Return the structure of the residuals, None where they are independent."""
        return None

    def _response_name(self) -> str:
        """Name the response in reports."""
        return self._response_label

    def _no_groups_message(self) -> str:
        """Say that the model has no groups, and how it gets them."""
        return (
            f"No groups were given: this is {self._without_groups}. Name a column of X in "
            f"{type(self).__name__}(groups=...), or pass labels to fit(X, y, groups=...)."
        )

    def _say_that_there_are_no_groups(self, design: Design) -> None:
        """Warn of a model without random effects."""
        if not design.blocks:
            warn_user(self._no_groups_message(), NoGroupsWarning)

    def _refuse_second_labels(self, groups: Any) -> None:
        """Raise ValueError if labels stand beside X and among its columns too."""
        if groups is not None and self._groups_are_columns():
            raise ValueError(
                "Labels were given twice: groups= (or formula=) in the constructor names columns, "
                "and fit got an array of groups. Keep one of them."
            )

    def _choices(self) -> dict[str, tuple[str, ...]]:
        """Return the values that arguments with a few of them may have."""
        return {
            "unseen_groups": ("population", "error"),
            "missing_groups": ("error", "population"),
        }

    def _check_parameters(self) -> None:
        """Raise ValueError for a constructor argument that means nothing."""
        self._check_choices(self._choices())
        if not self.tol > 0:
            raise ValueError(f"tol must be positive, got {self.tol!r}.")
        if not self.max_iter >= 1:
            raise ValueError(f"max_iter must be at least 1, got {self.max_iter!r}.")

    def _check_choices(self, choices: Mapping[str, tuple[str, ...]]) -> None:
        """Raise ValueError for an argument that is none of the values that it may have."""
        for name, allowed in choices.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in allowed:
                raise ValueError(
                    f"The {name!r} parameter of {type(self).__name__} must be one of {allowed}, "
                    f"got {value!r}."
                )
