"""Add rows to a fitted estimator of a generalised model without fitting it again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skmixed.design.offsets import total_offset
from skmixed.design.response import ReadResponse, response_of_values
from skmixed.design.weights import Weights
from skmixed.estimators.added_rows import AddedRows
from skmixed.estimators.generalised_model import outcome_of
from skmixed.estimators.learning import all_or_nothing
from skmixed.estimators.numbers import checked_response
from skmixed.estimators.weights import row_weights
from skmixed.fitting.generalised_adapting import adapted_modes
from skmixed.fitting.glmm_fit import GLMMFit

__all__ = ["GeneralisedAdapting"]

FloatArray = NDArray[np.float64]


class GeneralisedAdapting(AddedRows):
    """Update the random effects of ``lmm_fit_`` by new rows, at the estimated parameters."""

    lmm_fit_: GLMMFit

    @all_or_nothing
    def adapt(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> Any:
        """Add rows: update the effects of known groups, and create those of new groups.

        All parameters are kept. New rows enter with their exact distribution; of the earlier rows
        the fit knows their log density to second order in the random effects, around where they
        were. The effects of a group without earlier rows are therefore exactly those that a fit of
        all rows has at these parameters. Those of other groups are close to that, and the closer
        the less the new rows move them.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            New rows, with the columns of fit. Of rows that were fitted already nothing is known:
            given again, they count twice.
        y : array-like of shape (n,), optional
            The response; a formula may name it instead, as a column of X.
        groups : array-like of shape (n,), optional
            Labels, if fit got them as an array. Labels that are new make new groups, whatever
            ``unseen_groups`` says.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, or the trials of proportions, as for ``fit``; a row of weight 0 is
            dropped.
        offset, exposure : array-like of shape (n,), optional
            As for ``predict``.

        Returns
        -------
        self
            With ``random_effects_`` and all that depends on them updated; coefficients and
            likelihood are still those of fit.

        Raises
        ------
        ValueError
            If the rows cannot be read, labels are not given, the family cannot have a response, or
            the fit is too large to keep what it needs.
        NotFittedError
            If there is no fit.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from skmixed import MixedLogisticRegression
        >>> rng = np.random.default_rng(0)
        >>> data = pd.DataFrame({"x": rng.normal(size=400), "g": np.arange(400) % 20})
        >>> eta = data["x"] + 1.5 * rng.normal(size=20)[data["g"]]
        >>> y = rng.random(400) < 1.0 / (1.0 + np.exp(-eta))
        >>> model = MixedLogisticRegression("g").fit(data, y)
        >>> new = pd.DataFrame({"x": [0.0, 0.0, 0.0], "g": 99})
        >>> before = model.predict_proba(new.head(1))[0, 1]
        >>> after = model.adapt(new, [True, True, True]).predict_proba(new.head(1))[0, 1]
        >>> bool(after > before)
        True
        """
        check_is_fitted(self)
        rows, labels = self._rows_to_add(X, groups)
        n = len(rows.fixed)
        response = self._response_to_add(X, y, row_weights(sample_weight, n))
        link = self.lmm_fit_.family.link.name
        rows = replace(
            rows,
            offset=total_offset(n, rows.offset, offset, exposure, link=link),
            extra=self._input.extra_columns(X),
        )
        design, places, kept = self._design_to_add(
            rows, response.values, Weights(response.row_weights, "frequency"), labels
        )
        self.lmm_fit_.family.check(design.response)
        extra = tuple(None if one is None else one[kept] for one in rows.extra)
        return self._keep_added(adapted_modes(self.lmm_fit_, design, places, extra), design)

    def _response_to_add(self, X: Any, y: Any, weights: FloatArray | None) -> ReadResponse:
        """Return the response of rows as that of fit was read."""
        reader = getattr(self._input, "responses", None)
        if y is None and reader is not None:
            return reader.read(X, weights)
        values = self._added_numbers(self._input.observed(X, y))
        return response_of_values(values, outcome=outcome_of(self.lmm_fit_.family), weights=weights)

    def _added_numbers(self, y: Any) -> FloatArray:
        """Return the response that was given as finite numbers."""
        return checked_response(y)
