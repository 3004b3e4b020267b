"""The likelihood of a generalised model as a function of all its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.fitting.convergence import theta_on_boundary
from skmixed.fitting.generalised_value import GeneralisedValue, Parameters
from skmixed.fitting.regular_roots import by_covariance, upper_root
from skmixed.fitting.working_hessian import working_hessian
from skmixed.likelihood.criterion import Criterion, RowGradient
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.laplace import Laplace, in_theta
from skmixed.likelihood.modes import Modes, find_modes
from skmixed.likelihood.penalties import BoundPenalty, PenaltyValue
from skmixed.likelihood.responses import Responses
from skmixed.likelihood.stochastic import Probes, random_probes
from skmixed.likelihood.working_columns import WorkingColumns, columns_of_parameters

__all__ = ["GeneralisedObjective", "GeneralisedValue", "Parameters"]

FloatArray = NDArray[np.float64]

# Where the log density is not concave, two modes may meet: there M is singular and Laplace's
# approximation infinite, however little the data say. Effects whose variance given the data is so
# many times that without (its inverse is a pivot of M) have no normal approximation.
LEAST_PIVOT = 0.1
# How far further predictors may go from their start, logarithms of dispersions and logits: counts
# may have no dispersion beside Poisson's, but a density without dispersion is infinite.
FARTHEST, FARTHEST_OF_DENSITY = 40.0, 25.0
# Steps of differences of the gradient, in standard errors: of an exact gradient, and of one that
# is as exact as the solutions for its probes.
STEP, PROBED_STEP = 3e-6, 1e-3
# How far modes are foreseen to move, in standard deviations of the effects.
FORESEEN = 1.0
# The shortest step, relative to the parameter.
SHORTEST = 1e-12
# Curvatures below this part of the largest give no steps.
FLAT = 1e-10


@dataclass(eq=False)
class GeneralisedObjective:
    """Evaluate -2 log-likelihood and its gradient in (beta, theta, further coefficients).

    It remembers the last modes and their slopes, from which the next evaluation begins. What it
    returns depends on them only where there is more than one mode.

    Parameters
    ----------
    X : ndarray of shape (n_coefficients, n)
        Standardised columns.
    elimination : Elimination
        The columns of Z, and the order in which their effects are eliminated.
    offset : ndarray of shape (n,)
    extra : sequence of ndarray of shape (n_columns, n)
        Columns of each further predictor of the family.
    extra_curvature : ndarray of shape (n_extra, n_extra) or None
        Of the coefficients of further predictors, about.
    criterion : Criterion or None
        How the random effects are integrated out; by Laplace's method if None.
    usual_extra : tuple of float
        Means of the further predictors, from which the search goes only so far.
    probes : Probes or None
        From which log|M| and the gradient are estimated; None where they are exact.
    """

    X: FloatArray
    elimination: Elimination
    offset: FloatArray
    responses: Responses
    covariance: JointCovariance
    extra: Sequence[FloatArray] = ()
    extra_curvature: FloatArray | None = None
    criterion: Criterion | None = None
    penalty: BoundPenalty | None = None
    usual_extra: tuple[float, ...] = ()
    probes: Probes | None = None

    def __post_init__(self) -> None:
        self._last: tuple[FloatArray, list[FloatArray], WorkingColumns] | None = None

    @property
    def rows(self) -> EffectRows:
        """Return the columns of Z."""
        return self.elimination.rows

    def draw_probes(self, times: int) -> None:
        """Estimate from that many times as many probes from here on."""
        assert self.probes is not None
        n_replicates = times * self.probes.n_replicates
        self.probes = random_probes(self.elimination.shapes, n_replicates)

    @cached_property
    def integral(self) -> Criterion:
        """Return the approximation of the likelihood."""
        return Laplace(self.rows) if self.criterion is None else self.criterion

    @cached_property
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
        parts, first = [], 0
        for n in (len(self.X), self.n_theta, *map(len, self.extra)):
            parts.append(x[first : first + n])
            first += n
        return Parameters(parts[0], parts[1], parts[2:])

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
        self._check(extra)
        factors = [upper_root(L) for L in self.covariance.relative_factors(self.split(x).theta)]
        find = partial(find_modes, self.elimination, factors, fixed, self.responses, extra)
        try:
            modes = find(self._predicted(x, factors), self.probes)
        except np.linalg.LinAlgError:
            if self._last is None:
                raise
            # What was foreseen may be far off, from where no step leads back.
            self._last = None
            modes = find(self._predicted(x, factors), self.probes)
        if modes.system.elimination.rows.Z and modes.system.least_pivot < LEAST_PIVOT:
            raise np.linalg.LinAlgError("The modes are all but flat.")
        return modes

    def _predicted(self, x: FloatArray, factors: list[FloatArray]) -> list[FloatArray]:
        """Return the spherical effects u = Lambda's that the last evaluation lets expect."""
        if self._last is None:
            return [np.zeros((len(L), n)) for L, n in zip(factors, self.rows.n_levels, strict=True)]
        last, scores, columns = self._last
        changes = columns.scores((x - last)[None])
        moves = [L.T @ ds[0] for L, ds in zip(factors, changes, strict=True)]
        longest = max((float(np.abs(one).max(initial=0.0)) for one in moves), default=0.0)
        part = 1.0 / max(1.0, longest / FORESEEN)
        return [L.T @ s - part * one for L, s, one in zip(factors, scores, moves, strict=True)]

    def _columns(self, x: FloatArray, modes: Modes) -> WorkingColumns:
        """Return what all parameters move in the effects, from which the next modes follow."""
        theta = self.split(x).theta
        columns = columns_of_parameters(
            self.X, self.rows, modes, self.covariance, theta, self.extra
        )
        self._last = x, modes.scores, columns
        return columns

    def _check(self, extra: list[FloatArray]) -> None:
        """Raise where a dispersion has all but vanished: the likelihood is unbounded there."""
        discrete = self.responses.family.is_discrete
        farthest = FARTHEST if discrete else FARTHEST_OF_DENSITY
        for found, usual in zip(extra, self.usual_extra, strict=False):
            if abs(found.mean() - usual) > farthest:
                raise np.linalg.LinAlgError("The responses are explained exactly.")

    def on_boundary(self, x: FloatArray) -> FloatArray | None:
        """Return the parameters with vanishing standard deviations at 0; None if there are none."""
        theta = theta_on_boundary(self.covariance, self.split(x).theta)
        if theta is None:
            return None
        n = len(self.X)
        return np.concatenate([x[:n], theta, x[n + len(theta) :]])

    def value(self, x: FloatArray) -> float:
        """Return the value alone."""
        penalty = self._penalty(x)
        return self.integral.value(self.modes(x)) + penalty.value

    def _penalty(self, x: FloatArray) -> PenaltyValue:
        """Return the penalty in (beta, theta)."""
        at = self.split(x)
        if self.penalty is not None:
            return self.penalty.at(at.beta, at.theta)
        n = len(at.beta) + len(at.theta)
        return PenaltyValue(0.0, np.zeros(n), np.zeros((n, n)))

    def __call__(self, x: FloatArray, hessian: FloatArray | None = None) -> GeneralisedValue:
        """Evaluate value, gradient and an approximate Hessian, unless one is given."""
        penalty = self._penalty(x)
        modes = self.modes(x)
        value, gradient, of_psi = self._differentiated(x, modes, penalty)
        columns = self._columns(x, modes)
        if hessian is None:
            hessian = self._approximate_hessian(x, columns, modes, of_psi, penalty)
        replicate = partial(self._replicated_gradients, x, modes, penalty)
        return GeneralisedValue(
            x, value, penalty.value, gradient, hessian, modes, columns, replicate
        )

    def _approximate_hessian(
        self,
        x: FloatArray,
        columns: WorkingColumns,
        modes: Modes,
        of_psi: list[FloatArray],
        penalty: PenaltyValue,
    ) -> FloatArray:
        """Return the working Hessian, and what is known of further coefficients."""
        hessian = np.zeros((len(x), len(x)))
        n = len(self.X) + self.n_theta
        information = columns.information(self.X, -modes.rows.second)
        hessian[:n, :n] = penalty.hessian + working_hessian(
            information, self.covariance, self.split(x).theta, of_psi
        )
        if n < len(x):
            known = self.extra_curvature
            hessian[n:, n:] = np.eye(len(x) - n) * len(modes.eta) if known is None else known
        return hessian

    def _replicated_gradients(
        self, x: FloatArray, modes: Modes, penalty: PenaltyValue
    ) -> FloatArray | None:
        """Return the gradient from each replicate of the probes."""
        found = [self._in_parameters(x, modes, by)[0] for by in self.integral.replicated(modes)]
        if not found:
            return None
        gradients = np.array(found)
        gradients[:, : len(penalty.gradient)] += penalty.gradient
        return gradients

    def gradient(self, x: FloatArray) -> FloatArray:
        """Return the gradient alone."""
        return self._differentiated(x, self.modes(x), self._penalty(x))[1]

    def _differentiated(
        self, x: FloatArray, modes: Modes, penalty: PenaltyValue
    ) -> tuple[float, FloatArray, list[FloatArray]]:
        """Return the objective, its gradient, and that of the likelihood in Psi of each factor."""
        value, by = self.integral.differentiated(modes)
        gradient, of_psi = self._in_parameters(x, modes, by)
        gradient[: len(penalty.gradient)] += penalty.gradient
        return value + penalty.value, gradient, of_psi

    def _in_parameters(
        self, x: FloatArray, modes: Modes, by: RowGradient
    ) -> tuple[FloatArray, list[FloatArray]]:
        """Return derivatives in the parameters, and in Psi of each factor."""
        theta = self.split(x).theta
        of_psi = [by_covariance(R, G) for R, G in zip(modes.factors, by.factors, strict=True)]
        factors = self.covariance.relative_factors(theta)
        of_factors = [2.0 * G @ L for G, L in zip(of_psi, factors, strict=True)]
        parts = [
            self.X @ by.eta,
            in_theta(self.covariance, theta, of_factors),
            *(X @ e for X, e in zip(self.extra, by.extra, strict=True)),
        ]
        return np.concatenate(parts), of_psi

    def measured_hessian(self, at: GeneralisedValue) -> FloatArray:
        """Return the Hessian from differences of the gradient, good to five digits or more.

        Steps are a small part of a standard error, and lead away from the bounds.
        """
        curvatures = np.abs(at.hessian.diagonal())
        floor = FLAT * curvatures.max(initial=0.0) + np.finfo(float).tiny
        step = STEP if self.probes is None else PROBED_STEP
        steps = step * np.sqrt(2.0 / np.maximum(curvatures, floor))
        # Where responses are explained exactly, that may be less than a parameter's own rounding.
        steps = np.maximum(steps, SHORTEST * np.abs(at.theta))
        return self._differences(at, 0, steps)

    def _differences(self, at: GeneralisedValue, first: int, steps: FloatArray) -> FloatArray:
        """Return the Hessian in consecutive parameters, from one-sided differences."""
        own, columns = slice(first, first + len(steps)), []
        for j, step in enumerate(steps, first):
            moved = at.theta.copy()
            moved[j] += step
            change = self.gradient(moved)[own] - at.gradient[own]
            columns.append(change / (moved[j] - at.theta[j]))
        hessian = np.array(columns).reshape(len(steps), len(steps))
        return 0.5 * (hessian + hessian.T)

    def of_rows(self, positions: NDArray[np.intp]) -> GeneralisedObjective:
        """Return -2 log-likelihood of some rows, exact, in the same columns, without a penalty."""
        rows, responses = self.rows.select(positions), self.responses.select(positions)
        return replace(
            self,
            X=self.X[:, positions],
            elimination=Elimination(rows),
            offset=self.offset[positions],
            responses=responses,
            extra=[columns[:, positions] for columns in self.extra],
            criterion=self.integral.of(rows, responses),
            penalty=None,
            probes=None,
        )

    def with_extra_curvature(
        self, at: GeneralisedValue, step: float = 1e-4
    ) -> GeneralisedObjective:
        """Return the objective with the curvature along further coefficients near a start."""
        n = len(self.X) + self.n_theta
        if n == len(at.theta):
            return self
        steps = np.full(len(at.theta) - n, step)
        values, vectors = np.linalg.eigh(self._differences(at, n, steps))
        values = np.maximum(np.abs(values), 1e-3 * np.abs(values).max(initial=1.0))
        usual = tuple(float(omega.mean()) for omega in self.predictors(at.theta)[1])
        curvature = (vectors * values) @ vectors.T
        return replace(self, extra_curvature=curvature, usual_extra=usual)
