"""Fits of further responses to a fitted model: the search starts from its estimates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.search import find_optimum
from skmixed.fitting.shared_design import ManyFits, SharedDesign
from skmixed.likelihood.choose import kernel_for
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["WarmModel", "can_start_warm"]

FloatArray = NDArray[np.float64]


def can_start_warm(fit: LMMFit) -> bool:
    """Tell whether the search for further responses can start from the estimates of a fit.

    Parameters
    ----------
    fit : LMMFit
    """
    return bool(fit.estimable) and fit.monte_carlo is None and not fit.coordinates.exact


class WarmModel:
    """Fit further responses to the design of a fitted model, one after the other.

    Of the cross-products only those with the response are computed anew.

    Parameters
    ----------
    model : LMMModel
    fit : LMMFit
        Of the model's own response.
    """

    def __init__(self, model: LMMModel, fit: LMMFit) -> None:
        self._model = model
        self._shared = SharedDesign(model)
        self._theta = fit.convergence.theta
        # The search might not come back from the boundary.
        self._inside = not fit.singular
        kept = [(one.position, i) for i, one in enumerate(fit.random) if one.position is not None]
        self._kept = [i for _, i in sorted(kept)]
        self._covariance = model.covariance.of_factors(self._kept)

    def fit(self, responses: FloatArray) -> ManyFits:
        """Fit the model to each response.

        Parameters
        ----------
        responses : ndarray of shape (m, n)
        """
        with np.errstate(invalid="ignore"):
            working = self._shared.working(responses)
        found = [self._optimum(y) for y in working.y]
        ends = [at for at, _ in found]
        coefficients, sigma, log_likelihood = self._shared.in_units(
            working,
            beta=np.array([at.solution.beta for at in ends]),
            sigma2=np.array([at.solution.sigma2 for at in ends]),
            value=np.array([at.value for at in ends]),
            nu=ends[0].solution.nu,
        )
        factors = [self._covariance.relative_factors(at.theta) for at in ends]
        converged = np.array([there for _, there in found]) & np.isfinite(log_likelihood)
        stacked = [np.array(by_factor) for by_factor in zip(*factors, strict=True)]
        return ManyFits(coefficients, sigma, log_likelihood, stacked, converged)

    def _optimum(self, y: FloatArray) -> tuple[ObjectiveValue, bool]:
        """Search for the optimum of one working response; tell whether it was found."""
        exact = bool(np.isnan(y).any())
        A = np.vstack([self._shared.X, np.zeros_like(y) if exact else y])
        objective = self._objective(A)
        if exact:
            return objective(self._theta), False
        optimum = find_optimum(
            objective,
            tol=self._model.tol,
            max_iter=self._model.max_iter,
            start=self._theta if self._inside else None,
        )
        return optimum.at, optimum.converged

    def _objective(self, A: FloatArray) -> ProfiledObjective:
        """Return the objective of one response, the last row of A = [X y]."""
        factors = self._model.design.factors
        products = self._products(A).of_factors(self._kept)
        names = [factors[i].levels.name for i in self._kept]
        objective = ProfiledObjective(
            products,
            self._covariance,
            reml=self._model.reml,
            kernel=kernel_for(products, self._model.solver, names),
        )
        Z = [self._shared.Z[i] for i in self._kept]
        objective.kernel.refine(Z, A, [factors[i].codes for i in self._kept])
        return objective

    def _products(self, A: FloatArray) -> CrossProducts:
        """Return the cross-products with another response."""
        products, counts = self._shared.products, self._shared.row_counts
        AtWA = products.AtWA.copy()
        AtWA[-1] = AtWA[:, -1] = (A if counts is None else A * counts) @ A[-1]
        factors = []
        for Z, factor, part in zip(
            self._shared.Z, self._model.design.factors, products.factors, strict=True
        ):
            ZtWA = part.ZtWA.copy()
            for effect, column in zip(ZtWA[-1], Z, strict=True):
                effect[:] = np.bincount(factor.codes, column * A[-1], len(effect))
            factors.append(replace(part, ZtWA=ZtWA))
        return products.with_sums(AtWA, factors)
