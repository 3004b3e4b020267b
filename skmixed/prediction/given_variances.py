"""Predictions that take the variance parameters as known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from skmixed.design.design import NewRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.predict import (
    Include,
    Kind,
    predict_covariance,
    predict_mean,
    predict_variance,
)

__all__ = ["GivenVariances", "student_quantiles"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GivenVariances:
    """Describe predictions where the estimated variance parameters are taken as the true ones.

    Quantiles are those of Student's t with n - rank(X) degrees of freedom: exact for a model
    without random effects.

    Attributes
    ----------
    fit : LMMFit
    rows : NewRows
    include_random_effects : bool or collection of str
    kind : {"observation", "mean", "population"}
    """

    fit: LMMFit
    rows: NewRows
    include_random_effects: Include
    kind: Kind

    @cached_property
    def mean(self) -> FloatArray:
        """Return the predictions, shape (n,)."""
        return predict_mean(self.fit, self.rows, include_random_effects=self.include_random_effects)

    @cached_property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is predicted about the predictions, (n,)."""
        return np.sqrt(
            predict_variance(
                self.fit,
                self.rows,
                include_random_effects=self.include_random_effects,
                kind=self.kind,
            )
        )

    def covariance(self) -> FloatArray:
        """Return the covariance of what is predicted about the predictions, (n, n)."""
        return predict_covariance(
            self.fit,
            self.rows,
            include_random_effects=self.include_random_effects,
            kind=self.kind,
        )

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of Student's t around the predictions, (n, n_probabilities)."""
        df = max(self.fit.n_rows - len(self.fit.fixed.standardised), 1.0)
        return student_quantiles(self.mean, self.std, np.array([df]), probabilities)


def student_quantiles(
    mean: FloatArray, std: FloatArray, df: FloatArray, probabilities: FloatArray
) -> FloatArray:
    """Return mean + std t, t the quantiles of Student's distribution; normal ones for infinite df.

    Parameters
    ----------
    mean, std : ndarray of shape (n,)
    df : ndarray of shape (n,) or (1,)
    probabilities : ndarray of shape (n_probabilities,)

    Returns
    -------
    ndarray of shape (n, n_probabilities)
    """
    finite = np.where(np.isinf(df), 1.0, df)[:, None]
    # The quantiles of both tails are the same but for the sign.
    tails, positions = np.unique(np.abs(probabilities - 0.5), return_inverse=True)
    t = np.where(np.isinf(df)[:, None], ndtri(0.5 + tails), stdtrit(finite, 0.5 + tails))
    return mean[:, None] + std[:, None] * (np.sign(probabilities - 0.5) * t[:, positions])
