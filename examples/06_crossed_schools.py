"""
Crossed schools: the primary school leaves its mark
===================================================

A thousand pupils came from fifty primary schools into thirty secondary schools. Which of the two
schools of a pupil matters more for achievement? Neither kind is nested in the other: they are
crossed, and both effects are estimated together.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_study
from skmixed.inference import confint, ranova
from skmixed.plots import RandomEffectsDisplay

# %%
# The table of pupils by their two schools is full of small numbers and zeros.

pupils = load_study("pupils")
print(pupils.attrs["origin"])
meetings = pd.crosstab(pupils["primary_school_id"], pupils["secondary_school_id"])
print(f"{(meetings > 0).to_numpy().sum()} of {meetings.size} pairs of schools share a pupil")
print(meetings.iloc[:5, :12].to_string())

# %%
# Two variances
# -------------
#
# ``(1 | a) + (1 | b)`` has an intercept for each level of either factor.

results = mixedlm(
    "achievement ~ sex + ses + (1 | primary_school_id) + (1 | secondary_school_id)", pupils
)
print(results.summary())

# %%
# Both are there, and the primary school's is the larger one. How sure is that? Intervals from the
# profile likelihood, and a test of each.

print(confint(results, "profile", "random").round(3).to_string(index=False))
tested = ranova(results)
print(tested[["term", "log_likelihood", "statistic", "df", "p_value_mixture"]].round(4).to_string())

# %%
# Take the secondary schools out, and their variance must go somewhere: into the residual, mostly.

alone = mixedlm("achievement ~ sex + ses + (1 | primary_school_id)", pupils)
columns = ["group", "vcov", "share"]
print(results.variance_components[columns].round(3).to_string(index=False))
print(alone.variance_components[columns].round(3).to_string(index=False))

# %%
# No league tables
# ----------------
#
# What can be said of a single school? Sort them, and draw the intervals. Most include zero: these
# schools cannot be told from the average one, and their rank means little.

figure, panels = plt.subplots(1, 2, figsize=(10, 8.5), layout="constrained")
for ax, factor in zip(panels, ["primary_school_id", "secondary_school_id"], strict=True):
    display = RandomEffectsDisplay.from_results(results, factor=factor, ax=ax)
    ax.set_title(factor.replace("_school_id", " schools"), loc="left", pad=22)
    print(f"{factor}: {display.excludes_zero.sum()} of {display.excludes_zero.size} exclude 0")
plt.show()

# %%
# Pupils to come
# --------------
#
# An estimator predicts for any pair of schools, also for pairs that never met, and for schools that
# it does not know.

model = MixedLM(groups=["primary_school_id", "secondary_school_id"])
columns = ["ses", "primary_school_id", "secondary_school_id"]
model.fit(pupils[columns], pupils["achievement"])
best = model.random_effects_["primary_school_id"]["Intercept"].idxmax()
asked = pd.DataFrame(
    [(4, best, 1), (4, best, 999), (4, 999, 1), (4, 999, 999)],
    columns=columns,
)
asked["predicted"], asked["std"] = model.predict(asked, return_std=True)
print(asked.round(2).to_string(index=False))
