"""
Growth: where students start, and how fast they improve
=======================================================

Two hundred students and their grades in six semesters. First every student gets a level of their
own, then a slope too; then we look at what the model does to those of whom it knows little.
"""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_study
from skmixed.inference import anova_models
from skmixed.plots import GroupFitDisplay, ShrinkageDisplay, TrajectoriesDisplay

# %%
# Each row is the average of a student's grades in one semester, ``occasion`` 0 to 5.

students = load_study("gpa")
print(f"{students.attrs['origin']}: {len(students)} rows")
print(students.head(3).to_string(index=False))

# %%
# A line for each of two hundred students is a haystack. A few of them, from low to high, show what
# there is to model: students start at different levels, they improve, and not all at the same pace.

TrajectoriesDisplay.from_results(mixedlm("gpa ~ occasion + (1 | student)", students))
plt.show()

# %%
# A level for each student
# ------------------------
#
# Least squares takes the 1200 rows for independent. They are not: students who are good in one
# semester are good in the next. The random intercept is the level of a student, and its share of
# the variance, the intraclass correlation, is what two semesters of a student have in common.

X, y = students[["occasion", "student"]], students["gpa"]
pooled = LinearRegression().fit(X[["occasion"]], y)
levels = mixedlm("gpa ~ occasion + (1 | student)", students)
print(levels.summary())
print(f"least squares: {pooled.intercept_:.3f} {pooled.coef_[0]:+.3f} occasion")
print(f"intraclass correlation: {levels.icc:.2f}")

# %%
# The population's line is the same for both: with equally many rows from everyone, it must be. What
# differs is what is said about a student.

figure, panels = plt.subplots(
    1, 2, figsize=(8, 4.6), sharex=True, sharey=True, layout="constrained"
)
predicted = {"least squares": pooled.predict(X[["occasion"]]), "mixed model": levels.fittedvalues}
for ax, (name, values) in zip(panels, predicted.items(), strict=True):
    ax.scatter(values, y, s=10, color="#0072B2", alpha=0.3, linewidths=0)
    ax.axline((3, 3), slope=1, color="0.4", linewidth=1, linestyle="--")
    ax.set_title(f"{name}: RMSE {root_mean_squared_error(y, values):.2f}", loc="left")
    ax.set(xlabel="predicted GPA", aspect="equal")
    ax.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("observed GPA")
plt.show()

# %%
# A slope for each student
# ------------------------
#
# Do all improve at the same pace? ``(occasion | student)`` lets the slopes differ as well. Twice
# the difference of the log-likelihoods is far more than two parameters bring by chance.

growth = mixedlm("gpa ~ occasion + (occasion | student)", students)
print(growth.variance_components.round(4).to_string(index=False))
tested = anova_models(levels, growth)
columns = ["n_parameters", "aic", "log_likelihood", "statistic", "df", "p_value_mixture"]
print(tested[columns].round(3).to_string())

# %%
# Two students: those whose lines are the steepest and the flattest. The line of the population,
# which least squares finds, is neither's.

slopes = growth.random_effects["student"]["occasion"]
pair = GroupFitDisplay.from_results(growth, levels=[slopes.idxmax(), slopes.idxmin()])
plt.show()

# %%
# And all of them in one picture.

everyone = GroupFitDisplay.from_results(
    growth, levels=list(slopes.index), show=("mixed", "pooled"), panels=False
)
plt.show()

# %%
# In words: the mean slope is clearly positive. That does not mean that all students improve. The
# interval says how well the mean is known, the central 95% how different the students are.

for paragraph in growth.describe().split("\n\n"):
    print(textwrap.fill(paragraph, 100), end="\n\n")
mean, sd = growth.params["occasion"], growth.variance_components["sdcor"][1]
print(f"Expected to get worse: {stats.norm.cdf(-mean / sd):.1%} of the students")

# %%
# What shrinkage is good for
# --------------------------
#
# Now pretend that three semesters are over, and predict the other three. A line through three
# points of a student follows every accident of them. The mixed model knows how much students' lines
# differ, and shrinks what goes beyond that.

students = students.sort_values(["student", "occasion"])
early, late = students[students["occasion"] < 3], students[students["occasion"] >= 3]
halfway = MixedLM(groups="student", random_slopes="occasion")
halfway.fit(early[["occasion", "student"]], early["gpa"])
own_lines = {
    student: np.polynomial.Polynomial.fit(rows["occasion"], rows["gpa"], deg=1)
    for student, rows in early.groupby("student")
}
forecasts = {
    "one line for all": LinearRegression()
    .fit(early[["occasion"]], early["gpa"])
    .predict(late[["occasion"]]),
    "a line for each": np.concatenate(
        [own_lines[student](rows["occasion"]) for student, rows in late.groupby("student")]
    ),
    "mixed model": halfway.predict(late[["occasion", "student"]]),
}
for name, values in forecasts.items():
    print(f"{name:17} RMSE of semesters 4 to 6: {root_mean_squared_error(late['gpa'], values):.3f}")

# %%
# Each arrow is a student, from their own line after three semesters to that of the mixed model.
# Those at the edge go farthest: levels and slopes that hardly any student has are likely to be
# accidents.

ShrinkageDisplay.from_estimator(halfway, early[["occasion", "student"]], early["gpa"])
plt.show()

# %%
# With predictors
# ---------------
#
# Sex and the grades at high school do not change from semester to semester. They can explain why
# students start at different levels, :math:`\alpha_{0,j}`; as an interaction with the semester sex
# can explain why they do not improve at the same pace, :math:`\alpha_{2,j}`. By levels the model is

explained = mixedlm("gpa ~ occasion * sex + highgpa + (occasion | student)", students)
explained.equation("hierarchical")

# %%
# Both say a little about where a student starts, and the rest of the differences remains. Compare
# the standard deviations with those above.

print(explained.tidy().round(3).to_string(index=False))
deviations = pd.DataFrame(
    {
        "occasion only": growth.variance_components["sdcor"],
        "with sex and high school": explained.variance_components["sdcor"],
    }
)
print(deviations.set_index(growth.variance_components["group"]).round(3).to_string())
