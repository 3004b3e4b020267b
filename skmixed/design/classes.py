"""The response of a classifier: two classes as 0 and 1, and the weights of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skmixed.formula.values import unmasked

__all__ = ["binary_response", "class_weighted"]

FloatArray = NDArray[np.float64]


def binary_response(y: Any) -> tuple[NDArray[Any], FloatArray]:
    """Return the two classes of a response, and the response as 0 and 1.

    The classes are sorted, and the second is the success.
    """
    labels = column_or_1d(unmasked(y), warn=True)
    missing = pd.isna(labels)
    if missing.any():
        raise ValueError(f"Input y contains NaN ({int(missing.sum())} of {len(labels)} rows).")
    try:
        check_classification_targets(labels)
        classes, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        types = sorted({type(label).__name__ for label in labels})
        raise ValueError(
            f"y mixes labels of the types {types}, which cannot be sorted: expected one type. "
            "Convert them, for instance by y.astype(str)."
        ) from error
    if len(classes) < 2:
        got = f"1 class {classes.tolist()} in {len(labels)} rows" if len(classes) else "0 rows"
        raise ValueError(
            f"The classifier needs rows of 2 classes, got {got}. Look at how the rows were "
            "selected."
        )
    if len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is multiclass, with "
            f"{len(classes)} classes. Wrap the classifier, "
            "sklearn.multiclass.OneVsRestClassifier(MixedLogisticRegression(...)), or fit one of "
            "two classes at a time."
        )
    return classes, codes.astype(np.float64)


def class_weighted(
    class_weight: Any, classes: NDArray[Any], codes: FloatArray, weights: FloatArray | None
) -> FloatArray | None:
    """Multiply the weights of rows by those of their classes.

    Weights of None are all 1.
    """
    if class_weight is None:
        return weights
    positions = codes.astype(np.intp)
    weights = np.ones(len(codes)) if weights is None else weights
    if isinstance(class_weight, str) and class_weight == "balanced":
        # Not every version of scikit-learn takes weights here, where each must repeat its row.
        totals = np.bincount(positions, weights, minlength=2)
        factors = np.divide(totals.sum() / 2, totals, out=np.ones(2), where=totals > 0)
    else:
        factors = compute_class_weight(class_weight, classes=classes, y=classes[positions])
    return weights * factors[positions]
