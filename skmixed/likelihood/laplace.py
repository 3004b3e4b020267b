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
from skmixed.likelihood.criterion import RowGradient
from skmixed.likelihood.effect_rows import Blocks, EffectRows
from skmixed.likelihood.modes import Modes, scaled
from skmixed.likelihood.responses import Responses

__all__ = ["Laplace", "implicit_gradient", "in_theta"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Laplace:
    """Approximate the likelihood by Laplace's method, for any number of grouping factors."""

    rows: EffectRows

    def of(self, rows: EffectRows, responses: Responses) -> Laplace:
        """Return the same approximation for other rows."""
        return Laplace(rows)

    def value(self, modes: Modes) -> float:
        """Return -2 log likelihood."""
        return modes.penalised + modes.system.log_determinant

    def differentiated(self, modes: Modes) -> tuple[float, RowGradient]:
        """Return the value with its exact gradient, the modes moving with the parameters."""
        return self.value(modes), self._gradient(modes, modes.system.inverse)

    def replicated(self, modes: Modes) -> list[RowGradient]:
        """Return independent estimates of an estimated gradient; none where it is exact."""
        return [self._gradient(modes, one) for one in modes.system.replicated_inverses()]

    def _gradient(self, modes: Modes, inverse: Blocks) -> RowGradient:
        """Return the gradient that belongs to the inverse of M."""
        of_eta = -2.0 * modes.rows.first
        of_factors = [
            -2.0 * score @ u.T for score, u in zip(modes.scores, modes.spherical, strict=True)
        ]
        direct = RowGradient(of_eta, of_factors, [-2.0 * e.first for e in modes.rows.extra])
        nothing = [np.zeros_like(u) for u in modes.spherical]
        return implicit_gradient(self.rows, modes, direct, inverse, nothing)


def implicit_gradient(
    rows: EffectRows,
    modes: Modes,
    direct: RowGradient,
    of_M: Blocks,
    of_modes: Sequence[FloatArray],
) -> RowGradient:
    """Return the gradient of F(eta, Lambda, M, u, ...) along the modes, M being a function of all.

    Parameters
    ----------
    direct : RowGradient
        Derivatives with M and u held.
    of_M : Blocks
        dF / dM, where some row has both effects.
    of_modes : sequence of ndarray of shape (k, n_levels)
        dF / du with M held, through eta too.
    """
    derivatives, factors, u = modes.rows, modes.factors, modes.spherical
    n = len(modes.eta)
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
    implicit = of_weights + derivatives.second * along
    products = _left_products(modes.gram, factors, of_M)
    of_factors = [
        held + through @ one.T + score @ by.T + 2.0 * product
        for held, through, one, score, by, product in zip(
            direct.factors, rows.to_levels(implicit), u, modes.scores, a, products, strict=True
        )
    ]
    extra = [
        held - h * e.twice_mixed + along * e.mixed
        for held, e in zip(direct.extra, derivatives.extra, strict=True)
    ]
    return RowGradient(direct.eta + implicit, of_factors, extra)


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
