"""Fits of a model without some of its rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel

__all__ = ["model_of_rows", "refits_without"]


def refits_without(model: LMMModel, groups: GroupingFactor) -> Iterator[tuple[int, LMMFit]]:
    """Fit a model without each group in turn; a group of all rows leaves nothing to fit.

    Parameters
    ----------
    groups : GroupingFactor
        Any partition of the rows.

    Yields
    ------
    fit : LMMFit
        Of the other groups.
    """
    if len(groups.levels) > 1:
        for g in range(len(groups.levels)):
            yield g, model_of_rows(model, groups.codes != g).fit()


def model_of_rows(model: LMMModel, keep: NDArray[np.bool_]) -> LMMModel:
    """Return a model of some rows, with the levels that still occur.

    Parameters
    ----------
    keep : ndarray of shape (n,)
    """
    return model.with_design(model.design.select(keep))
