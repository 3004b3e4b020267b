"""Add rows to a fitted estimator without fitting it again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skmixed.design.design import Design
from skmixed.design.weights import Weights
from skmixed.estimators.added_rows import AddedRows
from skmixed.estimators.learning import all_or_nothing
from skmixed.estimators.weights import row_weights
from skmixed.fitting.adapting import adapted
from skmixed.prediction.residuals import require_columns
from skmixed.residual.model import residual_groups

__all__ = ["AdaptingMethods"]


class AdaptingMethods(AddedRows):
    """Update ``lmm_fit_`` by new rows, at the estimated variance parameters."""

    weight_type: str

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
        rows, labels = self._rows_to_add(X, groups)
        rows = replace(rows, residual=self._input.residual_columns(X))
        weights = row_weights(sample_weight, len(rows.fixed))
        design, places, _ = self._design_to_add(
            rows, self._input.response(X, y), Weights(weights, self.weight_type), labels
        )
        fit = adapted(self.lmm_fit_, design, places, self._groups_to_add(design))
        return self._keep_added(fit, design)

    def _groups_to_add(self, design: Design) -> NDArray[np.intp] | None:
        """Return the groups within which residuals are correlated, None without correlations."""
        fitted = self.lmm_fit_.residual
        if fitted is None or fitted.learned.correlation is None:
            return None
        if design.residual is None:
            require_columns(fitted.learned.structure)
        factor = residual_groups(fitted.learned.structure, design)
        return None if factor is None else factor.codes
