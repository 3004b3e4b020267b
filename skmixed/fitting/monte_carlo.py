"""How far random probes move the estimates of an iterative fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.evaluation import Evaluation

__all__ = ["MonteCarloError", "monte_carlo_error", "relative_error", "score_noise"]

FloatArray = NDArray[np.float64]

# Curvature below this part of the largest says nothing of theta.
FLAT = 1e-9
# Part of a displacement that is tried: theta in the user's units is no linear function.
SMALL = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class MonteCarloError:
    """Hold the standard errors that random probes cause: another seed would move a fit so far."""

    theta: FloatArray  # In the user's units.
    relative: float  # The largest in standardised coordinates, over the statistical error.
    log_likelihood: float


def score_noise(at: Evaluation) -> FloatArray:
    """Return the Monte-Carlo covariance of the gradient, of shape (n_parameters, n_parameters)."""
    replicates = at.replicated_gradients
    if replicates is None:
        return np.zeros((len(at.theta), len(at.theta)))
    n = len(replicates)
    centred = replicates - replicates.mean(axis=0)
    return centred.T @ centred / (n * (n - 1))


def monte_carlo_error(
    at: Evaluation, in_units: Callable[[FloatArray], FloatArray]
) -> MonteCarloError | None:
    """Carry the errors of the replicated scores at an optimum over to theta; None for an exact fit.

    theta_hat solves g(theta) = 0, so that it errs by -H^-1 times the error of g (delta method).
    ``in_units`` maps theta in standardised coordinates to that in the user's units.
    """
    if at.replicated_gradients is None:
        return None
    values, directions = np.linalg.eigh(_theta_noise(at)[0])
    displaced = directions * np.sqrt(np.maximum(values, 0.0))
    here = in_units(at.theta)
    changes = [in_units(at.theta + SMALL * change) - here for change in displaced.T]
    return MonteCarloError(
        np.sqrt(np.sum(np.square(changes), axis=0)) / SMALL,
        relative_error(at),
        0.5 * at.value_error,
    )


def relative_error(at: Evaluation) -> float:
    """Return the largest Monte-Carlo error over the standard error of the same parameter."""
    noise, covariance = _theta_noise(at)
    moved = noise.diagonal() > 0.0
    ratios = np.sqrt(noise.diagonal()[moved] / covariance.diagonal()[moved])
    return float(ratios.max(initial=0.0))


def _theta_noise(at: Evaluation) -> tuple[FloatArray, FloatArray]:
    """Return the Monte-Carlo covariance of theta, and its statistical one, from H / 2."""
    curvature, axes = np.linalg.eigh(at.hessian)
    told = curvature > FLAT * max(float(curvature[-1]), np.finfo(float).tiny)
    inverse = (axes[:, told] / curvature[told]) @ axes[:, told].T
    return inverse @ score_noise(at) @ inverse, 2.0 * inverse
