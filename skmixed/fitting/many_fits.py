"""Many responses to one design: as the likelihood takes them, their estimates, and their fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.search import find_optimum
from skmixed.fitting.standardise import Coordinates, standardised, take_least_squares
from skmixed.likelihood.choose import kernel_for
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["ManyFits", "WarmModel", "WorkingResponses", "can_start_warm", "working_responses"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ManyFits:
    """Hold the estimates of m responses in the user's units, those of working ones standardised.

    A response that has not converged needs a fit of its own.
    """

    coefficients: FloatArray
    sigma: FloatArray
    log_likelihood: FloatArray
    standardised_factors: list[FloatArray]  # (m, k, k) of each estimable factor.
    converged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class WorkingResponses:
    """Hold m responses as the likelihood takes them: whitened residuals over their size.

    The scale of a response that X explains exactly is NaN.
    """

    shift: FloatArray  # Least-squares coefficients, standardised columns.
    scale: FloatArray
    y: FloatArray

    def in_units(
        self, fits: ManyFits, coordinates: Coordinates, *, nu: float, reml: bool
    ) -> ManyFits:
        """Carry fits of the working responses over to the user's units."""
        fixed, scale = coordinates.fixed, self.scale
        constant = nu * np.log(scale) - reml * fixed.log_volume
        log_likelihood = fits.log_likelihood - constant
        return replace(
            fits,
            coefficients=(self.shift + scale[:, None] * fits.coefficients) @ fixed.matrix.T,
            sigma=fits.sigma * scale * np.sqrt(coordinates.weight_scale),
            log_likelihood=log_likelihood,
            converged=fits.converged & np.isfinite(log_likelihood),
        )


def working_responses(rows: WhitenedRows, responses: FloatArray) -> WorkingResponses:
    """Take what least squares explain from each response, (m, n), and its size."""
    design = rows.plain.design
    y = responses.copy() if design.offset is None else responses - design.offset
    y = rows.plain.weighting.apply(y)
    shift, scale = take_least_squares(y, rows.A[:-1], design.weights.group_counts)
    return WorkingResponses(shift, scale, y)


def can_start_warm(fit: LMMFit) -> bool:
    """Tell whether the search for further responses can start from the estimates of a fit."""
    if not fit.is_linear:
        return False
    plain = fit.monte_carlo is None and fit.residual is None
    return bool(fit.estimable) and plain and not fit.coordinates.exact


class WarmModel:
    """Fit further responses to the design of a fitted model, one after the other.

    Of the cross-products only those with the response are computed anew.
    """

    def __init__(self, model: LMMModel, fit: LMMFit) -> None:
        self._model = model
        self._coordinates, self._rows = standardised(model.design, model.covariance)
        self._products = self._rows.products()
        self._theta = fit.convergence.theta
        # The search might not come back from the boundary.
        self._inside = not fit.singular
        kept = [(one.position, i) for i, one in enumerate(fit.random) if one.position is not None]
        self._kept = [i for _, i in sorted(kept)]
        self._covariance = model.covariance.of_factors(self._kept)

    def fit(self, responses: FloatArray) -> ManyFits:
        """Fit the model to each response, (m, n)."""
        with np.errstate(invalid="ignore"):
            working = working_responses(self._rows, responses)
        found = [self._optimum(y) for y in working.y]
        ends = [at for at, _ in found]
        factors = [self._covariance.relative_factors(at.theta) for at in ends]
        fits = ManyFits(
            np.array([at.solution.beta for at in ends]),
            np.sqrt([at.solution.sigma2 for at in ends]),
            np.array([-0.5 * at.value for at in ends]),
            [np.array(by_factor) for by_factor in zip(*factors, strict=True)],
            np.array([there for _, there in found]),
        )
        nu = ends[0].solution.nu
        return working.in_units(fits, self._coordinates, nu=nu, reml=self._model.reml)

    def _optimum(self, y: FloatArray) -> tuple[ObjectiveValue, bool]:
        """Search for the optimum of one working response; tell whether it was found."""
        exact = bool(np.isnan(y).any())
        objective = self._objective(np.zeros_like(y) if exact else y)
        if exact:
            return objective(self._theta), False
        optimum = find_optimum(
            objective,
            tol=self._model.tol,
            max_iter=self._model.max_iter,
            start=self._theta if self._inside else None,
        )
        return optimum.at, optimum.converged

    def _objective(self, y: FloatArray) -> ProfiledObjective:
        """Return the objective of one working response."""
        rows, factors = self._rows.with_response(y), self._model.design.factors
        products = rows.renewed(self._products).of_factors(self._kept)
        names = [factors[i].levels.name for i in self._kept]
        objective = ProfiledObjective(
            products,
            self._covariance,
            reml=self._model.reml,
            kernel=kernel_for(products, self._model.solver, names),
        )
        codes = [factors[i].codes for i in self._kept]
        objective.kernel.refine([rows.Z[i] for i in self._kept], rows.A, codes)
        return objective
