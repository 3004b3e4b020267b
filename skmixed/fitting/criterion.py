"""The criterion of a finished fit at other variance parameters, in the user's units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.estimates import objective_constant
from skmixed.fitting.lmm_fit import LMMFit

__all__ = ["criterion_at"]

FloatArray = NDArray[np.float64]


def criterion_at(fit: LMMFit, theta: FloatArray) -> float:
    """Return -2 log-likelihood at a theta, with beta and sigma at their best for it.

    Parameters
    ----------
    fit : LMMFit
    theta : ndarray of shape (n_parameters,)
        As ``fit.theta``.

    Raises
    ------
    ValueError
        If the fit has not kept its cross-products.
    """
    objective = fit.objective()
    value = objective(_standardised(fit, theta)).value
    return float(value + objective_constant(objective, fit.coordinates))


def _standardised(fit: LMMFit, theta: FloatArray) -> FloatArray:
    """Return the theta of the standardised columns, of the estimable factors."""
    ends = np.cumsum([effects.covariance.n_parameters for effects in fit.random])
    parts = dict(zip((one.name for one in fit.random), np.split(theta, ends[:-1]), strict=True))
    found = [np.empty(0)]
    for effects, _ in fit.estimable:
        root = effects.covariance.factor(parts[effects.name]) * np.sqrt(effects.weight_scale)
        standardised = np.linalg.solve(effects.coordinates.matrix, root)
        found.append(effects.covariance.parameters(standardised))
    return np.concatenate(found)
