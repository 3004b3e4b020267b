"""The likelihood of a generalised model as a function of all its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.likelihood.curvature import working_information
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.laplace import LaplaceGradient, in_theta, laplace
from skmixed.likelihood.modes import Modes, find_modes
from skmixed.likelihood.responses import Responses
from skmixed.likelihood.stochastic import Probes, random_probes

__all__ = ["GeneralisedObjective", "GeneralisedValue", "Parameters"]

FloatArray = NDArray[np.float64]

# Smallest singular value of a relative covariance factor: a variance of its square moves nothing,
# and the score of a variance of 0 is found as that of any other.
LEAST = 1e-7
# Steps of differences of the gradient, in standard errors: of an exact gradient, and of one that
# is as exact as the solutions for its probes.
STEP, PROBED_STEP = 1e-5, 1e-2
# Curvatures below this part of the largest give no steps.
FLAT = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Hold the parameters of a generalised model, apart from each other.

    Attributes
    ----------
    beta : ndarray of shape (n_coefficients,)
    theta : ndarray of shape (n_theta,)
    extra : list of ndarray
        Coefficients of each further predictor.
    """

    beta: FloatArray
    theta: FloatArray
    extra: list[FloatArray]


@dataclass(frozen=True, eq=False)
class GeneralisedValue:
    """Hold one evaluation of the objective, -2 log-likelihood.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        All parameters: beta, theta and those of further predictors.
    value : float
    gradient : ndarray of shape (n_parameters,)
    hessian : ndarray of shape (n_parameters, n_parameters)
        Approximate.
    modes : Modes
    replicate : callable
        Returns the ``replicated_gradients``.
    """

    theta: FloatArray
    value: float
    gradient: FloatArray
    hessian: FloatArray
    modes: Modes
    replicate: Callable[[], FloatArray | None]

    @property
    def value_error(self) -> float:
        """Return the Monte-Carlo standard error of the value."""
        return self.modes.system.schur.log_determinant_error

    @cached_property
    def replicated_gradients(self) -> FloatArray | None:
        """Return independent estimates of the gradient, (n, n_parameters); None if it is exact."""
        return self.replicate()

    @property
    def n_terms(self) -> float:
        """Count the terms of size 1 that the value is a sum of."""
        return float(len(self.modes.eta))


@dataclass(eq=False)
class GeneralisedObjective:
    """Evaluate -2 log-likelihood and its gradient in (beta, theta, further coefficients).

    It remembers the last modes, from which the next evaluation begins: what it returns does not
    depend on them.

    Parameters
    ----------
    X : ndarray of shape (n_coefficients, n)
        Standardised columns.
    rows : EffectRows
    offset : ndarray of shape (n,)
    responses : Responses
    covariance : JointCovariance
    extra : sequence of ndarray of shape (n_columns, n)
        Columns of each further predictor of the family.
    extra_curvature : ndarray of shape (n_extra, n_extra) or None
        Of the coefficients of further predictors, about.
    probes : Probes or None
        From which log|M| and the gradient are estimated; None where they are exact.
    """

    X: FloatArray
    rows: EffectRows
    offset: FloatArray
    responses: Responses
    covariance: JointCovariance
    extra: Sequence[FloatArray] = ()
    extra_curvature: FloatArray | None = None
    probes: Probes | None = None

    def __post_init__(self) -> None:
        self._warm = [
            np.zeros((len(Z), n)) for Z, n in zip(self.rows.Z, self.rows.n_levels, strict=True)
        ]

    @cached_property
    def elimination(self) -> Elimination:
        """Return the order of elimination."""
        return Elimination(self.rows)

    def draw_probes(self, times: int) -> None:
        """Estimate from that many times as many probes from here on.

        Parameters
        ----------
        times : int
        """
        assert self.probes is not None
        n_replicates = times * self.probes.n_replicates
        self.probes = random_probes(self.elimination.shapes, n_replicates)

    @property
    def n_theta(self) -> int:
        """Count the covariance parameters."""
        return self.covariance.n_parameters

    @property
    def lower(self) -> FloatArray | None:
        """Return the least values of all parameters; None where all are free."""
        bounds = self.covariance.lower_bounds
        if bounds is None:
            return None
        lower = np.full(len(self.X) + len(bounds) + sum(map(len, self.extra)), -np.inf)
        lower[len(self.X) : len(self.X) + len(bounds)] = bounds
        return lower

    def split(self, x: FloatArray) -> Parameters:
        """Take the parameters apart."""
        ends = np.cumsum([len(self.X), self.n_theta, *map(len, self.extra)])
        beta, theta, *extra = np.split(x, ends[:-1])
        return Parameters(beta, theta, extra)

    def predictors(self, x: FloatArray) -> tuple[FloatArray, list[FloatArray]]:
        """Return X beta with the offset, and the further predictors of all rows."""
        at = self.split(x)
        return at.beta @ self.X + self.offset, [
            c @ X for c, X in zip(at.extra, self.extra, strict=True)
        ]

    def modes(self, x: FloatArray) -> Modes:
        """Find the modes at some parameters.

        Raises
        ------
        numpy.linalg.LinAlgError
            If there are none.
        """
        fixed, extra = self.predictors(x)
        factors = [_regular(L) for L in self.covariance.relative_factors(self.split(x).theta)]
        modes = find_modes(
            self.elimination, factors, fixed, self.responses, extra, self._warm, self.probes
        )
        self._warm = modes.spherical
        return modes

    def value(self, x: FloatArray) -> float:
        """Return -2 log-likelihood alone."""
        return laplace(self.modes(x)).value

    def __call__(self, x: FloatArray, hessian: FloatArray | None = None) -> GeneralisedValue:
        """Evaluate value, gradient and an approximate Hessian, unless one is given."""
        modes = self.modes(x)
        gradient, of_psi = self._gradient(x, modes)
        if hessian is None:
            hessian = self._approximate_hessian(x, modes, of_psi)
        replicate = partial(self._replicated_gradients, x, modes)
        return GeneralisedValue(x, laplace(modes).value, gradient, hessian, modes, replicate)

    def _approximate_hessian(
        self, x: FloatArray, modes: Modes, of_psi: list[FloatArray]
    ) -> FloatArray:
        """Return the working information, and what is known of further coefficients."""
        hessian = np.zeros((len(x), len(x)))
        n = len(self.X) + self.n_theta
        theta = self.split(x).theta
        hessian[:n, :n] = working_information(
            self.X, self.rows, modes, self.covariance, theta, of_psi
        )
        if n < len(x):
            known = self.extra_curvature
            hessian[n:, n:] = np.eye(len(x) - n) * len(modes.eta) if known is None else known
        return hessian

    def gradient(self, x: FloatArray) -> FloatArray:
        """Return the gradient of -2 log-likelihood alone."""
        return self._gradient(x, self.modes(x))[0]

    def _gradient(self, x: FloatArray, modes: Modes) -> tuple[FloatArray, list[FloatArray]]:
        """Return the gradient, and the derivative in Psi of each factor."""
        return self._in_parameters(x, modes, laplace(modes).gradient(self.rows))

    def _replicated_gradients(self, x: FloatArray, modes: Modes) -> FloatArray | None:
        """Return the gradient from each replicate of the probes."""
        found = laplace(modes).replicated_gradients(self.rows)
        if not found:
            return None
        return np.array([self._in_parameters(x, modes, one)[0] for one in found])

    def _in_parameters(
        self, x: FloatArray, modes: Modes, by: LaplaceGradient
    ) -> tuple[FloatArray, list[FloatArray]]:
        """Return derivatives in the parameters, and in Psi of each factor."""
        theta = self.split(x).theta
        # A regular factor gives the score of Psi, and that the one of any other.
        of_psi: list[FloatArray] = [
            0.5 * np.asarray(np.linalg.solve(L.T, G.T), np.float64).T
            for L, G in zip(modes.factors, by.factors, strict=True)
        ]
        factors = self.covariance.relative_factors(theta)
        of_factors = [(G + G.T) @ L for G, L in zip(of_psi, factors, strict=True)]
        parts = [
            self.X @ by.eta,
            in_theta(self.covariance, theta, of_factors),
            *(X @ e for X, e in zip(self.extra, by.extra, strict=True)),
        ]
        return np.concatenate(parts), of_psi

    def measured_hessian(self, at: GeneralisedValue) -> FloatArray:
        """Return the Hessian from differences of the gradient, good to five digits or more.

        Steps are a small part of a standard error, and lead away from the bounds.

        Parameters
        ----------
        at : GeneralisedValue
        """
        curvatures = np.abs(at.hessian.diagonal())
        floor = FLAT * curvatures.max(initial=0.0) + np.finfo(float).tiny
        step = STEP if self.probes is None else PROBED_STEP
        steps = step * np.sqrt(2.0 / np.maximum(curvatures, floor))
        columns = []
        for j, step in enumerate(steps):
            moved = at.theta.copy()
            moved[j] += step
            columns.append((self.gradient(moved) - at.gradient) / (moved[j] - at.theta[j]))
        hessian = np.array(columns).reshape(len(steps), len(steps))
        return 0.5 * (hessian + hessian.T)

    def with_extra_curvature(
        self, at: GeneralisedValue, step: float = 1e-4
    ) -> GeneralisedObjective:
        """Return the objective with the curvature along further coefficients near a point."""
        n = len(self.X) + self.n_theta
        if n == len(at.theta):
            return self
        columns = []
        for j in range(n, len(at.theta)):
            moved = at.theta.copy()
            moved[j] += step
            columns.append((self.gradient(moved)[n:] - at.gradient[n:]) / step)
        curvature = 0.5 * (np.array(columns) + np.array(columns).T)
        values, vectors = np.linalg.eigh(curvature)
        values = np.maximum(np.abs(values), 1e-3 * np.abs(values).max(initial=1.0))
        return replace(self, extra_curvature=(vectors * values) @ vectors.T)


def _regular(Lambda: FloatArray) -> FloatArray:
    """Return a regular root of the same Psi, but for singular values below the least."""
    if len(Lambda) == 1:
        size = abs(float(Lambda[0, 0]))
        return Lambda if size >= LEAST else np.array([[LEAST]])
    left, values, right = np.linalg.svd(Lambda)
    if values[-1] >= LEAST:
        return Lambda
    return np.asarray((left * np.maximum(values, LEAST)) @ right)
