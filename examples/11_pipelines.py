"""
Pipelines, grid searches and two honest scores
==============================================

A mixed model is a scikit-learn estimator: it goes into a pipeline, a cross-validation and a grid
search. With grouped data the search must know which question it shall answer, because different
questions may have different best models.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmixed import GroupScorer, MixedLM, cross_validate_groups
from skmixed.datasets import load_study

students = load_study("gpa")
X, y = students[["occasion", "sex", "highgpa", "student"]], students["gpa"]
print(students.attrs["origin"])

# %%
# A pipeline
# ----------
#
# Numbers are scaled, sex is coded, and the column of labels passes through. ``set_output`` keeps
# the names, and ``groups="student"`` finds the column under the name that the transformer gives it.

columns = ColumnTransformer(
    [
        ("scaled", StandardScaler(), ["occasion", "highgpa"]),
        ("coded", OneHotEncoder(drop="first", sparse_output=False), ["sex"]),
    ],
    remainder="passthrough",
).set_output(transform="pandas")
pipeline = make_pipeline(columns, MixedLM(groups="student", random_slopes="occasion"))
pipeline.fit(X, y)
print(pipeline[-1].summary())

# %%
# Two questions, two splitters
# ----------------------------
#
# *Other semesters of students I know*: leave out rows. *Students I do not know*: leave out whole
# students. ``cross_validate_groups`` asks both questions in one call, and says how often the
# prediction intervals hold the truth.

print(cross_validate_groups(pipeline, X, y, random_state=0))

# %%
# With the splitters of scikit-learn the same questions are put to other models. Its R2 compares
# with the mean of the test rows, the one above with that of the training rows. Ridge regression
# gets a column for each student, least squares knows of no students.

questions = {
    "known students": list(KFold(5, shuffle=True, random_state=0).split(X)),
    "new students": list(GroupKFold(5).split(X, groups=X["student"])),
}
coded = ColumnTransformer(
    [
        ("scaled", StandardScaler(), ["occasion", "highgpa"]),
        ("coded", OneHotEncoder(handle_unknown="ignore"), ["sex", "student"]),
    ]
)
population = ColumnTransformer(
    [
        ("coded", OneHotEncoder(drop="first"), ["sex"]),
        ("kept", "passthrough", ["occasion", "highgpa"]),
    ]
)
candidates = {
    "mixed, intercepts": make_pipeline(columns, MixedLM(groups="student")),
    "mixed, intercepts and slopes": pipeline,
    "ridge with dummies": make_pipeline(coded, Ridge()),
    "least squares, no students": make_pipeline(population, LinearRegression()),
}
scores = pd.DataFrame(
    {
        question: {
            name: cross_validate(model, X, y, cv=folds, scoring="r2")["test_score"].mean()
            for name, model in candidates.items()
        }
        for question, folds in questions.items()
    }
)
print("Cross-validated R2")
print(scores.round(3).to_string())

# %%
# For students who are known, a large part of the variance can be predicted, and the random slopes
# help. For new ones only the population is left, and the random effects do not matter. Who reports
# the first number and is asked the second question will be disappointed.

places = np.arange(len(scores))[::-1]
figure, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
for question, colour, marker in (
    ("known students", "#0072B2", "o"),
    ("new students", "#D55E00", "s"),
):
    ax.scatter(scores[question], places, color=colour, marker=marker, s=60, label=question)
ax.hlines(places, scores.min(axis=1), scores.max(axis=1), color="0.8", zorder=0)
ax.set_yticks(places, scores.index)
ax.set(xlabel="cross-validated R2", ylim=(-0.6, len(scores) - 0.4))
ax.spines[["top", "right", "left"]].set_visible(False)
ax.tick_params(axis="y", length=0)
figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
plt.show()

# %%
# Grid search
# -----------
#
# Parameters of the model are searched like any others, here the random slopes and their covariance.
# Slopes are worth having for students who are known. For new ones all rows of the table are nearly
# equal: random effects of other students say nothing about them.

grid = {
    "mixedlm__random_slopes": [None, "occasion"],
    "mixedlm__covariance": ["unstructured", "diagonal"],
}
for question, folds in questions.items():
    search = GridSearchCV(pipeline, grid, cv=folds, scoring="r2").fit(X, y)
    found = pd.DataFrame(search.cv_results_["params"]).assign(
        R2=search.cv_results_["mean_test_score"]
    )
    print(question)
    print(found.round(4).to_string(index=False))

# %%
# Labels that are not a column
# ----------------------------
#
# Labels may also travel beside X, through scikit-learn's metadata routing. Scikit-learn's own
# scorers do not pass them on to ``predict``; ``GroupScorer`` does.

features, labels = students[["occasion", "highgpa"]].to_numpy(), students["student"].to_numpy()
with sklearn.config_context(enable_metadata_routing=True):
    routed = cross_validate(
        make_pipeline(StandardScaler(), MixedLM(random_slopes=[0])),
        features,
        y,
        cv=KFold(5, shuffle=True, random_state=0),
        params={"groups": labels},
        scoring={
            "own line": GroupScorer(metric=mean_absolute_error, greater_is_better=False),
            "population": GroupScorer(
                metric=mean_absolute_error, greater_is_better=False, include_random_effects=False
            ),
        },
    )
for name in ("own line", "population"):
    print(f"mean absolute error from the {name}: {-routed[f'test_{name}'].mean():.3f}")
