"""What a user should be told about the fit of a generalised model."""

from __future__ import annotations

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import Notice
from skmixed.fitting.notices import aliased_notice, singular_notice

__all__ = ["generalised_notices"]

# Coefficients run off together: the part of the least known direction that one must have.
SHARE = 0.1
# The standard error of the linear predictor along a direction that separates, at least.
UNKNOWN = 10.0


def generalised_notices(fit: GLMMFit) -> tuple[Notice, ...]:
    """Collect the warnings that a fit deserves, each once.

    Parameters
    ----------
    fit : GLMMFit
    """
    found = [aliased_notice(fit), _separation(fit), _convergence(fit)]
    found += [singular_notice(effects, fit) for effects in fit.random]
    return tuple(notice for notice in found if notice is not None)


def _separation(fit: GLMMFit) -> Notice | None:
    """Name the coefficients that run off to infinity, if there are any.

    Along such a direction the likelihood is flat: the standard error of the linear predictor, over
    one standard deviation of the columns, is far larger than responses can tell, and the
    coefficients themselves are large. Neither depends on units.
    """
    if not fit.family.is_discrete or fit.penalty is not None:
        return None
    beta = fit.fixed.standardised
    if not len(beta):
        return None
    values, vectors = np.linalg.eigh(fit.joint.covariance[fit.joint.beta, fit.joint.beta])
    away = np.zeros(len(beta), dtype=bool)
    for value, way in zip(values, vectors.T, strict=True):
        if np.sqrt(max(value, 0.0)) > UNKNOWN and abs(way @ beta) > UNKNOWN / 2.0:
            away |= np.abs(way) > SHARE
    if not away.any():
        return None
    names = fit.fixed.names
    kept = [n for n, out in zip(names, fit.fixed.aliased, strict=True) if not out]
    found = [name for name, one in zip(kept, away, strict=False) if one]
    if found == ["Intercept"]:
        reason = "(almost) all responses are at the same end of their range"
    else:
        reason = "these columns separate the responses (almost) perfectly"
    return Notice(
        f"The coefficients of {found} run off towards infinity: {reason}, and the likelihood has "
        "no maximum. Predictions are as good as ever; standard errors and Wald tests of these "
        "coefficients mean nothing. Use penalty=, drop the columns, or check whether they are "
        "known before the response is.",
        UserWarning,
    )


def _convergence(fit: GLMMFit) -> Notice | None:
    """Say how far from an optimum the search ended."""
    end = fit.convergence
    if end.converged:
        return None
    return Notice(
        f"The fit did not converge: {end.message}; the estimates are about "
        f"{end.scaled_gradient:.2g} standard errors from the optimum. Simplify the random effects, "
        "or increase max_iter if it was used up.",
        ConvergenceWarning,
    )
