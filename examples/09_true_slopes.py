"""
True and estimated slopes
=========================

In a simulation the true slope of every group is known. How close do separate regressions come, and
how close does a mixed model?
"""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error

from skmixed import MixedLM, SingularFitWarning
from skmixed.datasets import make_mixed_regression
from skmixed.plots import GroupFitDisplay

# %%
# Thirty groups with six rows each. With ``coef=True`` the generator returns the truth as well, as
# scikit-learn's ``make_regression`` does.

data, truth = make_mixed_regression(
    n_groups=30,
    group_size=6,
    beta=[0.0, 2.0],
    re_cov=[[1.0, 0.3], [0.3, 0.5]],
    sigma=1.5,
    coef=True,
    as_frame=True,
    random_state=3,
)
mixed = MixedLM(groups="group", random_slopes="x1").fit(data[["x1", "group"]], data["y"])
lines = {
    group: LinearRegression().fit(rows[["x1"]], rows["y"]) for group, rows in data.groupby("group")
}
slopes = pd.DataFrame(
    {
        "true": truth.group_coef[:, 1],
        "separate": [line.coef_[0] for line in lines.values()],
        "mixed": mixed.group_coef_["group"]["x1"].to_numpy(),
    }
)
print(slopes.head(8).round(2).to_string())
print(slopes.agg(["mean", "std"]).round(2).to_string())

# %%
# The separate slopes are spread more widely than the true ones: to the spread of the groups they
# add their own error. The mixed model's are spread less widely: it takes back what is likely to be
# error. Each comes with a price, and the mixed model's is lower.

figure, panels = plt.subplots(
    1, 2, figsize=(9, 4.6), sharex=True, sharey=True, layout="constrained"
)
for ax, name, colour in zip(panels, ["separate", "mixed"], ["#D55E00", "#0072B2"], strict=True):
    error = root_mean_squared_error(slopes["true"], slopes[name])
    ax.scatter(slopes["true"], slopes[name], color=colour, s=30, linewidths=0)
    ax.axline((2, 2), slope=1, color="0.4", linewidth=1, linestyle="--")
    ax.axhline(slopes[name].mean(), color="0.7", linewidth=0.8, zorder=0)
    ax.set_title(
        f"{name} regressions: RMSE {error:.2f}"
        if name == "separate"
        else f"{name} model: RMSE {error:.2f}",
        loc="left",
    )
    ax.set(xlabel="true slope")
    ax.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("estimated slope")
plt.show()

# %%
# A closer look at the groups whose separate lines are farthest from the mean slope.

extreme = (slopes["separate"] - slopes["separate"].mean()).abs().nlargest(6).index
GroupFitDisplay.from_estimator(
    mixed, data[["x1", "group"]], data["y"], levels=list(extreme), true=truth.group_coef
)
plt.show()

# %%
# One sample proves little. Draw many, with more and with fewer rows in a group: the fewer there
# are, the more is gained.

# In small samples the variance of the slopes is sometimes estimated as 0, a valid fit.
warnings.simplefilter("ignore", SingularFitWarning)
N_SAMPLES = 20
for size in (3, 6, 12, 48):
    errors = []
    for seed in range(N_SAMPLES):
        sample, known = make_mixed_regression(
            30,
            size,
            beta=[0.0, 2.0],
            re_cov=truth.re_cov,
            sigma=1.5,
            coef=True,
            as_frame=True,
            random_state=seed,
        )
        fitted = MixedLM(groups="group", random_slopes="x1").fit(
            sample[["x1", "group"]], sample["y"]
        )
        own = [np.polyfit(rows["x1"], rows["y"], 1)[0] for _, rows in sample.groupby("group")]
        partly = fitted.group_coef_["group"]["x1"]
        errors.append([root_mean_squared_error(known.group_coef[:, 1], e) for e in (own, partly)])
    separate, partial = np.mean(errors, axis=0)
    print(f"{size:2} rows in a group: separate {separate:.2f}, mixed {partial:.2f}")
