"""What the linear mixed-model estimators share: how they are fitted, and adapted to more rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.weights import SCALINGS, Weights
from skmixed.estimators.adapting import design_to_add, rows_to_add
from skmixed.estimators.learning import all_or_nothing, forget_columns
from skmixed.estimators.linear_predictions import LinearPredictor
from skmixed.estimators.residuals import require_plain_weights
from skmixed.estimators.weights import WEIGHT_TYPES, row_weights, weighted_design
from skmixed.fitting.adapting import adapted
from skmixed.fitting.model import LMMModel
from skmixed.prediction.residuals import require_columns
from skmixed.residual.model import ResidualModel, residual_groups

__all__ = ["LinearMixedModel"]


class LinearMixedModel(LinearPredictor):
    """Fit linear mixed models; subclasses say which arguments make up the model."""

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

    @all_or_nothing
    def adapt(self, X: Any, y: Any = None, *, groups: Any = None, sample_weight: Any = None) -> Any:
        r"""Add rows: update the effects of known groups, and create those of new groups.

        The variance parameters :math:`\theta` and :math:`\sigma` are kept. The fixed effects, the
        modes of all groups and their uncertainties become those of a fit of all rows, the earlier
        and the new ones, at these variance parameters. It costs as much as one evaluation of the
        likelihood; neither the earlier rows nor the order of several calls matter.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            New rows, with the columns of fit. Of rows that were fitted already nothing is known:
            given again, they count twice.
        y : array-like of shape (n,), optional
            The response; a formula may name it instead, as a column of X.
        groups : array-like of shape (n,), optional
            Labels, if fit got them as an array. Labels that are new make new groups, whatever
            ``unseen_groups`` says.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, on the scale of those given to fit; a row of weight 0 is dropped.

        Returns
        -------
        self
            With ``coef_``, ``intercept_`` and all that is read from ``lmm_fit_`` updated;
            ``converged_`` and ``n_iter_`` still tell of the search in fit.

        Raises
        ------
        ValueError
            If the rows cannot be read, labels are not given, the fit was too large to keep its
            cross-products, or had more columns than rows; if weights are inverse probabilities,
            which are scaled by whole groups; if residuals are correlated, and rows belong to a
            group that was fitted; or if residual variances depend on the fitted values.
        NotFittedError
            If there is no fit.

        Notes
        -----
        A column that fit found to depend on others keeps the coefficient 0, and a factor whose
        variance could not be estimated the variance 0. Where much has been added, estimate the
        variances anew by ``fit``.

        Examples
        --------
        >>> from skmixed import MixedLM
        >>> from skmixed.datasets import load_sleepstudy
        >>> data = load_sleepstudy()
        >>> new = data["Subject"] == "372"
        >>> model = MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(data[~new])
        >>> first_days = data[new & (data["Days"] < 3)]
        >>> model.adapt(first_days).random_effects_["Subject"].loc["372"].round(2).to_dict()
        {'Intercept': 12.64, 'Days': 1.17}
        """
        check_is_fitted(self)
        if self.lmm_fit_.n_sampled is not None:
            raise ValueError(
                "adapt cannot add rows to a fit with weight_type='sampling': weights are scaled by "
                "whole groups, and standard errors are sums over them. Fit all rows together."
            )
        if self.lmm_fit_.residual is not None and self.lmm_fit_.residual.depends_on_fitted:
            raise ValueError(
                "adapt cannot add rows where the residual variances depend on the fitted values, "
                "which more rows would change. Fit all rows together."
            )
        rows, labels = rows_to_add(self._input, X, groups)
        rows = replace(rows, residual=self._input.residual_columns(X))
        weights = row_weights(sample_weight, len(rows.fixed))
        response = self._input.response(X, y)
        design, places, _ = design_to_add(
            self.lmm_fit_, rows, response, Weights(weights, self.weight_type), labels
        )
        self._keep_levels(design.factors)
        self._keep_fit(adapted(self.lmm_fit_, design, places, self._groups_to_add(design)))
        return self

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
        return clone(self)._training_model(X, y, groups, sample_weight, group_weight)

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
        self._keep_levels(design.factors)
        return LMMModel(
            design,
            structures,
            reml=self.method == "reml",
            tol=self.tol,
            max_iter=self.max_iter,
            residual=None if residual is None else ResidualModel.of(residual, design),
            **self._search_options(),
        )

    def _groups_to_add(self, design: Design) -> NDArray[np.intp] | None:
        """Return the groups within which residuals are correlated, None without correlations."""
        fitted = self.lmm_fit_.residual
        if fitted is None or fitted.learned.correlation is None:
            return None
        if design.residual is None:
            require_columns(fitted.learned.structure)
        factor = residual_groups(fitted.learned.structure, design)
        return None if factor is None else factor.codes

    def _search_options(self) -> dict[str, Any]:
        """Return what else a subclass lets the user say of the search."""
        return {}

    def _choices(self) -> dict[str, Sequence[str]]:
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
