"""
A model of two levels, simulated and recovered
==============================================

Pupils within schools, and a covariate of the school that changes both the level of a school and the
slope within it: a cross-level interaction. We write the model down twice, simulate it, recover its
parameters, and see what more schools and what more pupils buy.
"""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skmixed import SingularFitWarning, mixedlm
from skmixed.datasets import make_mixed_regression

# %%
# Two ways to write it
# --------------------
#
# *By level.* Within school :math:`g`, achievement depends on a pupil's :math:`x`; the coefficients
# of the school depend on its :math:`a`:
#
# .. math::
#
#    y_{gi} &= c_{g0} + c_{g1} x_{gi} + e_{gi} \\
#    c_{g0} &= \beta_0 + \gamma_0 a_g + b_{g0} \\
#    c_{g1} &= \beta_1 + \gamma_1 a_g + b_{g1}
#
# *In one line.* Put the second and the third line into the first one:
#
# .. math::
#
#    y_{gi} = \beta_0 + \beta_1 x_{gi} + \gamma_0 a_g + \gamma_1 x_{gi} a_g
#             + b_{g0} + b_{g1} x_{gi} + e_{gi}
#
# This is what the formula ``y ~ x * a + (x | school)`` says. The interaction ``x:a`` is the effect
# of the school's covariate on the slope.

TRUTH = {
    "beta": [50.0, 4.0],
    "gamma": [[3.0], [1.5]],
    "re_cov": [[16.0, 3.0], [3.0, 4.0]],
    "sigma": 8.0,
}


def simulate(n_schools, n_pupils, seed):
    """Return pupils of simulated schools, with columns y, x, a and school, and the truth."""
    frame, truth = make_mixed_regression(
        n_schools,
        n_pupils,
        **TRUTH,
        group_covariates=1,
        coef=True,
        as_frame=True,
        random_state=seed,
    )
    return frame.rename(columns={"x1": "x", "a1": "a", "group": "school"}), truth


data, truth = simulate(60, 25, seed=2)
results = mixedlm("y ~ x * a + (x | school)", data)
table = results.tidy().set_index("term")[["estimate", "se", "lower", "upper"]]
table.insert(0, "truth", pd.Series({"Intercept": 50.0, "x": 4.0, "a": 3.0, "x:a": 1.5}))
print(table.round(2).to_string())
print(f"true SDs {np.sqrt(np.diag(truth.re_cov))}, correlation {3 / 8:.2f}, residual {truth.sigma}")
print(
    results.variance_components[["group", "name1", "name2", "sdcor"]]
    .round(2)
    .to_string(index=False)
)

# %%
# The results write the fitted model by levels themselves. That ``a`` belongs to the schools is seen
# in the rows: it is constant within each of them.

results.equation("hierarchical", values=True)

# %%
# The cross-level interaction as a picture: every point is a school, its slope against its
# covariate.

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
slopes = results.params["x"] + results.params["x:a"] * truth.group_covariates[:, 0]
slopes += results.random_effects["school"]["x"].to_numpy()
line = np.linspace(truth.group_covariates.min(), truth.group_covariates.max(), 2)
ax.scatter(truth.group_covariates[:, 0], slopes, color="#0072B2", s=28, label="schools, estimated")
ax.plot(line, 4.0 + 1.5 * line, color="black", linestyle="--", label="true mean")
ax.plot(line, results.params["x"] + results.params["x:a"] * line, color="#D55E00", label="estimate")
ax.set(xlabel="covariate of the school, a", ylabel="slope of x within the school")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()

# %%
# More schools, or more pupils?
# -----------------------------
#
# The interaction is a regression of slopes on a covariate, and it has as many points as there are
# schools. Four times as many schools halve its error. Four times as many pupils in the same schools
# do not: the schools' own slopes differ, however precisely each is known.

# In small samples the variance of the slopes is sometimes estimated as 0, a valid fit.
warnings.simplefilter("ignore", SingularFitWarning)
N_SAMPLES = 25
rows = []
for n_schools in (10, 40, 160):
    for n_pupils in (20, 80):
        estimates = [
            mixedlm("y ~ x * a + (x | school)", simulate(n_schools, n_pupils, seed)[0]).params[
                "x:a"
            ]
            for seed in range(N_SAMPLES)
        ]
        error = np.sqrt(np.mean((np.array(estimates) - 1.5) ** 2))
        rows.append({"schools": n_schools, "pupils in each": n_pupils, "RMSE": error})
errors = pd.DataFrame(rows).pivot_table(index="schools", columns="pupils in each", values="RMSE")
print(f"Root mean squared error of x:a in {N_SAMPLES} samples of each kind")
print(errors.round(2).to_string())

# %%
# What if the random slope is left out?
# -------------------------------------
#
# Then all slopes are taken to be equal but for ``a``, and each pupil counts as an independent
# witness of the interaction. The intervals become too short. Count how often they contain the
# truth.

covered = {"(1 | school)": 0, "(x | school)": 0}
N_SAMPLES = 60
for seed in range(N_SAMPLES):
    sample, _ = simulate(30, 20, seed)
    for effects in covered:
        interval = mixedlm(f"y ~ x * a + {effects}", sample).tidy().set_index("term").loc["x:a"]
        covered[effects] += interval["lower"] <= 1.5 <= interval["upper"]
for effects, count in covered.items():
    print(f"{effects}: {count} of {N_SAMPLES} intervals of 95% contain the true interaction")
