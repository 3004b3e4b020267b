"""Scores of predicted rows: of responses and their intervals, or of probabilities of a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, xlogy
from sklearn.metrics import roc_auc_score

__all__ = ["ClassScores", "ResponseScores", "RowScores"]

FloatArray = NDArray[np.float64]

# Probabilities are kept off 0 and 1 by this much, so that one wrong row does not hide all others.
SMALLEST = 1e-15
# Steps of Newton's method, which converges in a few where the slope exists.
STEPS = 30


class RowScores(Protocol):
    """How rows that were predicted are scored, and how scores are shown."""

    @property
    def digits(self) -> dict[str, tuple[str, int, bool]]:
        """Return for each score its heading, and its digits: decimals, or significant ones."""
        ...

    def table(self, predictions: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        """Return the scores of the rows with equal keys, one row for each."""
        ...


class ResponseScores:
    """Score predicted responses: R2, root mean squared error, coverage and width of intervals."""

    digits: ClassVar[dict[str, tuple[str, int, bool]]] = {
        "r2": ("R2", 2, False),
        "rmse": ("RMSE", 3, True),
        "coverage": ("coverage", 3, False),
        "width": ("width", 3, True),
    }

    def table(self, predictions: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        """Return the scores of the rows with equal keys, one row for each."""
        weight = predictions["weight"]
        y = predictions["observed"]
        limits = predictions[["lower", "upper"]]
        inside = ((limits["lower"] <= y) & (y <= limits["upper"])).astype(float)
        sums = predictions[keys].assign(
            weight=weight,
            error=weight * (y - predictions["predicted"]) ** 2,
            spread=weight * (y - predictions["training_mean"]) ** 2,
            inside=weight * inside.where(limits["lower"].notna()),
            between=weight * (limits["upper"] - limits["lower"]),
            present=weight.where(limits["lower"].notna()),
        )
        total = sums.groupby(keys, sort=False).sum(min_count=1)
        return pd.DataFrame(
            {
                "r2": 1.0 - total["error"] / total["spread"].replace(0.0, np.nan),
                "rmse": np.sqrt(total["error"] / total["weight"]),
                "coverage": total["inside"] / total["present"],
                "width": total["between"] / total["present"],
            }
        )


class ClassScores:
    """Score predicted probabilities: log loss, Brier score, area under the curve, calibration."""

    digits: ClassVar[dict[str, tuple[str, int, bool]]] = {
        "log_loss": ("log loss", 3, False),
        "brier": ("Brier", 3, False),
        "roc_auc": ("ROC AUC", 3, False),
        "calibration": ("calibration slope", 2, False),
    }

    def table(self, predictions: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        """Return the scores of the rows with equal keys, one row for each."""
        columns = ["observed", "predicted", "weight"]
        grouped = predictions.groupby(keys, sort=False)
        found = {name: _class_scores(*part[columns].to_numpy().T) for name, part in grouped}
        index = grouped.size().index
        return pd.DataFrame(list(found.values()), index=index, columns=list(self.digits))


def _class_scores(y: FloatArray, p: FloatArray, weight: FloatArray) -> Sequence[float]:
    """Return the scores of some rows, NaN for those that need both classes."""
    p = np.clip(p, SMALLEST, 1.0 - SMALLEST)
    total = weight.sum()
    losses = -(xlogy(y, p) + xlogy(1.0 - y, 1.0 - p))
    both = 0.0 < weight @ y < total
    return (
        float(weight @ losses / total),
        float(weight @ (y - p) ** 2 / total),
        float(roc_auc_score(y, p, sample_weight=weight)) if both else np.nan,
        _calibration_slope(y, logit(p), weight) if both else np.nan,
    )


def _calibration_slope(y: FloatArray, log_odds: FloatArray, weight: FloatArray) -> float:
    """Return the slope of a logistic regression on the log odds: 1 where these are calibrated.

    A smaller slope says that probabilities are too near to 0 and 1. It is NaN where no finite one
    fits best.
    """
    X = np.column_stack([np.ones(len(y)), log_odds])
    beta = np.array([0.0, 1.0])
    for _ in range(STEPS):
        mean = expit(X @ beta)
        gram = (X.T * (weight * mean * (1.0 - mean))) @ X
        if not np.linalg.cond(gram) < 1.0 / np.finfo(float).eps:
            return np.nan
        step = np.linalg.solve(gram, X.T @ (weight * (y - mean)))
        step *= min(1.0, 5.0 / max(np.abs(X @ step).max(), 1e-300))
        beta = beta + step
        if np.abs(step).max() <= 1e-10 * max(1.0, np.abs(beta).max()):
            return float(beta[1])
    return np.nan
