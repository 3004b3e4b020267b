"""Laplace's approximation of -2 log likelihood, with its exact gradient.

With the modes u of the spherical effects, eta = X beta + Z Lambda u + offset, and M = Lambda'Z'WZ
Lambda + I, W minus the second derivatives of the log densities,

    f = -2 log p(y | u) + |u|^2 + log|M|

(Kristensen, Nielsen, Berg, Skaug and Bell 2016, equation 3). The modes depend on all parameters:
with h_i = z_i'Lambda M^-1 Lambda'z_i, s = h dW/deta and a = M^-1 Lambda'Z's, implicit
differentiation gives what follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.families.base import ExtraDerivatives
from skmixed.likelihood.effect_rows import Blocks, EffectRows
from skmixed.likelihood.modes import Modes, scaled

__all__ = ["Laplace", "LaplaceGradient", "laplace"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LaplaceGradient:
    """Hold the derivatives of an approximated -2 log likelihood.

    Attributes
    ----------
    eta : ndarray of shape (n,)
        In the fixed part of each row's linear predictor.
    factors : list of ndarray of shape (k, k)
        In Lambda of each grouping factor.
    extra : list of ndarray of shape (n,)
        In each further predictor of the rows.
    """

    eta: FloatArray
    factors: list[FloatArray]
    extra: list[FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Laplace:
    """Hold Laplace's approximation at the modes.

    Attributes
    ----------
    modes : Modes
    value : float
        -2 log likelihood.
    """

    modes: Modes
    value: float

    def gradient(self, rows: EffectRows) -> LaplaceGradient:
        """Return the exact gradient, modes and weights moving with the parameters."""
        return self._gradient(rows, self.modes.system.inverse)

    def replicated_gradients(self, rows: EffectRows) -> list[LaplaceGradient]:
        """Return independent estimates of an estimated gradient; none where it is exact."""
        return [self._gradient(rows, one) for one in self.modes.system.replicated_inverses()]

    def _gradient(self, rows: EffectRows, inverse: Blocks) -> LaplaceGradient:
        """Return the gradient that belongs to the inverse of M."""
        modes = self.modes
        nothing = [np.zeros_like(u) for u in modes.spherical]
        return implicit_gradient(rows, modes, -2.0 * modes.rows.first, inverse, nothing)


def laplace(modes: Modes) -> Laplace:
    """Approximate -2 log likelihood at the modes."""
    return Laplace(modes, modes.penalised + modes.system.log_determinant)


def implicit_gradient(
    rows: EffectRows,
    modes: Modes,
    direct: FloatArray,
    of_M: Blocks,
    of_modes: Sequence[FloatArray],
) -> LaplaceGradient:
    """Return the gradient of F(eta, M, u, ...) along the modes, M and eta being functions of u.

    Parameters
    ----------
    rows : EffectRows
    modes : Modes
    direct : ndarray of shape (n,)
        dF / d eta with M and u held.
    of_M : Blocks
        dF / dM, where some row has both effects.
    of_modes : sequence of ndarray of shape (k, n_levels)
        dF / du with M held, through eta too.
    """
    n = len(direct)
    derivatives, factors, u = modes.rows, modes.factors, modes.spherical
    transposed = [L.T for L in factors]
    assert derivatives.third is not None
    h = rows.quadratic(of_M.between(transposed, transposed), n)
    of_weights = -h * derivatives.third
    moved = [
        one + two
        for one, two in zip(scaled(transposed, rows.to_levels(of_weights)), of_modes, strict=True)
    ]
    a = [one[0] for one in modes.system.solve([one[None] for one in moved])]
    along = rows.to_rows(scaled(factors, a), n)
    of_eta = direct + of_weights + derivatives.second * along
    products = _left_products(modes.gram, factors, of_M)
    scores = rows.to_levels(derivatives.first)
    through_eta = rows.to_levels(of_eta)
    of_factors = [
        outer_eta @ one.T + score @ by.T + 2.0 * product
        for outer_eta, one, score, by, product in zip(
            through_eta, u, scores, a, products, strict=True
        )
    ]
    extra = [_of_extra(e, h, along) for e in derivatives.extra]
    return LaplaceGradient(of_eta, of_factors, extra)


def _of_extra(e: ExtraDerivatives, h: FloatArray, along: FloatArray) -> FloatArray:
    """Return the derivative in one further predictor of each row."""
    return np.asarray(-2.0 * e.first - h * e.twice_mixed + along * e.mixed)


def _left_products(gram: Blocks, factors: Sequence[FloatArray], of_M: Blocks) -> list[FloatArray]:
    """Return the sum of Z'WZ Lambda S over the levels of each factor, its own block."""
    products = [
        np.einsum("abg,bdg->ad", N, np.einsum("bc,cdg->bdg", L, S))
        for N, L, S in zip(gram.own, factors, of_M.own, strict=True)
    ]
    for (i, j), N in gram.crossed.items():
        S = of_M.crossed[i, j]
        products[i] += np.einsum("abg,bdg->ad", N, np.einsum("bc,dcg->bdg", factors[j], S))
        products[j] += np.einsum("bag,bdg->ad", N, np.einsum("bc,cdg->bdg", factors[i], S))
    return products


def in_theta(
    covariance: JointCovariance, theta: FloatArray, of_factors: Sequence[FloatArray]
) -> FloatArray:
    """Return the derivatives in theta, given those in Lambda of each grouping factor."""
    parts = [
        np.einsum("mqr,qr->m", joint.factor_derivative(part), G)
        for joint, part, G in zip(
            covariance.factors, covariance.split(theta), of_factors, strict=True
        )
    ]
    return np.concatenate([np.empty(0), *parts])
