"""What the linear mixed-model estimators share: their training model, residuals and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin, clone

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.weights import SCALINGS
from skmixed.estimators.adapting import AdaptingMethods
from skmixed.estimators.base import MixedModel
from skmixed.estimators.learning import all_or_nothing, forget_columns
from skmixed.estimators.linear_attributes import ResidualAttributes
from skmixed.estimators.predicting import PredictionMethods
from skmixed.estimators.residuals import require_plain_weights
from skmixed.estimators.structures import require_ordered_effects
from skmixed.estimators.weights import WEIGHT_TYPES, row_weights, weighted_design
from skmixed.fitting.model import LMMModel
from skmixed.residual.model import ResidualModel, residual_groups

__all__ = ["LinearMixedModel", "shrinkage"]


class LinearMixedModel(
    AdaptingMethods, ResidualAttributes, PredictionMethods, RegressorMixin, MixedModel
):
    """Fit and predict linear mixed models; subclasses say which arguments make up the model."""

    method: str
    weight_type: str
    weight_scaling: str

    _without_groups = "ordinary least squares"

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
        self._refuse_second_labels(groups)
        design, structures, self._input = self._design(X, y, groups)
        self._response_label = str(getattr(y, "name", None) or "y")
        return self._model(design, structures, sample_weight, group_weight)

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
        else:
            self._say_that_there_are_no_groups(design)
        require_ordered_effects(design, structures)
        if residual is not None and group_weight is not None:
            groups = residual_groups(residual, design)
        design = weighted_design(
            design,
            row_weights(sample_weight, design.n_rows),
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

    def _search_options(self) -> dict[str, Any]:
        """Return what else a subclass lets the user say of the search."""
        return {}

    def _choices(self) -> dict[str, tuple[str, ...]]:
        """Return the values that arguments with a few of them may have."""
        return {
            "method": ("reml", "ml"),
            **super()._choices(),
            "weight_type": WEIGHT_TYPES,
            "weight_scaling": tuple(SCALINGS),
        }

    def _check_parameters(self) -> None:
        """Raise ValueError for a constructor argument that means nothing."""
        super()._check_parameters()
        if self.weight_type == "sampling" and self.method != "ml":
            raise ValueError(
                "weight_type='sampling' maximises a pseudo-likelihood, which has no restricted "
                f"form, got method={self.method!r}. Use method='ml'."
            )


def shrinkage(estimator: MixedModel) -> pd.Series:
    """Return the weight of each group's own mean in its estimated mean."""
    (effects,) = estimator.lmm_fit_.random
    between = effects.effect_covariance[0, 0] * effects.precision
    total = between + estimator.lmm_fit_.sigma**2
    values = np.divide(between, total, out=np.zeros_like(between), where=total > 0)
    return pd.Series(values, index=effects.levels.labels.rename(effects.name), name="shrinkage")
