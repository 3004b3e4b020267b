"""Fits of a model without some of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design, RandomBlock
from skmixed.design.groups import GroupingFactor
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel

__all__ = ["design_of_rows", "model_of_rows", "refits_without"]


def refits_without(model: LMMModel, groups: GroupingFactor) -> Iterator[tuple[int, LMMFit]]:
    """Fit a model without each group in turn; a group of all rows leaves nothing to fit.

    Parameters
    ----------
    model : LMMModel
    groups : GroupingFactor
        Any partition of the rows.

    Yields
    ------
    group : int
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
    model : LMMModel
    keep : ndarray of shape (n,)
    """
    return replace(model, design=design_of_rows(model.design, keep))


def design_of_rows(design: Design, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Design:
    """Return a design of some rows, with the levels that still occur.

    Parameters
    ----------
    design : Design
    keep : ndarray of shape (n,), or of positions
    """
    blocks = tuple(
        RandomBlock(block.factor.select(keep), block.columns[keep], block.terms)
        for block in design.blocks
    )
    multiplicity = design.group_multiplicity
    if multiplicity is not None:
        multiplicity = multiplicity[np.unique(design.blocks[0].factor.codes[keep])]
    return replace(
        design,
        response=design.response[keep],
        fixed=design.fixed[keep],
        blocks=blocks,
        offset=None if design.offset is None else design.offset[keep],
        weights=None if design.weights is None else design.weights[keep],
        group_multiplicity=multiplicity,
    )
