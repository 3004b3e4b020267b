"""Predict the rows of an estimator from each other, those of weight 0 among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmixed.design.labels import select_labels
from skmixed.formula.columns import n_rows

__all__ = ["leave_out"]


def leave_out(
    estimator: Any,
    function: Callable[..., Any],
    X: Any,
    y: Any,
    groups: Any,
    options: dict[str, Any],
    return_std: bool,
    **weights: Any,
) -> Any:
    """Predict the rows that were fitted by a function of inference, and the others from them.

    The options are further arguments of the function; weights are None where all are 1.
    """
    check_is_fitted(estimator)
    n, fitted = n_rows(X), np.ones(n_rows(X), dtype=bool)
    given = {"groups": groups, **weights}
    given = {name: values for name, values in given.items() if values is not None}
    for values in weights.values():
        if not isinstance(values, Mapping) and np.shape(values) == (n,):
            fitted &= np.asarray(values, dtype=np.float64) > 0.0
    factor = options.get("factor")
    if factor is not None and not isinstance(factor, str) and len(factor) == n:
        options = {**options, "factor": select_labels([factor], fitted)[0]}
    found = function(estimator, X, y, return_std=True, **options, **given)
    mean, std = (part.to_numpy() for part in found)
    if len(mean) < n:
        if fitted.sum() != len(mean):
            raise ValueError(
                f"Only {len(mean)} of {n} rows were fitted: some groups have weight 0. Leave "
                "their rows out, or pass group_weight as an array with one value for each row."
            )
        everywhere = estimator.fitted_model.predict(X, groups=groups, return_std=True)
        for full, part in zip(everywhere, (mean, std), strict=True):
            full[fitted] = part
        mean, std = everywhere
    return (mean, std) if return_std else mean
