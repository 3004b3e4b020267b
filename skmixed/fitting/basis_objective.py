"""The likelihood of (theta, rho) from cross-products that are summed once for all rho."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.class_products import RowColumns, n_numbers, sum_by_class
from skmixed.fitting.local_model import NEAR, LocalModel
from skmixed.fitting.residual_identification import ENOUGH, some_groups
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts
from skmixed.likelihood.product_derivatives import ProductDerivatives
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective
from skmixed.likelihood.single_factor import SingleFactorKernel
from skmixed.residual.cliques import Cliques, find_cliques
from skmixed.residual.precision import Precision, PrecisionAt

__all__ = ["BasisObjective", "row_columns", "with_basis"]

FloatArray = NDArray[np.float64]

# Where a sum of squares is a smaller part of the terms that it is combined from, too many of its
# digits are lost, and the rows are whitened.
CANCELLATION = 1e-5
# A curvature more negative than this part of the largest is that of a saddle, not of a flat end.
CONCAVE = 1e-2
# Classes, for each row, up to which it pays to compute their coefficients with derivatives: with
# two thirds of a class to a row a fit takes as long as with whitened rows, with two longer. A few
# classes cost nothing.
CLASSES, FEW = 0.5, 100
# Numbers in the sums, for each number in the columns, up to which an evaluation is cheaper than
# whitening: at ten, fits take equally long. It also bounds the memory.
NUMBERS = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Combined:
    """Hold the model at one rho, combined from the products of the classes."""

    precision: PrecisionAt
    objective: ProfiledObjective
    kernel: SingleFactorKernel


class BasisObjective(ResidualObjective):
    """Evaluate -2 log-likelihood in (theta, rho) without the rows, with its exact Hessian.

    With R^-1 = sum_m c_m(rho) B_m, the cross-products are sum_m c_m S_m, and an evaluation costs
    nothing that grows with the rows. With G the gradient in the products,

        d objective = sum_m <G, S_m> dc_m + d log|R|.

    Where the sum cancels, as with correlations next to 1, the rows are whitened as in the class
    that this one extends.
    """

    exact_hessian: ClassVar[bool] = True

    def __init__(
        self, whitening: ResidualObjective, cliques: Sequence[Cliques], columns: RowColumns
    ) -> None:
        super().__init__(
            whitening._rows,
            whitening.covariance,
            whitening._kept,
            whitening.residual,
            reml=bool(whitening._reml),
            sigma2=whitening._sigma2,
        )
        learned = self.residual.learned
        self._design = self._rows.plain.design
        counts = self._design.weights.row_multiplicity
        self._precision = Precision(learned, cliques, counts)
        self._shape, self._sums = columns.shape, sum_by_class(cliques, columns)
        self._log_determinant = self._rows.log_determinant
        known = self.residual.rows.known_logarithms
        if known is not None:
            self._log_determinant += 2.0 * float(known.sum() if counts is None else known @ counts)
        # The diagonals of A'B A, whose terms tell how far the sums of squares cancel.
        a = columns.shape.n_columns
        squares = self._sums[:, np.arange(a) * (a + 1)]
        self._squares = np.abs(squares if isinstance(squares, np.ndarray) else squares.toarray())
        self._combination: _Combined | None = None
        self._last_exact: ObjectiveValue | None = None

    def of_theta(self, rho: FloatArray) -> ProfiledObjective:
        """Return the objective at a given rho, as a function of theta."""
        here = self._at(rho)
        return super().of_theta(rho) if here is None else here.objective

    def __call__(self, parameters: FloatArray) -> ObjectiveValue:
        """Evaluate the objective with its derivatives at (theta, rho).

        Where the Hessian has negative curvatures far from the optimum, the average information
        takes its place: Newton's steps would lead to minor optima more often.
        """
        rho = self.split(parameters)[1]
        here = self._at(rho)
        if here is None:
            return super().__call__(parameters)
        at = self._last_exact = self._exact(here, parameters)
        if not len(rho) or math.isinf(at.value):
            return at
        curvatures = np.linalg.eigvalsh(at.hessian)
        if curvatures[0] >= -CONCAVE * curvatures[-1]:
            return at
        steady = self._steady(at)
        far = LocalModel.of(parameters, at.gradient, steady).distance > NEAR
        return replace(at, hessian=steady) if far else at

    def _steady(self, at: ObjectiveValue) -> FloatArray:
        """Return the average information from some of the groups, and the Hessian of theta."""
        m, some = self.covariance.n_parameters, some_groups(self, ENOUGH)
        rows = self if some is None else some
        found = rows.average_information(at.theta) * (len(self.groups) / len(rows.groups))
        found[:m, :m] = at.hessian[:m, :m]
        return found

    def _exact(self, here: _Combined, parameters: FloatArray) -> ObjectiveValue:
        """Evaluate the objective with its exact Hessian."""
        theta, rho = self.split(parameters)
        at = here.objective(theta)
        m, n = len(theta), len(parameters)
        gradient, hessian = np.zeros(n), np.zeros((n, n))
        gradient[:m], hessian[:m, :m] = at.gradient, at.hessian
        if len(rho) and math.isfinite(at.value):
            derivatives = self._derivatives(here, at)
            weights = np.asarray(self._sums @ derivatives.gradient())
            jacobian = here.precision.jacobian()
            gradient[m:] = here.precision.gradient(weights)
            second, changes = derivatives.second(np.asarray(jacobian @ self._sums))
            hessian[m:, m:] = second + here.precision.hessian(weights, jacobian)
            if m:
                slopes = self.covariance.factors[0].covariance_derivative(theta)
                hessian[:m, m:] = slopes.reshape(m, -1) @ changes.reshape(n - m, -1).T
                hessian[m:, :m] = hessian[:m, m:].T
        return replace(at, theta=parameters, gradient=gradient, hessian=hessian)

    def hessian(self, at: ObjectiveValue) -> FloatArray:
        """Return the second derivatives at an evaluation."""
        here = self._at(self.split(at.theta)[1])
        if here is None:
            return super().hessian(at)
        last = self._last_exact
        if last is None or not np.array_equal(last.theta, at.theta):
            last = self._exact(here, at.theta)
        return last.hessian

    def information_changes(self, at: ObjectiveValue) -> FloatArray:
        """Return the derivatives of X'V^-1 X in rho, (n_rho, rank, rank)."""
        moved = self._moved(at)
        if moved is None:
            return super().information_changes(at)
        R_X = at.solution.R_X
        return np.asarray(R_X.T @ moved[:, :-1, :-1] @ R_X)

    def residual_slope(self, at: ObjectiveValue) -> FloatArray:
        """Return the derivatives of log r2 in rho."""
        moved = self._moved(at)
        if moved is None:
            return super().residual_slope(at)
        return np.asarray(moved[:, -1, -1] / at.solution.r2)

    def _at(self, rho: FloatArray) -> _Combined | None:
        """Return the model at one rho; None where the sums cancel."""
        last = self._combination
        if last is None or not np.array_equal(last.precision.rho, rho):
            last = self._combined(rho)
            self._combination = last
        return last

    def _combined(self, rho: FloatArray) -> _Combined | None:
        """Combine the products of the classes."""
        precision = self._precision.at(rho)
        c = precision.coefficients
        AtWA, ZtWZ, ZtWA = self._shape.split(c @ self._sums)
        if (AtWA.diagonal() < CANCELLATION * (np.abs(c) @ self._squares)).any():
            return None
        factor = FactorProducts(ZtWZ, ZtWA, self._design.weights.groups)
        sum_log_weights = -self._log_determinant - precision.log_determinant
        factors = (factor,) if self._shape.n_effects else ()
        products = CrossProducts(self._design.count, sum_log_weights, AtWA, factors)
        kernel = SingleFactorKernel(products)
        if kernel.cancels and products.factors:
            return None
        objective = ProfiledObjective(
            products, self.covariance, reml=bool(self._reml), kernel=kernel, sigma2=self._sigma2
        )
        return _Combined(precision, objective, kernel)

    def _derivatives(self, here: _Combined, at: ObjectiveValue) -> ProductDerivatives:
        """Return the derivatives in the products."""
        factors = self.covariance.relative_factors(at.theta[: self.covariance.n_parameters])
        return ProductDerivatives(
            here.objective.products,
            here.kernel.errors(at.whitened, factors),
            here.objective.mixing(at.solution),
            reml=int(self._reml),
            nu=here.objective.nu if self._sigma2 is None else math.inf,
            precision=1.0 / at.solution.sigma2,
        )

    def _moved(self, at: ObjectiveValue) -> FloatArray | None:
        """Return the changes of mixing A'V^-1 A mixing' with rho; None where the sums cancel."""
        here = self._at(self.split(at.theta)[1])
        if here is None:
            return None
        jacobian = here.precision.jacobian()
        return self._derivatives(here, at).moved(np.asarray(jacobian @ self._sums))


def with_basis(whitening: ResidualObjective) -> ResidualObjective:
    """Return the objective that does without the rows, where R^-1 allows it and it pays."""
    n = len(whitening._cells.of_rows)
    if len(whitening._kept) > 1:
        return whitening
    residual = whitening.residual
    cliques = find_cliques(residual.learned, residual.rows, max(int(CLASSES * n), FEW))
    if cliques is None:
        return whitening
    columns = row_columns(whitening)
    allowed = NUMBERS * n * (len(columns.A) + len(columns.Z))
    if n_numbers(cliques, columns) > allowed:
        return whitening
    return BasisObjective(whitening, cliques, columns)


def row_columns(whitening: ResidualObjective) -> RowColumns:
    """Return the columns of the rows over the standard deviations that are known."""
    rows, kept = whitening._rows, whitening._kept
    design = rows.plain.design
    A, Z = rows.A, rows.Z[kept[0]] if kept else np.empty((0, design.n_rows))
    known = whitening.residual.rows.known_logarithms
    if known is not None:
        scale = np.exp(-known)
        A, Z = A * scale, Z * scale
    codes = design.factors[kept[0]].codes if kept else np.zeros(design.n_rows, dtype=np.intp)
    n_levels = len(design.factors[kept[0]].levels) if kept else 0
    return RowColumns(A, Z, codes, n_levels, design.weights.group_counts)
