"""What the fits of many responses to one design share, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.model import LMMModel
from skmixed.fitting.standardise import EXACT, standardised_products

__all__ = ["ManyFits", "SharedDesign", "WorkingResponses"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ManyFits:
    """Hold the estimates of m responses.

    Attributes
    ----------
    coefficients : ndarray of shape (m, n_coefficients)
        In the user's units, as the two that follow.
    sigma : ndarray of shape (m,)
    log_likelihood : ndarray of shape (m,)
    standardised_factors : list of ndarray of shape (m, k, k)
        Lambda of each estimable factor, in standardised columns.
    converged : ndarray of shape (m,)
        Where it is False, the response needs a fit of its own.
    """

    coefficients: FloatArray
    sigma: FloatArray
    log_likelihood: FloatArray
    standardised_factors: list[FloatArray]
    converged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class WorkingResponses:
    """Hold m responses as the likelihood takes them: least-squares residuals over their size.

    Attributes
    ----------
    shift : ndarray of shape (m, n_coefficients)
        Least-squares coefficients, standardised columns.
    scale : ndarray of shape (m,)
        NaN for a response that X explains exactly.
    y : ndarray of shape (m, n)
        Times the root of the weights.
    """

    shift: FloatArray
    scale: FloatArray
    y: FloatArray


class SharedDesign:
    """Standardise the design of a model for further responses.

    Parameters
    ----------
    model : LMMModel
    """

    def __init__(self, model: LMMModel) -> None:
        design = model.design
        self.coordinates, rows, self.products = standardised_products(design, model.covariance)
        self.X, self.Z = rows.A[:-1], rows.Z
        self.row_counts = design.group_counts
        self.counted_X = self.X if self.row_counts is None else self.X * self.row_counts
        self._reml = int(model.reml)
        self._offset = design.offset
        self._root = None
        if design.weights is not None:
            self._root = np.sqrt(design.weights / self.coordinates.weight_scale)

    def working(self, responses: FloatArray) -> WorkingResponses:
        """Take what least squares explain from each response, (m, n), and its size."""
        y = responses.copy() if self._offset is None else responses - self._offset
        if self._root is not None:
            y *= self._root
        size = np.sqrt(np.mean(y**2, axis=1))
        shift: FloatArray = np.zeros((len(y), len(self.X)))
        if len(self.X):
            shift[:] = np.linalg.solve(self.counted_X @ self.X.T, self.counted_X @ y.T).T
        y -= shift @ self.X
        scale = np.sqrt(np.mean(y**2, axis=1))
        scale[scale <= EXACT * size] = np.nan
        return WorkingResponses(shift, scale, y / scale[:, None])

    def in_units(
        self,
        working: WorkingResponses,
        *,
        beta: FloatArray,
        sigma2: FloatArray,
        value: FloatArray,
        nu: float,
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return coefficients, sigma and log-likelihoods in the user's units.

        Parameters
        ----------
        working : WorkingResponses
        beta : ndarray of shape (m, n_coefficients)
        sigma2, value : ndarray of shape (m,)
            Residual variances and -2 log-likelihoods in standardised columns.
        nu : float
            Degrees of freedom of sigma^2.
        """
        fixed, scale = self.coordinates.fixed, working.scale
        coefficients = (working.shift + scale[:, None] * beta) @ fixed.matrix.T
        sigma = np.sqrt(sigma2 * self.coordinates.weight_scale) * scale
        constant = nu * np.log(scale) - self._reml * fixed.log_volume
        return coefficients, sigma, -0.5 * value - constant
