"""
Biased and yet better: BLUP against BLUE
========================================

The mean of a group is the best linear *unbiased estimate* (BLUE) of its true mean. The mixed model
gives the best linear unbiased *prediction* (BLUP), which is biased for every single group, and
closer to the truth on average. Both sentences are true, and a simulation shows how.
"""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np

from skmixed import RandomInterceptRegressor, SingularFitWarning

# %%
# Twenty groups with true means :math:`\theta_g`, drawn once and then kept. Five measurements of
# each are taken again and again, each time with new errors. In some samples the variance between
# groups is estimated as 0, which is a valid fit: every prediction is then the mean of all.

warnings.simplefilter("ignore", SingularFitWarning)
N_GROUPS, SIZE, TAU, SIGMA, N_SAMPLES = 20, 5, 1.0, 2.0, 400
generator = np.random.default_rng(5)
theta = 10.0 + TAU * np.sort(generator.standard_normal(N_GROUPS))
groups = np.repeat(np.arange(N_GROUPS), SIZE)
nothing = np.empty((groups.size, 0))

blue, blup = np.empty((2, N_SAMPLES, N_GROUPS))
for sample in range(N_SAMPLES):
    y = theta[groups] + SIGMA * generator.standard_normal(groups.size)
    model = RandomInterceptRegressor().fit(nothing, y, groups=groups)
    blue[sample] = y.reshape(N_GROUPS, SIZE).mean(axis=1)
    blup[sample] = model.group_coef_["groups"]["Intercept"]

# %%
# Biased, given :math:`\theta`
# ----------------------------
#
# Averaged over the samples, the mean of a group is right for each group. The prediction is drawn
# towards the middle: too low for high groups, too high for low ones. The mean squared error is the
# squared bias plus the variance, and the variance is what the prediction saves.


def mean_squared_error(estimates):
    """Return the mean squared error for each group, over the samples."""
    return np.mean((estimates - theta) ** 2, axis=0)


figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2), sharex=True, layout="constrained")
for name, estimates, colour, marker in (
    ("mean of the group (BLUE)", blue, "#D55E00", "s"),
    ("prediction (BLUP)", blup, "#0072B2", "o"),
):
    options = {"color": colour, "marker": marker, "s": 30, "linewidths": 0}
    left.scatter(theta, np.mean(estimates - theta, axis=0), label=name, **options)
    right.scatter(theta, mean_squared_error(estimates), **options)
left.axhline(0, color="0.5", linewidth=0.8, zorder=0)
right.axhline(SIGMA**2 / SIZE, color="#D55E00", linewidth=0.8, linestyle="--", zorder=0)
left.set(xlabel="true mean of the group", ylabel="bias")
right.set(xlabel="true mean of the group", ylabel="mean squared error", ylim=(0, None))
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
plt.show()

print(f"mean squared bias:  BLUE {np.mean(np.mean(blue - theta, axis=0) ** 2):.3f}", end="")
print(f"   BLUP {np.mean(np.mean(blup - theta, axis=0) ** 2):.3f}")
print(f"mean variance:      BLUE {np.var(blue, axis=0).mean():.3f}", end="")
print(f"   BLUP {np.var(blup, axis=0).mean():.3f}")
print(f"mean squared error: BLUE {mean_squared_error(blue).mean():.3f}", end="")
print(f"   BLUP {mean_squared_error(blup).mean():.3f}")

# %%
# This is no free lunch for everybody: the most extreme groups may be served worse, as the right
# panel shows. Most groups are served better, and nobody knows beforehand which ones are extreme.

worse = mean_squared_error(blup) > mean_squared_error(blue)
print(f"{worse.sum()} of {N_GROUPS} groups have a larger error by BLUP: {theta[worse].round(1)}")

# %%
# Unbiased, over :math:`\theta`
# -----------------------------
#
# If the groups are drawn anew each time, as the model has it, the prediction is not biased either:
# what is too low for high groups is too high for low ones. That is the "unbiased" in its name.

errors = []
for _ in range(N_SAMPLES):
    drawn = 10.0 + TAU * generator.standard_normal(N_GROUPS)
    y = drawn[groups] + SIGMA * generator.standard_normal(groups.size)
    model = RandomInterceptRegressor().fit(nothing, y, groups=groups)
    errors.append(model.group_coef_["groups"]["Intercept"].to_numpy() - drawn)
means = np.mean(errors, axis=1)
print(f"mean error {means.mean():+.3f}, Monte-Carlo SE {means.std() / np.sqrt(N_SAMPLES):.3f}")
