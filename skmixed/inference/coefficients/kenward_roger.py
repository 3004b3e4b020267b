"""Kenward and Roger's covariance of the coefficients and their degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.covariance_solve import covariance_solve
from skmixed.inference.coefficients.df_rule import DegreesOfFreedom, FixedEffectsTheory
from skmixed.inference.coefficients.marginal_fit import marginal_model
from skmixed.inference.coefficients.marginal_information import (
    Information,
    inverse_in_estimable_directions,
    marginal_information,
    weighted_products,
)
from skmixed.inference.coefficients.marginal_model import MarginalModel
from skmixed.inference.coefficients.variance_products import variance_products
from skmixed.likelihood.memory import require_memory

__all__ = ["KenwardRoger", "KenwardRogerRule", "kenward_roger", "marginal_kenward_roger"]

FloatArray = NDArray[np.float64]

# Differences from 1 below this have lost their digits to rounding.
VANISHING = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class KenwardRoger:
    """Hold the adjustment at one fit.

    W is the covariance of the m variance parameters; changes, of shape (m, p, p), are Phi P_r Phi.
    """

    unadjusted: FloatArray
    covariance: FloatArray
    W: FloatArray
    changes: FloatArray

    def f_test(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return degrees of freedom and scale of F of L beta = 0, L of independent rows."""
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


def _adjusted(
    covariance: FloatArray, W: FloatArray, P: FloatArray, products: FloatArray
) -> KenwardRoger:
    """Adjust a covariance for the variance parameters being estimated.

    With Phi = (X'V^-1 X)^-1 the covariance, W that of the variance parameters, P_r =
    X'V^-1 V_r V^-1 X of either sign, and ``products`` the sum of W_rs (Q_rs - R_rs / 4),

        Phi_A = Phi + 2 Phi (sum W_rs (Q_rs - P_r Phi P_s - R_rs / 4)) Phi

    where R = 0 if V is linear in the parameters (Kenward and Roger 1997, section 2).
    """
    PhiP = covariance @ P
    U = products - np.einsum("rab,rbc->ac", P, np.tensordot(W, PhiP, axes=1))
    U = 0.5 * (U + U.T)
    change = 2.0 * covariance @ U @ covariance
    return KenwardRoger(covariance, covariance + change, W, PhiP @ covariance)


def kenward_roger(fit: LMMFit) -> KenwardRoger:
    """Adjust the covariance of the standardised coefficients by the expected information."""
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
    covariance = fit.fixed.unscaled_covariance
    PhiP = covariance @ parts.P
    information = parts.traces - 2.0 * np.einsum("ab,rsab->rs", covariance, parts.Q)
    information += np.einsum("rab,sba->rs", PhiP, PhiP)
    W = 2.0 * inverse_in_estimable_directions(information, parts.traces.diagonal())
    return _adjusted(covariance, W, parts.P, np.einsum("rs,rsab->ab", W, parts.Q))


def _directions(covariance: DirectSum, theta: FloatArray) -> FloatArray:
    """Return a basis of the directions in which Psi can move, (n_parameters, k, k).

    Where Lambda is linear in theta they do not depend on where Psi is, so long as it is regular.
    """
    if covariance.factor_second_derivative(theta) is None:
        theta = covariance.parameters(np.eye(covariance.n_effects))
    return covariance.covariance_derivative(theta)


def marginal_kenward_roger(
    model: MarginalModel, *, information: Information, second_order: bool
) -> KenwardRoger:
    """Adjust the covariance of the coefficients of a marginal model that REML has fitted.

    Without the second derivatives of V the result does not depend on the parameters in which V is
    written (Kenward and Roger 2009, Computational Statistics and Data Analysis 53, 2583-2595).
    """
    parts = marginal_information(model, reml=True)
    W = parts.parameter_covariance(information)
    products = weighted_products(model, W, second_order=second_order)
    return _adjusted(model.covariance, W, parts.changes, products)


@dataclass(frozen=True, slots=True, eq=False)
class _InUnitsOfX:
    """The adjustment in standardised columns with sigma = 1, and the map to the user's."""

    adjustment: KenwardRoger
    matrix: FloatArray
    sigma: float

    @property
    def covariance(self) -> FloatArray:
        """Return the adjusted covariance."""
        root = self.sigma * self.matrix
        return root @ self.adjustment.covariance @ root.T

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the degrees of freedom of the F test of each row alone."""
        return np.array([self.f_df(row[None])[0] for row in contrasts])

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return denominator degrees and scale."""
        return self.adjustment.f_test(contrasts @ self.matrix)


@dataclass(frozen=True, slots=True)
class KenwardRogerRule(DegreesOfFreedom):
    """Adjust the covariance for the variances being estimated, and match two moments of F.

    With a residual structure it is the method of Kenward and Roger (1997, Biometrics 53, 983-997)
    in natural parameters, with the observed information, as in SAS and mmrm. Without one V is
    linear in its parameters, and the information is the expected one, as in pbkrtest.

    ``second_order`` is whether the second derivatives of V count.
    """

    second_order: bool = True
    description: ClassVar[str] = "t distribution, Kenward and Roger's degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit by REML, which needs its rows unless V is linear."""
        fit.require_gaussian("Kenward and Roger's method", "use df_method='normal'")
        if not fit.reml:
            raise ValueError(
                "Kenward and Roger's method is for REML fits, got a maximum likelihood fit. Refit "
                "with method='reml', or use df_method='satterthwaite'."
            )
        structured = fit.residual is not None
        if not structured and self.information != "observed":
            adjustment = kenward_roger(fit)
        else:
            what = "a residual structure" if structured else "the observed information"
            rows = self.rows(f"Kenward and Roger's method with {what}")
            adjustment = marginal_kenward_roger(
                marginal_model(fit, rows),
                information=self.information or "observed",
                second_order=self.second_order,
            )
        return _InUnitsOfX(adjustment, fit.coordinates.fixed.matrix, fit.working_sigma)
