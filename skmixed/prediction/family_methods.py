"""What a model of a family predicts beside means: probabilities, and its other predictors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.rows import take_rows
from skmixed.prediction.family_prediction import further_values, log_probabilities
from skmixed.prediction.row_predictions import RowPredictions, among_missing

__all__ = ["FamilyMethods"]

FloatArray = NDArray[np.float64]


class FamilyMethods(RowPredictions):
    """Predict probabilities, dispersions and inflated zeros of rows."""

    __slots__ = ()

    def predict_probabilities(
        self, X: Any, *, logarithm: bool = False, **switches: Any
    ) -> FloatArray:
        """Return the probabilities of both outcomes of a binary response, (n, 2).

        Both are accurate relative to their size, however small.

        Parameters
        ----------
        logarithm : bool, default=False
            Whether to return their logarithms.
        **switches
            groups, include_random_effects, average, offset and exposure, as for ``predict``.
        """
        prediction, complete = self._predictive(X, **switches)
        logarithms = log_probabilities(prediction)
        return among_missing(logarithms if logarithm else np.exp(logarithms), complete)

    def predict_further(self, X: Any, *, groups: Any = None) -> dict[str, FloatArray]:
        """Return what a family has beside its mean for each row."""
        complete = self._complete(X)
        kept = X if complete is None else take_rows(X, complete)
        rows, _ = self.read(kept, groups, False)
        return {
            name: among_missing(values, complete)
            for name, values in further_values(self.fit, rows).items()
        }
