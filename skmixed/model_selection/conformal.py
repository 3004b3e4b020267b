"""Prediction intervals for rows of new groups that hold whatever the distribution."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.metrics import r2_score
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import (
    _num_samples,
    check_array,
    check_consistent_length,
    check_is_fitted,
)

from skmixed.estimators.columns import framed, has_columns
from skmixed.estimators.learning import all_or_nothing, forget_columns
from skmixed.estimators.numbers import checked_response
from skmixed.estimators.routing import GroupRoutingMixin
from skmixed.estimators.weights import row_weights
from skmixed.exceptions import warn_user, warn_user_once_of_each
from skmixed.formula.values import unmasked
from skmixed.model_selection.group_folds import splits_of_groups
from skmixed.model_selection.grouped_rows import GroupedRows, innermost, names_columns
from skmixed.model_selection.unseen_groups import (
    exchangeable_groups,
    means_and_scales,
    new_group_switches,
    scaled_errors,
)
from skmixed.prediction.conformal import (
    GroupScoreDistribution,
    group_score_distribution,
    limits,
    smallest_n_groups,
)
from skmixed.prediction.switches import check_coverage
from skmixed.saving.versions import VersionedState

__all__ = ["GroupConformalRegressor"]

FloatArray = NDArray[np.float64]


class GroupConformalRegressor(
    VersionedState, GroupRoutingMixin, MetaEstimatorMixin, RegressorMixin, BaseEstimator
):
    """Give an estimator prediction intervals for rows of new groups without a normal distribution.

    Hierarchical conformal prediction (Lee, Barber and Willett 2023). The errors of rows whose group
    the model has not seen are scores, without their signs. An interval is the prediction plus and
    minus the ``coverage`` quantile of the scores, where each of K groups weighs the same, 1 / (K +
    1), divided among its rows, and the remaining 1 / (K + 1) lies at infinity.

    The assumption is that groups are exchangeable, as when they are a random sample: the new group
    is one more of them, with any distribution within groups. Then one row of one new group is
    within its interval with a probability of at least ``coverage`` for ``method="split"``, on
    average over samples and groups. With ``method="cross"`` the bound that is proved is
    1 - 2 (1 - coverage), for as many folds as groups; in simulations, coverage is about what
    it should be. Neither holds for each group by itself, nor for all rows of a group at once.

    Parameters
    ----------
    estimator : estimator
        A mixed model, a pipeline that ends in one, or any other regressor.
    groups : str, int, list of these, or callable, optional
        Column of X that holds the labels, as in MixedLM. By default the estimator's, or an array
        of labels passed to fit.
    factor : str, optional
        Whose groups are new, where there are several grouping factors.
    method : {"cross", "split"}, default="cross"
        Whether groups are divided into folds, and each fold is predicted by a model of the others,
        or set aside once. The cross method takes all rows for fitting and for scores, as CV+ and
        the jackknife+ do (Barber, Candes, Ramdas and Tibshirani 2021).
    cv : int, splitter or iterable, default=5
        Number of folds of the cross method, or how they are made, as by LeaveOneGroupOut. No more
        folds are made than there are groups.
    calibration_size : float or int, default=0.5
        Share or number of the groups that the split method sets aside.
    normalize : bool, default=False
        Whether scores are divided by the standard deviation that ``predict(X, return_std=True)`` of
        the estimator gives, so that widths differ between rows as it says.
    random_state : int, Generator, RandomState or None, default=None
        Divides the groups.

    Attributes
    ----------
    estimator_ : estimator
        Fitted to all rows, or to the groups that were not set aside: what predict uses.
    models_ : list of estimators
        Those whose scores are ``score_distribution_``.
    score_distribution_ : GroupScoreDistribution
        One number for each row with a score.
    n_groups_ : int
        K, how many groups have scores.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    See Also
    --------
    cross_validate_groups : Measures the coverage of intervals.

    Notes
    -----
    Limits are finite if K + 1 >= 1 / (1 - coverage): 19 groups with scores for 95 %, 9 for 90 %.
    With fewer they are infinite, with a warning. Rows of groups that were fitted get intervals that
    are wider than they need be.

    References
    ----------
    Lee, Y., Barber, R. F. and Willett, R. (2023). Distribution-free inference with hierarchical
    data. arXiv:2306.06342.

    Dunn, R., Wasserman, L. and Ramdas, A. (2023). Distribution-free prediction sets for two-layer
    hierarchical models. Journal of the American Statistical Association 118, 2491-2502.

    Barber, R. F., Candes, E. J., Ramdas, A. and Tibshirani, R. J. (2021). Predictive inference with
    the jackknife+. Annals of Statistics 49, 486-507.

    Examples
    --------
    >>> from skmixed import GroupConformalRegressor, MixedLM
    >>> from skmixed.datasets import load_sleepstudy
    >>> data = load_sleepstudy()
    >>> X, y = data[["Days", "Subject"]], data["Reaction"]
    >>> model = GroupConformalRegressor(MixedLM("Subject", random_slopes="Days"), random_state=0)
    >>> model = model.fit(X, y)
    >>> new = X.head(2).assign(Subject="a new one")
    >>> model.predict_interval(new, coverage=0.9).round()
    array([[141., 367.],
           [152., 379.]])
    """

    __metadata_request__predict: ClassVar = {
        "groups": True,
        "include_random_effects": UNUSED,
        "return_std": UNUSED,
        "return_cov": UNUSED,
    }

    def __init__(
        self,
        estimator: Any,
        groups: Any = None,
        *,
        factor: str | None = None,
        method: str = "cross",
        cv: Any = 5,
        calibration_size: float = 0.5,
        normalize: bool = False,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.groups = groups
        self.factor = factor
        self.method = method
        self.cv = cv
        self.calibration_size = calibration_size
        self.normalize = normalize
        self.random_state = random_state

    @all_or_nothing
    def fit(self, X: Any, y: Any, *, groups: Any = None, sample_weight: Any = None) -> Any:
        """Fit the estimator, and its errors in groups that it has not seen.

        If this fails or is interrupted, the estimator stays as it was before.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        y : array-like of shape (n,)
        groups : array-like of shape (n,) or data frame, optional
            Labels, if they are no column of X; an estimator that takes labels gets them too.
            Without any, each row is a group.
        sample_weight : array-like of shape (n,), optional
            Passed to the estimator. Scores are not weighted.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is one group only, cv divides groups, or an argument means nothing.
        """
        self._check_parameters()
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        X = self._checked(X)
        rows = GroupedRows(
            X, checked_response(y), groups, row_weights(sample_weight, _num_samples(X))
        )
        check_consistent_length(X, rows.y)
        name, factor = exchangeable_groups(
            self, rows, self.factor, are_columns=self._groups_are_columns()
        )
        split = self.method == "split"
        size = self.calibration_size if split else None
        splits = splits_of_groups(name, factor, self.cv, self.random_state, calibration_size=size)
        with warnings.catch_warnings(record=True) as found:
            self.models_ = [rows.take(train).fit_clone(self.estimator) for train, _ in splits]
            scores = [
                scaled_errors(model, rows.take(test), normalize=self.normalize)
                for model, (_, test) in zip(self.models_, splits, strict=True)
            ]
            self.estimator_ = self.models_[0] if split else rows.fit(clone(self.estimator))
        warn_user_once_of_each((warning.category, str(warning.message)) for warning in found)
        self.score_distribution_: GroupScoreDistribution = group_score_distribution(
            scores, [factor.codes[test] for _, test in splits]
        )
        self.n_groups_ = self.score_distribution_.n_groups
        forget_columns(self)
        for learned in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, learned):
                setattr(self, learned, getattr(self.estimator_, learned))
        return self

    def predict(self, X: Any, *, groups: Any = None) -> FloatArray:
        """Return the estimator's predictions.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        groups : array-like of shape (n,) or data frame, optional
            Labels, for an estimator that takes them; without them every group is new.

        Returns
        -------
        ndarray of shape (n,)
        """
        check_is_fitted(self)
        rows = GroupedRows(self._checked(X), labels=groups)
        return rows.predict(self.estimator_, **new_group_switches(self.estimator_, groups))

    def predict_interval(self, X: Any, *, coverage: float = 0.95, groups: Any = None) -> FloatArray:
        """Return limits for rows of new groups.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        coverage : float, default=0.95
            Probability, between 0 and 1.
        groups : array-like of shape (n,) or data frame, optional
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n, 2)
            Lower and upper limits, infinite where there are too few groups.
        """
        check_is_fitted(self)
        check_coverage(coverage)
        if not self.score_distribution_.is_finite(coverage):
            warn_user(
                f"Intervals that keep {100 * coverage:g} % whatever the distribution need errors "
                f"in {smallest_n_groups(coverage)} groups, and there are {self.n_groups_}: the "
                "limits are infinite. Ask for less coverage"
                + (', or set method="cross".' if self.method == "split" else "."),
                UserWarning,
            )
        rows = GroupedRows(self._checked(X), labels=groups)
        found = [means_and_scales(model, rows, normalize=self.normalize) for model in self.models_]
        means, scales = (np.array(part) for part in zip(*found, strict=True))
        return limits(self.score_distribution_, means, scales, coverage)

    def score(self, X: Any, y: Any, *, groups: Any = None, sample_weight: Any = None) -> float:
        """Return R2 of the predictions.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        y : array-like of shape (n,)
        groups : array-like of shape (n,) or data frame, optional
            As in ``predict``.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows in R2.
        """
        return r2_score(y, self.predict(X, groups=groups), sample_weight=sample_weight)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what the estimator accepts."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.input_tags.sparse &= not self._groups_are_columns()
        return tags

    def _groups_are_columns(self) -> bool:
        """Tell whether the labels are among the columns of X."""
        return self.groups is not None or names_columns(innermost(self.estimator))

    def _check_parameters(self) -> None:
        """Raise ValueError for a constructor argument that means nothing."""
        if self.method not in ("cross", "split"):
            raise ValueError(f"method must be 'cross' or 'split', got {self.method!r}.")
        if isinstance(self.cv, (int, np.integer)) and self.cv < 2:
            raise ValueError(f"cv must be 2 folds at least, got {self.cv!r}.")

    def _checked(self, X: Any) -> Any:
        """Return X as a data frame or array, with whatever it holds."""
        X = unmasked(framed(X))
        if has_columns(X):
            return X
        return check_array(
            X,
            accept_sparse=["csr", "csc"] if self.__sklearn_tags__().input_tags.sparse else False,
            dtype=None,
            ensure_all_finite=False,
            input_name="X",
        )
