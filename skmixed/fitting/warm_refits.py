"""Fits of further responses to a fitted model: the search starts from its estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.many_fits import ManyFits, working_responses
from skmixed.fitting.model import LMMModel
from skmixed.fitting.search import find_optimum
from skmixed.fitting.standardise import standardised
from skmixed.likelihood.choose import kernel_for
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["WarmModel", "can_start_warm"]

FloatArray = NDArray[np.float64]


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
