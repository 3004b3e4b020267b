"""
Lack of sleep: a line for each person
=====================================

Fit a mixed model to the sleepstudy data, ask it two questions, and plot its groups. Run as a script
it prints the summary and cross-validated scores, and saves ``sleepstudy_subjects.png`` to the
current directory.
"""

from __future__ import annotations

from sklearn.linear_model import LinearRegression

from skmixed import MixedLM, cross_validate_groups
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
# "How will subject 308 react on another day?" The test leaves out rows, and the model predicts from
# the line of that person. "How will somebody react whom we never met?" The test leaves out whole
# people: the population's line is left, as least squares finds it.

print(cross_validate_groups(model, X, y, cv=6, random_state=0))
print(
    cross_validate_groups(
        LinearRegression(), X[["Days"]], y, groups=data["Subject"], cv=6, random_state=0
    )
)

# %%
# For a known person the mixed model nearly halves the error, because it has that person's line. For
# a new one both predict the same; the mixed model adds an interval, and how often it held.
