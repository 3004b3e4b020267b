"""Derivatives of the objective in the cross-products, for one grouping factor or none.

The objective depends on the data through the cross-products alone. Its derivatives in parameters
that change these, such as the correlations of the residuals, follow from those in the products.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.batched import repeated
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts
from skmixed.likelihood.errors import SingleFactorErrors, conditional_root

__all__ = ["ProductDerivatives", "ProductShape"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProductShape:
    """Place A'WA, Z'WZ and Z'WA in one array, whose last axis they share."""

    n_columns: int
    n_effects: int
    n_levels: int

    @property
    def size(self) -> int:
        """Count the numbers."""
        return (
            self.n_columns**2 + self.n_effects * (self.n_effects + self.n_columns) * self.n_levels
        )

    def split(self, flat: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return A'WA, Z'WZ and Z'WA as views of (..., size), with its leading axes."""
        a, k, G = self.n_columns, self.n_effects, self.n_levels
        lead = flat.shape[:-1]
        return (
            flat[..., : a * a].reshape(*lead, a, a),
            flat[..., a * a : a * a + k * k * G].reshape(*lead, k, k, G),
            flat[..., a * a + k * k * G :].reshape(*lead, a, k, G),
        )


class ProductDerivatives:
    """Hold the derivatives of the objective in the products at one evaluation.

    With D = Lambda M^-1 Lambda' and C = D Z'WA, level by level, and Omega = mixing' diag(reml, ...,
    reml, nu / r2) mixing, the gradient is

        dA'WA : Omega,    dZ'WA : -2 C Omega,    dZ'WZ : D + C Omega C'.

    ``mixing`` maps the columns [X y] to [X R_X^-1, y - X beta], ``precision`` is the inverse of
    sigma^2, and ``nu`` infinite where that is known.
    """

    def __init__(
        self,
        products: CrossProducts,
        errors: SingleFactorErrors,
        mixing: FloatArray,
        *,
        reml: int,
        nu: float,
        precision: float,
    ) -> None:
        k, n_levels = errors.R.shape[1:]
        self.shape = ProductShape(len(mixing), k, n_levels)
        factor = (
            products.factors[0] if k else FactorProducts(errors.R, np.empty((len(mixing), 0, 0)))
        )
        self._ZtWZ, self._ZtWA, self._counts = factor.ZtWZ, factor.ZtWA, factor.multiplicity
        self._mixing, self._reml, self._nu, self._precision = mixing, reml, nu, precision
        self._weights = np.full(len(mixing), float(reml))
        self._weights[-1] = precision
        self._root = conditional_root(errors.R, errors.Lambda).transpose(1, 2, 0)
        self._D = np.einsum("jqg,jrg->qrg", self._root, self._root)
        self._C = np.einsum("qrg,arg->aqg", self._D, self._ZtWA)

    def gradient(self) -> FloatArray:
        """Return the derivatives of the objective in the products, as `ProductShape` has them."""
        shape, C = self.shape, self._C
        Omega = self._mixing.T @ (self._weights[:, None] * self._mixing)
        weighted = (Omega @ C.reshape(len(C), -1)).reshape(C.shape)
        found = np.empty(shape.size)
        AtWA, ZtWZ, ZtWA = shape.split(found)
        AtWA[:] = Omega
        ZtWZ[:] = self._counted(self._D + np.einsum("aqg,arg->qrg", C, weighted))
        ZtWA[:] = self._counted(-2.0 * weighted)
        return found

    def moved(self, directions: FloatArray) -> FloatArray:
        """Return the changes of mixing A'V^-1 A mixing' for changes of the products, (m, size)."""
        return self._moved(directions, self._left(directions))

    def second(self, directions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return second derivatives of the objective along changes of the products, (m, size).

        They are the Hessian along each two of them, and the changes (m, k, k) of the gradient in
        Psi.
        """
        left = self._left(directions)
        moved = self._moved(directions, left)
        _, ZtWZ, _ = self.shape.split(directions)
        return self._hessian(ZtWZ, left, moved), self._score_changes(ZtWZ, left, moved)

    def _hessian(self, ZtWZ: FloatArray, left: FloatArray, moved: FloatArray) -> FloatArray:
        """Return the second derivatives along each two changes."""
        root = self._root
        within = np.einsum("iqg,mqrg->mirg", root, ZtWZ)
        within = np.einsum("mirg,jrg->mijg", within, root)
        rooted = self._rooted(np.einsum("jqg,maqg->majg", root, left))
        weighted = np.sqrt(self._weights)[:, None] * self._mixing
        between = weighted @ rooted.reshape(*rooted.shape[:2], math.prod(rooted.shape[2:]))
        loss = _squares(self._rooted(within)) + 2.0 * _squares(between)
        loss += 2.0 * self._precision * _squares(moved[:, :-1, -1])
        loss += self._precision**2 / self._nu * _squares(moved[:, -1:, -1])
        return -(loss + self._reml * _squares(moved[:, :-1, :-1]))

    def _score_changes(self, ZtWZ: FloatArray, left: FloatArray, moved: FloatArray) -> FloatArray:
        """Return the changes of the gradient in Psi, sum(S - Y).

        With N = I - D Z'WZ, Z'V^-1 A moves by N'(dZ'WA - dZ'WZ C), and S = Z'V^-1 Z by N'dZ'WZ N.
        """
        k = self.shape.n_effects
        N = np.eye(k)[:, :, None] - np.einsum("qrg,rsg->qsg", self._D, self._ZtWZ)
        T = self._mixed(np.einsum("arg,rqg->aqg", self._ZtWA, N))
        dT = self._mixed(np.einsum("marg,rqg->maqg", left, N))
        counted = self._counted(T)
        half = np.einsum("iqg,mirg->mqr", self._weights[:, None, None] * counted, dT)
        pairs = np.einsum("iqg,jrg->ijqr", counted, T)
        dY = half + half.swapaxes(1, 2)
        dY += np.tensordot(self._weight_changes(moved), pairs, axes=2)
        dS = np.einsum("rqg,mrtg->mqt", self._counted(N), np.einsum("mrsg,stg->mrtg", ZtWZ, N))
        return np.asarray(dS - dY)

    def _mixed(self, columns: FloatArray) -> FloatArray:
        """Return the mixtures of columns (..., n_columns, k, n_levels)."""
        *lead, a, k, n_levels = columns.shape
        return (self._mixing @ columns.reshape(*lead, a, k * n_levels)).reshape(columns.shape)

    def _moved(self, directions: FloatArray, left: FloatArray) -> FloatArray:
        """Return the changes of mixing A'V^-1 A mixing'."""
        AtWA, _, ZtWA = self.shape.split(directions)
        flat = *AtWA.shape[:2], self.shape.n_effects * self.shape.n_levels
        C = self._counted(self._C).reshape(flat[1:])
        crossed = left.reshape(flat) @ C.T
        crossed += (ZtWA.reshape(flat) @ C.T).swapaxes(1, 2)
        return np.asarray(self._mixing @ (AtWA - crossed) @ self._mixing.T)

    def _weight_changes(self, moved: FloatArray) -> FloatArray:
        """Return the changes of mixing'^-1 Omega mixing^-1, which is diag(reml, ..., nu / r2)."""
        changes = -moved
        changes[:, :-1, :-1] *= self._reml
        changes[:, :-1, -1] *= self._precision
        changes[:, -1, :-1] *= self._precision
        changes[:, -1, -1] *= self._precision**2 / self._nu
        return changes

    def _left(self, directions: FloatArray) -> FloatArray:
        """Return what C leaves of the changes of Z'WA, (m, n_columns, k, n_levels)."""
        _, ZtWZ, ZtWA = self.shape.split(directions)
        return np.asarray(ZtWA - np.einsum("arg,mrqg->maqg", self._C, ZtWZ))

    def _counted(self, values: FloatArray) -> FloatArray:
        """Return values of the levels, each as often as it counts."""
        return repeated(values, self._counts)

    def _rooted(self, values: FloatArray) -> FloatArray:
        """Return values of the levels times the root of how often each counts."""
        return values if self._counts is None else values * np.sqrt(self._counts)


def _squares(changes: FloatArray) -> FloatArray:
    """Return the inner products of the changes along each two directions."""
    flat = changes.reshape(len(changes), math.prod(changes.shape[1:]))
    return flat @ flat.T
