"""The profiled log-likelihood of theta, ML and REML in one formula."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dtrtri, dtrtrs

from skmixed.covariance import DirectSum
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.single_factor import SingleFactorKernel, Whitened

__all__ = ["ObjectiveValue", "PLSSolution", "ProfiledObjective"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PLSSolution:
    """Hold the penalised least-squares solution at one theta.

    Attributes
    ----------
    beta : ndarray of shape (n_coefficients,)
    R_X : ndarray of shape (n_coefficients, n_coefficients)
        Upper triangle with R_X' R_X = X'V^-1 X.
    r2 : float
        (y - X beta)'V^-1 (y - X beta), the penalised residual sum of squares.
    nu : float
        n - reml * n_coefficients.
    """

    beta: FloatArray
    R_X: FloatArray
    r2: float
    nu: float

    @property
    def sigma2(self) -> float:
        """Return the residual variance, 0 where nothing is left."""
        return self.r2 / self.nu if self.r2 else 0.0

    @property
    def unscaled_covariance(self) -> FloatArray:
        """Return (X'V^-1 X)^-1."""
        upper, _ = dpotri(self.R_X)
        return np.triu(upper) + np.triu(upper, 1).T if upper.size else upper


@dataclass(frozen=True, slots=True, eq=False)
class ObjectiveValue:
    """Hold one evaluation of the objective, -2 log-likelihood.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
    value : float
    gradient : ndarray of shape (n_parameters,)
    hessian : ndarray of shape (n_parameters, n_parameters)
    solution : PLSSolution
    whitened : Whitened
    """

    theta: FloatArray
    value: float
    gradient: FloatArray
    hessian: FloatArray
    solution: PLSSolution
    whitened: Whitened


class ProfiledObjective:
    """Evaluate -2 log-likelihood, its gradient and its Hessian in theta.

        objective = log|M| + reml log|X'V^-1 X| + nu (1 + log(2 pi r2 / nu)) - sum log w

    (Bates et al. 2015, equations 34 and 41), with |M| = |V| |W|.

    Parameters
    ----------
    products : CrossProducts
    covariance : DirectSum
    reml : bool
    """

    def __init__(self, products: CrossProducts, covariance: DirectSum, *, reml: bool) -> None:
        self.covariance = covariance
        self.kernel = SingleFactorKernel(products)
        self.reml = int(reml)
        self.n_coefficients = len(products.AtWA) - 1
        self.n_rows = products.n_rows
        self.nu = self.n_rows - self.reml * self.n_coefficients
        self._sum_log_weights = products.sum_log_weights

    def __call__(self, theta: FloatArray) -> ObjectiveValue:
        """Evaluate objective and derivatives at theta; -inf where no residual is left."""
        Lambda = self.covariance.factor(theta)
        whitened = self.kernel.whiten(Lambda)
        solution = self._solve(whitened.reduced)
        value = self._value(whitened, solution)
        if math.isinf(value) or not len(theta):
            gradient, hessian = np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
        else:
            gradient, hessian = self._derivatives(theta, Lambda, whitened, solution)
        return ObjectiveValue(theta, value, gradient, hessian, solution, whitened)

    def _value(self, whitened: Whitened, solution: PLSSolution) -> float:
        """Return -2 log-likelihood."""
        if not solution.r2:
            return -math.inf
        log_volume = float(np.log(solution.R_X.diagonal()).sum()) if self.reml else 0.0
        return (
            whitened.log_determinant
            + 2.0 * log_volume
            + self.nu * (1.0 + math.log(2.0 * math.pi * solution.sigma2))
            - self._sum_log_weights
        )

    def _solve(self, reduced: FloatArray) -> PLSSolution:
        """Factor [X y]'V^-1[X y]; its last column holds beta, its last pivot the residual."""
        R, first_bad = dpotrf(reduced)
        p = self.n_coefficients
        if 0 < first_bad <= p:
            raise np.linalg.LinAlgError(
                f"X'V^-1 X is singular within rounding at its column {first_bad} of {p}."
            )
        R_X = R[:p, :p]
        beta = dtrtrs(R_X, R[:p, p])[0] if p else np.empty(0)
        r2 = 0.0 if first_bad else float(R[p, p] ** 2)
        return PLSSolution(beta, R_X, r2, self.nu)

    def _derivatives(
        self, theta: FloatArray, Lambda: FloatArray, whitened: Whitened, solution: PLSSolution
    ) -> tuple[FloatArray, FloatArray]:
        """Carry derivatives in Psi over to theta by dPsi = dLambda Lambda' + Lambda dLambda'."""
        m = len(theta)
        tensors = self.kernel.score_tensors(
            whitened,
            self._mixing(solution),
            reml=self.reml,
            nu=self.nu,
            precision=1.0 / solution.sigma2,
        )
        dLambda = self.covariance.factor_derivative(theta)
        half = dLambda @ Lambda.T
        dPsi = (half + half.swapaxes(1, 2)).reshape(m, -1)
        GdLambda = tensors.gradient @ dLambda
        flat = dLambda.reshape(m, -1)
        gradient = dPsi @ tensors.gradient.ravel()
        hessian = dPsi @ tensors.hessian @ dPsi.T + 2.0 * flat @ GdLambda.reshape(m, -1).T
        return gradient, hessian

    def _mixing(self, solution: PLSSolution) -> FloatArray:
        """Return the matrix that takes [X y] to [X R_X^-1, y - X beta]."""
        p = self.n_coefficients
        mixing = np.zeros((p + 1, p + 1))
        mixing[p, p] = 1.0
        if p:
            mixing[:p, :p] = dtrtri(solution.R_X)[0].T
            mixing[p, :p] = -solution.beta
        return mixing
