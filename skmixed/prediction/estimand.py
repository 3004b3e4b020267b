"""What is estimated, and how far its estimates err where the variance parameters are right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.predict import (
    Include,
    Kind,
    predict_covariance,
    predict_mean,
    predict_variance,
)

__all__ = ["Estimand", "PredictedRows"]

FloatArray = NDArray[np.float64]


class Estimand(Protocol):
    """Some numbers that are linear in the coefficients, the random effects and new residuals.

    It is asked about fits of the same data at several variance parameters. At one theta, means
    do not depend on sigma and variances are proportional to sigma^2.
    """

    def mean_of(self, fit: LMMFit) -> FloatArray:
        """Return the best linear unbiased predictions, shape (n,)."""
        ...

    def variance_of(self, fit: LMMFit) -> FloatArray:
        """Return the variances of their errors, the variance parameters being known, (n,)."""
        ...

    def covariance_of(self, fit: LMMFit) -> FloatArray:
        """Return the covariance of their errors, the variance parameters being known, (n, n)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PredictedRows:
    """Predict new rows.

    Attributes
    ----------
    include_random_effects : bool or collection of str
        All, none, or those of the named factors.
    kind : {"observation", "mean", "population"}
        What is predicted: see ``predict_variance``.
    """

    rows: NewRows
    include_random_effects: Include
    kind: Kind

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows.fixed)

    def take(self, chunk: slice) -> PredictedRows:
        """Return some of the rows."""
        return replace(self, rows=self.rows.take(chunk))

    def mean_of(self, fit: LMMFit) -> FloatArray:
        """Return the predictions, shape (n,)."""
        return predict_mean(fit, self.rows, include_random_effects=self.include_random_effects)

    def variance_of(self, fit: LMMFit) -> FloatArray:
        """Return the variances of what is predicted about the predictions, (n,)."""
        return predict_variance(
            fit, self.rows, include_random_effects=self.include_random_effects, kind=self.kind
        )

    def covariance_of(self, fit: LMMFit) -> FloatArray:
        """Return the covariance of what is predicted about the predictions, (n, n)."""
        return predict_covariance(
            fit, self.rows, include_random_effects=self.include_random_effects, kind=self.kind
        )
