"""The variance that single observations add on the scale of the link (Nakagawa et al. 2017)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from skmixed.families.zero_inflation import ZeroInflated
from skmixed.fitting.glmm_fit import GLMMFit, latent_variance
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.inputs import model_of
from skmixed.inference.measures.variance_shares import mean_variance
from skmixed.prediction.response_law import averaged_mean

__all__ = ["observation_variance"]

FloatArray = NDArray[np.float64]

METHODS = ("theoretical", "delta", "lognormal", "trigamma")


def observation_variance(fit: LMMFit, fitted: Any, method: str | None, mean: str | float) -> float:
    """Return the variance of an observation about its linear predictor, on the scale of the link.

    Method and mean are those of ``r2``; of a linear model it is the residual variance.
    """
    if not isinstance(fit, GLMMFit):
        return fit.residual_variance
    link, latent = fit.family.link, latent_variance(fit.family)
    if method is None:
        usual = "lognormal" if link.name == "log" else "delta"
        method = usual if latent is None else "theoretical"
    _check(fit, method)
    if method == "theoretical" and latent is not None:
        return latent
    model: Any = model_of(fitted)
    eta = link.predictor(np.full(model.design.n_rows, _mean_response(fit, model, mean)))
    extra = fit.extra_of_rows(model.extra_columns, len(eta))
    delta = fit.family.variance(eta, extra) / link.derivatives(eta).first ** 2
    if method == "lognormal":
        delta = np.log1p(delta)
    elif method == "trigamma":
        delta = special.polygamma(1, 1.0 / delta)
    return float(np.mean(delta))


def _check(fit: GLMMFit, method: str) -> None:
    """Raise ValueError if a family has no variance by a method."""
    family = fit.family
    if method not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)}, got {method!r}.")
    if isinstance(family, ZeroInflated):
        raise ValueError(
            "No rule says what zero inflation adds to the variance on the scale of the link. Use "
            "icc(..., scale='response'), or a fit without zero inflation."
        )
    if method == "theoretical" and latent_variance(family) is None:
        raise ValueError(
            "method='theoretical' is the variance of a latent response, which "
            f"family={family.name!r} with link={family.link.name!r} does not have. Use 'delta'."
        )
    if method in ("lognormal", "trigamma") and family.link.name != "log":
        raise ValueError(
            f"method={method!r} needs the log link, got {family.link.name!r}. Use 'delta'."
        )


def _mean_response(fit: GLMMFit, model: GLMMModel, mean: str | float) -> float:
    """Return the mean response at which the variance is taken."""
    if not isinstance(mean, str):
        return float(mean)
    if mean not in ("null", "response"):
        raise ValueError(f"mean must be 'null', 'response' or a number, got {mean!r}.")
    if mean == "response":
        return float(np.average(model.design.response, weights=model.design.weights.values))
    nothing = np.empty((model.design.n_rows, 0))
    design = replace(model.design, fixed=nothing, fixed_names=(), intercept=True)
    null = model.with_design(design, model.extra).fit()
    intercept = float(null.fixed.coefficients[0])
    variance = _variance_at_intercept(null)
    if fit.family.link.name == "logit":
        # Nakagawa, Johnson and Schielzeth (2017), for the average over a normal eta.
        bend = np.tanh(intercept * (1.0 + 2.0 * np.exp(-0.5 * variance)) / 6.0)
        return float(special.expit(intercept - 0.5 * variance * bend))
    average = averaged_mean(fit.family, np.array([intercept]), np.array([variance]))
    return float(average[0])


def _variance_at_intercept(fit: LMMFit) -> float:
    """Return the variance of eta at covariates of 0; the mean of terms without an intercept."""
    total = 0.0
    for effects in fit.random:
        variances = effects.effect_covariance.diagonal()
        for own in effects.covariance.effect_slices:
            names = effects.effect_names[own]
            if "Intercept" in names:
                total += float(variances[own.start + names.index("Intercept")])
            else:
                total += mean_variance(effects, own)
    return total
