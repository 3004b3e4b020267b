"""What the estimators of generalised mixed models share: their training model and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.offsets import total_offset
from skmixed.design.response import ReadResponse, response_of_values, train_response
from skmixed.design.weights import Weights
from skmixed.estimators.adapting import design_to_add, rows_to_add
from skmixed.estimators.base import MixedModel
from skmixed.estimators.generalised_model import FURTHER, generalised_model, outcome_of
from skmixed.estimators.learning import all_or_nothing
from skmixed.estimators.numbers import checked_response
from skmixed.estimators.specification import check_arguments, design_of_formula, learn_columns
from skmixed.estimators.weights import row_weights
from skmixed.families.base import Family
from skmixed.fitting.generalised_adapting import adapted_modes
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.formula import ParsedFormula, parse_formula
from skmixed.formula.columns import n_rows
from skmixed.likelihood.penalties import penalty_from
from skmixed.likelihood.quadrature import check_quadrature
from skmixed.results.glmm_results import MixedGLMResults

__all__ = ["GeneralisedMixedModel"]

FloatArray = NDArray[np.float64]


class GeneralisedMixedModel(MixedModel):
    """Fit generalised mixed models; subclasses say which family, and how the response is given."""

    link: Any
    average: bool
    n_quadrature: int
    penalty: Any
    lmm_fit_: GLMMFit

    _without_groups = "a generalised linear model without random effects"

    @property
    def family_(self) -> Family:
        """The family of the response, with its link."""
        return self.lmm_fit_.family

    @property
    def dispersion_(self) -> float:
        """The family's parameter beside the mean; 1 for families without.

        Raises
        ------
        AttributeError
            If it is modelled, so that each row has its own.
        """
        if self.lmm_fit_.extra_named("dispersion") is None:
            return 1.0
        if self.lmm_fit_.dispersion is None:
            raise AttributeError(
                "The dispersion differs from row to row, as dispersion= says: see "
                "results_.summary() for its coefficients."
            )
        return self.lmm_fit_.dispersion

    @property
    def sigma_(self) -> float:
        """Residual standard deviation; only a gaussian family has one."""
        return float(np.sqrt(self.residual_variance_))

    @property
    def residual_variance_(self) -> float:
        """Residual variance; only a gaussian family has one."""
        if self.family_.name != "gaussian":
            raise AttributeError(
                f"A {self.family_.name} response has no residual variance: see dispersion_."
            )
        return self.dispersion_

    @property
    def icc_(self) -> float:
        """Share of the groups in the variance of the latent response of a yes or no.

        Raises
        ------
        AttributeError
            If the family has none: see ``skmixed.inference.icc``.
        """
        return self.lmm_fit_.icc

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
        rows, labels = rows_to_add(self._input, X, groups)
        n = len(rows.fixed)
        response = self._response_to_add(X, y, row_weights(sample_weight, n))
        link = self.lmm_fit_.family.link.name
        rows = replace(
            rows,
            offset=total_offset(n, rows.offset, offset, exposure, link=link),
            extra=self._input.extra_columns(X),
        )
        weights = Weights(response.row_weights, "frequency")
        design, places, kept = design_to_add(self.lmm_fit_, rows, response.values, weights, labels)
        self.lmm_fit_.family.check(design.response)
        extra = tuple(None if one is None else one[kept] for one in rows.extra)
        self._keep_levels(design.factors)
        self._keep_fit(adapted_modes(self.lmm_fit_, design, places, extra))
        return self

    def _family(self) -> Family:
        """Return the family of the response."""
        raise NotImplementedError

    def _numbers(self, y: Any) -> FloatArray:
        """Return the response that was given to fit as finite numbers."""
        return checked_response(y)

    def _added_numbers(self, y: Any) -> FloatArray:
        """Return the response that was given to adapt as finite numbers."""
        return checked_response(y)

    def _found_by_formula(self, response: ReadResponse) -> ReadResponse:
        """Return the response that a formula found as this estimator takes it."""
        return response

    def _weighted(self, response: ReadResponse) -> ReadResponse:
        """Return the response with the weights of its rows."""
        return response

    def _response_to_add(self, X: Any, y: Any, weights: FloatArray | None) -> ReadResponse:
        """Return the response of rows as that of fit was read."""
        reader = getattr(self._input, "responses", None)
        if y is None and reader is not None:
            return reader.read(X, weights)
        values = self._added_numbers(self._input.observed(X, y))
        return response_of_values(values, outcome=outcome_of(self.lmm_fit_.family), weights=weights)

    def _training_model(
        self, X: Any, y: Any, groups: Any, sample_weight: Any, **known: Any
    ) -> GLMMModel:
        """Return the training model with what is known of its rows, and learn the columns of X."""
        self._check_parameters()
        self._refuse_second_labels(groups)
        self._response_label = str(getattr(y, "name", None) or "y")
        if y is None and self.formula is not None:
            learn_columns(self, X)
            parsed = parse_formula(self.formula)
            return self.formula_model(parsed, X, sample_weight=sample_weight, **known)
        outcome = outcome_of(self._family())
        values = None if y is None else self._numbers(y)
        design, structures, self._input = self._design(X, values, groups)
        weights = row_weights(sample_weight, design.n_rows)
        response = response_of_values(design.response, outcome=outcome, weights=weights)
        return self._model(design, structures, response, X, None, **known)

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
        design, structures, form = design_of_formula(bare, data, response.values, environment)
        self._input = replace(form, responses=reader)
        return self._model(
            design, structures, response, data, environment, offset=offset, exposure=exposure
        )

    def _model(
        self,
        design: Design,
        structures: JointCovariance,
        response: ReadResponse,
        data: Any,
        environment: Mapping[str, Any] | None,
        *,
        offset: Any = None,
        exposure: Any = None,
    ) -> GLMMModel:
        """Return the model of the rows that count."""
        self._say_that_there_are_no_groups(design)
        check_quadrature(self.n_quadrature, structures)
        model, sides = generalised_model(
            design,
            structures,
            self._family(),
            self._weighted(response),
            data,
            formulas={name: getattr(self, name, None) for name in FURTHER},
            environment=environment,
            offset=offset,
            exposure=exposure,
            n_quadrature=int(self.n_quadrature),
            penalty=penalty_from(self.penalty),
            tol=self.tol,
            max_iter=int(self.max_iter),
            solver=self.solver,
            verbose=int(self.verbose),
        )
        self._keep_levels(model.design.factors)
        self._input = replace(self._input, sides=sides)
        return model

    def _check_parameters(self) -> None:
        """Raise ValueError for a constructor argument that means nothing."""
        super()._check_parameters()
        check_arguments(self)

    @property
    def results_(self) -> MixedGLMResults:
        """The fit under statsmodels' names."""
        return MixedGLMResults(self.fitted_model)
