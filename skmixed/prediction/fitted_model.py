"""A fitted model: it reads new data, predicts, and gives its rows where they are kept."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.formula import FormulaRecipe
from skmixed.prediction.kept_rows import KeptRows
from skmixed.prediction.new_rows import NewRowReader
from skmixed.prediction.predict import Include
from skmixed.prediction.row_predictions import RowPredictions

__all__ = ["FittedModel"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FittedModel(RowPredictions):
    """Hold a fit, how it reads new data, and its rows where they are kept.

    Attributes
    ----------
    reader : NewRowReader or None
        What fit learned of the data; without it, nothing can be predicted.
    rows : KeptRows or None
        What was fitted; a fitted estimator keeps none.
    include_random_effects : bool, str or sequence of str
        Factors whose random effects predictions include by default.
    unseen_groups : {"population", "error"}
        What becomes of a label that was not fitted.
    missing_groups : {"error", "population"}
        What becomes of a missing label.
    skip_missing : bool
        Whether a row that misses a predictor is predicted as NaN; else it is an error.
    average : bool
        Whether predictions of a generalised model are averages over what is not known of the
        random effects by default: see ``predict``.
    df_method : str or None
        Where degrees of freedom come from; None is the default of the fit.
    information : {"observed", "expected"} or None
        The information on the variance parameters that Satterthwaite's method and Kenward and
        Roger's take; None is the default of the method.
    """

    fit: LMMFit
    reader: NewRowReader | None = None
    rows: KeptRows | None = None
    _: KW_ONLY
    response_name: str = "y"
    formula: str | None = None
    include_random_effects: Include = True
    unseen_groups: str = "population"
    missing_groups: str = "error"
    skip_missing: bool = False
    average: bool = False
    df_method: str | None = None
    information: Literal["observed", "expected"] | None = None

    @property
    def fitted_model(self) -> FittedModel:
        """Return the model itself: results and estimators have one under this name."""
        return self

    @property
    def recipe(self) -> FormulaRecipe | None:
        """Return how the formula makes its columns; None without a formula."""
        return None if self.reader is None else self.reader.formula_recipe

    @property
    def outcome(self) -> str:
        """Return what is predicted, in words: the response, or one of its labels."""
        responses = getattr(self.reader, "responses", None)
        return self.response_name if responses is None else responses.recipe.outcome

    def refitted(self, fit: LMMFit, model: LMMModel | GLMMModel) -> FittedModel:
        """Return the same with another fit, of other rows of the same columns."""
        levels = [factor.levels for factor in model.design.factors]
        reader = None if self.reader is None else self.reader.with_levels(levels)
        return replace(self, fit=fit, reader=reader, rows=KeptRows(model))

    def fitted_values(self) -> Any:
        """Return the conditional means of the kept rows, under their index."""
        data = self._given_rows()
        offset = None if self.rows is None else self.rows.offset
        known = None if offset is None else np.nan_to_num(offset)
        fitted = self.predict(data, include_random_effects=True, average=False, offset=known)
        if offset is not None:
            fitted[np.isnan(offset)] = np.nan
        return _indexed(fitted, data, "fittedvalues")

    def response(self) -> Any:
        """Return the response of the kept rows, under their index."""
        data = self._given_rows()
        return _indexed(self.observed(data), data, self.response_name)

    def _given_rows(self) -> Any:
        """Return the rows as the user gave them."""
        if self.rows is None or self.rows.given is None:
            raise AttributeError(
                "These results keep no rows of the data. Fit with mixedlm, which keeps them, or "
                "call predict of the estimator with the training data."
            )
        return self.rows.given


def _indexed(values: NDArray[np.float64], data: Any, name: str) -> Any:
    """Return values as a Series where the data have an index."""
    index = getattr(data, "index", None)
    return pd.Series(values, index, name=name) if isinstance(index, pd.Index) else values
