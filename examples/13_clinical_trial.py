"""
A clinical trial: did the treatment work at the last visit?
===========================================================

Two hundred patients, a treatment and a placebo, four visits, and a third of the measurements
missing. A mixed model for repeated measures uses what there is of every patient, and answers with
a difference and its limits.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

from skmixed import mixedlm
from skmixed.datasets import load_fev
from skmixed.inference import marginal_means

ARMS = {"PBO": ("placebo", "#0072B2"), "TRT": ("treatment", "#D55E00")}

# %%
# Lung function, FEV1, after a treatment or a placebo: an artificial trial that comes with the R
# package mmrm. Few patients were seen at all four visits.

trial = load_fev()
seen = trial.groupby("USUBJID", observed=True)["FEV1"].count()
print("Patients by number of measurements")
print(seen.value_counts().sort_index().to_string())

# %%
# The spread is different at every visit, and by far the largest at the last, the one that counts.

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
visits = list(trial["AVISIT"].cat.categories)
for shift, (arm, (name, colour)) in zip((-0.12, 0.12), ARMS.items(), strict=True):
    rows = trial[trial["ARMCD"] == arm].dropna(subset=["FEV1"])
    jitter = np.random.default_rng(0).uniform(-0.08, 0.08, len(rows))
    place = rows["AVISIT"].cat.codes + shift + jitter
    ax.scatter(place, rows["FEV1"], s=10, color=colour, alpha=0.6, linewidths=0, label=name)
ax.set_xticks(range(len(visits)), visits)
ax.set(ylabel="FEV1")
ax.spines[["top", "right"]].set_visible(False)
fig.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
plt.show()

# %%
# The model of the protocol
# -------------------------
#
# A mean for each arm at each visit, adjusted for race and sex, and a covariance matrix of the
# visits without any assumption on its form: ``us``, within patients. There are no random effects.

formula = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"
results = mixedlm(formula, trial, residual="us(AVISIT | USUBJID)", missing="drop")
results = results.with_df_method("kenward-roger")
print("Covariances between visits")
print(results.residual_covariance().round(1).to_string())

# %%
# The first two visits go together, the last one goes its own way.
#
# Means by arm and visit
# ----------------------
#
# Least-squares means, for an equal mix of races and sexes. Standard errors and degrees of freedom
# are Kenward and Roger's, which allow for the covariance matrix being estimated, too.

means = marginal_means(results, ["ARMCD", "AVISIT"]).tidy()
print(
    means[["ARMCD", "AVISIT", "estimate", "se", "df", "lower", "upper"]]
    .round(2)
    .to_string(index=False)
)

# %%
# And the differences between the arms, with their limits. The last row is the answer of the trial.

by_visit = marginal_means(results, "ARMCD", by="AVISIT")
differences = by_visit.contrasts("trt.vs.ctrl")
print(
    differences[["AVISIT", "contrast", "estimate", "se", "df", "lower", "upper", "p_value"]]
    .round(4)
    .to_string(index=False)
)

# %%
# Both in one picture.

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for shift, (arm, (name, colour)) in zip((-0.06, 0.06), ARMS.items(), strict=True):
    rows = means[means["ARMCD"] == arm]
    reach = [rows["estimate"] - rows["lower"], rows["upper"] - rows["estimate"]]
    place = np.arange(len(rows)) + shift
    left.errorbar(place, rows["estimate"], reach, color=colour, marker="o", capsize=3, label=name)
left.set(ylabel="mean FEV1")
left.legend(frameon=False)
estimate = differences["estimate"]
reach = [estimate - differences["lower"], differences["upper"] - estimate]
right.errorbar(range(len(visits)), estimate, reach, fmt="o", color="0.2", capsize=3)
right.axhline(0, color="0.7", linewidth=1)
right.set(ylabel="treatment - placebo")
for ax in (left, right):
    ax.set_xticks(range(len(visits)), visits)
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# How much hangs on the covariance?
# ---------------------------------
#
# Protocols name a list of structures, to be tried in order if the first does not converge. Here all
# of them do. The ``h`` stands for a variance of its own at each visit. Those without it, at the end
# of the table, take the last visit to be as precise as the others: their limits are too narrow.

structures = ["us", "toeph", "ar1h", "csh", "toep", "ar1", "cs"]
fits = {
    name: mixedlm(
        formula, trial, residual=f"{name}(AVISIT | USUBJID)", missing="drop"
    ).with_df_method("kenward-roger")
    for name in structures
}
answers = pd.DataFrame(
    {
        name: marginal_means(fit, "ARMCD", by="AVISIT").contrasts("trt.vs.ctrl").iloc[-1]
        for name, fit in fits.items()
    }
).T[["estimate", "se", "df", "lower", "upper"]]
answers.insert(0, "AIC", [fit.aic for fit in fits.values()])
print(answers.astype(float).round(2).to_string())

# %%
# Why not a t test?
# -----------------
#
# A t test of the patients who were seen at the last visit asks nearly the same question. It leaves
# out a third of the patients, and all that the earlier visits say about the others.

last = trial[trial["AVISIT"] == "VIS4"].dropna(subset=["FEV1"])
groups = [last.loc[last["ARMCD"] == arm, "FEV1"] for arm in ("TRT", "PBO")]
limits = stats.ttest_ind(*groups).confidence_interval()
model = answers.loc["us"]
print(f"t test: {groups[0].mean() - groups[1].mean():.2f} ({limits.low:.2f} to {limits.high:.2f})")
print(f"model:  {model['estimate']:.2f} ({model['lower']:.2f} to {model['upper']:.2f})")

# %%
# Worse, it may compare the wrong patients. Suppose that the treatment does nothing, but those who
# are doing badly on it at the third visit tend to leave. In forty simulated trials the t test finds
# an effect: the treated who stay were better off all along. The model has seen why the others left,
# and finds nothing.


def trial_with_leavers(seed: int) -> pd.DataFrame:
    """Simulate a trial without an effect, which some of the treated leave after the third visit."""
    rng = np.random.default_rng(seed)
    covariance = 64 * 0.8 ** np.abs(np.subtract.outer(range(4), range(4)))
    value = 45 + rng.standard_normal((120, 4)) @ np.linalg.cholesky(covariance).T
    treated = np.arange(120) < 60
    leaves = treated & (value[:, 2] < 45) & (rng.random(120) < 0.7)
    value[leaves, 3] = np.nan
    return pd.DataFrame(
        {
            "patient": np.repeat(np.arange(120), 4),
            "visit": np.tile(["v1", "v2", "v3", "v4"], 120),
            "arm": np.repeat(np.where(treated, "treatment", "placebo"), 4),
            "value": value.ravel(),
        }
    ).dropna()


def effects_at_the_end(seed: int) -> dict[str, float]:
    """Return the difference at the last visit by either method; the truth is 0."""
    rows = trial_with_leavers(seed)
    means = rows[rows["visit"] == "v4"].groupby("arm")["value"].mean()
    fit = mixedlm("value ~ arm * visit", rows, residual="us(visit | patient)")
    effect = fit.params[["arm[T.treatment]", "arm[T.treatment]:visit[T.v4]"]].sum()
    return {"t test": means["treatment"] - means["placebo"], "model": effect}


simulated = pd.DataFrame([effects_at_the_end(seed) for seed in range(40)])
print("Effect of a treatment that has none, mean of 40 trials")
print(simulated.mean().round(2).to_string())
print("Monte Carlo standard errors")
print((simulated.std() / np.sqrt(len(simulated))).round(2).to_string())
