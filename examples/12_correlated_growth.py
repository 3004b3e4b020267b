"""
Growth: a heavy month follows a heavy month
===========================================

Children grow along lines of their own, but not exactly: appetite, colds and holidays last longer
than a month. Measurements of neighbouring months then err in the same direction, and some err more
than others. Both belong in the model, or it claims to know more than it does.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skmixed import mixedlm
from skmixed.datasets import load_orthodont
from skmixed.plots import AutocorrelationDisplay, SpreadByStratumDisplay, TrajectoriesDisplay
from skmixed.residual import AR1, Heterogeneous

BLUE, ORANGE = "#0072B2", "#D55E00"

# %%
# Boys scatter more
# -----------------
#
# A distance in the jaw of 27 children, measured every other year between the ages of 8 and 14. The
# lines of the girls are smooth; those of some boys are anything but.

children = load_orthodont()
equal = mixedlm("distance ~ age * Sex + (1 | Subject)", children)
TrajectoriesDisplay.from_results(equal, color="Sex")
plt.show()

# %%
# The usual model has one residual variance for all of them. ``Heterogeneous("Sex")`` gives each sex
# its own, at the price of one parameter.

by_sex = mixedlm("distance ~ age * Sex + (1 | Subject)", children, residual=Heterogeneous("Sex"))
print(by_sex.residual_variances.round(2).to_string())
print(f"AIC: {equal.aic:.1f} with one variance, {by_sex.aic:.1f} with two")

# %%
# The residuals agree: each sex has a spread of its own, and the model's are within the limits.

SpreadByStratumDisplay.from_results(by_sex)
plt.show()

# %%
# What changes is how well the two slopes are known. One variance for all is too large for girls,
# and too small for boys.

slopes = {"girls": "age + age:Sex[T.Female] = 0", "boys": "age = 0"}
fits = {"one variance": equal, "two variances": by_sex}
errors = pd.DataFrame(
    {
        name: {who: fit.t_test(slope)["se"].iloc[0] for who, slope in slopes.items()}
        for name, fit in fits.items()
    }
)
print("Standard errors of growth, mm per year")
print(errors.round(3).to_string())

# %%
# Two years of monthly weights
# ----------------------------
#
# Now forty toddlers, weighed every month for two years. These are simulated, so that the truth is
# known: each child has a weight and a growth of its own; the deviations of neighbouring months have
# a correlation of 0.8; and in the second year, on scales at home, they are 1.6 times as large.

N_CHILDREN, N_MONTHS, PHI, SD, RATIO = 40, 24, 0.8, 0.3, 1.6


def weigh(seed: int) -> pd.DataFrame:
    """Simulate one study."""
    rng = np.random.default_rng(seed)
    month = np.arange(N_MONTHS)
    wave = rng.standard_normal((N_CHILDREN, N_MONTHS))
    for k in month[1:]:
        wave[:, k] = PHI * wave[:, k - 1] + np.sqrt(1 - PHI**2) * wave[:, k]
    start = 12 + 1.2 * rng.standard_normal((N_CHILDREN, 1))
    growth = 0.18 + 0.05 * rng.standard_normal((N_CHILDREN, 1))
    scatter = np.where(month < 12, SD, RATIO * SD)
    weight = start + growth * month + scatter * wave
    return pd.DataFrame(
        {
            "child": np.repeat(np.arange(N_CHILDREN), N_MONTHS),
            "month": np.tile(month, N_CHILDREN),
            "year": np.tile(np.where(month < 12, "first", "second"), N_CHILDREN),
            "weight": weight.ravel(),
            "true_growth": np.repeat(growth, N_MONTHS),
        }
    )


toddlers = weigh(seed=0)
formula = "weight ~ month + (month || child)"
independent = mixedlm(formula, toddlers)

# %%
# The residuals around the children's own lines give it away: they come in waves, and the waves are
# higher in the second year.

fig, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
some = toddlers.assign(left=independent.resid).query("child in (5, 15, 25, 35)")
for (_, rows), colour in zip(some.groupby("child"), (BLUE, ORANGE, "#009E73", "0.3"), strict=True):
    ax.plot(rows["month"], rows["left"], color=colour, marker="o", markersize=3)
ax.axhline(0, color="0.7", linewidth=1, zorder=0)
ax.axvline(11.5, color="0.7", linewidth=1, linestyle="--")
ax.set(xlabel="month", ylabel="residual, kg", title="Four children")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# A structure is a product: correlations times standard deviations. AIC asks for both.

candidates = {
    "independent": None,
    "AR(1)": AR1("month"),
    "two variances": Heterogeneous("year"),
    "AR(1), two variances": AR1("month") * Heterogeneous("year"),
}
models = {
    name: mixedlm(formula, toddlers, residual=structure) for name, structure in candidates.items()
}
aic = pd.Series({name: fit.aic for name, fit in models.items()}, name="AIC")
print(aic.round(1).to_string())

# %%
# The full model wins by far, and recovers what was simulated.

full = models["AR(1), two variances"]
found = {**full.residual_parameters, "sigma": full.sigma}
truth = {"phi": PHI, "ratio second": RATIO, "sigma": SD}
table = pd.DataFrame({"truth": truth, "estimate": found})
print(table.round(3).to_string())

# %%
# Normalised, the residuals of neighbouring months have nothing left in common.

AutocorrelationDisplay.from_results(full)
plt.show()

# %%
# The covariances of one child's residuals, by month: they fade from the diagonal, and grow with the
# second year.

first = toddlers[toddlers["child"] == 0]
covariance = full.residual_covariance(first)
fig, ax = plt.subplots(figsize=(4.6, 4), layout="constrained")
image = ax.imshow(covariance, cmap="Blues", vmin=0)
ax.set(xlabel="month", ylabel="month")
fig.colorbar(image, ax=ax, shrink=0.75, label="covariance of residuals, kg$^2$")
plt.show()

# %%
# What is it worth?
# -----------------
#
# Are the children's slopes known as well as the models say? In twenty more studies we compare the
# estimated slope of each child with the true one, in standard errors. If these are honest, the
# spread is 1.


def errors_of_slopes(seed: int) -> dict[str, float]:
    """Return the spread of the errors of the children's slopes, in standard errors."""
    rows = weigh(seed)
    true = rows.groupby("child")["true_growth"].first().to_numpy()
    spread = {}
    for name in ("independent", "AR(1), two variances"):
        fit = mixedlm(formula, rows, residual=candidates[name])
        slopes = fit.group_coefficients_table().query("term == 'month'")
        spread[name] = float(((slopes["value"] - true) / slopes["se"]).std())
    return spread


calibration = pd.DataFrame([errors_of_slopes(seed) for seed in range(1, 21)])
print("Errors of the children's slopes, in standard errors")
print(calibration.mean().round(2).to_string())

# %%
# Without autocorrelation the errors are almost three times what the model claims: it takes waves
# for growth.

# %%
# The next months of a child
# --------------------------
#
# After a year and a half: how heavy will each child be in the next six months? The child's line is
# one answer. With ``residual_memory=True`` a forecast also starts from where the child is on its
# wave, which is worth most for the next month.

past, future = toddlers[toddlers["month"] < 18], toddlers[toddlers["month"] >= 18]
early = {
    name: mixedlm(formula, past, residual=candidates[name])
    for name in ("independent", "AR(1), two variances")
}
forecasts = {
    "line, independent": early["independent"].predict(future),
    "line, AR(1)": early["AR(1), two variances"].predict(future),
    "line and wave": early["AR(1), two variances"].predict(future, residual_memory=True),
}
squares = pd.DataFrame({name: (future["weight"] - mean) ** 2 for name, mean in forecasts.items()})
rmse = np.sqrt(squares.groupby(future["month"] - 17).mean()).rename_axis("months ahead")
print("Root mean squared error of forecasts, kg")
print(rmse.round(2).to_string())

# %%
# The interval knows about it: narrow next month, and as wide as that of the line alone after
# half a year.

child = toddlers[toddlers["child"] == 5]
ahead = child[child["month"] >= 18]
fit = early["AR(1), two variances"]
fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
ax.plot(child["month"], child["weight"], "o", color="0.3", markersize=4, label="measured")
for memory, colour, name in ((False, BLUE, "line"), (True, ORANGE, "line and wave")):
    lower, upper = fit.predict_interval(ahead, residual_memory=memory).T
    ax.fill_between(ahead["month"], lower, upper, color=colour, alpha=0.2, linewidth=0)
    ax.plot(ahead["month"], fit.predict(ahead, residual_memory=memory), color=colour, label=name)
ax.axvline(17.5, color="0.7", linewidth=1, linestyle="--")
ax.set(xlabel="month", ylabel="weight, kg")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()
