"""What the linear mixed-model estimators share: fit and the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.sampling_weights import SCALINGS
from skmixed.estimators.adapting import AdaptingMethods
from skmixed.estimators.array_input import ArrayInput
from skmixed.estimators.attributes import FittedAttributes
from skmixed.estimators.formula_input import FormulaInput
from skmixed.estimators.learning import all_or_nothing, forget_columns
from skmixed.estimators.leaving_out import LeaveOutMethods
from skmixed.estimators.predicting import PredictionMethods
from skmixed.estimators.residuals import require_plain_weights
from skmixed.estimators.selectors import refuse_selectors
from skmixed.estimators.structures import require_ordered_effects
from skmixed.estimators.weights import WEIGHT_TYPES, row_weights, weighted_design
from skmixed.exceptions import NoGroupsWarning, warn_user
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.residual.model import ResidualModel, residual_groups
from skmixed.residual.structure import ResidualStructure
from skmixed.results import words
from skmixed.results.lmm_results import MixedLMResults
from skmixed.saving.versions import VersionedState

if TYPE_CHECKING:
    from skmixed.results.words.equation import Equation, Form

__all__ = ["LinearMixedModel"]

FloatArray = NDArray[np.float64]


class LinearMixedModel(
    VersionedState,
    FittedAttributes,
    AdaptingMethods,
    LeaveOutMethods,
    PredictionMethods,
    RegressorMixin,
    BaseEstimator,
):
    """Fit and predict linear mixed models; subclasses say which arguments make up the model."""

    groups: Any
    fit_intercept: bool
    method: str
    weight_type: str
    weight_scaling: str
    tol: float
    max_iter: int
    intercept_: float
    converged_: bool
    n_iter_: int
    _response_label: str

    @all_or_nothing
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

        If it fails or is interrupted, the estimator stays as it was before.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            Fixed effects, and the column of labels if ``groups`` in the constructor names one.
        y : array-like of shape (n,), optional
            The response; a formula may name it instead, as a column of X.
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
        forget_columns(self)
        return self.fit_model(self._training_model(X, y, groups, sample_weight, group_weight))

    def training_model(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        group_weight: Any = None,
    ) -> LMMModel:
        """Return the model that ``fit`` fits, with its rows: what refits start from.

        The estimator stays as it is.

        Parameters
        ----------
        X, y, groups, sample_weight, group_weight
            As for ``fit``.
        """
        learner = clone(self)
        return learner._training_model(X, y, groups, sample_weight, group_weight)

    def _training_model(
        self, X: Any, y: Any, groups: Any, sample_weight: Any, group_weight: Any
    ) -> LMMModel:
        """Return the training model, and learn the columns of X."""
        self._check_parameters()
        if groups is not None and self._groups_are_columns():
            raise ValueError(
                "Labels were given twice: groups= (or formula=) in the constructor names columns, "
                "and fit got an array of groups. Keep one of them."
            )
        design, structures, self._input = self._design(X, y, groups)
        self._response_label = str(getattr(y, "name", None) or "y")
        return self._model(design, structures, sample_weight, group_weight)

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

    @property
    def coef_(self) -> FloatArray:
        """Coefficients of the fixed columns, shape (n_features,)."""
        fit = self.lmm_fit_
        if self._groups_are_columns() or fit.residual is not None:
            refuse_selectors()
        return fit.fixed.coefficients[int(fit.coordinates.fixed.intercept) :].copy()

    @property
    def results_(self) -> MixedLMResults:
        """The fit under statsmodels' names."""
        return MixedLMResults(self.fitted_model)

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
            "No groups were given: this is ordinary least squares. Name a column of X in "
            f"{type(self).__name__}(groups=...), or pass labels to fit(X, y, groups=...)."
        )

    def _model(
        self,
        design: Design,
        structures: JointCovariance,
        sample_weight: Any,
        group_weight: Any = None,
    ) -> LMMModel:
        """Return the weighted model."""
        residual, groups = self._residual(), None
        if residual is not None:
            require_plain_weights(residual, self.weight_type, sample_weight is not None)
        elif not design.blocks:
            warn_user(self._no_groups_message(), NoGroupsWarning)
        require_ordered_effects(design, structures)
        if residual is not None and group_weight is not None:
            groups = residual_groups(residual, design)
        design = weighted_design(
            design,
            row_weights(sample_weight, design.fixed),
            group_weight,
            weight_type=self.weight_type,
            scaling=self.weight_scaling,
            groups=groups,
        )
        # Rows of weight 0 are dropped, and groups with them.
        self._input = self._input.with_levels([factor.levels for factor in design.factors])
        return LMMModel(
            design,
            structures,
            reml=self.method == "reml",
            tol=self.tol,
            max_iter=self.max_iter,
            residual=None if residual is None else ResidualModel.of(residual, design),
            **self._search_options(),
        )

    def fit_model(self, model: LMMModel) -> Any:
        """Fit a training model, keep the estimates and give the warnings.

        Parameters
        ----------
        model : LMMModel
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

    def _search_options(self) -> dict[str, Any]:
        """Return what else a subclass lets the user say of the search."""
        return {}

    def _check_parameters(self) -> None:
        """Raise ValueError for a constructor argument that means nothing."""
        for name, allowed in (
            ("method", ("reml", "ml")),
            ("unseen_groups", ("population", "error")),
            ("missing_groups", ("error", "population")),
            ("weight_type", WEIGHT_TYPES),
            ("weight_scaling", tuple(SCALINGS)),
        ):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in allowed:
                raise ValueError(
                    f"The {name!r} parameter of {type(self).__name__} must be one of {allowed}, "
                    f"got {value!r}."
                )
        if self.weight_type == "sampling" and self.method != "ml":
            raise ValueError(
                "weight_type='sampling' maximises a pseudo-likelihood, which has no restricted "
                f"form, got method={self.method!r}. Use method='ml'."
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
