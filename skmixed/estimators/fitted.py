"""What a fitted mixed model tells: its attributes, tables and reports."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skmixed.design.matrices import DesignMatrices, design_matrices
from skmixed.estimators.array_input import ArrayInput
from skmixed.estimators.formula_input import FormulaInput
from skmixed.estimators.routing import GroupRoutingMixin
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.formula import FormulaRecipe, parse_formula
from skmixed.formula.values import unmasked
from skmixed.prediction.fitted_model import FittedModel
from skmixed.results import words
from skmixed.results.group_intervals import GroupUncertainty
from skmixed.results.lmm_results import MixedLMResults
from skmixed.results.random_effects_draws import RandomEffectsDraws
from skmixed.saving.versions import VersionedState

if TYPE_CHECKING:
    from skmixed.results.words.equation import Equation, Form

__all__ = ["FittedMixedModel"]

FloatArray = NDArray[np.float64]


class FittedMixedModel(VersionedState, GroupRoutingMixin, BaseEstimator):
    """Hold a fit and what reads new rows, and ask these whatever is asked of the estimator."""

    formula: str | None = None
    include_random_effects: bool | Sequence[str]
    unseen_groups: str
    missing_groups: str
    average: bool = False
    lmm_fit_: LMMFit
    intercept_: float
    converged_: bool
    n_iter_: int
    _input: ArrayInput | FormulaInput
    _response_label: str

    @property
    def fitted_model(self) -> FittedModel:
        """The fit with what reads new data: it predicts, and keeps no rows.

        Raises
        ------
        NotFittedError
            If there is no fit.
        """
        check_is_fitted(self)
        return FittedModel(
            self.lmm_fit_,
            self._input,
            response_name=self._response_name(),
            formula=self.formula,
            include_random_effects=self.include_random_effects,
            unseen_groups=self.unseen_groups,
            missing_groups=self.missing_groups,
            average=bool(self.average),
        )

    @property
    def results_(self) -> MixedLMResults:
        """The fit under statsmodels' names."""
        return MixedLMResults(self.fitted_model)

    @property
    def coef_(self) -> FloatArray:
        """Coefficients of the fixed columns, shape (n_features,)."""
        fit = self.lmm_fit_
        if self._groups_are_columns() or fit.residual is not None:
            _refuse_selectors()
        return fit.fixed.coefficients[int(fit.coordinates.fixed.intercept) :].copy()

    @property
    def theta_(self) -> np.ndarray:
        """Relative covariance parameters, factor of most levels first; shape (n_parameters,)."""
        return self.lmm_fit_.theta

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood of the criterion, REML or ML, with all constants."""
        return self.lmm_fit_.log_likelihood

    @property
    def optimizer_message_(self) -> str:
        """How the search for the variance parameters ended."""
        return self.lmm_fit_.convergence.message

    @property
    def aic_(self) -> float:
        """Akaike's criterion."""
        return self.lmm_fit_.aic

    @property
    def bic_(self) -> float:
        """Schwarz's criterion."""
        return self.lmm_fit_.bic

    @property
    def is_singular_(self) -> bool:
        """Whether a covariance of random effects is on its boundary."""
        return self.lmm_fit_.singular

    @property
    def groups_(self) -> dict[str, np.ndarray]:
        """Labels that were fitted, by factor; each of shape (n_levels,)."""
        return {part.name: part.levels.labels.to_numpy() for part in self.lmm_fit_.random}

    @property
    def random_effects_(self) -> dict[str, pd.DataFrame]:
        """Conditional modes (BLUPs) by factor, levels x effects."""
        return self.results_.random_effects

    @property
    def random_effects_sd_(self) -> dict[str, pd.DataFrame]:
        """Conditional standard deviations of the modes by factor, levels x effects."""
        return self.results_.random_effects_sd

    @property
    def group_coef_(self) -> dict[str, pd.DataFrame]:
        """Population coefficients plus each level's deviations by factor, levels x coefficients."""
        return self.results_.group_coefficients

    @property
    def variance_components_(self) -> pd.DataFrame:
        """One row per variance or covariance; the last row is the residual."""
        return self.results_.variance_components

    def random_effects_table(
        self,
        level: float = 0.95,
        *,
        beta_known: bool = False,
        variance_uncertainty: GroupUncertainty = None,
    ) -> pd.DataFrame:
        """Return one row for each random effect of each group: value, se, limits, excludes_zero.

        Parameters
        ----------
        level, beta_known, variance_uncertainty
            As for ``skmixed.results.random_effects_table``.
        """
        return self.results_.random_effects_table(
            level, beta_known=beta_known, variance_uncertainty=variance_uncertainty
        )

    def group_coefficients_table(
        self, level: float = 0.95, *, variance_uncertainty: GroupUncertainty = None
    ) -> pd.DataFrame:
        """Return one row for each coefficient of each group, with the standard error of the sum.

        Parameters
        ----------
        level, variance_uncertainty
            As for ``skmixed.results.group_coefficients_table``.
        """
        return self.results_.group_coefficients_table(
            level, variance_uncertainty=variance_uncertainty
        )

    def sample_random_effects(
        self, n: int = 1000, *, random_state: Any = None, beta_known: bool = False
    ) -> RandomEffectsDraws:
        """Draw the effects of all groups from their distribution given the data.

        Parameters
        ----------
        n, random_state, beta_known
            As for ``skmixed.results.sample_random_effects``.
        """
        return self.results_.sample_random_effects(
            n, random_state=random_state, beta_known=beta_known
        )

    def describe(self, level: float = 0.95) -> str:
        """Describe the model in plain words.

        Parameters
        ----------
        level
            As for ``skmixed.results.describe``.
        """
        return self.results_.describe(level)

    def summary(self, **options: Any) -> Any:
        """Return a summary of the fit, which prints as text and shows as HTML.

        Parameters
        ----------
        **options
            As for ``MixedLMResults.summary``.
        """
        return self.results_.summary(**options)

    def equation(
        self, form: Form = "conditional", *, values: bool = False, X: Any = None, groups: Any = None
    ) -> Equation:
        """Write the model as equations in LaTeX.

        Parameters
        ----------
        form, values
            As for ``skmixed.results.equation``.
        X : array-like or data frame of shape (n, n_columns), optional
            Rows that show which columns are constant within groups: the hierarchical form has all
            fixed effects at the level of the rows without.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array.
        """
        rows = None if X is None else self.fitted_model.read(X, groups, True)[0]
        return words.equation(self.results_, form, values=values, rows=rows)

    def design_matrices(self, X: Any, *, groups: Any = None) -> DesignMatrices:
        """Show X and Z of some rows, with labelled columns.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        groups : array-like of shape (n,), optional

        Returns
        -------
        DesignMatrices
            ``X`` a DataFrame; ``Z`` sparse, with its columns named by ``Z_columns``.
        """
        rows, _ = self.fitted_model.read(X, groups, True)
        parts = [(part.levels, part.effect_names) for part in self.lmm_fit_.random]
        return design_matrices(rows, self.lmm_fit_.fixed.names, parts)

    @property
    def recipe(self) -> FormulaRecipe | None:
        """Return how the formula makes its columns; None for a model of arrays."""
        return self._input.formula_recipe

    @property
    def predictor_columns(self) -> list[str] | None:
        """Name the columns of data that predict reads; None for all columns of an array."""
        return self._input.variables

    def observed_response(self, X: Any, y: Any = None) -> Any:
        """Return the response of rows: y, or what the formula finds in X, shape (n,)."""
        return unmasked(self.fitted_model.observed(X, y))

    def _response_name(self) -> str:
        """Name the response as the formula does, or as fit got it."""
        response = None if self.formula is None else parse_formula(self.formula).response
        return response or self._response_label


def _refuse_selectors() -> None:
    """Raise ValueError if one of scikit-learn's selectors reads the attribute that asks.

    Without a number for the columns of labels it would remove the wrong columns, and say nothing.
    """
    reader = str(sys._getframe(2).f_globals.get("__name__", ""))
    if reader.startswith("sklearn.feature_selection"):
        raise ValueError(
            "Selectors such as RFE and SelectFromModel need a number in coef_ for each column of "
            "X, and columns of labels have none. Name no column of labels in the estimator, and "
            "pass them beside X: RFE(MixedLM()).fit(X, y, groups=labels)."
        )
