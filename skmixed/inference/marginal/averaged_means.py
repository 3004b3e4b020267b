"""Marginal means of a response that is averaged over the random effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.families.base import Family
from skmixed.families.zero_inflation import without_inflation
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.formula.variables import effect_variables
from skmixed.inference.coefficients.covariance_solve import quadratic_forms
from skmixed.inference.coefficients.wald import TTests
from skmixed.inference.marginal.estimates import MarginalEstimates
from skmixed.inference.marginal.reference_grid import ReferenceGrid
from skmixed.prediction.response_law import averaged_mean, averaged_mean_and_derivative

__all__ = ["AveragedEstimates", "averaged_functions"]

FloatArray = NDArray[np.float64]

# Step of a difference in the variance of eta, relative to it, and the least one.
STEP, LEAST = 1e-4, 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class AveragedEstimates(MarginalEstimates):
    """Hold marginal means whose functions are of all parameters of the fit, not beta alone.

    A mean is nonlinear in them: its function is the gradient of its predictor at the estimates, and
    the offset is what is left.
    """

    @property
    def _covariance(self) -> FloatArray:
        """Return the covariance of all parameters."""
        return self._fit.joint.covariance

    @property
    def _fit(self) -> GLMMFit:
        fit = self._source.fit
        assert isinstance(fit, GLMMFit)
        return fit

    def _tests(self, functions: FloatArray, offset: FloatArray) -> TTests:
        """Test linear functions of all parameters by the normal distribution."""
        estimates = offset + functions @ self._fit.joint.parameters
        variances = quadratic_forms(functions, self._covariance)
        return TTests.of(estimates, np.sqrt(np.maximum(variances, 0.0)))


def averaged_functions(
    grid: ReferenceGrid, fit: GLMMFit, weights: str
) -> tuple[FloatArray, FloatArray]:
    """Return the gradient of the link of each mean in all parameters, and what is left of it."""
    columns = grid.evaluate()
    X = fit.coordinates.fixed.transform(columns[:, int(fit.coordinates.fixed.intercept) : -1])
    eta = fit.joint.parameters[fit.joint.beta] @ X + columns[:, -1]
    variance, in_theta = _variance_of_eta(grid, fit)
    family = without_inflation(fit.family)
    mean, slope = averaged_mean_and_derivative(family, eta, variance)
    gradient = np.zeros((len(eta), len(fit.joint.parameters)))
    gradient[:, fit.joint.beta] = (slope * X).T
    gradient[:, fit.joint.theta] = (_slope_in_variance(family, eta, variance) * in_theta).T
    cells = np.column_stack([gradient, mean])
    cells[~grid.source.estimable(columns[:, :-1])] = np.nan
    means = grid.average(cells, weights)
    predictor = family.link.predictor(means[:, -1])
    functions = means[:, :-1] / family.link.derivatives(predictor).first[:, None]
    return functions, predictor - functions @ fit.joint.parameters


def _variance_of_eta(grid: ReferenceGrid, fit: GLMMFit) -> tuple[FloatArray, FloatArray]:
    """Return the variance of the random part in each cell, and its derivatives in theta."""
    known = grid.source.variables
    unknown = [name for name in effect_variables(grid.source.recipe) if name not in known]
    if unknown:
        raise ValueError(
            f"average=True needs the variance of the random effects, which depends on {unknown}, "
            "and the fixed effects do not. Average predictions for rows of your own: "
            "results.predict(rows, average=True)."
        )
    names = [term.name for term in grid.source.recipe.parsed.random]
    n = int(np.prod(grid.shape))
    columns = grid.source.matrices(grid.cells(), n).effects
    variance, derivatives = np.zeros(n), [np.empty((0, n))]
    first = 0
    theta = fit.joint.parameters[fit.joint.theta]
    for effects in fit.random:
        own = [columns[i] for i, name in enumerate(names) if name == effects.name]
        Z = effects.coordinates.transform(np.concatenate(own, axis=1))
        part = theta[first : first + effects.covariance.n_parameters]
        first += len(part)
        root = effects.standardised_factor.T @ Z
        variance += np.sum(root**2, axis=0)
        moved = np.einsum("tqr,qn->trn", effects.covariance.factor_derivative(part), Z)
        derivatives.append(2.0 * np.einsum("trn,rn->tn", moved, root))
    return variance, np.concatenate(derivatives)


def _slope_in_variance(family: Family, eta: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the derivative of the averaged mean in the variance of eta."""
    step = np.maximum(STEP * variance, LEAST)
    low = np.maximum(variance - step, 0.0)
    ends = [averaged_mean(family, eta, at) for at in (low, variance + step)]
    return (ends[1] - ends[0]) / (variance + step - low)
