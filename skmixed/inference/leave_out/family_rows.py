"""What the predictions of left-out rows of a generalised model need of its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewBlock, NewRows
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.row_inputs import family_rows
from skmixed.inference.leave_out.left_out import LeftOut
from skmixed.prediction.response_law import averaged_mean, averaged_variance

__all__ = ["averaged", "own_family_rows", "with_codes_of"]

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]

# The modes of a fit are found again from its rows up to this part of the largest.
SAME = 1e-4


def own_family_rows(fitted: Any, X: Any, y: Any, arguments: dict[str, Any]) -> FamilyRows | None:
    """Return a generalised fit with its rows; None for a linear one.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the rows are not those of the fit.
    """
    rows = family_rows(fitted, X, y, **arguments)
    if rows is None:
        return None
    for effects, again in zip(rows.fit.random, rows.modes.effects, strict=True):
        modes = effects.standardised_modes
        if np.abs(again.T - modes).max(initial=0.0) > SAME * np.abs(modes).max(initial=1.0):
            raise ValueError(
                "These are not the rows that the model was fitted to: expected the same X, y, "
                "groups and weights, in the same order. After adapt, fit all rows together."
            )
    return rows


def with_codes_of(rows: FamilyRows, train: Positions, test: Positions) -> NewRows:
    """Return rows to predict, with codes among the levels of the training rows.

    Parameters
    ----------
    train, test : ndarray of int
        Positions of the rows.
    """
    design, blocks = rows.design, []
    for block in design.blocks:
        used = np.unique(block.factor.codes[train])
        places = len(used) + np.arange(len(block.factor.levels))
        places[used] = np.arange(len(used))
        blocks.append(NewBlock(block.columns[test], places[block.factor.codes[test]]))
    return NewRows(
        design.fixed[test],
        tuple(blocks),
        None if design.offset is None else design.offset[test],
        extra=tuple(columns[test] for columns in rows.model.extra_columns),
    )


def averaged(
    rows: FamilyRows,
    eta: FloatArray,
    averaged_over: FloatArray,
    variance: FloatArray,
    extra: tuple[FloatArray, ...],
    test: Positions | slice = slice(None),
) -> LeftOut:
    """Return means and variances of responses whose linear predictors are normal.

    Parameters
    ----------
    eta : ndarray of shape (n,)
        Estimates of the linear predictor.
    averaged_over, variance : ndarray of shape (n,)
        Variance of their errors where the parameters are known, and where they are not.
    test : ndarray of int or slice
        Which of the rows these are.
    """
    family, trials = rows.fit.family, rows.trials
    return LeftOut(
        averaged_mean(family, eta, averaged_over, extra),
        averaged_variance(family, eta, variance, extra, None if trials is None else trials[test]),
    )
