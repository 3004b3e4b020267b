"""Strata of the rows, which have variance parameters of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.groups import Levels, factorise_interaction, in_order_of_categories
from skmixed.design.labels import label_values
from skmixed.residual.variance import Columns

__all__ = ["learn_strata", "strata_of_rows"]


def learn_strata(columns: Columns, names: tuple[Any, ...]) -> Levels:
    """Return the strata that occur; of several columns, each combination is one.

    They are sorted; those of one categorical column are in the order of its categories.

    Parameters
    ----------
    names : tuple of str or int
        The columns of labels.
    """
    labels = [label_values(columns[name]) for name in names]
    levels = factorise_interaction(labels, list(map(str, names))).levels
    if len(names) == 1 and isinstance(labels[0], pd.Categorical):
        return in_order_of_categories(levels, labels[0])
    return levels


def strata_of_rows(columns: Columns, names: tuple[Any, ...], strata: Levels) -> NDArray[np.intp]:
    """Return the number of each row's stratum.

    Parameters
    ----------
    names : tuple of str or int
        The columns of labels.

    Raises
    ------
    ValueError
        If a row is of a stratum that was not fitted.
    """
    labels = [columns[name] for name in names]
    codes = strata.encode(labels)
    strata.check_seen(
        codes,
        labels,
        "Their residual variance was not estimated: refit with rows of these groups, or predict "
        "means only.",
    )
    return codes
