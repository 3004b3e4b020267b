"""Kenward and Roger's covariance of the coefficients and their degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.covariance_solve import covariance_solve
from skmixed.inference.coefficients.variance_products import VarianceProducts, variance_products
from skmixed.likelihood.memory import require_memory

__all__ = [
    "KenwardRoger",
    "adjusted",
    "expected_adjustment",
    "inverse_in_told_directions",
    "kenward_roger",
    "require_reml",
]

FloatArray = NDArray[np.float64]

# Differences from 1 below this have lost their digits to rounding.
VANISHING = 1e-8
# Information below this part of what there would be if the coefficients were known is rounding.
UNTOLD = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class KenwardRoger:
    """Hold the adjustment at one fit.

    Attributes
    ----------
    unadjusted, covariance : ndarray of shape (p, p)
        Of the coefficients.
    W : ndarray of shape (m, m)
        Covariance of the variance parameters.
    changes : ndarray of shape (m, p, p)
        Phi P_r Phi.
    """

    unadjusted: FloatArray
    covariance: FloatArray
    W: FloatArray
    changes: FloatArray

    def f_test(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return degrees of freedom and scale of the F statistic of L beta = 0.

        Parameters
        ----------
        contrasts : ndarray of shape (q, p)
            Independent rows.
        """
        q = len(contrasts)
        between = contrasts @ self.unadjusted @ contrasts.T
        changes = np.moveaxis(contrasts @ self.changes @ contrasts.T, 0, 1)
        moved = covariance_solve(between, changes.reshape(q, -1)).reshape(changes.shape)
        traces = np.einsum("imi->m", moved)
        A1 = traces @ self.W @ traces
        A2 = np.einsum("imj,jni,mn->", moved, moved, self.W, optimize=True)
        if A2 < VANISHING:
            return np.inf, 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return _matched(q, A1, A2)


def _matched(q: int, A1: np.float64, A2: np.float64) -> tuple[float, float]:
    """Return degrees of freedom and scale with which F has the first two moments of the statistic.

    (Kenward and Roger 1997, equations 7 to 9.)
    """
    B = (A1 + 6.0 * A2) / (2.0 * q)
    g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    base = 3.0 * q + 2.0 * (1.0 - g)
    V0, V1, V2 = 1.0 + g / base * B, 1.0 - (q - g) / base * B, 1.0 - (q + 2 - g) / base * B
    shrinkage = 1.0 - A2 / q
    # q rho is ratio^2 V0 / V2. V2 is 0 where df is 4, and with 2 df two quotients are 0 / 0.
    ratio = _quotient(shrinkage, V1)
    df = 4.0 + (q + 2.0) * V2 / (ratio**2 * V0 - V2)
    return float(df), float(df * _quotient(shrinkage, df - 2.0, where_both_vanish=0.5))


def _quotient(a: np.float64, b: np.float64, *, where_both_vanish: float = 1.0) -> np.float64:
    """Return a / b, or its limit in balanced designs where both are 0."""
    return np.float64(where_both_vanish) if max(abs(a), abs(b)) < VANISHING else a / b


def adjusted(
    covariance: FloatArray, W: FloatArray, P: FloatArray, products: FloatArray
) -> KenwardRoger:
    """Adjust a covariance for the variance parameters being estimated.

    With Phi the covariance and W that of the variance parameters,

        Phi_A = Phi + 2 Phi (sum W_rs (Q_rs - P_r Phi P_s - R_rs / 4)) Phi

    where R = 0 if V is linear in the parameters (Kenward and Roger 1997, section 2).

    Parameters
    ----------
    covariance : ndarray of shape (p, p)
        (X'V^-1 X)^-1.
    W : ndarray of shape (m, m)
    P : ndarray of shape (m, p, p)
        X'V^-1 V_r V^-1 X, of either sign.
    products : ndarray of shape (p, p)
        Sum of W_rs (Q_rs - R_rs / 4).
    """
    PhiP = covariance @ P
    U = products - np.einsum("rab,rbc->ac", P, np.tensordot(W, PhiP, axes=1))
    U = 0.5 * (U + U.T)
    change = 2.0 * covariance @ U @ covariance
    return KenwardRoger(covariance, covariance + change, W, PhiP @ covariance)


def expected_adjustment(covariance: FloatArray, products: VarianceProducts) -> KenwardRoger:
    """Adjust a covariance, with W from the expected information of the restricted likelihood.

    Parameters
    ----------
    covariance : ndarray of shape (p, p)
        (X'V^-1 X)^-1, with sigma^2 = 1.
    """
    P, Q = products.P, products.Q
    PhiP = covariance @ P
    information = products.traces - 2.0 * np.einsum("ab,rsab->rs", covariance, Q)
    information += np.einsum("rab,sba->rs", PhiP, PhiP)
    W = 2.0 * inverse_in_told_directions(information, products.traces.diagonal())
    return adjusted(covariance, W, P, np.einsum("rs,rsab->ab", W, Q))


def inverse_in_told_directions(information: FloatArray, known: FloatArray) -> FloatArray:
    """Invert the information on the variance parameters in the directions that the rows tell.

    Parameters
    ----------
    information : ndarray of shape (m, m)
    known : ndarray of shape (m,)
        What there would be of each if the coefficients were known: where these take all of it, the
        difference is rounding.
    """
    scale = np.sqrt(np.where(known > 0.0, known, 1.0))
    relative = information / np.multiply.outer(scale, scale)
    values, axes = np.linalg.eigh(0.5 * (relative + relative.T))
    told = values > UNTOLD
    inverse = (axes[:, told] / values[told]) @ axes[:, told].T
    return np.asarray(inverse / np.multiply.outer(scale, scale))


def require_reml(fit: LMMFit) -> None:
    """Raise ValueError if the fit was made by maximum likelihood."""
    if not fit.reml:
        raise ValueError(
            "Kenward and Roger's method is for REML fits, got a maximum likelihood fit. Refit with "
            "method='reml', or use df_method='satterthwaite'."
        )


def kenward_roger(fit: LMMFit) -> KenwardRoger:
    """Adjust the covariance of the standardised coefficients of a fit.

    Raises
    ------
    ValueError
        If the fit has not kept its cross-products.
    MemoryError
        If the dense matrices of several factors would not fit.
    """
    if fit.products is None:
        raise ValueError(
            "The fit has not kept the cross-products that Kenward and Roger's method needs, which "
            "are large here. Use df_method='satterthwaite'."
        )
    n_effects = sum(one.standardised_modes.size for one, _ in fit.estimable)
    if len(fit.estimable) > 1:
        require_memory(
            10.0 * 8.0 * n_effects**2,
            f"Kenward and Roger's method with {n_effects} random effects of crossed factors",
            "Use df_method='satterthwaite'.",
        )
    parts = variance_products(
        fit.products,
        [effects.standardised_factor for effects, _ in fit.estimable],
        [_directions(effects.covariance, theta) for effects, theta in fit.estimable],
    )
    return expected_adjustment(fit.fixed.unscaled_covariance, parts)


def _directions(covariance: DirectSum, theta: FloatArray) -> FloatArray:
    """Return a basis of the directions in which Psi can move, (n_parameters, k, k).

    Where Lambda is linear in theta they do not depend on where Psi is, so long as it is regular.
    """
    if covariance.factor_second_derivative(theta) is None:
        theta = covariance.parameters(np.eye(covariance.n_effects))
    return covariance.covariance_derivative(theta)
