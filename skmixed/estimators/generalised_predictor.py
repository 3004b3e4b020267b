"""The linear predictor of new rows, and what is made of it: means and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.offsets import total_offset
from skmixed.families.base import Family
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.prediction.averaged_density import averaged_log_probabilities
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.predict import mean_error_variance, predict_mean
from skmixed.prediction.response_law import averaged_mean

__all__ = ["NormalPredictor", "normal_predictor"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NormalPredictor:
    """Hold what is known of the linear predictor of rows: N(mean, variance).

    Attributes
    ----------
    family : Family
    mean, variance : ndarray of shape (n,)
        The variance is that of the random effects, 0 where they are plugged in.
    extra : tuple of ndarray of shape (n,)
        The further predictors.
    """

    family: Family
    mean: FloatArray
    variance: FloatArray
    extra: tuple[FloatArray, ...]

    def response(self) -> FloatArray:
        """Return the mean of the response."""
        return averaged_mean(self.family, self.mean, self.variance, self.extra)

    def log_probabilities(self) -> FloatArray:
        """Return the logarithms of the probabilities of failure and success, (n, 2)."""
        return averaged_log_probabilities(self.family, self.mean, self.variance)


def normal_predictor(
    model: FittedModel,
    X: Any,
    *,
    average: bool,
    groups: Any = None,
    include_random_effects: Any = None,
    offset: Any = None,
    exposure: Any = None,
) -> NormalPredictor:
    """Return the linear predictor of rows.

    Parameters
    ----------
    model : FittedModel
        Of a generalised fit.
    X, groups, include_random_effects
        As for ``FittedModel.read``.
    average : bool
        Whether what is not known of the random effects is kept as a variance.
    offset, exposure : array-like of shape (n,), optional
        Known parts of the predictor, beside those of a formula.
    """
    fit: Any = model.fit
    assert isinstance(fit, GLMMFit)
    rows, include = model.read(X, groups, include_random_effects)
    mean = predict_mean(fit, rows, include_random_effects=include)
    known = total_offset(len(mean), None, offset, exposure, link=fit.family.link.name)
    if known is not None:
        mean = mean + known
    variance = np.zeros_like(mean)
    if average:
        nothing = np.zeros_like(fit.fixed.unscaled_covariance)
        variance = mean_error_variance(
            fit, rows, include_random_effects=include, of_coefficients=nothing
        )
    columns = model.reader.extra_columns(X) if model.reader is not None else ()
    extra = tuple(one.of_rows(its, len(mean)) for one, its in zip(fit.extra, columns, strict=True))
    return NormalPredictor(fit.family, mean, variance, extra)
