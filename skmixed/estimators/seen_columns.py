"""The columns of X that fit has seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _check_feature_names, _check_n_features

from skmixed.estimators.columns import has_columns

__all__ = ["SeenColumns", "seen_columns"]


@dataclass(frozen=True, slots=True, eq=False)
class SeenColumns:
    """Hold the columns that an estimator was fitted to, and its name for messages."""

    estimator: str
    n_features: int
    names: NDArray[np.object_] | None

    def check(self, X: Any) -> None:
        """Raise ValueError, in scikit-learn's words, unless X has the same columns."""
        stand_in = _class_of_name(self.estimator)()
        stand_in.n_features_in_, stand_in.feature_names_in_ = self.n_features, self.names
        if self.names is not None or has_columns(X):
            _check_feature_names(stand_in, X, reset=False)
        _check_n_features(stand_in, X, reset=False)


@cache
def _class_of_name(name: str) -> Any:
    """Return a class of that name: scikit-learn's messages tell whose columns they are about."""
    return type(name, (), {})


def seen_columns(estimator: Any) -> SeenColumns:
    """Return the columns that an estimator has learned."""
    names = getattr(estimator, "feature_names_in_", None)
    return SeenColumns(type(estimator).__name__, estimator.n_features_in_, names)
