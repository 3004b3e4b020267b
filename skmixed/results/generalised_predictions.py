"""Predictions of a generalised model: of responses, or of their linear predictor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.results.row_results import RowResults

__all__ = ["GeneralisedPredictions"]

FloatArray = NDArray[np.float64]


class GeneralisedPredictions(RowResults):
    """Predict new rows; by default with random effects at their modes, and 0 where not known."""

    def predict(self, data: Any = None, **switches: Any) -> Any:
        """Predict the mean response of new rows; without data, return the fitted values.

        The random effects of known groups are at their conditional modes, those of other groups
        at 0: that is the response of a typical group. ``average=True`` returns the mean over what
        the effects may be instead.

        Parameters
        ----------
        data : DataFrame or array-like, optional
            Rows of what the model was fitted to.
        **switches
            groups, include_random_effects, return_std, return_cov, kind, average, scale, offset,
            exposure and trials: as for ``FittedModel.predict``, which explains them.

        Returns
        -------
        mean : ndarray of shape (n,)
            A Series of the fitted values without data.
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``
        """
        if data is None:
            if switches:
                raise ValueError(
                    "predict() without data returns the fitted values only. Pass data to choose "
                    f"{sorted(switches)}."
                )
            return self.fittedvalues
        return self.fitted_model.predict(data, **switches)

    def predict_link(self, data: Any, **switches: Any) -> Any:
        """Predict the linear predictor of new rows: ``predict`` with ``scale="link"``.

        Parameters
        ----------
        data : DataFrame or array-like
            Rows of what the model was fitted to.
        **switches
            As for ``predict``.

        Returns
        -------
        mean : ndarray of shape (n,)
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``
        """
        return self.fitted_model.predict(data, scale="link", **switches)

    def predict_probabilities(
        self, data: Any, *, logarithm: bool = False, **switches: Any
    ) -> FloatArray:
        """Return the probabilities of both outcomes of a binary response, (n, 2).

        Parameters
        ----------
        data : DataFrame or array-like
            Rows of what the model was fitted to.
        logarithm : bool, default=False
            Whether to return their logarithms.
        **switches
            groups, include_random_effects, average, offset and exposure, as for ``predict``.
        """
        return self.fitted_model.predict_probabilities(data, logarithm=logarithm, **switches)

    def predict_further(self, data: Any, **switches: Any) -> dict[str, FloatArray]:
        """Return the dispersion and the probability of inflated zeros of each row, by name.

        Parameters
        ----------
        data : DataFrame or array-like
            Rows of what the model was fitted to.
        **switches
            groups, as for ``predict``.
        """
        return self.fitted_model.predict_further(data, **switches)
