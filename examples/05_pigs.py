"""
Pigs: what will it weigh in three weeks?
========================================

Forty-eight pigs are weighed every week. We find the model by looking at what is left over, and then
ask it for what a farmer wants to know: weights to come, with honest intervals.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_study
from skmixed.inference import compare, effective_df, exact_rlrt
from skmixed.plots import PredictionIntervalDisplay, ResidualsDisplay

pigs = load_study("pigs")
print(f"{pigs.attrs['origin']}: {pigs['id'].nunique()} pigs in {pigs['week'].nunique()} weeks")

# %%
# Is a level for each pig enough?
# -------------------------------
#
# Heavy pigs stay heavy. A random intercept takes care of that.

intercepts = mixedlm("weight ~ week + (1 | id)", pigs)
print(intercepts.summary())

# %%
# But its residuals are wide at both ends and narrow in the middle. That is how it looks when lines
# have been forced to be parallel: the pigs gain at different rates.

slopes = mixedlm("weight ~ week + (week | id)", pigs)
figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for ax, results, name in zip(
    panels, (intercepts, slopes), ("intercepts", "intercepts and slopes"), strict=True
):
    weeks = results.resid.groupby(pigs["week"])
    ax.boxplot([residuals for _, residuals in weeks], widths=0.6, medianprops={"color": "#0072B2"})
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set_title(f"random {name}", loc="left")
    ax.set_xlabel("week")
    ax.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("residual (kg)")
plt.show()

# %%
# What the second model leaves over should have nothing more to say: no trend, no change of spread,
# and quantiles as those of a normal distribution, of the residuals and of the random effects.

ResidualsDisplay.from_results(slopes)
plt.show()

# %%
# Criteria and tests agree with the eye. Whether intercepts and slopes are correlated hardly
# matters. Without the correlation there is one variance of slopes, and the question whether it is
# zero has a test whose distribution is simulated, because the usual one does not hold at a
# boundary.

independent = mixedlm("weight ~ week + (week || id)", pigs)
models = {"intercepts": intercepts, "independent": independent, "correlated": slopes}
print(compare(models, conditional=False).round(1).to_string())
tested = exact_rlrt(independent, term="(0 + week | id)", n_sim=2000, random_state=0)
print(tested.to_string(index=False))

# %%
# How many parameters do 48 random intercepts and 48 slopes amount to? Not 96, because they are
# shrunken, but not far from it, because nine weeks say a lot about a pig.

print(effective_df(slopes).round(1).to_string(index=False))

# %%
# The weights to come
# -------------------
#
# Suppose that six weeks are over. A pig that has been weighed six times is predicted from its own
# line. A pig that will be bought tomorrow is predicted from the population, which is less certain.

past, future = pigs[pigs["week"] <= 6], pigs[pigs["week"] > 6]
model = MixedLM(groups="id", random_slopes="week").fit(past[["week", "id"]], past["weight"])
PredictionIntervalDisplay.from_estimator(
    model, pigs[["week", "id"]], pigs["weight"], levels=[1, 2, 3, 4]
)
plt.show()

# %%
# The points of weeks 7 to 9 were not used. Are the intervals honest? Count the weights within them.
# The model takes the residuals of a pig for independent, and so they are in the simulated twin.
# Where those of neighbouring weeks resemble each other, as they do in real animals, an interval for
# weeks ahead is too narrow, and only counting shows it.

strangers = future.assign(id=-1)
rows = []
for name, frame in (("known pig", future), ("new pig", strangers)):
    lower, upper = model.predict_interval(frame[["week", "id"]]).T
    inside = (lower <= future["weight"]) & (future["weight"] <= upper)
    error = np.sqrt(np.mean((model.predict(frame[["week", "id"]]) - future["weight"]) ** 2))
    rows.append(
        {"": name, "RMSE": error, "covered": inside.mean(), "width": np.mean(upper - lower)}
    )
print("Weeks 7 to 9, predicted from weeks 1 to 6 with 95% intervals")
print(pd.DataFrame(rows).round(2).to_string(index=False))

# %%
# The variances are estimates, too. ``variance_uncertainty="delta"`` allows for that. With 48 pigs
# it makes hardly a difference. With eight it does, for a new pig.

few = past[past["id"] <= 8]
for n_pigs, frame in ((48, past), (8, few)):
    fitted = MixedLM(groups="id", random_slopes="week").fit(frame[["week", "id"]], frame["weight"])
    stranger = pd.DataFrame({"week": [9], "id": [-1]})
    for uncertainty in (None, "delta"):
        limits = fitted.predict_interval(stranger, variance_uncertainty=uncertainty)
        lower, upper = limits[0]
        print(
            f"{n_pigs:2} pigs, {uncertainty!s:5}: a new pig in week 9, {lower:5.1f} to {upper:5.1f}"
        )

# %%
# A new pig arrives
# -----------------
#
# The farmer buys pig 48, which the model has not seen, and weighs it every week. ``adapt`` takes
# the weights in, one by one, without a new fit. With each week the prediction rests more on the
# pig's own line, and less on that of the population.

new, known = pigs[pigs["id"] == 48], pigs[pigs["id"] != 48]
model = MixedLM(groups="id", random_slopes="week").fit(known[["week", "id"]], known["weight"])
last = new[new["week"] == 9]
forecasts = []
for week in range(7):
    if week:
        weighed = new[new["week"] == week]
        model.adapt(weighed[["week", "id"]], weighed["weight"])
    lower, upper = model.predict_interval(last[["week", "id"]])[0]
    forecasts.append((model.predict(last[["week", "id"]])[0], lower, upper))
predicted, lower, upper = np.transpose(forecasts)

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.vlines(range(7), lower, upper, color="#56B4E9", linewidth=5, label="95% interval")
ax.plot(predicted, "o", color="#0072B2", label="prediction")
ax.axhline(last["weight"].item(), color="0.4", linestyle="--", label="its weight in week 9")
ax.set(xlabel="weeks in which the pig was weighed", ylabel="weight in week 9 (kg)")
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside upper center", ncols=3, frameon=False)
plt.show()

# sphinx_gallery_thumbnail_number = 3
