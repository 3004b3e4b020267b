"""Predictions of complete rows, put among the rows that miss a predictor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.prediction.predictive import Predictive

__all__ = ["AmongMissing"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AmongMissing:
    """Predict complete rows; the others are NaN.

    Attributes
    ----------
    prediction : Predictive
        Of the complete rows.
    complete : ndarray of bool of shape (n,)
    """

    prediction: Predictive
    complete: NDArray[np.bool_]

    @property
    def mean(self) -> FloatArray:
        """Return the predictions, shape (n,)."""
        return self._spread(self.prediction.mean)

    @property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is predicted about the predictions, (n,)."""
        return self._spread(self.prediction.std)

    def covariance(self) -> FloatArray:
        """Return the covariance of what is predicted about the predictions, (n, n)."""
        full = np.full((len(self.complete),) * 2, np.nan)
        full[np.ix_(self.complete, self.complete)] = self.prediction.covariance()
        return full

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of what is predicted, (n, n_probabilities)."""
        return self._spread(self.prediction.quantiles(probabilities))

    def _spread(self, values: FloatArray) -> FloatArray:
        """Return values of the complete rows among NaN for the others."""
        full = np.full((len(self.complete), *values.shape[1:]), np.nan)
        full[self.complete] = values
        return full
