"""Where the search in a generalised model starts: a linear stage, the same whatever the units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.generalised_objective import GeneralisedObjective
from skmixed.fitting.start import starting_points
from skmixed.likelihood.batched import sum_of_outer_products

__all__ = ["starting_parameters"]

FloatArray = NDArray[np.float64]

# Steps of the model without random effects: the search goes on from wherever they lead.
N_STEPS = 4
# A relative ridge that keeps the steps finite where columns vanish beside the weights.
RIDGE = 1e-8
# The largest change of a linear predictor in one step.
LONGEST = 5.0


def starting_parameters(objective: GeneralisedObjective) -> FloatArray:
    """Return coefficients of the model without random effects, and moment estimates of theta.

    With t_g = Z_g' score and A_g = Z_g'W Z_g there, E[t_g t_g'] is about A_g + A_g Psi A_g, as in
    the linear model with sigma = 1 (`starting_theta`).

    Parameters
    ----------
    objective : GeneralisedObjective
    """
    responses = objective.responses
    family, y = responses.family, responses.y
    mean = family.starting_mean(y)
    extra = _constants(objective, np.full(len(y), mean.mean()))
    beta, eta = _without_effects(objective, family.link.predictor(mean), _of_rows(objective, extra))
    # What the effects of groups explain counts as dispersion here, which errs on the safe side.
    extra = _constants(objective, family.link.mean(eta))
    theta = _moment_theta(objective, eta, _of_rows(objective, extra))
    return np.concatenate([beta, theta, *extra])


def _constants(objective: GeneralisedObjective, mean: FloatArray) -> list[FloatArray]:
    """Return the coefficients of further predictors that are the same in all rows, given means."""
    responses = objective.responses
    values = responses.family.starting_extra(responses.y, mean)
    return [_constant(X, value) for X, value in zip(objective.extra, values, strict=True)]


def _of_rows(objective: GeneralisedObjective, extra: list[FloatArray]) -> list[FloatArray]:
    """Return the further predictors of the rows."""
    return [c @ X for c, X in zip(extra, objective.extra, strict=True)]


def _without_effects(
    objective: GeneralisedObjective, eta: FloatArray, extra: list[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Take a few steps of iteratively reweighted least squares."""
    X, responses = objective.X, objective.responses
    beta = np.zeros(len(X))
    for step in range(N_STEPS):
        score = responses.at(eta, extra, full=False).first
        weights = np.maximum(responses.expected_weights(eta, extra), np.finfo(float).tiny)
        weighted = X * weights
        gram = weighted @ X.T
        gram[np.diag_indices_from(gram)] *= 1.0 + RIDGE
        gram[np.diag_indices_from(gram)] += RIDGE * np.trace(gram) / max(len(gram), 1)
        # On the first step eta comes from the responses, and is no combination of columns.
        working = eta - objective.offset - (beta @ X if step else 0.0)
        change = np.linalg.solve(gram, weighted @ working + X @ score)
        moved = change @ X
        largest = np.abs(moved).max(initial=0.0)
        part = 1.0 if not step or largest <= LONGEST else LONGEST / largest
        beta = beta + part * change
        eta = beta @ X + objective.offset
    return beta, eta


def _moment_theta(
    objective: GeneralisedObjective, eta: FloatArray, extra: list[FloatArray]
) -> FloatArray:
    """Return the moment estimates of all factors, each on its own."""
    responses, rows = objective.responses, objective.rows
    at = responses.at(eta, extra, full=False)
    gram = rows.gram(responses.expected_weights(eta, extra))
    scores = rows.to_levels(at.first)
    parts = [np.empty(0)]
    for joint, A, t in zip(objective.covariance.factors, gram.own, scores, strict=True):
        k, n_levels = t.shape
        flat = A.reshape(k * k, n_levels)
        pairs = sum_of_outer_products(flat, flat, None).reshape(k, k, k, k)
        moments = t @ t.T - A.sum(axis=-1)
        design = pairs.swapaxes(1, 2).reshape(k * k, k * k)
        parts.append(starting_points(joint, moments, design, A.mean(axis=-1))[0])
    return np.concatenate(parts)


def _constant(X: FloatArray, value: float) -> FloatArray:
    """Return coefficients of standardised columns for a constant predictor."""
    coefficients = np.zeros(len(X))
    coefficients[0] = value
    return coefficients
