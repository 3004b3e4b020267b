"""The rows of a fitted generalised model, as diagnostics read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from skmixed.design.design import NewRows
from skmixed.fitting.generalised_objective import GeneralisedObjective
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.inference.diagnostics.labelled_rows import LabelledRows, subtract_effects
from skmixed.inference.replication.effect_source import EffectSource, effect_source
from skmixed.likelihood.modes import Modes
from skmixed.likelihood.responses import Responses
from skmixed.prediction.predict import PredictedRows

__all__ = ["FamilyRows"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FamilyRows(LabelledRows):
    """Hold a fit of a generalised model with the rows it was fitted to."""

    fit: GLMMFit
    model: GLMMModel

    def require_counts(self, what: str) -> None:
        """Raise ValueError if the responses are not counts, which ``what``, singular, needs."""
        family = self.fit.family
        if not family.is_discrete or family.name == "binomial":
            raise ValueError(
                f"{what} is of counts, and this model has family={family.name!r}. Use "
                "ProbabilityCalibrationDisplay for probabilities, or ResidualsDisplay."
            )

    @property
    def response(self) -> FloatArray:
        """Return the response; of trials the share of successes."""
        return self.design.response

    @property
    def trials(self) -> FloatArray | None:
        """Return the numbers of trials, None for single ones."""
        return self.model.n_trials

    @property
    def copies(self) -> FloatArray:
        """Return how often each row counts, (n,)."""
        return np.ones(self.design.n_rows) if self.model.trials else self.weights

    @cached_property
    def weights(self) -> FloatArray:
        """Return what each row's log density is multiplied by, (n,)."""
        weights = self.design.weights.values
        return np.ones(self.design.n_rows) if weights is None else weights

    @cached_property
    def objective(self) -> GeneralisedObjective:
        """Return the likelihood in the coordinates of the fit."""
        return self.model.objective()[1]

    @cached_property
    def modes(self) -> Modes:
        """Return the modes of the effects, with what belongs to them."""
        return self.objective.modes(self.fit.joint.parameters)

    @cached_property
    def source(self) -> EffectSource:
        """Return what the linear predictor is made of."""
        return effect_source(self.fit, self.design)

    @cached_property
    def extra(self) -> tuple[FloatArray, ...]:
        """Return the further predictors of the family, (n,) each."""
        return self.fit.extra_of_rows(self.model.extra_columns, self.design.n_rows)

    @cached_property
    def eta(self) -> FloatArray:
        """Return the linear predictor at the modes, (n,)."""
        return self.source.at(self.source.modes)[0]

    @cached_property
    def effect_variance(self) -> FloatArray:
        """Return the variance that random effects of new groups give eta, (n,)."""
        return np.sum([np.zeros(self.design.n_rows), *self.source.variances], axis=0)

    @property
    def mean(self) -> FloatArray:
        """Return the mean response at the modes, (n,)."""
        return self.fit.family.mean(self.eta, self.extra)

    def drawn_predictor(self, rng: np.random.Generator, *, new: bool = False) -> FloatArray:
        """Draw the linear predictor, with effects of new groups or given the data, (n,)."""
        draw = self.source.new_effects if new else self.source.effects_given_data
        return self.source.at(draw(1, rng))[0]

    def pearson(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return responses less their means, over their standard deviations."""
        return Responses(self.fit.family, y, self.weights).pearson(eta, self.extra)

    @cached_property
    def leverage(self) -> FloatArray:
        """Return the leverages in the linear model of the last step of the modes, (n,)."""
        fit, responses = self.fit, Responses(self.fit.family, self.response, self.weights)
        precision = -responses.at(self.eta, self.extra, full=False).second
        X = fit.coordinates.fixed.transform(self.design.fixed)
        left = X.copy()
        for effects, block in zip(fit.random, self.source.blocks, strict=True):
            subtract_effects(left, effects, block.Z, block.codes)
        # X'V^-1 X at known variances, V = W^-1 + Z Psi Z'.
        information = (precision * X) @ left.T
        covariance = linalg.solve(0.5 * (information + information.T), np.eye(len(X)))
        predicted = PredictedRows(NewRows.of(self.design), True, "mean")
        return precision * predicted.error_variance_of(fit, covariance)
