"""Tidy tables of the effects and of the coefficients of every group, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.groups import Levels
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.inputs import fitted_model_of
from skmixed.prediction.delta import DeltaMethod, FiniteDifferences, JointErrors
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.given_variances import GivenVariances
from skmixed.prediction.group_errors import GroupSums, group_coefficients, group_effects
from skmixed.prediction.predictive import require_kept_products

__all__ = [
    "GroupUncertainty",
    "estimates_of_groups",
    "group_coefficients_table",
    "joined",
    "long_table",
    "random_effects_table",
]

FloatArray = NDArray[np.float64]

GroupUncertainty = Literal["delta"] | None
GroupEstimates = GivenVariances | DeltaMethod | JointErrors

COLUMNS = ["factor", "effect", "group", "value", "se", "lower", "upper", "excludes_zero"]


def random_effects_table(
    fitted: Any,
    level: float = 0.95,
    *,
    beta_known: bool = False,
    variance_uncertainty: GroupUncertainty = None,
) -> pd.DataFrame:
    """Return one row for each random effect of each group, with its interval.

    By default the fixed effects are not taken as known: the effect is a deviation from them, and
    if they are too high it is too low.

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMFit
    level : float, default=0.95
        Probability that an interval covers its effect.
    beta_known : bool, default=False
        Whether the standard errors are those given the fixed effects too, as lme4's
        ``ranef(condVar = TRUE)`` and ``random_effects_sd``.
    variance_uncertainty : None or "delta", default=None
        Whether the variances are taken as known, so that an effect is normal given the data; or
        whether their being estimates counts, to first order, and intervals are those of Student's
        t. With few groups the former are too narrow. Of a generalised model, "delta" counts the
        errors of all parameters, as glmmTMB's conditional standard deviations, and intervals stay
        normal.

    Returns
    -------
    DataFrame
        With columns factor, effect, group, value (the conditional mode, or BLUP), se, df (with
        ``variance_uncertainty`` alone), lower, upper and excludes_zero. A group of ``a:b`` is
        named as in lme4, by its labels and a colon.

    Raises
    ------
    ValueError
        If level is not between 0 and 1, or the fit has not kept the cross-products that
        ``variance_uncertainty`` needs.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.results import random_effects_table
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> random_effects_table(results).query("effect == 'Days'").head(3).round(2)
         factor effect group  value    se  lower  upper  excludes_zero
    18  Subject   Days   308   9.20  2.64   4.03  14.37           True
    19  Subject   Days   309  -8.62  2.64 -13.79  -3.45           True
    20  Subject   Days   310  -5.45  2.64 -10.62  -0.28           True
    """
    found = fitted_model_of(fitted)
    fit = found.fit
    sums = [group_effects(fit, effects, beta_known=beta_known) for effects in fit.random]
    return _table(found, sums, level, variance_uncertainty)


def group_coefficients_table(
    fitted: Any, level: float = 0.95, *, variance_uncertainty: GroupUncertainty = None
) -> pd.DataFrame:
    """Return one row for each coefficient of each group: fixed plus random effect.

    The standard error is that of the sum. The errors of the two parts compensate, so that it is
    less than a sum of their variances says. A coefficient without a random effect is the same in
    all groups, and a random effect without a fixed one stands alone.

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMFit
    level : float, default=0.95
        Probability that an interval covers its coefficient.
    variance_uncertainty : None or "delta", default=None
        How the variances being estimated is taken into account, as for ``random_effects_table``.

    Returns
    -------
    DataFrame
        With columns factor, term, group, value, se, df (with ``variance_uncertainty`` alone),
        lower, upper and excludes_zero. se, df and limits are NaN where the fixed effect is aliased
        with others.

    Raises
    ------
    ValueError
        If level is not between 0 and 1, or the fit has not kept the cross-products that
        ``variance_uncertainty`` needs.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.results import group_coefficients_table
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> group_coefficients_table(results).query("term == 'Days'").head(3).round(2)
         factor  term group  value    se  lower  upper  excludes_zero
    18  Subject  Days   308  19.67  2.34  15.09  24.25           True
    19  Subject  Days   309   1.85  2.34  -2.73   6.43          False
    20  Subject  Days   310   5.02  2.34   0.44   9.60           True
    """
    found = fitted_model_of(fitted)
    fit = found.fit
    sums = [group_coefficients(fit, effects) for effects in fit.random]
    return _table(found, sums, level, variance_uncertainty).rename(columns={"effect": "term"})


def estimates_of_groups(
    fitted: FittedModel, sums: Sequence[GroupSums], variance_uncertainty: GroupUncertainty
) -> Sequence[GroupEstimates]:
    """Return what is known of sums of coefficients and effects, for each of them.

    Without rows, the parameters of a residual structure are taken as known.
    """
    fit = fitted.fit
    if variance_uncertainty is None:
        return [GivenVariances(fit, one) for one in sums]
    if not (isinstance(variance_uncertainty, str) and variance_uncertainty == "delta"):
        raise ValueError(
            "variance_uncertainty of effects and coefficients of groups must be None or 'delta', "
            f"got {variance_uncertainty!r}."
        )
    if isinstance(fit, GLMMFit):
        return [JointErrors(fit, one) for one in sums]
    require_kept_products(fit)
    model = None if fitted.rows is None else fitted.rows.model
    around = FiniteDifferences(fit, model)
    return [DeltaMethod(around, one) for one in sums]


def long_table(
    levels: Levels, names: Sequence[str], columns: dict[str, NDArray[Any]]
) -> pd.DataFrame:
    """Return a row for each effect and level of one factor, effect after effect.

    The columns have the shape (n_levels, n_effects).
    """
    n_levels = len(levels)
    groups = levels.flat_labels
    return pd.DataFrame(
        {
            "factor": np.full(n_levels * len(names), levels.name, dtype=object),
            "effect": np.repeat(np.array(names, dtype=object), n_levels),
            "group": groups.take(np.tile(np.arange(n_levels), len(names))),
            **{name: values.T.ravel() for name, values in columns.items()},
        }
    )


def joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return the tables of all factors one after the other; an empty one without a factor."""
    if not parts:
        return pd.DataFrame(columns=columns)
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _table(
    fitted: FittedModel,
    sums: Sequence[GroupSums],
    level: float,
    variance_uncertainty: GroupUncertainty,
) -> pd.DataFrame:
    """Return one row for each sum and level, with its interval."""
    check_level(level)
    parts = []
    estimates = estimates_of_groups(fitted, sums, variance_uncertainty)
    for one, found in zip(sums, estimates, strict=True):
        columns = {name: one.by_level(values) for name, values in _columns(found, level).items()}
        parts.append(long_table(fitted.fit.random[one.factor].levels, one.names, columns))
    return joined(parts, COLUMNS)


def _columns(found: GroupEstimates, level: float) -> dict[str, NDArray[Any]]:
    """Return values, standard errors, limits, and whether these exclude 0."""
    tail = 0.5 * (1.0 - level)
    lower, upper = found.quantiles(np.array([tail, 1.0 - tail])).T
    return {
        "value": found.mean,
        "se": found.std,
        **({"df": found.df} if isinstance(found, DeltaMethod) else {}),
        "lower": lower,
        "upper": upper,
        "excludes_zero": (lower > 0.0) | (upper < 0.0),
    }
