"""
Lack of sleep: a line for each person
=====================================

Fit a mixed model to the sleepstudy data, ask it two questions, and plot its groups. Run as a script
it prints the summary and cross-validated scores, and saves ``sleepstudy_subjects.png`` to the
current directory.
"""

from __future__ import annotations

from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, KFold, cross_validate

from skmixed import MixedLM
from skmixed.datasets import load_sleepstudy
from skmixed.plots import RandomEffectsDisplay

# %%
# Eighteen people sleep three hours a night and react more slowly from day to day: 180 rows, not
# independent of each other, because each person gave ten of them. The model has one line for the
# population, and for each person an intercept and a slope that deviate from it.

data = load_sleepstudy()
X, y = data[["Days", "Subject"]], data["Reaction"]
model = MixedLM(groups="Subject", random_slopes="Days").fit(X, y)
print(model.summary())

# %%
# Fast and slow people differ, and so does what lack of sleep does to them. The plot shows each
# person's deviations with their uncertainty.

PLOT = "sleepstudy_subjects.png"
RandomEffectsDisplay.from_estimator(model).figure_.savefig(PLOT, dpi=150)
print(f"Saved {PLOT}")

# %%
# Which question shall the score answer?
# --------------------------------------
#
# "How will subject 308 react on another day?" leaves out single rows, and the model predicts from
# the line of that person. "How will somebody react whom we never met?" leaves out whole people: the
# population's line is left, as least squares finds it.

questions = {
    "another day of a known subject": KFold(6, shuffle=True, random_state=0).split(X),
    "a new subject": GroupKFold(6).split(X, groups=data["Subject"]),
}
print("Cross-validated root mean squared error (ms) and R2, averaged over 6 folds")
for question, split in questions.items():
    folds = list(split)
    for name, estimator, columns in (
        ("mixed model", model, ["Days", "Subject"]),
        ("least squares", LinearRegression(), ["Days"]),
    ):
        scores = cross_validate(
            estimator, data[columns], y, cv=folds, scoring=["neg_root_mean_squared_error", "r2"]
        )
        error, r2 = -scores["test_neg_root_mean_squared_error"].mean(), scores["test_r2"].mean()
        print(f"  {question:30}  {name:13}  {error:5.1f}  {r2:5.2f}")
