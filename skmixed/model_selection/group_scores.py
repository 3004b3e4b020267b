"""What a cross-validation of groups found: predictions of rows, and their scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skmixed.model_selection.row_scores import RowScores

__all__ = ["GroupScores"]

QUESTION = ["question", "factor"]


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
    scores : RowScores
        Which scores there are.
    """

    estimator: str
    n_folds: int
    nominal_coverage: float
    questions: list[tuple[str, str]]
    n_rows: int
    predictions: pd.DataFrame
    scores: RowScores

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
