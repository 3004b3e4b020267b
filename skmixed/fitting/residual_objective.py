"""The likelihood of (theta, rho): random effects and a residual structure together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.fitting.optimise import measured_hessian
from skmixed.fitting.row_roots import Cells, row_roots
from skmixed.fitting.rows import WhitenedRows
from skmixed.likelihood.choose import kernel_for
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective
from skmixed.residual.model import ResidualModel
from skmixed.residual.whitening import ResidualAt

__all__ = ["ResidualEvaluation", "ResidualObjective"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class ResidualEvaluation:
    """Hold the model at one rho: ordinary, of rows that are white; its objective is of theta."""

    rho: FloatArray
    residual: ResidualAt
    rows: WhitenedRows
    objective: ProfiledObjective


class ResidualObjective:
    """Evaluate -2 log-likelihood, its gradient and a Hessian in (theta, rho).

    At a given rho the rows are whitened, and the model is an ordinary one. Its derivatives in rho
    are those of R: with V = Z Psi Z' + R of white rows, e = V^-1 (y - X beta) and
    P = V^-1 - reml V^-1 X (X'V^-1 X)^-1 X'V^-1,

        d objective = tr(P dR) - e'dR e / sigma^2.

    The Hessian is the average of observed and expected information, e'dV P dV e / sigma^2 (Gilmour,
    Thompson and Cullis 1995), in what is not theta alone.

    The rows are white by their weights; kept are the estimable factors, whose covariance is given,
    and sigma2 is the residual variance where it is known.

    Attributes
    ----------
    exact_hessian : bool
        Whether a call returns the exact Hessian.
    """

    exact_hessian: ClassVar[bool] = False

    def __init__(
        self,
        rows: WhitenedRows,
        covariance: JointCovariance,
        kept: list[int],
        residual: ResidualModel,
        *,
        reml: bool,
        sigma2: float | None = None,
    ) -> None:
        design = rows.plain.design
        self._rows, self._kept = rows, kept
        self.covariance, self.residual = covariance, residual
        self._reml, self._sigma2 = reml, sigma2
        self._codes = [design.factors[i].codes for i in kept]
        self._cells = Cells.of(self._codes, design.n_rows)
        self._counts = design.weights.group_counts
        self._names = [design.factors[i].levels.name for i in kept]
        self._latest: ResidualEvaluation | None = None

    @property
    def lower_bounds(self) -> FloatArray | None:
        """Return the least (theta, rho)."""
        lower = self.covariance.lower_bounds
        if lower is None:
            return None
        return np.append(lower, np.full(self.residual.learned.n_parameters, -np.inf))

    @property
    def groups(self) -> Integers:
        """Return the codes of groups whose rows are independent of those of others, (n,).

        With random effects they are so within a level.
        """
        grouped = self.residual.rows.grouped
        if grouped is not None:
            return grouped.groups
        return self._codes[0] if self._codes else np.arange(len(self._cells.of_rows))

    def select(self, rows: Integers) -> ResidualObjective:
        """Return the objective of some of the rows."""
        return ResidualObjective(
            self._rows.plain.select(rows).whitened(),
            self.covariance,
            self._kept,
            self.residual.select(rows),
            reml=self._reml,
            sigma2=self._sigma2,
        )

    def of_theta(self, rho: FloatArray) -> ProfiledObjective:
        """Return the objective at a given rho, as a function of theta."""
        return self.at_rho(rho).objective

    def at_rho(self, rho: FloatArray) -> ResidualEvaluation:
        """Return the model at one rho."""
        if self._latest is None or not np.array_equal(self._latest.rho, rho):
            counts = self._rows.plain.design.weights.row_multiplicity
            residual = self.residual.at(rho, counts)
            white = self._rows.whitened(residual)
            products = white.products().of_factors(self._kept)
            kernel = kernel_for(products, "direct", self._names)
            kernel.refine([white.Z[i] for i in self._kept], white.A, self._codes)
            objective = ProfiledObjective(
                products, self.covariance, reml=self._reml, kernel=kernel, sigma2=self._sigma2
            )
            self._latest = ResidualEvaluation(rho, residual, white, objective)
        return self._latest

    def split(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return theta and rho."""
        m = self.covariance.n_parameters
        return parameters[:m], parameters[m:]

    def value(self, parameters: FloatArray) -> float:
        """Return the objective alone; infinite where V is singular within rounding."""
        theta, rho = self.split(parameters)
        try:
            return self.of_theta(rho).value(theta)
        except np.linalg.LinAlgError:
            return math.inf

    def __call__(self, parameters: FloatArray) -> ObjectiveValue:
        """Evaluate the objective with its derivatives at (theta, rho)."""
        at = self.first_order(parameters)
        theta, rho = self.split(parameters)
        if math.isinf(at.value) or not len(rho):
            return at
        hessian = self._average_information(self.at_rho(rho), at)
        hessian[: len(theta), : len(theta)] = at.hessian[: len(theta), : len(theta)]
        return replace(at, hessian=hessian)

    def average_information(self, parameters: FloatArray) -> FloatArray:
        """Return the average of observed and expected information of (theta, rho).

        It is 0 in directions in which the covariance of the rows does not change.
        """
        theta, rho = self.split(parameters)
        here = self.at_rho(rho)
        return self._average_information(here, replace(here.objective(theta), theta=parameters))

    def first_order(self, parameters: FloatArray) -> ObjectiveValue:
        """Evaluate the objective and its gradient; of the Hessian only the part of theta."""
        theta, rho = self.split(parameters)
        here = self.at_rho(rho)
        at = here.objective(theta)
        gradient = np.zeros(len(rho))
        if math.isfinite(at.value) and len(rho):
            # f with d objective = d log|R| - sum f'dR f.
            E, e, errors, _ = self._white(here, at)
            roots = [e[None] / math.sqrt(at.solution.sigma2), errors]
            roots = [E, *roots] if self._reml else roots
            gradient = here.residual.gradient(self._counted(np.concatenate(roots)))
        m = len(parameters)
        hessian = np.zeros((m, m))
        hessian[: len(theta), : len(theta)] = at.hessian
        return replace(
            at, theta=parameters, gradient=np.append(at.gradient, gradient), hessian=hessian
        )

    def hessian(self, at: ObjectiveValue) -> FloatArray:
        """Return the second derivatives at an evaluation, from differences of the gradient."""
        return measured_hessian(self.first_order, at.theta)

    def information_changes(self, at: ObjectiveValue) -> FloatArray:
        """Return the derivatives of X'V^-1 X in rho, (n_rho, rank, rank)."""
        _, rho = self.split(at.theta)
        here = self.at_rho(rho)
        white = self._white(here, at)
        X = self._counted(at.solution.R_X.T @ white.E)
        moved = [here.residual.tangents(column) for column in X]
        p = len(X)
        return -np.array(moved).reshape(p, len(rho), -1).swapaxes(0, 1) @ X.T

    def residual_slope(self, at: ObjectiveValue) -> FloatArray:
        """Return the derivatives of log r2 in rho."""
        here = self.at_rho(self.split(at.theta)[1])
        e = self._counted(self._white(here, at).e[None])[0]
        tangents = here.residual.tangents(e)
        return -(tangents @ e) / at.solution.r2

    def _white(self, here: ResidualEvaluation, at: ObjectiveValue) -> _WhiteColumns:
        """Return what of V^-1 the derivatives need of each row."""
        objective = here.objective
        mixing = objective.mixing(at.solution)
        scores = objective.kernel.projected(at.whitened, mixing)
        theta = at.theta[: self.covariance.n_parameters]
        factors = self.covariance.relative_factors(theta)
        E = mixing @ here.rows.A
        Z = [here.rows.Z[i] for i in self._kept]
        for columns, codes, score, Lambda in zip(Z, self._codes, scores, factors, strict=False):
            owed = np.einsum("qr,irg->iqg", Lambda @ Lambda.T, score)
            for q, column in enumerate(columns):
                E -= owed[:, q, codes] * column
        errors = objective.kernel.errors(at.whitened, factors)
        return _WhiteColumns(E[:-1], E[-1], row_roots(errors, Z, self._cells), scores)

    def _theta_tangents(
        self, here: ResidualEvaluation, theta: FloatArray, white: _WhiteColumns
    ) -> FloatArray:
        """Return Z dPsi Z'e for each parameter of theta, (n_theta, n)."""
        found = [np.empty((0, len(white.e)))]
        parts = zip(
            self._kept,
            self._codes,
            self.covariance.factors,
            self.covariance.split(theta),
            white.scores,
            strict=False,
        )
        for i, codes, covariance, part, score in parts:
            moved = covariance.covariance_derivative(part) @ score[-1]
            found.append(np.einsum("mqn,qn->mn", moved[:, :, codes], here.rows.Z[i]))
        return np.concatenate(found)

    def _average_information(self, here: ResidualEvaluation, at: ObjectiveValue) -> FloatArray:
        """Return e'dV P dV e / sigma^2, less what estimating sigma takes."""
        if not at.solution.sigma2 > 0.0:
            raise np.linalg.LinAlgError("R is singular within rounding: no residual is left.")
        theta, _ = self.split(at.theta)
        white = self._white(here, at)
        tangents = np.concatenate(
            [self._theta_tangents(here, theta, white), here.residual.tangents(white.e)]
        )
        A = np.concatenate([here.rows.A[:-1], tangents])
        kernel = kernel_for(replace(here.rows, A=A).products().of_factors(self._kept), "direct")
        whole = kernel.whiten(self.covariance.relative_factors(theta)).reduced
        p = len(here.rows.A) - 1
        information = whole[p:, p:].copy()
        if p:
            information -= whole[p:, :p] @ np.linalg.solve(whole[:p, :p], whole[:p, p:])
        information /= at.solution.sigma2
        if self._sigma2 is None:
            slopes = self._counted(tangents) @ self._counted(white.e[None])[0]
            slopes /= at.solution.sigma2
            information -= np.multiply.outer(slopes, slopes) / here.objective.nu
        return 0.5 * (information + information.T)

    def _counted(self, columns: FloatArray) -> FloatArray:
        """Return columns times the root of how often each row's group counts."""
        return columns if self._counts is None else columns * np.sqrt(self._counts)


class _WhiteColumns(NamedTuple):
    """Hold E = V^-1 X R_X^-1, e = V^-1 (y - X beta), and roots with V^-1 = I - roots'roots."""

    E: FloatArray
    e: FloatArray
    roots: FloatArray
    scores: list[FloatArray]
