"""The estimates at given parameters of all variances, those of a residual structure included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.at_theta import fit_at
from skmixed.fitting.fitted_covariate import settled_residual
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.standardise import standardised
from skmixed.likelihood.crossproducts import CrossProducts

__all__ = ["FitsAround"]

FloatArray = NDArray[np.float64]


class FitsAround:
    """Solve for the effects at variance parameters (theta, rho) near those of a fit.

    Without the model, which has the rows that were fitted, rho stays at its estimate.
    """

    def __init__(self, fit: LMMFit, model: LMMModel | None = None) -> None:
        self._fit = fit
        self._model = model if fit.residual is not None and len(fit.residual.rho) else None
        if self._model is not None:
            self._residual = settled_residual(self._model, fit)
            _, self._rows = standardised(self._model.design, self._model.covariance)

    @property
    def n_known(self) -> int:
        """Count the parameters rho that are taken as known."""
        fitted = self._fit.residual
        return 0 if fitted is None or self._model is not None else len(fitted.rho)

    @property
    def estimate(self) -> FloatArray:
        """Return theta of the standardised columns, and rho if it is not taken as known."""
        theta, fitted = self._fit.convergence.theta, self._fit.residual
        return theta if fitted is None or self.n_known else np.append(theta, fitted.rho)

    def at(self, parameters: FloatArray, *, keep_sigma: bool = False) -> LMMFit:
        """Return the estimates at other parameters, which are ordered as ``estimate``."""
        n_theta = len(self._fit.convergence.theta)
        theta, rho = parameters[:n_theta], parameters[n_theta:]
        fit, fitted = self._fit, self._fit.residual
        if not len(rho) or fitted is None or np.array_equal(rho, fitted.rho):
            return fit_at(fit, theta, keep_sigma=keep_sigma)
        moved = replace(fit, residual=replace(fitted, rho=rho))
        return fit_at(moved, theta, self._products(rho), keep_sigma=keep_sigma)

    def _products(self, rho: FloatArray) -> CrossProducts:
        """Sum the cross-products of the estimable factors at other rho."""
        assert self._model is not None
        assert self._residual is not None
        residual = self._residual.at(rho, self._model.design.weights.row_multiplicity)
        kept = [i for i, one in enumerate(self._fit.random) if one.position is not None]
        return self._rows.whitened(residual).products().of_factors(kept)
