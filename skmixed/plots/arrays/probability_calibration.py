"""Shares of successes beside the probabilities that a model predicted, in bins of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmixed.design.design import NewRows
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.diagnostics.family_tests import required_family_rows
from skmixed.plots.arrays.bins import equal_bins, sums_over
from skmixed.prediction.family_prediction import ResponseScale, family_prediction
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.new_rows import wanted_factors
from skmixed.prediction.predict import Include, PredictedRows

__all__ = ["calibration_arrays", "calibration_of_rows", "share_limits"]

FloatArray = NDArray[np.float64]

# What the kinds of predictions are called, and whether they are averages.
AVERAGES = {"averaged": True, "plugged in": False}


def calibration_arrays(
    model: FittedModel,
    X: Any,
    response: FloatArray,
    trials: FloatArray | None,
    *,
    groups: Any,
    include: Include,
    n_bins: int,
) -> dict[str, Any]:
    """Return the arguments of a ProbabilityCalibrationDisplay, but for its level.

    Parameters
    ----------
    response : ndarray of shape (n,)
        Shares of successes.
    trials : ndarray of shape (n,) or None
    include : bool, str or sequence of str
        Factors whose random effects are known.
    """
    rows, included = model.read(X, groups, include)
    return _binned(_binomial(model.fit), rows, included, response, trials, n_bins)


def calibration_of_rows(results: Any, *, include: Include, n_bins: int) -> dict[str, Any]:
    """Return the arguments of a ProbabilityCalibrationDisplay of the rows that were fitted."""
    rows = required_family_rows(results, None, None, {}, "Calibration")
    fit = _binomial(rows.fit)
    included = wanted_factors(include, [effects.name for effects in fit.random])
    new = NewRows.of(rows.design)
    return _binned(fit, new, included, rows.response, rows.weights, n_bins)


def _binomial(fit: LMMFit) -> GLMMFit:
    """Return a fit of a binomial family; raise ValueError if it is of another."""
    if not isinstance(fit, GLMMFit) or fit.family.name != "binomial":
        raise ValueError(
            "Probabilities are those of a binomial family, which this model does not have. Use "
            "ResidualsDisplay, or RootogramDisplay for counts."
        )
    return fit


def _binned(
    fit: GLMMFit,
    rows: NewRows,
    included: list[str],
    response: FloatArray,
    weights: FloatArray | None,
    n_bins: int,
) -> dict[str, Any]:
    """Return means of predictions and responses over bins, for each kind of prediction."""
    counted = np.ones(len(response)) if weights is None else weights
    found: dict[str, dict[str, FloatArray]] = {"predicted": {}, "observed": {}, "counts": {}}
    for name, average in AVERAGES.items():
        asked = PredictedRows(rows, included, "mean")
        probability = family_prediction(fit, asked, ResponseScale(average)).mean
        bins = equal_bins(probability, n_bins)
        total = sums_over(bins, counted)
        found["predicted"][name] = sums_over(bins, counted * probability) / total
        found["observed"][name] = sums_over(bins, counted * response) / total
        found["counts"][name] = total
    return found


def share_limits(shares: FloatArray, counts: FloatArray, level: float) -> FloatArray:
    """Return exact limits of probabilities (Clopper and Pearson 1934), shape (n, 2)."""
    tail, successes = 0.5 * (1.0 - level), shares * counts
    lower = stats.beta.ppf(tail, successes, counts - successes + 1.0)
    upper = stats.beta.isf(tail, successes + 1.0, counts - successes)
    low, high = np.where(successes > 0.0, lower, 0.0), np.where(successes < counts, upper, 1.0)
    return np.column_stack([low, high])
