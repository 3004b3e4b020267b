"""New responses from a fitted generalised model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.families.base import Family
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.inference.replication.effect_source import EffectSource, effect_source

__all__ = ["FamilyResponseModel", "family_response_model"]

FloatArray = NDArray[np.float64]
_Effects = Callable[[], Sequence[FloatArray]]


@dataclass(frozen=True, slots=True, eq=False)
class FamilyResponseModel:
    """Hold what responses are made of.

    Attributes
    ----------
    predictor : EffectSource
        Of the linear predictor.
    extra : tuple of ndarray of shape (n_rows,)
        Further predictors of the family.
    trials : ndarray of shape (n_rows,) or None
        Of shares of successes.
    """

    predictor: EffectSource
    family: Family
    extra: tuple[FloatArray, ...]
    trials: FloatArray | None

    def with_new_effects(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw responses of new random effects, shape (m, n_rows)."""
        return self._one_by_one(m, rng, lambda: self.predictor.new_effects(1, rng))

    def with_modes(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw responses of the conditional modes, shape (m, n_rows)."""
        return self._one_by_one(m, rng, lambda: self.predictor.modes)

    def with_drawn_effects(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw responses of effects drawn given the data, shape (m, n_rows)."""
        return self._one_by_one(m, rng, lambda: self.predictor.effects_given_data(1, rng))

    def _one_by_one(self, m: int, rng: np.random.Generator, effects: _Effects) -> FloatArray:
        """Draw all of one response before the next, so that the first are the same of any m."""
        drawn = [
            self.family.simulate(self.predictor.at(effects())[0], self.extra, rng, self.trials)
            for _ in range(m)
        ]
        return np.array(drawn, dtype=np.float64)


def family_response_model(fit: GLMMFit, model: GLMMModel) -> FamilyResponseModel:
    """Return what the responses of a fitted generalised model are made of."""
    weights = model.design.weights.values
    if weights is not None and not model.trials and (weights != 1.0).any():
        raise ValueError(
            "Weights other than numbers of trials multiply the rows' log densities: such a row "
            "stands for several responses, which would differ. Repeat rows that were observed "
            "several times in the data; there is no simulation of a weighted sample."
        )
    extra = fit.extra_of_rows(model.extra_columns, model.design.n_rows)
    source = effect_source(fit, model.design)
    return FamilyResponseModel(source, fit.family, extra, model.n_trials)
