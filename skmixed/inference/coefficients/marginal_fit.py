"""From a fit and its rows to their marginal model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.fitted_covariate import settled_residual
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.standardise import standardised_rows
from skmixed.inference.coefficients.marginal_model import MarginalModel, RandomPart
from skmixed.likelihood.memory import require_memory
from skmixed.residual.axis import Axis
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.natural_covariance import natural_covariance, pattern_keys
from skmixed.residual.structure import Product

__all__ = ["marginal_model"]

FloatArray = NDArray[np.float64]


def marginal_model(fit: LMMFit, model: LMMModel) -> MarginalModel:
    """Return the marginal model at the estimates, in standardised columns and with sigma = 1."""
    fit.require_likelihood()
    design = model.design
    if design.weights.repetitions is not None:
        raise ValueError(
            "Kenward and Roger's method with a residual structure, or with the observed "
            "information, needs rows that stand for themselves, and the weights count "
            "repetitions. Repeat the rows, or use df_method='satterthwaite'."
        )
    rows, n = standardised_rows(design, fit.coordinates).whitened(), design.n_rows
    X, y = rows.A[:-1].T, rows.A[-1]
    # Kenward and Roger's results do not depend on the unit of y.
    unit = fit.sigma / fit.coordinates.sigma_unit
    residuals = y - X @ fit.fixed.standardised
    learned, of_rows, rho = _residual_structure(fit, model)
    grouped = of_rows.grouped
    found = MarginalModel(
        X=X,
        residuals=residuals / unit if unit else np.zeros(n),
        covariance=fit.fixed.unscaled_covariance,
        residual=natural_covariance(learned, of_rows, rho, 1.0, n),
        random=_random_parts(fit, design.factors, rows.Z),
        groups=np.arange(n) if grouped is None else grouped.groups,
        order=np.arange(n) if grouped is None else grouped.order,
        keys=pattern_keys(of_rows, n),
        counts=design.weights.group_counts,
    )
    largest = float(np.bincount(found.clusters).max(initial=0))
    require_memory(
        8.0 * (found.n_parameters + 2.0) ** 2 * largest**2,
        f"Kenward and Roger's method with {largest:.0f} rows that are correlated",
        "Use df_method='satterthwaite'.",
    )
    return found


def _residual_structure(
    fit: LMMFit, model: LMMModel
) -> tuple[LearnedResidual, ResidualRows, FloatArray]:
    """Return the structure of the residuals, what it knows of the rows, and rho."""
    residual = settled_residual(model, fit)
    if fit.residual is None or residual is None:
        independent = LearnedResidual(Product(()), None, Axis(), None, None, ())
        return independent, ResidualRows(None, ()), np.empty(0)
    return residual.learned, residual.rows, fit.residual.rho


def _random_parts(
    fit: LMMFit, factors: tuple[GroupingFactor, ...], Z: tuple[FloatArray, ...]
) -> list[RandomPart]:
    """Return the random effects whose variances are estimated.

    Where a covariance is singular, directions that leave its range are not among those in which it
    can move.
    """
    positions = [i for i, one in enumerate(fit.random) if one.position is not None]
    positions.sort(key=lambda i: fit.random[i].position or 0)
    return [
        RandomPart(
            columns=Z[i].T,
            codes=factors[i].codes,
            name=factors[i].levels.name,
            covariance=effects.standardised_factor @ effects.standardised_factor.T,
            directions=effects.covariance.covariance_derivative(theta),
        )
        for i, (effects, theta) in zip(positions, fit.estimable, strict=True)
    ]
