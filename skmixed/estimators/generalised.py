"""What the estimators of generalised mixed models share: their training model and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.response import ReadResponse, response_of_values, train_response
from skmixed.estimators.formula_input import check_data
from skmixed.estimators.generalised_adapting import GeneralisedAdapting
from skmixed.estimators.generalised_attributes import FamilyAttributes
from skmixed.estimators.generalised_model import generalised_model, outcome_of
from skmixed.estimators.numbers import checked_response
from skmixed.estimators.side_predictors import SideFormulas, train_sides
from skmixed.estimators.specification import ModelSpecification
from skmixed.estimators.structures import require_ordered_effects
from skmixed.estimators.weights import row_weights
from skmixed.families.base import Family
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.formula import ParsedFormula, parse_formula
from skmixed.formula.columns import n_rows
from skmixed.likelihood.penalties import penalty_from
from skmixed.likelihood.quadrature import check_quadrature
from skmixed.results.glmm_results import MixedGLMResults

__all__ = ["GeneralisedMixedModel"]

FloatArray = NDArray[np.float64]


class GeneralisedMixedModel(GeneralisedAdapting, FamilyAttributes, ModelSpecification):
    """Fit generalised mixed models; subclasses say which family, and how the response is given."""

    link: Any
    average: bool
    n_quadrature: int
    penalty: Any
    lmm_fit_: GLMMFit

    _without_groups = "a generalised linear model without random effects"

    def _family(self) -> Family:
        """Return the family of the response."""
        raise NotImplementedError

    def _side_formulas(self) -> SideFormulas:
        """Return the formulas of further predictors by their arguments."""
        return {}

    def _numbers(self, y: Any) -> FloatArray:
        """Return the response that was given as finite numbers."""
        return checked_response(y)

    def _found_by_formula(self, response: ReadResponse) -> ReadResponse:
        """Return the response that a formula found as this estimator takes it."""
        return response

    def _weighted(self, response: ReadResponse) -> ReadResponse:
        """Return the response with the weights of its rows."""
        return response

    def _training_model(
        self,
        X: Any,
        y: Any,
        groups: Any,
        sample_weight: Any,
        offset: Any = None,
        exposure: Any = None,
    ) -> GLMMModel:
        """Return the training model, and learn the columns of X."""
        self._check_parameters()
        self._refuse_second_labels(groups)
        self._response_label = str(getattr(y, "name", None) or "y")
        if y is None and self.formula is not None:
            self._learn_columns(X)
            return self.formula_model(
                parse_formula(self.formula),
                X,
                sample_weight=sample_weight,
                offset=offset,
                exposure=exposure,
            )
        outcome = outcome_of(self._family())
        values = None if y is None else self._numbers(y)
        design, structures, self._input = self._design(X, values, groups)
        weights = row_weights(sample_weight, design.n_rows)
        response = response_of_values(design.response, outcome=outcome, weights=weights)
        return self._model(design, structures, response, X, None, offset, exposure)

    def formula_model(
        self,
        parsed: ParsedFormula,
        data: Any,
        *,
        environment: Mapping[str, Any] | None = None,
        sample_weight: Any = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> GLMMModel:
        """Return the training model of a formula that may use names of an environment.

        Parameters
        ----------
        parsed : ParsedFormula
            With its response.
        data : DataFrame or mapping of columns
        environment : mapping, optional
            Functions and constants that the formula uses.
        sample_weight, offset, exposure : array-like of shape (n,), optional
        """
        self._check_parameters()
        reader, found = train_response(
            parsed,
            data,
            outcome=outcome_of(self._family()),
            weights=row_weights(sample_weight, n_rows(data)),
            environment=environment,
        )
        response = self._found_by_formula(found)
        # Labels and proportions are read already: what is left are the columns of the right side.
        bare = replace(parsed, response=None)
        design, structures, form = self._formula_design(bare, data, response.values, environment)
        self._input = replace(form, responses=reader)
        return self._model(design, structures, response, data, environment, offset, exposure)

    def _model(
        self,
        design: Design,
        structures: JointCovariance,
        response: ReadResponse,
        data: Any,
        environment: Mapping[str, Any] | None,
        offset: Any,
        exposure: Any,
    ) -> GLMMModel:
        """Return the model of the rows that count."""
        self._say_that_there_are_no_groups(design)
        require_ordered_effects(design, structures)
        check_quadrature(self.n_quadrature, structures)
        family, formulas = self._family(), self._side_formulas()
        if any(text is not None for text in formulas.values()):
            check_data(data, "X")
        sides, extra = train_sides(family, formulas, data, design.n_rows, environment)
        model = generalised_model(
            design,
            structures,
            family,
            self._weighted(response),
            extra,
            offset=offset,
            exposure=exposure,
            options=self._search_options(),
        )
        levels = [factor.levels for factor in model.design.factors]
        self._input = replace(self._input.with_levels(levels), sides=sides)
        return model

    def _search_options(self) -> dict[str, Any]:
        """Return how the likelihood is approximated, and how it is searched."""
        return {
            "n_quadrature": int(self.n_quadrature),
            "penalty": penalty_from(self.penalty),
            "tol": self.tol,
            "max_iter": int(self.max_iter),
            "solver": self.solver,
            "verbose": int(self.verbose),
        }

    def _check_parameters(self) -> None:
        """Raise ValueError for a constructor argument that means nothing."""
        super()._check_parameters()
        if not isinstance(self.average, (bool, np.bool_)):
            raise ValueError(f"average must be True or False, got {self.average!r}.")

    @property
    def results_(self) -> MixedGLMResults:
        """The fit under statsmodels' names."""
        return MixedGLMResults(self.fitted_model)
