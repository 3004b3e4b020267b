"""Turn labels into categories, and new labels into the categories of the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["recode", "shown_labels", "to_categorical"]

_SHOWN = 5
_LARGEST_EXACT = 2.0**53


def to_categorical(values: Any, levels: Any = None) -> pd.Categorical:
    """Make a categorical of labels, its levels sorted, unused levels dropped.

    Parameters
    ----------
    values : array-like of shape (n,) or pandas.Categorical
        The labels. A categorical keeps its order of levels; whole numbers stored as floats become
        integers, so that their names have no decimals.
    levels : sequence, optional
        All the levels in the order wanted; used or not, all are kept.
    """
    categorical = values if isinstance(values, pd.Categorical) else _from_labels(values)
    if levels is not None:
        return recode(categorical, pd.Index(levels))
    _raise_if_missing(categorical)
    counts = np.bincount(categorical.codes, minlength=len(categorical.categories))
    return categorical if counts.all() else categorical.remove_unused_categories()


def recode(values: Any, levels: pd.Index) -> pd.Categorical:
    """Code labels by the given levels."""
    categorical = values if isinstance(values, pd.Categorical) else pd.Categorical(values)
    _raise_if_missing(categorical)
    if categorical.categories.equals(levels):
        return pd.Categorical.from_codes(categorical.codes, levels, validate=False)
    codes = np.asarray(levels.get_indexer(categorical.categories))[categorical.codes]
    if codes.size and codes.min() < 0:
        unknown = pd.unique(np.asarray(categorical)[codes < 0]).tolist()
        raise ValueError(
            f"found unknown categories {shown_labels(unknown)} ({int((codes < 0).sum())} of "
            f"{len(codes)} rows); expected one of {shown_labels(levels.tolist())}. Leave these "
            "rows out, or train with rows of every category"
        )
    return pd.Categorical.from_codes(codes, categories=levels)


def _from_labels(values: Any) -> Any:
    """Make a categorical of plain labels."""
    categorical = pd.Categorical(values)
    categories = categorical.categories
    if categories.dtype.kind != "f":
        return categorical
    numbers = categories.to_numpy(dtype=np.float64)
    if not (np.abs(numbers) < _LARGEST_EXACT).all() or (numbers != np.trunc(numbers)).any():
        return categorical
    whole: Any = pd.Index(numbers.astype(np.int64))
    return pd.Categorical.from_codes(categorical.codes, whole)


def _raise_if_missing(categorical: pd.Categorical) -> None:
    """Raise if any label is missing: a category has no number that could stand for it."""
    n_missing = int((categorical.codes < 0).sum())
    if n_missing:
        raise ValueError(
            f"has missing categories ({n_missing} of {len(categorical)} rows). Drop these rows or "
            "fill them in"
        )


def shown_labels(labels: Sequence[Any]) -> str:
    """Write the first labels as a list."""
    dots = ", ..." if len(labels) > _SHOWN else ""
    return "[" + ", ".join(repr(label) for label in labels[:_SHOWN]) + dots + "]"
