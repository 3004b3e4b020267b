"""
Ratings: known and new users, known and new films
=================================================

Predict how users rate films, when the user, the film, both or neither are known. The mixed model
has an effect for each user and one for each film, and uses those it knows.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GroupKFold, KFold, cross_validate

from skmixed import MixedLM
from skmixed.datasets import make_crossed_regression

# %%
# 12,000 ratings on a scale from 0 to 7, more or less. Some films are rated by hundreds, most by a
# few, and nobody rates a film twice. ``match`` says how well a film fits what its viewer likes.
# Users differ in how strict they are, films in how good they are, and a rating belongs to one of
# each.

data, truth = make_crossed_regression(
    n_samples=12_000,
    n_levels=[1_000, 300],
    beta=[3.5, 0.3],
    re_sd=[0.5, 0.7],
    sigma=0.8,
    popularity=[0.5, 0.8],
    unique=True,
    coef=True,
    as_frame=True,
    random_state=0,
)
data = data.rename(columns={"y": "rating", "x1": "match", "group1": "user", "group2": "film"})
X, y = data[["match", "user", "film"]], data["rating"]

# %%
# Two crossed factors are a list of two columns.

model = MixedLM(groups=["user", "film"]).fit(X, y)
print("Where the variance comes from (simulated with SD 0.5, 0.7 and 0.8)")
print(model.variance_components_[["group", "sdcor", "share"]].round(3).to_string(index=False))

# %%
# Effects that are known are used, others are not: a new user (here -1) rates as the average user
# does, and is less predictable. ``include_random_effects=["film"]`` asks for the average
# user in any case, and so ranks the films.

rows = pd.DataFrame({"match": 0.0, "user": [7, -1, 7, -1], "film": [0, 0, 1, 1]})
asked = rows.assign(prediction=model.predict(rows))
asked[["lower", "upper"]] = model.predict_interval(rows)
asked["film only"] = model.predict(rows, include_random_effects=["film"])
print("User 7 and a new user before two films, with 95% intervals for their ratings")
print(asked.round(2).to_string(index=False))

# %%
# Four questions
# --------------
#
# As with one factor, the split decides which question the scores answer. With two factors there
# are four questions. The last one, a new user before a new film, needs a splitter of its own.

N_FOLDS = 5


def new_users_and_films():
    """Yield folds whose test rows share neither a user nor a film with the training rows.

    Ratings of new users for known films, which would make the users known, are in neither part. The
    labels are numbers in random order: their remainders are random folds.
    """
    for fold in range(N_FOLDS):
        new_user, new_film = (data[["user", "film"]] % N_FOLDS == fold).to_numpy().T
        yield np.flatnonzero(~new_user & ~new_film), np.flatnonzero(new_user & new_film)


def error_with(effects):
    """Return a scorer: the root mean squared error with the random effects of some factors."""
    return lambda fitted, X, y: root_mean_squared_error(
        y, fitted.predict(X, include_random_effects=effects)
    )


def coverage(fitted, X, y):
    """Score the share of ratings within their 95% intervals, in per cent."""
    lower, upper = fitted.predict_interval(X, coverage=0.95).T
    return 100 * np.mean((lower <= y) & (y <= upper))


def width(fitted, X, _):
    """Score the mean width of the 95% intervals."""
    return np.diff(fitted.predict_interval(X, coverage=0.95)).mean()


splits = {
    "known user, known film": KFold(N_FOLDS, shuffle=True, random_state=0).split(X),
    "new user, known film": GroupKFold(N_FOLDS).split(X, groups=data["user"]),
    "known user, new film": GroupKFold(N_FOLDS).split(X, groups=data["film"]),
    "new user, new film": new_users_and_films(),
}
scorers = {
    "population": error_with(False),
    "film": error_with(["film"]),
    "user + film": error_with(["user", "film"]),
    "R2": "r2",
    "covered %": coverage,
    "width": width,
}
table = {}
for situation, split in splits.items():
    folds = list(split)
    mixed = cross_validate(model, X, y, cv=folds, scoring=scorers)
    plain = cross_validate(
        LinearRegression(), X[["match"]], y, cv=folds, scoring="neg_root_mean_squared_error"
    )
    table[situation] = {"least squares": -plain["test_score"].mean()}
    table[situation] |= {name: mixed[f"test_{name}"].mean() for name in scorers}
table = pd.DataFrame(table).T

errors = ["least squares", "population", "film", "user + film"]
print(f"Root mean squared error by what predictions are made from, mean of {N_FOLDS} folds")
print(table[errors].to_string(float_format="{:.3f}".format))
print("\nThe mixed model's R2, and how many new ratings its 95% intervals cover at which width")
print(table[["R2", "covered %", "width"]].round({"R2": 2, "covered %": 1, "width": 2}).to_string())

# %%
# Left: what it is worth to know the user and the film. Right: how sure one can be.

figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(10, 4), layout="constrained")
positions = np.arange(len(table))
colours = ["#8C8C8C", "#E69F00", "#009E73", "#0072B2"]
for j, name in enumerate(errors):
    places = positions + 0.14 * (j - 1.5)
    left.plot(table[name], places, "os^D"[j], color=colours[j], label=name)
left.axvline(truth.sigma, color="0.5", linestyle="--", label="residual SD")
left.set(yticks=positions, yticklabels=table.index, xlabel="root mean squared error")
left.invert_yaxis()
figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False)
bars = right.barh(positions, table["width"], height=0.5, color="0.8")
right.bar_label(
    bars, [f"covers {share:.1f} %" for share in table["covered %"]], label_type="center"
)
right.set(xlabel="mean width of the 95% intervals")
plt.show()
