"""What a user should be told about the fit of a generalised model."""

from __future__ import annotations

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import Notice
from skmixed.fitting.notices import aliased_notice, monte_carlo_notice, singular_notice

__all__ = ["generalised_notices"]

# A change of the linear predictor by one standard deviation of a column that is this large, and as
# uncertain, is a sign that the column separates the responses.
SEPARATING = 5.0


def generalised_notices(fit: GLMMFit) -> tuple[Notice, ...]:
    """Collect the warnings that a fit deserves, each once.

    Parameters
    ----------
    fit : GLMMFit
    """
    found = [aliased_notice(fit), _separation(fit), _convergence(fit), monte_carlo_notice(fit)]
    found += [singular_notice(effects, fit) for effects in fit.random]
    return tuple(notice for notice in found if notice is not None)


def _separation(fit: GLMMFit) -> Notice | None:
    """Name the coefficients that run off to infinity, if there are any."""
    if fit.family.name != "binomial":
        return None
    first = int(fit.coordinates.fixed.intercept)
    beta = fit.fixed.standardised
    errors = np.sqrt(np.maximum(np.diagonal(fit.joint.covariance)[: len(beta)], 0.0))
    with np.errstate(invalid="ignore"):
        away = (np.abs(beta) > SEPARATING) & (errors > np.abs(beta) / 2.0)
    if not away[first:].any():
        return None
    kept = [n for n, out in zip(fit.fixed.names, fit.fixed.aliased, strict=True) if not out]
    names = [name for name, one in zip(kept[first:], away[first:], strict=False) if one]
    return Notice(
        f"The coefficients of {names} run off towards infinity: these columns separate the "
        "responses (almost) perfectly, and the likelihood has no maximum. Predictions are as good "
        "as ever; standard errors and Wald tests of these columns mean nothing. Use penalty=, drop "
        "the columns, or check whether they are known before the response is.",
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
