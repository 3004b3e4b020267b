"""The criterion of a finished fit at other variance parameters, in the user's units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.at_theta import standardised_theta
from skmixed.fitting.estimates import objective_constant
from skmixed.fitting.lmm_fit import LMMFit

__all__ = ["criterion_at"]

FloatArray = NDArray[np.float64]


def criterion_at(fit: LMMFit, theta: FloatArray) -> float:
    """Return -2 log-likelihood at a theta, with beta and sigma at their best for it.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)
        As ``fit.theta``.

    Raises
    ------
    ValueError
        If the fit has not kept its cross-products.
    """
    objective = fit.objective()
    value = objective(standardised_theta(fit, theta)).value
    return float(value + objective_constant(objective, fit.coordinates))
