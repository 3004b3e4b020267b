"""Some rows of a fit solved again at its theta, to predict others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.coordinates import aliased_rows
from skmixed.design.design import NewBlock, NewRows
from skmixed.fitting.assemble import level_precision
from skmixed.fitting.at_theta import fit_at
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.standardise import standardised_rows
from skmixed.inference.diagnostics.labelled_rows import LabelledRows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.leave_out.left_out import LOST, LeftOut
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.prediction.predict import PredictedRows

__all__ = ["from_others", "with_codes_of"]

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]


def from_others(rows: TrainingRows, train: Positions, test: Positions) -> LeftOut:
    """Predict some rows from others at the variance parameters of a fit.

    The cross-products of the training rows are summed anew: differences from those of all rows
    would lose digits.
    """
    fit, design = rows.fit, rows.design.select(train)
    whitened = standardised_rows(design, fit.coordinates).whitened()
    X = whitened.A[:-1]
    inestimable = aliased_rows(X)
    kept = [i for i, effects in enumerate(fit.random) if effects.estimable]
    products = _alone(whitened.products().of_factors(kept), inestimable)
    factors = [
        replace(
            effects,
            levels=factor.levels,
            sizes=factor.sizes,
            precision=level_precision(design, factor),
        )
        for effects, factor in zip(fit.random, design.factors, strict=True)
    ]
    try:
        solved = fit_at(fit, products=products, factors=factors, keep_sigma=True)
    except np.linalg.LinAlgError:
        # Random effects that dwarf the residuals leave of X what rounding hides.
        return LeftOut(np.full(len(test), np.nan), np.full(len(test), np.nan))
    # The coefficients of such columns, which are 0, are taken to be known.
    unscaled = solved.fixed.unscaled_covariance.copy()
    unscaled[inestimable] = unscaled[:, inestimable] = 0.0
    solved = replace(solved, fixed=replace(solved.fixed, unscaled_covariance=unscaled))
    new = with_codes_of(rows, train, test)
    predicted = PredictedRows(new, True, "mean")
    mean = predicted.mean_of(solved)
    variance = predicted.error_variance_of(solved, solved.fixed.unscaled_covariance)
    variance += 1.0 / rows.relative_precision[test]
    if inestimable.any():
        mean[_needing(fit, X, inestimable, new)] = np.nan
    return LeftOut(mean, variance)


def with_codes_of(rows: LabelledRows, train: Positions, test: Positions) -> NewRows:
    """Return rows to predict, with codes among the levels of the training rows."""
    design, blocks = rows.design, []
    for block in design.blocks:
        used = np.unique(block.factor.codes[train])
        places = len(used) + np.arange(len(block.factor.levels))
        places[used] = np.arange(len(used))
        blocks.append(NewBlock(block.columns[test], places[block.factor.codes[test]]))
    offset = None if design.offset is None else design.offset[test]
    return NewRows(design.fixed[test], tuple(blocks), offset)


def _alone(products: CrossProducts, inestimable: NDArray[np.bool_]) -> CrossProducts:
    """Replace columns that others explain by ones that share nothing with any other."""
    if not inestimable.any():
        return products
    out = np.flatnonzero(inestimable)
    AtWA = products.AtWA.copy()
    AtWA[out] = AtWA[:, out] = 0.0
    AtWA[out, out] = 1.0
    factors = []
    for factor in products.factors:
        ZtWA = factor.ZtWA.copy()
        ZtWA[out] = 0.0
        factors.append(replace(factor, ZtWA=ZtWA))
    return products.with_sums(AtWA, factors)


def _needing(
    fit: LMMFit, X: FloatArray, inestimable: NDArray[np.bool_], new: NewRows
) -> NDArray[np.bool_]:
    """Tell which rows break the rule by which the other columns explain the inestimable ones."""
    rule = np.linalg.lstsq(X[~inestimable].T, X[inestimable].T, rcond=None)[0]
    columns = fit.coordinates.fixed.transform(new.fixed)
    beside = columns[inestimable] - rule.T @ columns[~inestimable]
    return np.asarray(np.sum(beside**2, axis=0) > LOST * np.sum(columns**2, axis=0))
