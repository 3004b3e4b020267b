"""Profile likelihood: how the deviance grows as one parameter moves away from its estimate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from skmixed.covariance.scales import Linear, ParameterScale
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.inputs import fit_of, rows_of
from skmixed.inference.intervals.generalised_maximum import generalised_maximum
from skmixed.inference.intervals.held_parameters import held_parameter
from skmixed.inference.intervals.linear_maximum import linear_maximum
from skmixed.inference.intervals.maximum import Maximum
from skmixed.inference.intervals.model_parameters import ModelParameter, model_parameters, selected
from skmixed.inference.intervals.profile_curve import ProfileCurve
from skmixed.inference.intervals.profile_path import PathPoint, ProfilePath
from skmixed.inference.intervals.residual_maximum import residual_maximum

__all__ = ["ProfileLikelihood", "interval_table", "profile"]

WITH_ROWS = (
    "Profiles of a generalised model, or of one with a residual structure, evaluate its likelihood "
    "on them. Fit with mixedlm or mixedglm, or use method='wald'."
)
# How far beyond the limits the curves reach.
REACH = 1.35
# Points of a curve are one whose zeta differs by less, and whose values by less of its length.
APART = 1e-3
PLAIN = Linear(1.0)


@dataclass(frozen=True, eq=False)
class ProfileLikelihood:
    """Hold the profiles of some parameters of a model.

    Attributes
    ----------
    curves : dict of str to ProfileCurve
        By the name of the parameter.
    level : float
        For which the limits were found.
    log_likelihood : float
        The maximum, ML.
    """

    curves: dict[str, ProfileCurve]
    level: float
    log_likelihood: float

    @property
    def frame(self) -> pd.DataFrame:
        """Return the points of all curves: parameter, value, zeta, deviance, log_likelihood.

        deviance is zeta squared, what -2 log-likelihood is above its minimum.
        """
        parts = [
            pd.DataFrame({"parameter": name, "value": curve.values, "zeta": curve.zeta})
            for name, curve in self.curves.items()
        ]
        frame = pd.concat(parts, ignore_index=True)
        frame["deviance"] = frame["zeta"] ** 2
        frame["log_likelihood"] = self.log_likelihood - 0.5 * frame["deviance"]
        return frame

    def zeta(self, parameter: str, values: Any) -> Any:
        """Return the signed root of the deviance at values of a parameter, NaN beyond its curve.

        Parameters
        ----------
        parameter : str
        values : array-like
        """
        if parameter not in self.curves:
            raise ValueError(
                f"There is no profile of {parameter!r}, only of {list(self.curves)}. Name it in "
                "which."
            )
        return self.curves[parameter].zeta_at(values)

    def confint(self, level: float | None = None) -> pd.DataFrame:
        """Return the limits of confidence intervals, one row for each parameter.

        Parameters
        ----------
        level : float, optional
            By default that of the profile. For another one the curves are interpolated.

        Raises
        ------
        ValueError
            If the curves do not reach that far.
        """
        if level is None or level == self.level:
            limits = [curve.limits for curve in self.curves.values()]
        else:
            cutoff = _cutoff(check_level(level))
            limits = [self._interpolated(curve, cutoff) for curve in self.curves.values()]
        parameters = [curve.parameter for curve in self.curves.values()]
        return interval_table(parameters, limits, "profile")

    def _interpolated(self, curve: ProfileCurve, cutoff: float) -> tuple[float, float]:
        """Return the limits of a curve where zeta is at a cutoff."""
        if not len(curve.internal):
            return curve.limits
        limits = curve.value_at(np.array([-cutoff, cutoff]))
        ends = curve.scale.to_user(np.array([curve.scale.lower, curve.scale.upper]))
        for i in range(2):
            if math.isnan(limits[i]) and not math.isnan(curve.limits[i]):
                limits[i] = ends[i]
                if abs(curve.zeta[-i]) < cutoff and curve.values[-i] != ends[i]:
                    raise ValueError(
                        f"The profile of {curve.parameter.name!r} ends at |zeta| = "
                        f"{abs(curve.zeta[-i]):.2f}, and the limit is at {cutoff:.2f}. Call "
                        "profile with this level."
                    )
        return float(limits[0]), float(limits[1])


def profile(
    fitted: Any, which: str | Sequence[str] = "all", *, level: float = 0.95
) -> ProfileLikelihood:
    """Profile the likelihood of a linear mixed model.

    For each value of a parameter all others take their best values. What -2 log-likelihood is then
    above its minimum is the square of zeta, which has the sign of the distance from the estimate,
    and is about standard normal for the true value (Bates, Maechler, Bolker and Walker 2015). It
    is the likelihood of ML, as in lme4: of a fit by REML the optimum of ML is found first.

    Parameters
    ----------
    fitted : estimator, MixedLMResults or LMMFit
    which : {"all", "fixed", "random"}, str or sequence of str, default="all"
        ``"random"`` means standard deviations, correlations, the parameters of a residual structure
        and sigma. Names are those of the table: ``"Days"``, ``"sd_Days|Subject"``,
        ``"cor_Days.Intercept|Subject"``, ``"phi"``, ``"sigma"``.
    level : float, default=0.95
        Confidence of the intervals; the curves reach a little beyond.

    Raises
    ------
    ValueError
        If level is not between 0 and 1, which has an unknown name, the fit has not kept its
        cross-products, or the likelihood has no maximum.
    TypeError
        If the model has a residual structure, and ``fitted`` keeps no rows.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_dyestuff
    >>> from skmixed.inference import profile
    >>> results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff())
    >>> profiled = profile(results)
    >>> profiled.confint()[["parameter", "lower", "upper"]].round(2)
                parameter    lower    upper
    0           Intercept  1486.45  1568.55
    1  sd_Intercept|Batch    12.20    84.06
    2               sigma    38.23    67.66
    >>> profiled.zeta("sigma", [40.0, 50.0, 60.0]).round(2)
    array([-1.59,  0.07,  1.25])
    """
    fit = fit_of(fitted)
    fit.require_likelihood()
    cutoff = _cutoff(check_level(level))
    parameters = selected(model_parameters(fit), which)
    if fit.coordinates.exact:
        return ProfileLikelihood(
            {one.name: _without_points(one) for one in parameters}, level, math.inf
        )
    best, log_likelihood = _maximum(fit, fitted)
    curves = {one.name: _curve(fit, best, one, cutoff) for one in parameters}
    return ProfileLikelihood(curves, level, log_likelihood)


def _maximum(fit: LMMFit, fitted: Any) -> tuple[Maximum, float]:
    """Return the optimum by ML, for which some models take their rows, and its log-likelihood."""
    if isinstance(fit, GLMMFit):
        model = rows_of(fitted, WITH_ROWS).model
        return generalised_maximum(fit, model), fit.log_likelihood
    if fit.residual is None:
        best: Maximum = linear_maximum(fit)
    else:
        best = residual_maximum(fit, rows_of(fitted, WITH_ROWS).model)
    volume = best.at.solution.nu * math.log(fit.coordinates.response_scale)
    return best, -0.5 * best.at.value - volume


def interval_table(
    parameters: Sequence[ModelParameter], limits: Sequence[Sequence[float]], method: str
) -> pd.DataFrame:
    """Return one row for each parameter, with its estimate and limits."""
    table = pd.DataFrame(
        {
            "parameter": [one.name for one in parameters],
            "group": pd.Series([one.group for one in parameters], dtype=object),
            "name1": pd.Series([one.name1 for one in parameters], dtype=object),
            "name2": pd.Series([one.name2 for one in parameters], dtype=object),
            "estimate": [one.estimate for one in parameters],
        }
    )
    pairs = np.asarray(limits, dtype=np.float64).reshape(-1, 2)
    return table.assign(lower=pairs[:, 0], upper=pairs[:, 1], method=method)


def _cutoff(level: float) -> float:
    """Return |zeta| at the limits."""
    return float(stats.norm.isf(0.5 * (1.0 - level)))


def _curve(fit: LMMFit, best: Maximum, parameter: ModelParameter, cutoff: float) -> ProfileCurve:
    """Follow the profile of one parameter on both sides."""
    if not parameter.identified:
        return _without_points(parameter)
    held = held_parameter(fit, best, parameter)
    scale = held.scale
    if held.flat:
        ends = scale.to_user(np.array([scale.lower, scale.upper]))
        return _without_points(parameter, (float(ends[0]), float(ends[1])), scale)
    try:
        path = ProfilePath(held.deviance, held.optimum, best.at.value, scale.lower, scale.upper)
    except np.linalg.LinAlgError:
        return _without_points(parameter, scale=scale)
    down, up = (path.side(direction, cutoff, REACH * cutoff) for direction in (-1, 1))
    points = _apart([*down.points, path.start, *up.points], cutoff)
    internal, zeta, slope = (
        np.array([getattr(point, name) for point in points]) for name in ("value", "zeta", "slope")
    )
    found = scale.to_user(np.array([down.limit, path.start.value, up.limit]))
    limits = (float(found[0]), float(found[2]))
    return ProfileCurve(parameter, float(found[1]), limits, internal, zeta, slope, scale)


def _apart(points: list[PathPoint], cutoff: float) -> list[PathPoint]:
    """Return the points in order; of some that are almost one, the nearest to the cutoff."""
    kept: list[PathPoint] = []
    ordered = sorted(points, key=lambda point: point.value)
    close = APART * (ordered[-1].value - ordered[0].value)
    for point in ordered:
        near = bool(kept) and point.value - kept[-1].value < close
        if near and abs(point.zeta - kept[-1].zeta) < APART:
            if abs(abs(point.zeta) - cutoff) < abs(abs(kept[-1].zeta) - cutoff):
                kept[-1] = point
        else:
            kept.append(point)
    return kept


def _without_points(
    parameter: ModelParameter,
    limits: tuple[float, float] = (math.nan, math.nan),
    scale: ParameterScale = PLAIN,
) -> ProfileCurve:
    """Return the curve of a parameter of which the likelihood says nothing."""
    nothing = np.empty(0)
    return ProfileCurve(parameter, math.nan, limits, nothing, nothing, nothing, scale)
