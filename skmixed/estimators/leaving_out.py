"""Predict rows from others, without fitting again: cross-validation at fixed variances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skmixed import inference
from skmixed.design.labels import select_labels
from skmixed.formula.columns import n_rows
from skmixed.prediction.fitted_model import FittedModel

__all__ = ["LeaveOutMethods"]

FloatArray = NDArray[np.float64]


class LeaveOutMethods:
    """Predict the training rows from others, at the estimated variance parameters."""

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
        return self._leave_out(
            inference.loo_predict,
            X,
            y,
            {},
            return_std,
            groups=groups,
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
        return self._leave_out(
            inference.logo_predict,
            X,
            y,
            {"factor": factor},
            return_std,
            groups=groups,
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
        return self._leave_out(
            inference.kfold_predict,
            X,
            y,
            {"cv": cv, "factor": factor},
            return_std,
            groups=groups,
            sample_weight=sample_weight,
            group_weight=group_weight,
        )

    def _leave_out(
        self,
        function: Callable[..., Any],
        X: Any,
        y: Any,
        options: dict[str, Any],
        return_std: bool,
        **given: Any,
    ) -> Any:
        """Predict the rows that were fitted from each other, and those of weight 0 from them."""
        check_is_fitted(self)
        n = n_rows(X)
        groups = given["groups"]
        given = {name: values for name, values in given.items() if values is not None}
        fitted = _with_weight(n, given)
        factor = options.get("factor")
        if factor is not None and not isinstance(factor, str) and len(factor) == n:
            (factor,) = select_labels([factor], fitted)
            options = {**options, "factor": factor}
        found = function(self, X, y, return_std=True, **options, **given)
        mean, std = (part.to_numpy() for part in found)
        if len(mean) < n:
            _check_number(fitted, len(mean))
            model: FittedModel = self.fitted_model  # type: ignore[attr-defined]
            everywhere = model.predict(X, groups=groups, return_std=True)
            for full, part in zip(everywhere, (mean, std), strict=True):
                full[fitted] = part
            mean, std = everywhere
        return (mean, std) if return_std else mean


def _with_weight(n: int, given: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Tell which rows have a weight, as far as it is told row by row."""
    fitted = np.ones(n, dtype=bool)
    for name in ("sample_weight", "group_weight"):
        weights = given.get(name)
        if weights is not None and not isinstance(weights, Mapping) and np.shape(weights) == (n,):
            fitted &= np.asarray(weights, dtype=np.float64) > 0.0
    return fitted


def _check_number(fitted: NDArray[np.bool_], n_fitted: int) -> None:
    """Raise ValueError if other rows were fitted than those of which it is known."""
    if fitted.sum() != n_fitted:
        raise ValueError(
            f"Only {n_fitted} of {len(fitted)} rows were fitted: some groups have weight 0. Leave "
            "their rows out, or pass group_weight as an array with one value for each row."
        )
