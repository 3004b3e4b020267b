"""What a user should be told about the fit of a generalised model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skmixed.exceptions import SingularFitWarning
from skmixed.fitting.glmm_fit import ExtraPredictor, GLMMFit
from skmixed.fitting.lmm_fit import Notice
from skmixed.fitting.notices import aliased_notice, monte_carlo_notice, singular_notice
from skmixed.fitting.random_effects import RandomEffects

__all__ = ["generalised_notices"]

FloatArray = NDArray[np.float64]

# The standard error of a linear predictor, from one row to the next, that no response can leave.
UNKNOWN = 10.0
# Coefficients that run off together have this part of the one that runs fastest.
SHARE = 0.1
# The standard error of the logarithm of a dispersion that may as well be 0, or infinite.
BOUNDLESS = 30.0


def generalised_notices(fit: GLMMFit, X: FloatArray) -> tuple[Notice, ...]:
    """Collect the warnings that a fit deserves, each once.

    Parameters
    ----------
    X : ndarray of shape (n_coefficients, n)
        The standardised columns.
    """
    found = [aliased_notice(fit), _separation(fit, X), _convergence(fit), monte_carlo_notice(fit)]
    for effects in fit.random:
        found += [singular_notice(effects, fit), _separated_groups(effects, fit)]
    found += [_boundary(extra, fit) for extra in fit.extra]
    return tuple(notice for notice in found if notice is not None)


def _separation(fit: GLMMFit, X: FloatArray) -> Notice | None:
    """Name the coefficients that run off to infinity, if there are any.

    Along such a direction the likelihood is flat although the linear predictor moves: its standard
    error, over the rows, is far beyond what responses leave. That depends on no units.
    """
    if not fit.family.is_discrete or fit.penalty is not None or not len(X):
        return None
    covariance = fit.joint.covariance[fit.joint.beta, fit.joint.beta]
    gram = X @ X.T / X.shape[1]
    try:
        root = np.linalg.cholesky(gram)
    except np.linalg.LinAlgError:
        return None
    values, vectors = np.linalg.eigh(root.T @ covariance @ root)
    ways = np.linalg.solve(root.T, vectors[:, values > UNKNOWN**2])
    # In the user's columns, each in units of its size: a column that a row does not have in it is
    # no part of what separates that row.
    place = fit.coordinates.fixed
    sizes = np.concatenate([np.ones(int(place.intercept)), place.scale])
    moved = np.abs(place.matrix @ ways) * sizes[:, None]
    away = (moved > SHARE * moved.max(axis=0, initial=0.0)).any(axis=1)
    found = [name for name, one in zip(fit.fixed.names, away, strict=True) if one]
    if not found:
        return None
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


def _separated_groups(effects: RandomEffects, fit: GLMMFit) -> Notice | None:
    """Say that the responses hardly vary within groups; None if they do."""
    if fit.family.name != "binomial" or fit.penalty is not None:
        return None
    factor = effects.standardised_factor
    largest = float(np.einsum("ab,cb,ca->", factor, factor, effects.mean_square))
    if largest <= UNKNOWN**2:
        return None
    return Notice(
        f"The random effects of '{effects.name}' have a standard deviation of {largest**0.5:.3g} "
        "on the linear predictor: the responses are (almost) the same within every group. The "
        "data hardly limit the variance, nor with it the coefficients. Use penalty=, or a "
        "model of one row for each group.",
        UserWarning,
    )


def _boundary(extra: ExtraPredictor, fit: GLMMFit) -> Notice | None:
    """Say that nothing in the data keeps a constant dispersion or zero inflation from its limit."""
    if not extra.is_constant or not fit.convergence.converged:
        return None
    if not extra.covariance[0, 0] > BOUNDLESS**2:
        return None
    if extra.name == "dispersion":
        reason = "the responses vary no more than without it"
    else:
        reason = "there are no more zeros than without it"
    return Notice(
        f"The predictor of the {extra.name} runs off to {extra.coefficients[0]:.3g}: {reason} "
        "(boundary). This is a valid estimate; a family without it would fit as well.",
        SingularFitWarning,
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
