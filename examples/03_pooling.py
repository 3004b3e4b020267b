"""
Pooled, separate, or partially pooled
=====================================

Forty shops, each with sales at a few prices: how does demand depend on the price? One regression
for all shops ignores that they differ. One regression for each shop ignores that they are alike. A
mixed model does neither, and the data say how far to go.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skmixed import MixedLM
from skmixed.datasets import make_mixed_regression
from skmixed.plots import GroupFitDisplay

# %%
# The shops are simulated, so that the true line of each is known. Some have three weeks of sales,
# some have forty. A quarter of each shop's weeks, at least one, is kept for the end.

sizes = np.geomspace(3, 40, 40).round().astype(int)
data, truth = make_mixed_regression(
    n_groups=40,
    group_size=sizes,
    beta=[20.0, -3.0],
    re_cov=[[9.0, 1.0], [1.0, 1.0]],
    sigma=3.0,
    shuffle=False,
    coef=True,
    as_frame=True,
    random_state=1,
)
data = data.rename(columns={"y": "sales", "x1": "price", "group": "shop"})
last = data.groupby("shop").cumcount(ascending=False) < np.maximum(sizes // 4, 1)[data["shop"]]
train, test = data[~last], data[last]
print(f"{len(train)} weeks to learn from, {len(test)} kept; {train['shop'].nunique()} shops")

# %%
# Four models
# -----------
#
# *Pooled*: one line, whatever the shop.

pooled = LinearRegression().fit(train[["price"]], train["sales"])
print(f"pooled: {pooled.intercept_:.2f} {pooled.coef_[0]:+.2f} price")

# %%
# *An intercept for each shop*, the same slope: a column of zeros and ones for every shop. The
# intercept of a shop rests on its own weeks alone.

dummies = make_pipeline(
    ColumnTransformer(
        [("shop", OneHotEncoder(sparse_output=False), ["shop"])], remainder="passthrough"
    ),
    LinearRegression(fit_intercept=False),
).fit(train[["shop", "price"]], train["sales"])

# %%
# *Separate*: a regression for each shop, which knows of no other shop. Even two weeks make a line.

separate = {
    shop: LinearRegression().fit(rows[["price"]], rows["sales"])
    for shop, rows in train.groupby("shop")
}

# %%
# *Partially pooled*: a mixed model. It estimates how much shops differ, and weighs what a shop says
# itself against what all shops say together.

mixed = MixedLM(groups="shop", random_slopes="price").fit(train[["price", "shop"]], train["sales"])
print(mixed.summary())

# %%
# Six shops, with few and with many weeks. Where there are many, the line of the mixed model is
# close to the separate one; where there are few, it leans on the line of all shops. The true line,
# which nobody knows outside of a simulation, is dotted.

GroupFitDisplay.from_estimator(
    mixed,
    train[["price", "shop"]],
    train["sales"],
    levels=[1, 4, 10, 20, 30, 39],
    true=truth.group_coef,
)
plt.show()

# %%
# Who is closer to the truth?
# ---------------------------
#
# Each model gives each shop an intercept and a slope. Compare them with the true ones, in shops
# with few and with many weeks.

coefficients = {
    "pooled": np.tile([pooled.intercept_, pooled.coef_[0]], (40, 1)),
    "intercept for each": np.column_stack(
        [dummies[-1].coef_[:40], np.full(40, dummies[-1].coef_[40])]
    ),
    "separate": np.array([[line.intercept_, line.coef_[0]] for line in separate.values()]),
    "partially pooled": mixed.group_coef_["shop"].to_numpy(),
}
weeks = train.groupby("shop").size().to_numpy()
few = weeks <= np.median(weeks)
table = pd.DataFrame(
    {
        (what, which): {
            name: root_mean_squared_error(truth.group_coef[rows, column], found[rows, column])
            for name, found in coefficients.items()
        }
        for column, what in enumerate(["intercept", "slope"])
        for rows, which in ((few, "few weeks"), (~few, "many weeks"))
    }
)
print("Root mean squared error of the shops' coefficients")
print(table.round(2).to_string())

# %%
# With few weeks a line of one's own is far from the truth, above all its slope. With many weeks the
# pooled line throws away what they say, above all of the level. Partial pooling is the closest in
# every column. The picture shows the slopes shop by shop: what a line of its own costs a shop with
# little data.

figure, ax = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
for name, colour, marker in (("separate", "#D55E00", "s"), ("partially pooled", "#0072B2", "o")):
    error = np.abs(coefficients[name][:, 1] - truth.group_coef[:, 1])
    ax.scatter(weeks, error, c=colour, marker=marker, s=28, label=name, linewidths=0, alpha=0.85)
ax.axhline(1.0, color="0.5", linestyle="--", linewidth=1, label="SD of the true slopes")
ax.set(xscale="log", yscale="symlog", xlabel="weeks of the shop", ylabel="error of the slope")
ax.set_ylim(0.0, 20.0)
ax.set_yticks([0, 0.5, 1, 2, 5, 10, 20], ["0", "0.5", "1", "2", "5", "10", "20"])
ax.set_xticks([2, 5, 10, 20, 30], ["2", "5", "10", "20", "30"])
ax.set_xticks([], minor=True)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()

# %%
# Next weeks, and a new shop
# --------------------------
#
# The same holds for the weeks that were kept. Nobody can do better than the residual standard
# deviation, which is 3 here.

predictions = {
    "pooled": pooled.predict(test[["price"]]),
    "intercept for each": dummies.predict(test[["shop", "price"]]),
    "separate": np.concatenate(
        [separate[shop].predict(rows[["price"]]) for shop, rows in test.groupby("shop")]
    ),
    "partially pooled": mixed.predict(test[["price", "shop"]]),
}
small = few[test["shop"]]
print("Root mean squared error of the kept weeks")
print(f"{'':20}{'few weeks':>12}{'many weeks':>12}")
for name, predicted in predictions.items():
    errors = [root_mean_squared_error(test["sales"][k], predicted[k]) for k in (small, ~small)]
    print(f"{name:20}{errors[0]:12.2f}{errors[1]:12.2f}")

# %%
# A shop that opens tomorrow has no line of its own, and no column among the dummies. The mixed
# model predicts the mean of all shops, and knows how far a shop may be from it.

new = pd.DataFrame({"price": [0.0, 0.0], "shop": [39, 1000]})
lower, upper = mixed.predict_interval(new).T
for shop, predicted, low, high in zip(new["shop"], mixed.predict(new), lower, upper, strict=True):
    print(
        f"shop {shop:4}: {predicted:5.1f} sales at the mean price, 95% from {low:.1f} to {high:.1f}"
    )
