"""The prediction of each fold from all others."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from skmixed.design.groups import GroupingFactor, factorise
from skmixed.formula.columns import n_rows
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.labelled_rows import LabelledRows
from skmixed.inference.leave_out.family_predictions import from_training_rows
from skmixed.inference.leave_out.left_out import LeftOut, own_rows, reported
from skmixed.inference.leave_out.remainder import from_others
from skmixed.inference.leave_out.whole_groups import without_groups

__all__ = ["kfold_predict"]

Positions = NDArray[np.intp]
Split = tuple[Positions, Positions]


def kfold_predict(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    cv: Any = 5,
    *,
    factor: Any = None,
    return_std: bool = False,
    **arguments: Any,
) -> Any:
    """Predict each fold from the others, at the estimated variance parameters.

    The fixed and random effects are solved for again in each training set; the variance parameters
    are those of all rows, so that no search is needed. Groups with rows in the training set are
    known, others are new; so are errors that are correlated with theirs.

    A generalised model is fitted anew to each training set, with all its parameters. Predictions
    are means of the response, averaged over what is not known of the random effects.

    Parameters
    ----------
    fitted : MixedLMResults, MixedGLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    cv : int, splitter of scikit-learn, or iterable of (train, test), default=5
        The folds; every row must be tested once. An integer is KFold without shuffling. Positions
        are those of the rows that were fitted.
    factor : str or array-like of shape (n,), optional
        What a splitter gets as groups: the name of a grouping factor or of a column of the data, or
        labels. The grouping factor, if there is only one.
    return_std : bool, default=False
        Whether to return the standard deviation of each observation about its prediction too.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    mean : Series of shape (n,)
        With the index of the data; rows of weight 0 are not among those that were fitted. NaN, with
        a warning, where a training set does not tell a coefficient that the row needs.
    std : Series of shape (n,), if ``return_std``

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the folds are no partition, or the rows are not those of the fit.

    See Also
    --------
    loo_predict, logo_predict : In closed form.

    Examples
    --------
    >>> from sklearn.model_selection import GroupKFold
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import kfold_predict
    >>> data = load_sleepstudy()
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", data)
    >>> new_subjects = kfold_predict(results, cv=GroupKFold(6))
    >>> round(float(((data["Reaction"] - new_subjects) ** 2).mean() ** 0.5), 1)
    49.8
    """
    rows = own_rows(fitted, X, y, arguments)
    splits = _splits(rows, cv, factor, None if X is None else n_rows(X))
    if isinstance(rows, FamilyRows):
        parts = ((test, from_training_rows(rows, train, test)) for train, test in splits)
        left = LeftOut.of_parts(rows.design.n_rows, parts)
    elif rows.error_covariance.at is None:
        parts = ((test, from_others(rows, train, test)) for train, test in splits)
        left = LeftOut.of_parts(rows.design.n_rows, parts)
    else:
        left = without_groups(rows, _as_groups(splits, rows.design.n_rows))
    return reported(rows, left, return_std=return_std)


def _as_groups(splits: Sequence[Split], n: int) -> GroupingFactor:
    """Return folds as groups; ValueError if a training set is not all that is left of the rows."""
    if any(len(train) + len(test) != n for train, test in splits):
        raise ValueError(
            "With a residual structure every training set must hold all rows that are not "
            "tested: what is not in it would still be known of the errors. Use KFold, "
            "GroupKFold or another partition."
        )
    folds = np.empty(n, dtype=np.intp)
    for i, (_, test) in enumerate(splits):
        folds[test] = i
    return factorise(folds, "fold")


def _splits(rows: LabelledRows, cv: Any, factor: Any, n_given: int | None) -> list[Split]:
    """Return the folds as positions of the rows that were fitted."""
    n = rows.design.n_rows
    explicit = not isinstance(cv, (int, np.integer)) and not hasattr(cv, "split")
    if explicit and n_given not in (None, n):
        raise ValueError(
            f"cv gives positions of rows, but of the {n_given} rows only {n} have a weight and "
            "were fitted. Leave the rows of weight 0 out of X, or pass a splitter."
        )
    single = len(rows.factors) == 1
    groups = rows.factor(factor).codes if single or factor is not None else None
    response = rows.design.response
    with warnings.catch_warnings():
        # Of the splitters some need groups, and some warn that they do not.
        warnings.filterwarnings("ignore", message="The groups parameter is ignored")
        folds = list(check_cv(cv, response).split(np.empty((n, 1)), response, groups))
    # A fold may be a mask.
    splits = [tuple(np.arange(n)[np.asarray(part)] for part in fold) for fold in folds]
    tested = np.bincount(np.concatenate([test for _, test in splits]), minlength=n)
    if (tested != 1).any():
        raise ValueError(
            f"cv must test every row once, but tests {int((tested == 0).sum())} of {n} rows never "
            f"and {int((tested > 1).sum())} more than once. Use KFold, GroupKFold or another "
            "partition."
        )
    return splits
