"""
Ticks on grouse: counts that vary too much
==========================================

How many ticks does a chick carry, and does it depend on how high up the moor it lives? Counts of
animals are rarely Poisson: most chicks have none or a few, and some have dozens. Three models of
them, and how to see which of them fits.
"""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import norm

from skmixed import MixedGLM, NoGroupsWarning, cross_validate_groups, mixedglm
from skmixed.datasets import load_study
from skmixed.inference import (
    compare,
    marginal_means,
    overdispersion_test,
    pairwise,
    quantile_residuals,
    zero_inflation_test,
)

ticks = load_study("ticks")
print(ticks.attrs["origin"])
print(ticks.groupby("YEAR", observed=True)["TICKS"].agg(["size", "mean", "var", "max"]).round(1))

# %%
# Chicks live in broods, broods at locations. A year later the broods are others, the locations
# partly the same. Each dot is a chick.

COLOURS = {95: "#0072B2", 96: "#D55E00", 97: "#009E73"}
figure, ax = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
jitter = np.random.default_rng(0)
for year, rows in ticks.groupby("YEAR", observed=True):
    place = rows["HEIGHT"] + jitter.uniform(-1.5, 1.5, len(rows))
    ax.scatter(
        place, rows["TICKS"], s=14, alpha=0.6, linewidths=0, color=COLOURS[year], label=f"19{year}"
    )
ax.set_yscale("symlog", linthresh=1)
ax.set_yticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])
ax.minorticks_off()
ax.set(xlabel="height above the sea (m)", ylabel="ticks")
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside upper left", ncols=3, frameon=False)
plt.show()

# %%
# Three models
# ------------
#
# A Poisson distribution has a variance equal to its mean. The negative binomial lets the variance
# grow faster, by a parameter that is estimated. An effect of each row does the same in another way:
# every chick has a rate of its own. ``INDEX`` numbers the chicks.

terms = "YEAR + cHEIGHT + (1 | BROOD) + (1 | LOCATION)"
models = {
    "Poisson": mixedglm(f"TICKS ~ {terms}", ticks, family="poisson"),
    "negative binomial": mixedglm(f"TICKS ~ {terms}", ticks, family="negative_binomial"),
    "Poisson, row effects": mixedglm(f"TICKS ~ {terms} + (1 | INDEX)", ticks, family="poisson"),
}
print(
    compare(models)[["model", "log_likelihood", "aic", "delta_aic"]].round(1).to_string(index=False)
)
print(models["negative binomial"].summary())

# %%
# Poisson is far behind. Do the counts vary more than each model says? And are there more zeros?
# Both tests compare the data with data that the model simulates.

for name, fit in models.items():
    spread = overdispersion_test(fit, n_simulations=500, random_state=0)
    zeros = zero_inflation_test(fit, n_simulations=500, random_state=0)
    print(
        f"{name:21} spread {spread['ratio']:.2f} of the model's (p = {spread['p_value']:.3f}), "
        f"{zeros['observed']:.0f} zeros of {zeros['expected']:.0f} (p = {zeros['p_value']:.3f})"
    )

# %%
# There is nothing wrong with the zeros of the negative binomial: a low mean and a wide distribution
# make that many. Zero inflation would be a solution without a problem.
#
# Quantile residuals show the same as a picture. They are the probability of a count up to the one
# that was observed, turned into a normal variable: on the line, if the model is right.

figure, panels = plt.subplots(
    1, 3, figsize=(9, 3.3), sharex=True, sharey=True, layout="constrained"
)
theory = norm.ppf((np.arange(len(ticks)) + 0.5) / len(ticks))
for ax, (name, fit) in zip(panels, models.items(), strict=True):
    residuals = quantile_residuals(fit, scale="normal", random_state=0)
    ax.axline((0, 0), slope=1, color="0.7", linewidth=1)
    ax.scatter(theory, np.sort(residuals), s=8, color="#0072B2", linewidths=0)
    ax.set_title(name, loc="left")
    ax.set(xlabel="normal quantiles")
    ax.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("quantile residuals")
plt.show()

# %%
# Years as ratios
# ---------------
#
# Means of the years at the mean height, in a typical brood at a typical location, and their ratios.

results = models["negative binomial"]
means = marginal_means(results, "YEAR", scale="response")
print(means.tidy().round(2).to_string(index=False))
print(pairwise(results, "YEAR", scale="response").round(3).to_string(index=False))

# %%
# All three models agree on the ratios: years differ between broods, and the effects of broods keep
# chicks of a brood from being counted as independent. A model without any groups is another matter.
# Its limits are far too narrow.

with warnings.catch_warnings():
    warnings.simplefilter("ignore", NoGroupsWarning)
    models["Poisson, no groups"] = mixedglm("TICKS ~ YEAR + cHEIGHT", ticks, family="poisson")
ratios = pd.DataFrame(
    {
        name: fit.tidy(exponentiate=True).set_index("term").loc["YEAR[T.96]"]
        for name, fit in models.items()
    }
).T[["estimate", "lower", "upper"]]
print("Ticks in 1996, relative to 1995")
print(ratios.astype(float).round(2).to_string())

# %%
# A chick that nobody has seen
# ----------------------------
#
# What to expect of a new chick, in a new brood and at a new location? The mean is averaged over
# what broods and locations may be like. The band should hold 95 % of chicks.

new = pd.DataFrame({"YEAR": 96, "HEIGHT": np.arange(405, 534, 4), "BROOD": 0, "LOCATION": 0})
new["cHEIGHT"] = new["HEIGHT"] - (ticks["HEIGHT"] - ticks["cHEIGHT"]).mean()
low, high = results.predict_interval(new, average=True).T
seen = ticks[ticks["YEAR"] == 96]
figure, ax = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
ax.fill_between(new["HEIGHT"], low, high, color="#56B4E9", alpha=0.35, linewidth=0)
ax.plot(new["HEIGHT"], results.predict(new, average=True), color="#0072B2")
ax.scatter(seen["HEIGHT"], seen["TICKS"], s=12, color="0.3", alpha=0.6, linewidths=0)
ax.set_yscale("symlog", linthresh=1)
ax.set_yticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])
ax.minorticks_off()
ax.set(xlabel="height above the sea (m)", ylabel="ticks in 1996")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Does the band keep its promise? Counts are whole numbers, so that 95 % can only be reached or
# exceeded. For new broods and locations either model does: how much those differ was estimated, and
# decides. For another chick of a known brood Poisson falls short. It knows nothing of chicks that
# differ.

coverage = pd.DataFrame(
    {
        family: cross_validate_groups(
            MixedGLM(formula=f"TICKS ~ {terms}", family=family), ticks, random_state=0
        )
        .summary()
        .set_index(["question", "factor"])["coverage"]
        for family in ("poisson", "negative_binomial")
    }
)
print("Coverage of 95 % intervals")
print(coverage.round(3).to_string())
