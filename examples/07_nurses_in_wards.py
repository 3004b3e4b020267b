"""
Nurses in wards: the trap of the labels
=======================================

Does training reduce the stress of nurses? Wards were trained as a whole, two of the four in each of
25 hospitals. Nurses of a ward resemble each other, and so do wards of a hospital. The wards are
called 1, 2, 3 and 4 in every hospital, and that is a trap.
"""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skmixed import NoGroupsWarning, SingularFitWarning, mixedlm
from skmixed.datasets import load_study

nurses = load_study("nurses")
print(f"{nurses.attrs['origin']}: {len(nurses)} nurses")
print(nurses.drop_duplicates(["hospital", "ward"]).head(6).to_string(index=False))

# %%
# Ward 1 is not ward 1
# --------------------
#
# A model with effects of ``hospital`` and of ``ward`` takes ward 1 of all hospitals for the same
# ward. The summary gives it away: four wards.

FIXED = "stress ~ treatment + age + sex + experience + hospsize"
with warnings.catch_warnings():
    warnings.simplefilter("ignore", SingularFitWarning)
    trap = mixedlm(f"{FIXED} + (1 | hospital) + (1 | ward)", nurses)
print(trap.n_groups)
print(trap.variance_components[["group", "sdcor", "share"]].round(3).to_string(index=False))

# %%
# Wards are nested in hospitals: ``(1 | hospital/ward)``. This is short for a hospital's effect and
# an effect of each *combination* of hospital and ward, a hundred of them. Labels that are unique do
# the same. All three ways are one model.

nurses["wardid"] = nurses["hospital"].astype(str) + "-" + nurses["ward"].astype(str)
nested = mixedlm(f"{FIXED} + (1 | hospital/ward)", nurses)
for effects in ("(1 | hospital) + (1 | hospital:ward)", "(1 | hospital) + (1 | wardid)"):
    same = mixedlm(f"{FIXED} + {effects}", nurses)
    print(f"{effects:38} differs in log-likelihood by {abs(same.llf - nested.llf):.1e}")
print(nested.summary())

# %%
# What the trap costs
# -------------------
#
# Treatment differs between wards, not between nurses of a ward. There are a thousand nurses, but
# only a hundred wards to learn from. A model that does not know the wards believes in a thousand
# independent answers, and its interval is far too narrow.

with warnings.catch_warnings():
    warnings.simplefilter("ignore", NoGroupsWarning)
    ignored = mixedlm(FIXED, nurses)
models = {
    "no groups": ignored,
    "hospitals": mixedlm(f"{FIXED} + (1 | hospital)", nurses),
    "hospitals, wards 1 to 4": trap,
    "wards in hospitals": nested,
}
rows = {}
for name, results in models.items():
    table = results.tidy().set_index("term")
    rows[name] = table.loc["treatment[T.Training]", ["estimate", "se", "df", "lower", "upper"]]
effect = pd.DataFrame(rows).T.astype(float)
print("The effect of training on stress")
print(effect.round(3).to_string())

# %%
# The estimates are close to each other. How sure they are is not.

places = np.arange(len(effect))[::-1]
figure, ax = plt.subplots(figsize=(7.5, 3.2), layout="constrained")
right = effect.index == "wards in hospitals"
ax.hlines(
    places, effect["lower"], effect["upper"], colors=np.where(right, "#0072B2", "#8C8C8C"), lw=3
)
ax.scatter(effect["estimate"], places, c=np.where(right, "#0072B2", "#8C8C8C"), s=50, zorder=3)
ax.axvline(0, color="black", linewidth=0.8, linestyle="--")
ax.set_yticks(places, effect.index)
ax.set(xlabel="effect of training on stress, with 95% interval", ylim=(-0.6, len(effect) - 0.4))
ax.spines[["top", "right", "left"]].set_visible(False)
ax.tick_params(axis="y", length=0)
plt.show()

# %%
# How much is at which level? Nurses of a ward share the effects of ward and hospital; nurses of
# different wards of a hospital share only the second.

shares = nested.variance_components.set_index("group")["share"]
print(f"two nurses of a ward correlate by {shares['hospital'] + shares['hospital:ward']:.2f}")
print(f"two nurses of a hospital, in different wards, by {shares['hospital']:.2f}")
