"""What a cross-validation of groups found: predictions of rows, and their scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["GroupScores"]

SCORES = ["r2", "rmse", "coverage", "width"]
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
        weight.
    """

    estimator: str
    n_folds: int
    nominal_coverage: float
    questions: list[tuple[str, str]]
    n_rows: int
    predictions: pd.DataFrame

    @property
    def folds(self) -> pd.DataFrame:
        """Scores of each fold: one row for each question, factor and fold.

        Returns
        -------
        DataFrame
            With columns question, factor, fold, rows, groups, r2, rmse, coverage and width.
        """
        return _scores_by(self.predictions, [*QUESTION, "fold"])

    def summary(self) -> pd.DataFrame:
        """Score the predictions of all folds together, with standard errors from the folds.

        R2 is 1 - sum (y - prediction)^2 / sum (y - training mean)^2 over the rows of all folds.
        The mean of the rows that were fitted is what one would predict without a model.
        A standard error is the standard deviation of the folds' scores over the square root of
        their number; it neglects that folds share rows to fit.

        Returns
        -------
        DataFrame
            One row for each question: question, factor, rows, groups, left_out (rows whose groups
            have no other rows), and r2, rmse, coverage and width, each followed by its standard
            error, named ``r2_se`` and so on.
        """
        pooled = _scores_by(self.predictions, QUESTION).set_index(QUESTION)
        with np.errstate(invalid="ignore"):
            errors = self.folds.groupby(QUESTION, sort=False)[SCORES].sem()
        every = pd.MultiIndex.from_tuples(self.questions, names=QUESTION)
        table = pooled.join(errors.add_suffix("_se")).reindex(every).reset_index()
        counts = table[["rows", "groups"]].fillna(0).astype(int)
        return pd.concat(
            [
                table[QUESTION],
                counts.assign(left_out=self.n_rows - counts["rows"]),
                table[[name for score in SCORES for name in (score, f"{score}_se")]],
            ],
            axis=1,
        )

    def __repr__(self) -> str:
        """Return the answer as text."""
        table = self.summary()
        percent = f"{100 * self.nominal_coverage:g} %"
        lines = pd.DataFrame(
            {
                "R2": _with_error(table, "r2", 2),
                "RMSE": _with_error(table, "rmse", 3, significant=True),
                "coverage": _with_error(table, "coverage", 3),
                "width": _with_error(table, "width", 3, significant=True),
            }
        )
        shown = list(zip(table["question"], table["factor"], table["left_out"], strict=True))
        lines.index = pd.Index([f"{question} ({factor})" for question, factor, _ in shown])
        head = (
            f"{self.estimator}, {self.n_folds} folds, +- standard error; coverage and mean width "
            f"of {percent} intervals"
        )
        notes = [
            f"{left_out} rows are left out of '{question}': no other row of their group."
            for question, _, left_out in shown
            if left_out
        ]
        return "\n".join([head, lines.to_string(), *notes])


def _scores_by(predictions: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the scores of the rows with equal keys."""
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
    grouped = sums.groupby(keys, sort=False)
    total = grouped.sum(min_count=1)
    counts = predictions.groupby(keys, sort=False)
    table = pd.DataFrame(
        {
            "rows": counts.size(),
            "groups": counts["group"].nunique(),
            "r2": 1.0 - total["error"] / total["spread"].replace(0.0, np.nan),
            "rmse": np.sqrt(total["error"] / total["weight"]),
            "coverage": total["inside"] / total["present"],
            "width": total["between"] / total["present"],
        }
    )
    return table.reset_index()


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
