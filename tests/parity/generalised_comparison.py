"""What is compared of a generalised fit with R's figures, and how closely."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skmixed import inference

from .comparison import QUANTITIES, Difference, Quantity
from .names import matching
from .reference import Case, Fitted

__all__ = ["GENERALISED_QUANTITIES"]

# Quantities that mean the same in a linear model, and how closely they agree here.
_SHARED = {
    "AIC": 1e-8,
    "BIC": 1e-8,
    "beta": 1e-5,
    "theta": 1e-5,
    "standard errors": 1e-4,
    "covariance of beta": 1e-4,
    "covariance of effects": 1e-4,
    "random effects": 1e-5,
    "sums of squared effects": 1e-4,
    "conditional SD": 1e-4,
}


def _deviance(case: Case, fitted: Fitted) -> Difference:
    """Compare -2 log-likelihood; neither optimum may be above the other."""
    return Difference(-2.0 * fitted.results.llf, -2.0 * case.figures["loglik"], 1.0)


def _dispersion(case: Case, fitted: Fitted) -> Difference:
    """Compare the coefficients of the logarithm of glmmTMB's dispersion."""
    return _coefficients(fitted.results.dispersion_params, case.figures["fixef_disp"])


def _zero_inflation(case: Case, fitted: Fitted) -> Difference:
    return _coefficients(fitted.results.zero_inflation_params, case.figures["fixef_zi"])


def _fitted_values(case: Case, fitted: Fitted) -> Difference:
    return Difference(fitted.results.fittedvalues[:10], case.figures["fitted10"])


def _predictions(case: Case, fitted: Fitted) -> Difference:
    """Compare the first means, the modes plugged in, as predictions of rows."""
    rows = case.data.head(10)
    return Difference(fitted.results.predict(rows, average=False), case.figures["fitted10"])


def _population_means(case: Case, fitted: Fitted) -> Difference:
    rows = case.data.head(10)
    means = fitted.results.predict(rows, average=False, include_random_effects=False)
    return Difference(means, case.figures["predict_fixed10"])


def _predictors(case: Case, fitted: Fitted) -> Difference:
    """Compare the first linear predictors; one near 0 on the scale of the link."""
    expected = np.array(case.figures["predict_link10"])
    actual = fitted.results.predict_link(case.data.head(10))
    return Difference(actual, expected, np.maximum(np.abs(expected), 1.0))


def _population_predictors(case: Case, fitted: Fitted) -> Difference:
    expected = np.array(case.figures["predict_fixed_link10"])
    actual = fitted.results.predict_link(case.data.head(10), include_random_effects=False)
    return Difference(actual, expected, np.maximum(np.abs(expected), 1.0))


def _residual_quantiles(case: Case, fitted: Fitted) -> Difference:
    """Compare the quantiles of the Pearson residuals, on their own scale."""
    found = np.quantile(inference.residuals(fitted.results, kind="pearson"), np.linspace(0, 1, 5))
    return Difference(found, case.figures["scaled_resid_quantiles"], np.ones(5))


def _pearson(case: Case, fitted: Fitted) -> Difference:
    found = inference.residuals(fitted.results, kind="pearson")
    return Difference(np.sum(found**2), case.figures["pearson_ss"])


def _conditional_deviance(case: Case, fitted: Fitted) -> Difference:
    found = inference.residuals(fitted.results, kind="deviance")
    return Difference(np.sum(found**2), case.figures["conditional_deviance"])


def _coefficients(ours, theirs) -> Difference:
    """Compare coefficients by R's names; one near 0 on the scale of the link."""
    expected = np.array(list(theirs.values()))
    actual = ours.to_numpy()[matching(ours.index, theirs)]
    return Difference(actual, expected, np.maximum(np.abs(expected), 1.0))


GENERALISED_QUANTITIES = (
    Quantity("-2 log-likelihood", 1e-6, "loglik", _deviance),
    *(
        replace(quantity, tolerance=_SHARED[quantity.name])
        for quantity in QUANTITIES
        if quantity.name in _SHARED
    ),
    Quantity("dispersion", 1e-5, "fixef_disp", _dispersion),
    Quantity("zero inflation", 1e-5, "fixef_zi", _zero_inflation),
    Quantity("fitted values", 1e-5, "fitted10", _fitted_values),
    Quantity("predictions", 1e-5, "fitted10", _predictions),
    Quantity("population means", 1e-5, "predict_fixed10", _population_means),
    Quantity("predictors", 1e-5, "predict_link10", _predictors),
    Quantity("population predictors", 1e-5, "predict_fixed_link10", _population_predictors),
    Quantity("residual quantiles", 1e-4, "scaled_resid_quantiles", _residual_quantiles),
    Quantity("sum of squared Pearson residuals", 1e-4, "pearson_ss", _pearson),
    Quantity("conditional deviance", 1e-4, "conditional_deviance", _conditional_deviance),
)
"""The likelihood first, as in the linear comparison; standard errors hold theta's uncertainty."""
