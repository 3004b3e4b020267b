"""
Speed dating: who says yes, and to whom?
========================================

Five hundred people meet four to twenty-two others for a few minutes each. Afterwards both say
whether they want to meet again. The answer is yes or no, and it depends on two people: the one who
decides, and the one who is decided about. Random effects of both are crossed.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

from skmixed import MixedLogisticRegression, cross_validate_groups, mixedglm
from skmixed.datasets import load_study
from skmixed.inference import compare, confint

dates = load_study("speed_dating").dropna()
dates["yes"] = (dates["decision"] == "Yes").astype(int)
print(dates.attrs["origin"])
print(f"{len(dates)} decisions of {dates['iid'].nunique()} people, {dates['yes'].mean():.0%} yes")

# %%
# Do people differ at all?
# ------------------------
#
# If everybody said yes with the same probability, chance would spread people as the grey line does.
# They are spread much more. Some people say yes to nearly everybody they meet, and
# some to nobody. Those who are decided about differ, too.

figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharex=True, layout="constrained")
bins, rng = np.linspace(0, 1, 11), np.random.default_rng(0)
for ax, factor, title in zip(
    panels, ["iid", "partner_id"], ["who decides", "who is decided about"], strict=True
):
    people = dates.groupby(factor)["yes"].agg(["mean", "size"])
    ax.hist(people["mean"], bins=bins, color="#0072B2", rwidth=0.92)
    by_chance = rng.binomial(people["size"], dates["yes"].mean(), (200, len(people)))
    chance = np.histogram(by_chance / people["size"].to_numpy(), bins)[0] / 200
    ax.stairs(chance, bins, color="0.4", linewidth=1.5)
    ax.set_title(title, loc="left")
    ax.set(xlabel="share of yeses")
    ax.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("people")
plt.show()

# %%
# Three models
# ------------
#
# Ratings of the partner are columns. Whoever decides may be easy or hard to please; whoever is
# decided about may be liked more than the ratings tell.

ratings = "sex + samerace + attractive_sc + sincere_sc + intelligent_sc"
models = {
    "who decides": mixedglm(f"yes ~ {ratings} + (1 | iid)", dates),
    "who is decided about": mixedglm(f"yes ~ {ratings} + (1 | partner_id)", dates),
    "both": mixedglm(f"yes ~ {ratings} + (1 | iid) + (1 | partner_id)", dates),
}
print(
    compare(models)[["model", "log_likelihood", "aic", "delta_aic"]].round(1).to_string(index=False)
)

# %%
# Both are needed. Fitting crossed factors takes no more than naming them.

results = models["both"]
print(results.summary())

# %%
# Odds ratios
# -----------
#
# A coefficient is a difference of log odds, its exponential a ratio of odds. Ratings are in steps
# of 2: one more point of attractiveness multiplies the odds by the square of what is shown.

table = results.tidy(exponentiate=True).iloc[1:]
print(table[["term", "estimate", "lower", "upper"]].round(2).to_string(index=False))
figure, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
places = np.arange(len(table))[::-1]
reach = [table["estimate"] - table["lower"], table["upper"] - table["estimate"]]
ax.axvline(1, color="0.7", linewidth=1)
ax.errorbar(table["estimate"], places, xerr=reach, fmt="o", color="#0072B2", capsize=3)
ax.set_yticks(places, table["term"])
ax.set(xscale="log", xlabel="odds ratio, with 95 % limits")
ax.set_xticks([0.8, 1, 1.25, 1.5, 2], ["0.8", "1", "1.25", "1.5", "2"])
ax.minorticks_off()
ax.spines[["top", "right", "left"]].set_visible(False)
ax.tick_params(axis="y", length=0)
plt.show()

# %%
# How much do people differ?
# --------------------------
#
# The standard deviations are on the scale of log odds. People differ more in how easily they say
# yes than in how much they are liked beyond their ratings.

limits = confint(results, "wald", "random")
print(limits[["parameter", "estimate", "lower", "upper"]].round(2).to_string(index=False))

# %%
# What such a standard deviation means is easier to see in probabilities. For the same partner, with
# average ratings otherwise, people near either end of the range are worlds apart.

sd = float(limits["estimate"].iloc[list(limits["parameter"]).index("sd_Intercept|iid")])
grid = np.linspace(-14, 8, 111)
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for quantile, name, colour in (
    (1.2816, "90 % are choosier", "#009E73"),
    (0.0, "the middle", "#0072B2"),
    (-1.2816, "10 % are choosier", "#D55E00"),
):
    eta = results.params["Intercept"] + results.params["attractive_sc"] * grid + quantile * sd
    ax.plot(grid, expit(eta), color=colour, linewidth=2, label=name)
ax.set(xlabel="attractive_sc", ylabel="probability of a yes", ylim=(0, 1))
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside upper left", ncols=3, frameon=False)
plt.show()

# %%
# Predicting the next answer
# --------------------------
#
# How good are predictions? It depends on whom one knows. Lower is better for log loss; always
# predicting the share of yeses has 0.69 or a little less.

features = ["attractive_sc", "sincere_sc", "intelligent_sc", "iid", "partner_id"]
classifier = MixedLogisticRegression(groups=["iid", "partner_id"])
scores = cross_validate_groups(classifier, dates[features], dates["yes"], cv=3, random_state=0)
print(scores)

# %%
# Knowing who decides is worth most: of somebody new only the ratings are known, and the log loss
# is a quarter higher. Knowing who is decided about adds little to the ratings.
#
# Probabilities of new people are averaged over how easily they may say yes, so that their
# calibration slope is near 1: neither too bold nor too timid.
