"""Some rows of a fit solved again at its theta, to predict others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.coordinates import aliased_rows
from skmixed.design.design import Design, NewBlock, NewRows
from skmixed.fitting.assemble import level_precision
from skmixed.fitting.at_theta import fit_at
from skmixed.fitting.estimates import FactorDescription
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.standardise import standardised_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.leave_out.left_out import LOST, LeftOut
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.prediction.predict import PredictedRows

__all__ = ["from_others"]

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]


def from_others(rows: TrainingRows, train: Positions, test: Positions) -> LeftOut:
    """Predict some rows from others at the variance parameters of a fit.

    The cross-products of the training rows are summed anew: differences from those of all rows
    would lose digits.

    Parameters
    ----------
    train, test : ndarray of int
        Positions of the rows.
    """
    fit, design = rows.fit, rows.design.select(train)
    whitened = standardised_rows(design, fit.coordinates).whitened()
    X = whitened.A[:-1]
    untold = aliased_rows(X)
    kept = [i for i, effects in enumerate(fit.random) if effects.estimable]
    products = whitened.products()
    try:
        solved = fit_at(
            fit,
            products=_alone(products.of_factors(kept), untold),
            factors=_described(fit, design),
            keep_sigma=True,
        )
    except np.linalg.LinAlgError:
        # Random effects that dwarf the residuals leave of X what rounding hides.
        return LeftOut(np.full(len(test), np.nan), np.full(len(test), np.nan))
    solved = _without_columns(solved, untold)
    new = _coded(rows, train, test)
    predicted = PredictedRows(new, True, "mean")
    mean = predicted.mean_of(solved)
    variance = predicted.error_variance_of(solved, solved.fixed.unscaled_covariance)
    variance += 1.0 / rows.relative_precision[test]
    if untold.any():
        mean[_needing(fit, X, untold, new)] = np.nan
    return LeftOut(mean, variance)


def _described(fit: LMMFit, design: Design) -> list[FactorDescription]:
    """Return what is known of the factors of some rows."""
    return [
        replace(
            FactorDescription.of(effects),
            levels=factor.levels,
            sizes=factor.sizes,
            precision=level_precision(design, factor),
        )
        for effects, factor in zip(fit.random, design.factors, strict=True)
    ]


def _coded(rows: TrainingRows, train: Positions, test: Positions) -> NewRows:
    """Return the rows to predict, with codes among the levels of the training rows."""
    design, blocks = rows.design, []
    for block in design.blocks:
        used = np.unique(block.factor.codes[train])
        places = len(used) + np.arange(len(block.factor.levels))
        places[used] = np.arange(len(used))
        blocks.append(NewBlock(block.columns[test], places[block.factor.codes[test]]))
    offset = None if design.offset is None else design.offset[test]
    return NewRows(design.fixed[test], tuple(blocks), offset)


def _alone(products: CrossProducts, untold: NDArray[np.bool_]) -> CrossProducts:
    """Replace columns that others explain by ones that share nothing with any other."""
    if not untold.any():
        return products
    out = np.flatnonzero(untold)
    AtWA = products.AtWA.copy()
    AtWA[out] = AtWA[:, out] = 0.0
    AtWA[out, out] = 1.0
    factors = []
    for factor in products.factors:
        ZtWA = factor.ZtWA.copy()
        ZtWA[out] = 0.0
        factors.append(replace(factor, ZtWA=ZtWA))
    return products.with_sums(AtWA, factors)


def _without_columns(fit: LMMFit, untold: NDArray[np.bool_]) -> LMMFit:
    """Take the coefficients of such columns, which are 0, to be known."""
    unscaled = fit.fixed.unscaled_covariance.copy()
    unscaled[untold] = unscaled[:, untold] = 0.0
    return replace(fit, fixed=replace(fit.fixed, unscaled_covariance=unscaled))


def _needing(
    fit: LMMFit, X: FloatArray, untold: NDArray[np.bool_], new: NewRows
) -> NDArray[np.bool_]:
    """Tell which rows do not follow the rule by which the other columns explain the untold ones."""
    rule = np.linalg.lstsq(X[~untold].T, X[untold].T, rcond=None)[0]
    columns = fit.coordinates.fixed.transform(new.fixed)
    beside = columns[untold] - rule.T @ columns[~untold]
    return np.asarray(np.sum(beside**2, axis=0) > LOST * np.sum(columns**2, axis=0))
