"""New rows for a finished fit: better effects of its groups, and effects of new groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.design.weights import Weights
from skmixed.fitting.assemble import level_precision
from skmixed.fitting.at_theta import fit_at
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import FactorDescription
from skmixed.fitting.residual_fit import check_nested
from skmixed.fitting.rows import ModelRows, WhitenedRows
from skmixed.fitting.standardise import standardised_rows
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.residual.whitening import residual_at

__all__ = ["adapted"]

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]


def adapted(
    fit: LMMFit,
    rows: Design,
    places: Sequence[Places],
    groups: NDArray[np.intp] | None = None,
) -> LMMFit:
    """Add rows to a fit at its variance parameters.

    Fixed effects, modes and their covariance are those of a fit of all rows with the same theta and
    sigma: everything they need of the earlier rows is in the cross-products, which add up.

    Parameters ---------- rows : Design     The new rows alone; their factors have all levels, those
    of the fit among them. places : sequence of ndarray of shape (n_levels,)     Of each factor:
    where the levels of the fit are among those. groups : ndarray of shape (n,), optional     Codes
    of the groups within which their residuals are correlated.
    """
    if fit.coordinates.fixed.minimum_norm:
        raise ValueError(
            "The model was fitted to fewer rows than columns, whose coefficients of least norm "
            "more rows would change beyond repair. Fit all rows together."
        )
    kept = [i for i, effects in enumerate(fit.random) if effects.estimable]
    n_levels = [len(factor.levels) for factor in rows.factors]
    old = fit.kept_products().among([places[i] for i in kept], [n_levels[i] for i in kept])
    added = standardised_rows(_counted(rows, old), fit.coordinates)
    new = _whitened(fit, added, places, groups).products()
    factors = [
        _described(fit, i, added.design, *of_factor)
        for i, of_factor in enumerate(zip(places, added.mean_squares(), strict=True))
    ]
    try:
        return fit_at(fit, products=old + new.of_factors(kept), factors=factors, keep_sigma=True)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "The random effects leave nothing of y within rounding, so that the coefficients are "
            "not determined at the variances of this fit. Fit all rows together, with fewer "
            "random effects."
        ) from error


def _whitened(
    fit: LMMFit, rows: ModelRows, places: Sequence[Places], groups: NDArray[np.intp] | None
) -> WhitenedRows:
    """Whiten rows that are added, whose residuals have nothing to do with those of the fit."""
    fitted, design = fit.residual, rows.design
    if fitted is None:
        return rows.whitened()
    columns = {} if design.residual is None else design.residual
    if fitted.learned.correlation is not None:
        _require_new_groups(design, places)
    found = fitted.learned.rows(columns, groups)
    check_nested(found, design.factors, fitted.learned.structure)
    counts = design.weights.row_multiplicity
    return rows.whitened().whitened(residual_at(fitted.learned, found, fitted.rho, counts))


def _require_new_groups(rows: Design, places: Sequence[Places]) -> None:
    """Raise ValueError for a row that may be correlated with rows of the fit."""
    new = np.zeros(rows.n_rows, dtype=bool)
    for factor, old in zip(rows.factors, places, strict=True):
        new |= ~np.isin(factor.codes, old)
    if not new.all():
        raise ValueError(
            f"adapt cannot add row {int(np.argmin(new))}: its residual may be correlated with "
            "those of earlier rows of its group, of which the fit keeps sums alone. Fit all rows "
            "together, or predict with residual_memory=(X, y) of all rows of these groups."
        )


def _counted(rows: Design, old: CrossProducts) -> Design:
    """Give rows without weights that of 1, and their groups the weights that they had."""
    values, kind = rows.weights.values, rows.weights.kind
    if values is None:
        values = np.ones(rows.n_rows)
    if len(old.factors) != 1:
        return replace(rows, weights=Weights(values, kind))
    groups, codes = old.factors[0].multiplicity, rows.factors[0].codes
    return replace(rows, weights=Weights(values, kind, groups, codes))


def _described(
    fit: LMMFit, i: int, added: Design, places: Places, mean_square: FloatArray
) -> FactorDescription:
    """Return what is known of a factor with the rows that are added."""
    effects, factor = fit.random[i], added.factors[i]
    sizes, precision = factor.sizes, level_precision(added, factor)
    sizes[places] += effects.sizes
    precision[places] += effects.precision
    summed = fit.n_rows * effects.mean_square + added.count * mean_square
    return replace(
        effects,
        levels=factor.levels,
        sizes=sizes,
        precision=precision,
        mean_square=summed / (fit.n_rows + added.count),
    )
