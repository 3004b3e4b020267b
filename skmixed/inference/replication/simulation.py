"""New responses from a fitted model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.families.base import Family
from skmixed.fitting.fitted_covariate import settled_residual
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.inference.inputs import fit_of, model_of
from skmixed.inference.replication.effect_source import (
    EffectSource,
    effect_source,
)
from skmixed.residual.whitening import ResidualAt

__all__ = ["ResponseModel", "gaussian_response_model", "response_model", "simulate"]

FloatArray = NDArray[np.float64]
Effects = Callable[[], Sequence[FloatArray]]

EFFECTS = ("new", "conditional", "posterior")


def simulate(
    fitted: Any, n: int = 1, *, random_effects: str = "new", random_state: Any = None
) -> FloatArray:
    """Draw responses from a fitted mixed model, its parameters at their estimates.

    Parameters
    ----------
    fitted : MixedLMResults, MixedGLMResults or LMMModel
        A fitted model that keeps its rows.
    n : int, default=1
        Number of responses.
    random_effects : {"new", "conditional", "posterior"}, default="new"
        Whether every response has random effects of its own, b ~ N(0, Psi) with Psi their
        covariance, as new groups would; or all have the conditional modes of the data; or each has
        effects drawn from their normal distribution given the data, as the same groups may have.
    random_state : int, numpy.random.Generator or None, default=None
        The same seed gives the same responses, and the first of many are the same as a few.

    Returns
    -------
    ndarray of shape (n_rows, n)
        Of a linear model y = X beta + Z b + e, with Var(e) = sigma^2 R, the variances divided by
        precision weights; R is the identity without a residual structure. Of a generalised model
        draws of the family given eta = X beta + Z b, shares of the trials that the rows had.

    Raises
    ------
    ValueError
        If an argument cannot be used, or rows or groups count several times by their weights.
    TypeError
        If ``fitted`` keeps no rows.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import simulate
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> responses = simulate(results, n=1000, random_state=0)
    >>> responses.shape
    (180, 1000)
    >>> round(float(responses.mean()))
    299
    """
    if random_effects not in EFFECTS:
        raise ValueError(f"random_effects must be one of {list(EFFECTS)}, got {random_effects!r}.")
    if n < 1:
        raise ValueError(f"n, the number of responses, must be at least 1, got {n!r}.")
    model, fit = model_of(fitted), fit_of(fitted)
    source = response_model(fit, model)
    rng = np.random.default_rng(random_state)
    draw = {
        "new": source.with_new_effects,
        "conditional": source.with_modes,
        "posterior": source.with_drawn_effects,
    }[random_effects]
    return np.ascontiguousarray(draw(int(n), rng).T)


@dataclass(frozen=True, slots=True, eq=False)
class ResponseModel:
    """Hold what responses are made of.

    Attributes
    ----------
    noise : ndarray of shape (n_rows,)
        sigma over the roots of precision weights.
    residuals : ndarray of shape (n_rows,)
        Observations less conditional means, independent and of variance 1 if the model is true.
    """

    predictor: EffectSource
    noise: FloatArray
    residuals: FloatArray
    structure: ResidualAt | None = None

    def with_new_effects(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw responses of new random effects, shape (m, n_rows)."""
        # All numbers of one response are drawn before those of the next.
        n_effects = self.predictor.n_effects
        normals = rng.standard_normal((m, n_effects + len(self.noise)))
        return self.assembled(
            self.predictor.of_normals(normals[:, :n_effects]), normals[:, n_effects:]
        )

    def with_modes(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw responses of the conditional modes, shape (m, n_rows)."""
        normals = rng.standard_normal((m, len(self.noise)))
        return self.assembled(self.predictor.modes, normals)

    def with_drawn_effects(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw responses of effects drawn given the data, shape (m, n_rows)."""
        drawn = [
            self.assembled(
                self.predictor.effects_given_data(1, rng),
                rng.standard_normal((1, len(self.noise))),
            )
            for _ in range(m)
        ]
        return np.concatenate(drawn)

    def assembled(self, effects: Sequence[FloatArray], residuals: FloatArray) -> FloatArray:
        """Return X beta + Z b + e.

        Parameters
        ----------
        effects : sequence of ndarray of shape (m, n_levels, k) or (1, n_levels, k)
            For each grouping factor, standardised columns.
        """
        if self.structure is not None:
            residuals = self.structure.undo(residuals)
        return np.asarray(self.predictor.at(effects) + self.noise * residuals)


@dataclass(frozen=True, slots=True, eq=False)
class FamilyResponseModel:
    """Hold what responses are made of."""

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

    def _one_by_one(self, m: int, rng: np.random.Generator, effects: Effects) -> FloatArray:
        """Draw all of one response before the next, so that the first are the same of any m."""
        drawn = [
            self.family.simulate(self.predictor.at(effects())[0], self.extra, rng, self.trials)
            for _ in range(m)
        ]
        return np.array(drawn, dtype=np.float64)


def response_model(fit: LMMFit, model: Any) -> ResponseModel | FamilyResponseModel:
    """Return what the responses of a fitted model are made of."""
    if isinstance(fit, GLMMFit):
        return _family_response_model(fit, model)
    return gaussian_response_model(fit, model)


def gaussian_response_model(fit: LMMFit, model: LMMModel) -> ResponseModel:
    """Return what the responses of a fitted linear model are made of: see ``response_model``."""
    design = model.design
    counts = design.weights.row_multiplicity
    if counts is not None and (counts != 1.0).any():
        raise ValueError(
            "Rows that count several times (weight_type='frequency' or 'sampling', group_weight) "
            "stand for several responses, which would differ. Repeat rows of frequency weights in "
            "the data; there is no simulation of a weighted sample."
        )
    predictor = effect_source(fit, design)
    precision = design.weights.precision
    weights = np.ones(design.n_rows) if precision is None else precision
    residual, structure = settled_residual(model, fit), None
    if residual is not None and fit.residual is not None:
        structure = residual.at(fit.residual.rho, None)
    noise = fit.sigma / np.sqrt(weights)
    left = design.response - predictor.at(predictor.modes)[0]
    residuals = np.divide(left, noise, out=np.zeros_like(left), where=noise > 0)
    if structure is not None:
        residuals = structure.apply(residuals[None])[0]
    return ResponseModel(predictor, noise, residuals, structure)


def _family_response_model(fit: GLMMFit, model: GLMMModel) -> FamilyResponseModel:
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
