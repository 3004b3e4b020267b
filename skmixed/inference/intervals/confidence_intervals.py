"""Confidence intervals of every parameter of a linear mixed model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.degrees_of_freedom import DegreesOfFreedom, rule_for
from skmixed.inference.coefficients.wald import check_level, t_tests
from skmixed.inference.inputs import fit_of
from skmixed.inference.intervals.model_parameters import ModelParameter, model_parameters, selected
from skmixed.inference.intervals.profile_likelihood import (
    interval_table,
    profile,
)
from skmixed.inference.intervals.wald_variances import wald_variance_limits
from skmixed.inference.replication.bootstrapping import bootstrap

__all__ = ["confint"]

METHODS = ("wald", "profile", "bootstrap")


def confint(
    fitted: Any,
    method: Literal["wald", "profile", "bootstrap"] = "wald",
    which: str | Sequence[str] = "fixed",
    *,
    level: float = 0.95,
    df_method: str | None = None,
    n: int = 1000,
    random_state: Any = None,
) -> pd.DataFrame:
    """Return confidence intervals of fixed effects, standard deviations, correlations and sigma.

    Wald intervals take the estimates of the fixed effects as t distributed, the logarithms of the
    standard deviations and Fisher's z of the correlations as normal, with the observed information
    of the fit (of a residual structure also logarithms of ranges and of ratios). With
    ``weight_type="sampling"`` all are t distributed, with the sandwich covariance. Profile
    intervals are where twice the log-likelihood is a quantile of chi-squared below its maximum.
    They are those of ML, also for a fit by REML, as in lme4. Bootstrap intervals are quantiles of
    the estimates from simulated responses, by the criterion of the fit; ``bootstrap`` has other
    ways to simulate, and other intervals.

    Parameters
    ----------
    fitted : estimator, MixedLMResults or LMMFit
        For the bootstrap with its rows: MixedLMResults.
    method : {"wald", "profile", "bootstrap"}, default="wald"
    which : {"all", "fixed", "random"}, str or sequence of str, default="fixed"
        ``"random"`` means standard deviations, correlations, the parameters of a residual structure
        and sigma. Names are those of the table: ``"Days"``, ``"sd_Days|Subject"``,
        ``"cor_Days.Intercept|Subject"``, ``"phi"``, ``"sigma"``.
    level : float, default=0.95
    df_method : str, optional
        Of Wald intervals of fixed effects: ``"satterthwaite"``, ``"kenward-roger"`` (REML),
        ``"residual"`` or ``"normal"``; with ``weight_type="sampling"`` of all parameters:
        ``"design"`` (the default there), ``"residual"`` or ``"normal"``.
    n : int, default=1000
        Replicates of the bootstrap.
    random_state : int, numpy.random.Generator or None, default=None
        Of the bootstrap: the same seed gives the same limits.

    Returns
    -------
    DataFrame
        With columns parameter, group, name1, name2, estimate (that of the fit), lower, upper and
        method. The limits of an aliased coefficient are NaN, and those of a standard deviation or
        correlation that the design cannot tell from others (the fit has warned of it), or of a
        factor on its boundary with ``weight_type="sampling"``. A limit that the likelihood does not
        reach is the bound of the parameter: 0, 1, -1 or infinite. It is NaN where the profile ends
        before, because nothing is left of y there.

    Raises
    ------
    ValueError
        If an argument is not one of those above, or a profile cannot be made from the fit.
    TypeError
        If ``fitted`` keeps no rows to simulate responses for.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import confint
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> table = confint(results, "profile", "all")
    >>> table[["parameter", "estimate", "lower", "upper"]].round(3)
                        parameter  estimate    lower    upper
    0                   Intercept   251.405  237.681  265.130
    1                        Days    10.467    7.359   13.576
    2        sd_Intercept|Subject    24.740   14.381   37.716
    3             sd_Days|Subject     5.922    3.801    8.753
    4  cor_Days.Intercept|Subject     0.066   -0.481    0.685
    5                       sigma    25.592   22.898   28.858
    """
    fit = fit_of(fitted)
    check_level(level)
    if method == "profile":
        return profile(fitted, which, level=level).confint()
    if method not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)}, got {method!r}.")
    rule = rule_for(fitted, df_method)
    parameters = selected(model_parameters(fit), which)
    identified = [one for one in parameters if one.identified]
    if method == "bootstrap":
        drawn = bootstrap(fitted, n, random_state=random_state).conf_int(level=level)
        ends = zip(drawn["lower"], drawn["upper"], strict=True)
        of_name = dict(zip(drawn["parameter"], ends, strict=True))
        limits = [of_name[_name_of_draws(fit, one)] for one in identified]
    else:
        limits = _wald_limits(fit, identified, level, rule)
    by_name = dict(zip([one.name for one in identified], limits, strict=True))
    every = [by_name.get(one.name, (math.nan, math.nan)) for one in parameters]
    return interval_table(parameters, every, method)


def _wald_limits(
    fit: LMMFit, parameters: Sequence[ModelParameter], level: float, rule: DegreesOfFreedom
) -> list[tuple[float, float]]:
    """Return the limits of the parameters in their order."""
    fixed = [one for one in parameters if one.kind == "fixed"]
    random = [one for one in parameters if one.kind != "fixed"]
    limits: dict[str, tuple[float, float]] = {}
    if fixed:
        contrasts = np.eye(len(fit.fixed.names))[[one.position for one in fixed]]
        found = t_tests(fit, contrasts, rule).limits(level)
        limits.update(
            (one.name, (float(a), float(b))) for one, (a, b) in zip(fixed, found, strict=True)
        )
    df = math.inf
    if fit.n_sampled is not None:
        df = float(rule.at(fit).t_df(np.zeros((1, len(fit.fixed.names))))[0])
    variances = wald_variance_limits(fit, random, level, df)
    limits.update((one.name, pair) for one, pair in zip(random, variances, strict=True))
    return [limits[one.name] for one in parameters]


def _name_of_draws(fit: LMMFit, parameter: ModelParameter) -> str:
    """Return what the draws call a parameter; of effects that share it, the first ones count."""
    if parameter.place is None or parameter.kind not in ("sd", "correlation"):
        return parameter.name
    place = parameter.place
    effects = fit.random[place.factor]
    names = effects.effect_names[effects.covariance.effect_slices[place.term]]
    labels = [names[i] for i in reversed(place.effects)]
    kind = "sd" if parameter.kind == "sd" else "cor"
    return f"{kind}_{'.'.join(labels)}|{effects.name}"
