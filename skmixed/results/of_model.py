"""What results read off the fitted model that they hold."""

from __future__ import annotations

from typing import Any

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.formula import FormulaRecipe
from skmixed.inference.coefficients.degrees_of_freedom import default_df_method
from skmixed.prediction.fitted_model import FittedModel

__all__ = ["OfModel"]


class OfModel:
    """Read the fit, the rows and the names off a fitted model."""

    fitted_model: FittedModel

    @property
    def fit(self) -> LMMFit:
        """Return the fit."""
        return self.fitted_model.fit

    @property
    def model(self) -> LMMModel | None:
        """Return what was fitted, with its rows: what refits start from; None without rows."""
        return None if self.fitted_model.rows is None else self.fitted_model.rows.model

    @property
    def recipe(self) -> FormulaRecipe | None:
        """Return how the formula makes its columns; None without a formula."""
        return self.fitted_model.recipe

    @property
    def data(self) -> Any:
        """Return the rows that were fitted; None if they are not kept."""
        return None if self.fitted_model.rows is None else self.fitted_model.rows.data

    @property
    def response_name(self) -> str:
        """Return the name of the response."""
        return self.fitted_model.response_name

    @property
    def formula(self) -> str | None:
        """Return the formula; None without one."""
        return self.fitted_model.formula

    @property
    def n_dropped(self) -> int:
        """Count the rows that were left out for missing values."""
        return 0 if self.fitted_model.rows is None else self.fitted_model.rows.n_dropped

    @property
    def weights(self) -> Any:
        """Return the weights of the observations; None without weights, or if not kept."""
        return None if self.fitted_model.rows is None else self.fitted_model.rows.weights

    @property
    def df_method(self) -> str:
        """Say where degrees of freedom come from."""
        chosen = self.fitted_model.df_method
        return default_df_method(self.fit) if chosen is None else chosen
