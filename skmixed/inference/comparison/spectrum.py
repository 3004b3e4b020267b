"""The eigenvalues that the null distribution of a test of one variance depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.likelihood.several import products_of_others

__all__ = ["Spectrum", "spectrum_of"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Hold what the null distribution depends on.

    Attributes
    ----------
    mu : ndarray of shape (K,)
        Eigenvalues of Z'P_0 Z.
    xi : ndarray of shape (K,)
        Eigenvalues that the log-determinant is made of.
    n_residual : float
        Degrees of freedom without the tested variance, n - p.
    nu : float
        n - p for REML, n for ML.
    n_fixed : int
        How many fixed effects are tested besides; 0 for REML.
    """

    mu: FloatArray
    xi: FloatArray
    n_residual: float
    nu: float
    n_fixed: int = 0


def spectrum_of(fit: LMMFit, *, n_fixed: int = 0) -> Spectrum:
    """Return what the null distribution depends on, for the criterion of a fit.

    Z is that of the tested variance, times the root of its structure and of the weights.

    Parameters
    ----------
    fit : LMMFit
        With one random term of one parameter.
    n_fixed : int, default=0
        How many fixed effects are tested besides.

    Raises
    ------
    ValueError
        If the variance is not estimable, or groups are weighted.
    """
    if not fit.estimable:
        raise ValueError(
            "The tested variance cannot be told from that of the residuals, so that there is "
            "nothing to test. Use groups of several rows."
        )
    mu, xi = _eigenvalues(fit)
    n_residual = fit.n_rows - len(fit.fixed.standardised)
    return Spectrum(mu, mu if fit.reml else xi, n_residual, fit.nu, n_fixed)


def _eigenvalues(fit: LMMFit) -> tuple[FloatArray, FloatArray]:
    """Return the eigenvalues of Z'P_0 Z and of Z'Z, with Z times the root of the structure."""
    products = fit.products
    ((effects, _),) = fit.estimable
    if products is None or products.factors[0].multiplicity is not None:
        raise ValueError(
            "The null distribution needs rows that count as such. Repeat the rows of the groups "
            "instead of giving group_weight."
        )
    ZtZ, ZtA = products_of_others(products, 0)
    ZtX, XtX = ZtA[:, :-1], products.AtWA[:-1, :-1]
    root = np.kron(effects.covariance.factor(np.ones(1)), np.eye(len(effects.levels)))
    if effects.covariance.n_effects > 1:
        ZtZ, ZtX = root.T @ ZtZ @ root, root.T @ ZtX
    xi = np.linalg.eigvalsh(ZtZ)
    mu = np.linalg.eigvalsh(ZtZ - ZtX @ np.linalg.solve(XtX, ZtX.T)) if ZtX.shape[1] else xi
    return np.maximum(mu, 0.0), np.maximum(xi, 0.0)
