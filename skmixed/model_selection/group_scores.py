"""What a cross-validation of groups found: predictions of rows, and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, xlogy
from sklearn.metrics import roc_auc_score

__all__ = ["ClassScores", "GroupScores", "ResponseScores"]

FloatArray = NDArray[np.float64]

# Probabilities are kept off 0 and 1 by this much, so that one wrong row does not hide all others.
SMALLEST = 1e-15
# Steps of Newton's method, which converges in a few where the slope exists.
STEPS = 30

QUESTION = ["question", "factor"]


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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupScores:
    """Hold out-of-fold predictions for two questions, and score them; printing gives the answer.

    Attributes
    ----------
    estimator : str
        What was fitted.
    n_folds : int
    nominal_coverage : float
        Of the prediction intervals.
    questions : list of (str, str)
        Questions with their factors, in order.
    n_rows : int
        Rows of the data.
    predictions : DataFrame
        One row for each question and test row: question, factor, fold, row (its position in X),
        group, observed, predicted, lower and upper (NaN without intervals), training_mean and
        weight. Of a classifier, ``observed`` is 1 for the second class, and ``predicted`` its
        probability.
    scores : ResponseScores or ClassScores
        Which scores there are.
    """

    estimator: str
    n_folds: int
    nominal_coverage: float
    questions: list[tuple[str, str]]
    n_rows: int
    predictions: pd.DataFrame
    scores: ResponseScores | ClassScores

    @property
    def folds(self) -> pd.DataFrame:
        """Scores of each fold: one row for each question, factor and fold.

        Returns
        -------
        DataFrame
            With columns question, factor, fold, rows and groups, and r2, rmse, coverage and width;
            of a classifier log_loss, brier, roc_auc and calibration.
        """
        return self._by([*QUESTION, "fold"])

    def _by(self, keys: list[str]) -> pd.DataFrame:
        """Return the scores of the rows with equal keys."""
        counts = self.predictions.groupby(keys, sort=False)
        sizes = pd.DataFrame({"rows": counts.size(), "groups": counts["group"].nunique()})
        return sizes.join(self.scores.table(self.predictions, keys)).reset_index()

    def summary(self) -> pd.DataFrame:
        """Score the predictions of all folds together, with standard errors from the folds.

        R2 is 1 - sum (y - prediction)^2 / sum (y - training mean)^2 over the rows of all folds.
        The mean of the rows that were fitted is what one would predict without a model.
        Of a classifier, the calibration is the slope of a logistic regression of the class on the
        predicted log odds: 1 for calibrated probabilities, less for those too near to 0 and 1.
        A standard error is the standard deviation of the folds' scores over the square root of
        their number; it neglects that folds share rows to fit.

        Returns
        -------
        DataFrame
            One row for each question: question, factor, rows, groups, left_out (rows whose groups
            have no other rows), and r2, rmse, coverage and width, or log_loss, brier, roc_auc and
            calibration of a classifier, each followed by its standard error, named ``r2_se`` and
            so on.
        """
        scores = list(self.scores.digits)
        pooled = self._by(QUESTION).set_index(QUESTION)
        with np.errstate(invalid="ignore"):
            errors = self.folds.groupby(QUESTION, sort=False)[scores].sem()
        every = pd.MultiIndex.from_tuples(self.questions, names=QUESTION)
        table = pooled.join(errors.add_suffix("_se")).reindex(every).reset_index()
        counts = table[["rows", "groups"]].fillna(0).astype(int)
        return pd.concat(
            [
                table[QUESTION],
                counts.assign(left_out=self.n_rows - counts["rows"]),
                table[[name for score in scores for name in (score, f"{score}_se")]],
            ],
            axis=1,
        )

    def __repr__(self) -> str:
        """Return the answer as text."""
        table = self.summary()
        lines = pd.DataFrame(
            {
                heading: _with_error(table, score, digits, significant=significant)
                for score, (heading, digits, significant) in self.scores.digits.items()
            }
        )
        shown = list(zip(table["question"], table["factor"], table["left_out"], strict=True))
        lines.index = pd.Index([f"{question} ({factor})" for question, factor, _ in shown])
        head = f"{self.estimator}, {self.n_folds} folds, +- standard error"
        if "coverage" in self.scores.digits:
            percent = f"{100 * self.nominal_coverage:g} %"
            head += f"; coverage and mean width of {percent} intervals"
        notes = [
            f"{left_out} rows are left out of '{question}': no other row of their group."
            for question, _, left_out in shown
            if left_out
        ]
        return "\n".join([head, lines.to_string(), *notes])


def _with_error(
    table: pd.DataFrame, score: str, digits: int, *, significant: bool = False
) -> list[str]:
    """Return a score and its standard error as text."""
    values = []
    for value, error in zip(table[score], table[f"{score}_se"], strict=True):
        if np.isnan(value):
            values.append("-")
            continue
        places = digits
        if significant and np.isfinite(value) and value != 0.0:
            places = max(digits - 1 - int(np.floor(np.log10(abs(value)))), 0)
        values.append(
            f"{value:.{places}f}" + ("" if np.isnan(error) else f" +- {error:.{places}f}")
        )
    return values


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
