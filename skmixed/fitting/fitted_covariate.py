"""Residual variances that depend on the fitted values: fit, and fit again until these settle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.residual_fit import fit_with_residual
from skmixed.residual.model import ResidualModel

if TYPE_CHECKING:
    from skmixed.fitting.model import LMMModel

__all__ = ["fit_until_settled", "settled_residual"]

FloatArray = NDArray[np.float64]

# Change of the logarithms of standard deviations at which these have settled; fits to come there.
SETTLED, ROUNDS = 1e-9, 200


def fit_until_settled(model: LMMModel) -> LMMFit:
    """Fit a model whose residual variances depend on the fitted values.

    At given values the variances depend on a covariate like any other. The values of each fit are
    those of the next (Pinheiro and Bates 2000, section 5.2.1), until the variances stay: the result
    is no maximum of a likelihood in all parameters, but one where both agree.
    """
    residual = model.residual
    previous: FloatArray | None = None
    for _ in range(ROUNDS):
        assert residual is not None
        fit = fit_with_residual(replace(model, residual=residual))
        assert fit.residual is not None
        logs = residual.at(fit.residual.rho).logarithms
        if previous is not None and np.abs(logs - previous).max() <= SETTLED:
            return fit
        previous = logs
        residual = settled_residual(model, fit)
    end = replace(
        fit.convergence,
        converged=False,
        message=f"the fitted values, on which the variances depend, changed for {ROUNDS} fits",
    )
    return replace(fit, convergence=end)


def settled_residual(model: LMMModel, fit: LMMFit) -> ResidualModel | None:
    """Return the residual structure of a model with the variances of the fitted values of a fit."""
    fitted, residual = fit.residual, model.residual
    if fitted is None or residual is None or not fitted.depends_on_fitted:
        return residual
    columns = {} if model.design.residual is None else dict(model.design.residual)
    columns["fitted"] = _fitted_values(fit, model.design)
    groups = None if residual.rows.grouped is None else residual.rows.grouped.groups
    return ResidualModel(fitted.learned, fitted.learned.rows(columns, groups))


def _fitted_values(fit: LMMFit, design: Design) -> FloatArray:
    """Return X beta + Z b of the rows of a design, in the user's units, (n,)."""
    coefficients = fit.fixed.coefficients
    values = design.fixed @ coefficients[int(design.intercept) :]
    if design.intercept:
        values += coefficients[0]
    if design.offset is not None:
        values += design.offset
    for block, effects in zip(design.blocks, fit.random, strict=True):
        values += np.einsum("nk,nk->n", block.columns, effects.modes[block.factor.codes])
    return values
