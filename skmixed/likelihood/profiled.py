"""The profiled log-likelihood of theta, ML and REML in one formula."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.linalg.lapack import dpotrf, dpotri, dtrtri, dtrtrs

from skmixed.covariance import JointCovariance
from skmixed.likelihood.choose import kernel_for
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.kernel import Kernel, ScoreTensors

__all__ = ["ObjectiveValue", "PLSSolution", "ProfiledObjective", "pulled_back"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PLSSolution:
    """Hold the penalised least-squares solution at one theta."""

    beta: FloatArray
    R_X: FloatArray  # Upper triangle with R_X' R_X = X'V^-1 X.
    r2: float  # (y - X beta)'V^-1 (y - X beta)
    nu: float  # n - reml * n_coefficients
    known_sigma2: float | None = None  # None where it is estimated.

    @property
    def sigma2(self) -> float:
        """Return the residual variance, 0 where nothing is left to estimate it from."""
        if self.known_sigma2 is not None:
            return self.known_sigma2
        return self.r2 / self.nu if self.r2 and self.nu > 0.0 else 0.0

    @property
    def unscaled_covariance(self) -> FloatArray:
        """Return (X'V^-1 X)^-1."""
        if not self.R_X.size:
            return self.R_X
        upper = np.triu(dpotri(self.R_X)[0])
        whole = upper + upper.T
        whole[np.diag_indices_from(whole)] *= 0.5
        return whole


@dataclass(frozen=True, slots=True, eq=False)
class ObjectiveValue:
    """Hold one evaluation of the objective, -2 log-likelihood."""

    theta: FloatArray
    value: float
    gradient: FloatArray
    hessian: FloatArray
    solution: PLSSolution
    whitened: Any
    value_error: float = 0.0  # Monte-Carlo standard error.
    replicated_gradients: FloatArray | None = None  # Independent estimates; None if exact.

    @property
    def n_terms(self) -> float:
        """Count the terms of size 1 that the value is a sum of."""
        return self.solution.nu


class ProfiledObjective:
    """Evaluate -2 log-likelihood, its gradient and its Hessian in theta.

        objective = log|M| + reml log|X'V^-1 X| + nu (1 + log(2 pi r2 / nu)) - sum log w

    (Bates et al. 2015, equations 34 and 41), with |M| = |V| |W|. ``sigma2`` is the residual
    variance, in units of the working response, where it is known.
    """

    def __init__(
        self,
        products: CrossProducts,
        covariance: JointCovariance,
        *,
        reml: bool,
        kernel: Kernel | None = None,
        sigma2: float | None = None,
    ) -> None:
        self._known_sigma2 = sigma2
        self.covariance = covariance
        self.kernel: Kernel = kernel_for(products) if kernel is None else kernel
        self.exact_hessian = len(products.factors) < 2
        self.reml = int(reml)
        self.n_coefficients = len(products.AtWA) - 1
        self.n_rows = products.n_rows
        self.nu = self.n_rows - self.reml * self.n_coefficients
        self.products = products
        self._sum_log_weights = products.sum_log_weights

    def with_covariance(self, covariance: JointCovariance) -> ProfiledObjective:
        """Return the same objective as a function of other parameters."""
        other = copy.copy(self)
        other.covariance = covariance
        return other

    def __call__(self, theta: FloatArray) -> ObjectiveValue:
        """Evaluate objective and derivatives at theta; -inf where no residual is left."""
        factors = self.covariance.relative_factors(theta)
        whitened = self.kernel.whiten(factors)
        solution = self._solve(whitened.reduced)
        value = self._value(whitened, solution)
        if math.isinf(value) or not len(theta):
            gradient, hessian = np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
            return ObjectiveValue(theta, value, gradient, hessian, solution, whitened)
        tensors = self.kernel.score_tensors(
            whitened,
            self.mixing(solution),
            reml=self.reml,
            # A variance that is known is not profiled: it takes nothing from the curvature.
            nu=self.nu if self._known_sigma2 is None else math.inf,
            precision=1.0 / solution.sigma2,
        )
        gradient, hessian, replicated = self._derivatives(theta, factors, tensors)
        error = tensors.log_determinant_error
        return ObjectiveValue(
            theta, value, gradient, hessian, solution, whitened, error, replicated
        )

    def value(self, theta: FloatArray) -> float:
        """Return the objective alone; infinite where rounding takes the rank of X'V^-1 X."""
        try:
            whitened = self.kernel.whiten(self.covariance.relative_factors(theta))
            return self._value(whitened, self._solve(whitened.reduced))
        except np.linalg.LinAlgError:
            return math.inf

    def _value(self, whitened: Any, solution: PLSSolution) -> float:
        """Return -2 log-likelihood."""
        if not solution.sigma2:
            return -math.inf
        # Where sigma^2 is estimated, r2 / sigma^2 is nu.
        quadratic = self.nu if self._known_sigma2 is None else solution.r2 / solution.sigma2
        residual = self.nu * math.log(2.0 * math.pi * solution.sigma2) + quadratic
        return residual + self._log_volume(whitened, solution)

    def value_given(self, at: ObjectiveValue, sigma2: float) -> float:
        """Return -2 log-likelihood where sigma^2 is given too; -inf where it is 0."""
        if not sigma2:
            return -math.inf
        residual = self.nu * math.log(2.0 * math.pi * sigma2) + at.solution.r2 / sigma2
        return residual + self._log_volume(at.whitened, at.solution)

    def _log_volume(self, whitened: Any, solution: PLSSolution) -> float:
        """Return log|V| + reml log|X'V^-1 X|."""
        fixed = float(np.log(solution.R_X.diagonal()).sum()) if self.reml else 0.0
        return float(whitened.log_determinant + 2.0 * fixed - self._sum_log_weights)

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
        return PLSSolution(beta, R_X, r2, self.nu, self._known_sigma2)

    def _derivatives(
        self, theta: FloatArray, factors: list[FloatArray], tensors: ScoreTensors
    ) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        """Carry derivatives in Psi over to theta by dPsi = dLambda Lambda' + Lambda dLambda'."""
        parts = [
            pulled_back(
                covariance.factor_derivative(part),
                covariance.factor_second_derivative(part),
                Lambda,
                G,
            )
            for covariance, part, Lambda, G in zip(
                self.covariance.factors,
                self.covariance.split(theta),
                factors,
                tensors.gradients,
                strict=True,
            )
        ]
        if len(parts) == 1:
            dPsi, gradient, bend = parts[0]
        else:
            dPsi, bend = (block_diag(*(part[i] for part in parts)) for i in (0, 2))
            gradient = np.concatenate([part[1] for part in parts])
        replicated = None
        if tensors.replicates is not None:
            flat = [G.reshape(len(G), -1) for G in tensors.replicates]
            replicated = np.concatenate(flat, axis=1) @ dPsi.T
        return gradient, dPsi @ tensors.hessian @ dPsi.T + bend, replicated

    def mixing(self, solution: PLSSolution) -> FloatArray:
        """Return the matrix that takes [X y] to [X R_X^-1, y - X beta]."""
        p = self.n_coefficients
        mixing = np.zeros((p + 1, p + 1))
        mixing[p, p] = 1.0
        if p:
            mixing[:p, :p] = dtrtri(solution.R_X)[0].T
            mixing[p, :p] = -solution.beta
        return mixing


def pulled_back(
    dLambda: FloatArray, second: FloatArray | None, Lambda: FloatArray, G: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return dPsi raveled, the gradient in theta, and the curvature from that of Psi in theta.

    The derivatives of Lambda in theta are (..., m, k, k) and (..., m, m, k, k); G is that of the
    objective in Psi.
    """
    half = dLambda @ Lambda.swapaxes(-1, -2)[..., None, :, :]
    flat = (*half.shape[:-2], half.shape[-1] ** 2)
    dPsi = (half + half.swapaxes(-1, -2)).reshape(flat)
    gradient = (dPsi @ G.reshape(*G.shape[:-2], flat[-1], 1))[..., 0]
    moved = (G[..., None, :, :] @ dLambda).reshape(flat)
    bend = 2.0 * dLambda.reshape(*dLambda.shape[:-2], flat[-1]) @ moved.swapaxes(-1, -2)
    if second is not None:
        bend += 2.0 * np.einsum("...ijqs,...qs->...ij", second, G @ Lambda)
    return dPsi, gradient, bend
