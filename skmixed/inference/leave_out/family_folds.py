"""Rows of a generalised model predicted from fits of others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.leave_out.family_rows import with_codes_of
from skmixed.inference.leave_out.left_out import LOST, UNTOLD, LeftOut
from skmixed.prediction.family_prediction import ResponseScale, family_prediction
from skmixed.prediction.predict import PredictedRows

__all__ = ["from_training_rows"]

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]


def from_training_rows(rows: FamilyRows, train: Positions, test: Positions) -> LeftOut:
    """Fit some rows, and predict others: known groups by their effects, new ones averaged.

    Parameters
    ----------
    train, test : ndarray of int
        Positions of the rows.
    """
    fit = rows.model.select(train).fit(_start(rows, train))
    trials = None if rows.trials is None else rows.trials[test]
    new = PredictedRows(with_codes_of(rows, train, test), True, "observation")
    predicted = family_prediction(fit, new, ResponseScale(average=True, trials=trials))
    mean = np.where(_needing(rows, fit, train, test), np.nan, predicted.mean)
    return LeftOut(mean, predicted.std**2)


def _start(rows: FamilyRows, train: Positions) -> FloatArray | None:
    """Return the estimates of all rows; None where fewer coefficients can be estimated."""
    rank = np.linalg.matrix_rank(rows.objective.X[:, train])
    return rows.fit.joint.parameters if rank == len(rows.objective.X) else None


def _needing(
    rows: FamilyRows, fit: GLMMFit, train: Positions, test: Positions
) -> NDArray[np.bool_]:
    """Tell which rows need a combination of coefficients that the training rows do not tell."""
    X = rows.objective.X
    if len(fit.fixed.standardised) == len(X):
        return np.zeros(len(test), dtype=bool)
    values, vectors = np.linalg.eigh(X[:, train] @ X[:, train].T)
    untold = vectors[:, values <= UNTOLD * values.max()]
    beside = np.sum((untold.T @ X[:, test]) ** 2, axis=0)
    return np.asarray(beside > LOST * np.sum(X[:, test] ** 2, axis=0))
