"""Where the search in a generalised model starts: a linear stage, the same whatever the units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from skmixed.fitting.generalised_objective import GeneralisedObjective
from skmixed.fitting.start import starting_points
from skmixed.likelihood.batched import sum_of_outer_products
from skmixed.likelihood.effect_rows import Blocks

__all__ = ["starting_parameters"]

FloatArray = NDArray[np.float64]

# Steps of the model without random effects: the search goes on from wherever they lead.
N_STEPS = 4
# A relative ridge that keeps the steps finite where columns vanish beside the weights.
RIDGE = 1e-8
# The largest change of a linear predictor in one step.
LONGEST = 5.0
# The least part of its own estimate that a factor keeps beside others.
LEAST_SHARE = 0.1


def starting_parameters(objective: GeneralisedObjective) -> FloatArray:
    """Return coefficients of the model without random effects, and moment estimates of theta.

    With t_g = Z_g' score and A_g = Z_g'W Z_g there, E[t_g t_g'] is about A_g + A_g Psi A_g, as in
    the linear model with sigma = 1 (`starting_theta`).
    """
    responses = objective.responses
    family, y = responses.family, responses.y
    mean = family.starting_mean(y)
    extra = _constants(objective, np.full(len(y), mean.mean()))
    beta, eta = _without_effects(objective, family.link.predictor(mean), _of_rows(objective, extra))
    # What the effects of groups explain counts as dispersion here, which errs on the safe side.
    extra = _constants(objective, family.link.mean(eta))
    of_rows = _of_rows(objective, extra)
    weights = responses.expected_weights(eta, of_rows)
    theta = _moment_theta(objective, eta, of_rows, weights)
    beta = beta + _given_effects(objective, eta, theta, weights)
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
        # On the first step eta comes from the responses, and is no combination of columns.
        working = eta - objective.offset - (beta @ X if step else 0.0)
        change = _solved(weighted @ X.T, weighted @ working + X @ score)
        moved = change @ X
        largest = np.abs(moved).max(initial=0.0)
        part = 1.0 if not step or largest <= LONGEST else LONGEST / largest
        beta = beta + part * change
        eta = beta @ X + objective.offset
    return beta, eta


def _given_effects(
    objective: GeneralisedObjective, eta: FloatArray, theta: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return what leads from coefficients without effects to those given the effects.

    E[h(eta + b)] is about h(eta) + h''(eta) var(b) / 2.
    """
    factors = objective.covariance.relative_factors(theta)
    variance = np.zeros(len(eta))
    for L, Z in zip(factors, objective.rows.Z, strict=True):
        variance += np.square(L.T @ Z).sum(axis=0)
    h = objective.responses.family.link.derivatives(eta)
    known = np.isfinite(h.first) & (h.first != 0.0)
    curved = np.divide(h.second, h.first, out=np.zeros_like(eta), where=known)
    farthest = np.minimum(np.sqrt(variance), LONGEST)
    shift = np.clip(-0.5 * np.clip(curved, -1.0, 1.0) * variance, -farthest, farthest)
    weighted = objective.X * weights
    return _solved(weighted @ objective.X.T, weighted @ shift)


def _solved(gram: FloatArray, right: FloatArray) -> FloatArray:
    """Solve normal equations with a small ridge."""
    diagonal = gram.diagonal()
    ridge = RIDGE * (diagonal + diagonal.mean()) if len(gram) else diagonal
    return np.asarray(np.linalg.solve(gram + np.diag(ridge), right), np.float64)


def _moment_theta(
    objective: GeneralisedObjective,
    eta: FloatArray,
    extra: list[FloatArray],
    weights: FloatArray,
) -> FloatArray:
    """Return the moment estimates of all factors, sharing what several of them explain."""
    rows = objective.rows
    at = objective.responses.at(eta, extra, full=False)
    gram = rows.gram(weights)
    scores = rows.to_levels(at.first)
    parts = []
    for joint, A, t in zip(objective.covariance.factors, gram.own, scores, strict=True):
        k, n_levels = t.shape
        flat = A.reshape(k * k, n_levels)
        pairs = sum_of_outer_products(flat, flat, None).reshape(k, k, k, k)
        moments = t @ t.T - A.sum(axis=-1)
        design = pairs.swapaxes(1, 2).reshape(k * k, k * k)
        parts.append(starting_points(joint, moments, design, A.mean(axis=-1))[0])
    if len(parts) > 1:
        parts = _shared(objective, gram, scores, parts)
    return np.concatenate([np.empty(0), *parts])


def _shared(
    objective: GeneralisedObjective,
    gram: Blocks,
    scores: list[FloatArray],
    parts: list[FloatArray],
) -> list[FloatArray]:
    """Scale the covariances of several factors so that they explain the moments together."""
    joints = objective.covariance.factors
    factors = [joint.factor(part) for joint, part in zip(joints, parts, strict=True)]
    moments = np.array(
        [np.vdot(t, t) - np.einsum("aag->", A) for t, A in zip(scores, gram.own, strict=True)]
    )
    design = np.zeros((len(parts), len(parts)))
    for i, (A, L) in enumerate(zip(gram.own, factors, strict=True)):
        design[i, i] = np.square(np.einsum("abg,bc->acg", A, L)).sum()
    for (i, j), N in gram.crossed.items():
        design[i, j] = np.square(np.einsum("abg,bc->acg", N, factors[j])).sum()
        design[j, i] = np.square(np.einsum("abg,ac->cbg", N, factors[i])).sum()
    sizes = np.maximum(design.diagonal(), np.finfo(float).tiny)
    shares, _ = nnls(design / sizes[:, None], moments / sizes)
    scale = np.sqrt(np.clip(shares, LEAST_SHARE, 1.0))
    return [joint.parameters(c * L) for joint, c, L in zip(joints, scale, factors, strict=True)]


def _constant(X: FloatArray, value: float) -> FloatArray:
    """Return coefficients of standardised columns for a constant predictor."""
    coefficients = np.zeros(len(X))
    coefficients[0] = value
    return coefficients
