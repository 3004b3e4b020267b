"""Residuals of new rows: their covariance, and what observed residuals tell of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewRows, ObservedRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.new_columns import NewColumns, mean_of_columns, standardised_columns
from skmixed.residual.conditional import ConditionalRows, conditional_rows
from skmixed.residual.fitted import FittedResidual
from skmixed.residual.learning import label_columns, time_columns
from skmixed.residual.patterns import GroupedRows
from skmixed.residual.structure import ResidualStructure
from skmixed.residual.variance import Columns

__all__ = [
    "NewResiduals",
    "columns_given_past",
    "new_residuals",
    "require_columns",
    "residual_covariance",
    "residual_variance",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NewResiduals:
    """Hold the residuals of new rows as sums of observed ones and an independent rest.

    Attributes
    ----------
    deviations : ndarray of shape (n,)
        Standard deviations of the new rows, in units of y.
    groups : tuple of ConditionalRows
        Rows of no group share nothing with any other.
    """

    deviations: FloatArray
    observed: FloatArray
    groups: tuple[ConditionalRows, ...]

    def carried(self, columns: FloatArray) -> FloatArray:
        """Return R_no R_oo^-1 times columns (k, m) of the observed rows, (k, n)."""
        found = np.zeros((len(columns), len(self.deviations)))
        scaled = columns / self.observed
        for part in self.groups:
            values = scaled[:, part.observed]
            found[:, part.new] = np.einsum("gkm,cgm->cgk", part.weights[part.kind], values)
        return found * self.deviations

    @property
    def variance(self) -> FloatArray:
        """Return the variances of the rest, (n,)."""
        relative = np.ones(len(self.deviations))
        for part in self.groups:
            relative[part.new] = np.einsum("pkk->pk", part.rest)[part.kind]
        return relative * self.deviations**2

    @property
    def covariance(self) -> FloatArray:
        """Return the covariance of the rest, (n, n)."""
        relative = np.eye(len(self.deviations))
        for part in self.groups:
            relative[part.new[:, :, None], part.new[:, None, :]] = part.rest[part.kind]
        return self.deviations[:, None] * relative * self.deviations


def new_residuals(fit: LMMFit, rows: NewRows, *, alone: bool = False) -> NewResiduals:
    """Return what is known of the residuals of new rows of weight 1.

    Parameters
    ----------
    alone : bool, default=False
        Whether correlations of rows of groups without an observed row are wanted too.
    """
    deviations = np.full(len(rows.fixed), fit.sigma)
    fitted, related = fit.residual, rows.related
    if fitted is None:
        return NewResiduals(deviations, np.empty(0), ())
    correlated = related is not None and fitted.learned.correlation is not None
    if rows.residual is None and (correlated or fitted.learned.variances):
        require_columns(fitted.learned.structure)
    columns = _columns(fit, fitted, rows)
    deviations *= fitted.deviations(columns)
    if related is None or not correlated:
        return NewResiduals(deviations, np.empty(0), ())
    new = fitted.learned.placed(columns, related.groups, related.places)
    observed, of_observed = new.select(np.empty(0, dtype=np.intp)), np.empty(0)
    if related.observed is not None:
        observed, of_observed = _observed(fit, fitted, related.observed)
    groups = tuple(conditional_rows(fitted, observed, new, alone=alone))
    return NewResiduals(deviations, of_observed, groups)


def residual_variance(fit: LMMFit, rows: NewRows) -> FloatArray:
    """Return the variance of the residual of each row at weight 1, (n,).

    Of rows of groups that were observed, it is what the observed residuals leave.
    """
    if fit.residual is None:
        return np.full(len(rows.fixed), fit.sigma) ** 2
    related = rows.related
    if related is not None and related.observed is None:
        rows = replace(rows, related=None)
    return new_residuals(fit, rows).variance


def residual_covariance(fit: LMMFit, rows: NewRows) -> FloatArray:
    """Return the covariance of the residuals of rows of weight 1, (n, n).

    Of rows of groups that were observed, it is what the observed residuals leave.
    """
    return new_residuals(fit, rows, alone=True).covariance


def columns_given_past(fit: LMMFit, rows: NewRows) -> NewColumns:
    """Return the columns of rows, less what the observed rows of their groups stand for.

    The residual of a new row is C e_o + f, with C = R_no R_oo^-1 and a rest f that is independent
    of all that was observed. From e_o = y_o - X_o beta - Z_o b follows

        y_n = C y_o + (X_n - C X_o) beta + (Z_n - C Z_o) b + f:

    an ordinary row with other columns, a known part and a smaller residual.
    """
    plain = standardised_columns(fit, rows)
    if rows.related is None or rows.related.observed is None:
        return plain
    observed = rows.related.observed
    residuals = new_residuals(fit, rows)
    before = standardised_columns(fit, observed.rows)
    response = observed.response
    if before.offset is not None:
        response = response - before.offset
    known = residuals.carried(response[None])[0]
    return NewColumns(
        plain.X - residuals.carried(before.X),
        tuple(Z - residuals.carried(old) for Z, old in zip(plain.Z, before.Z, strict=True)),
        plain.codes,
        known if plain.offset is None else plain.offset + known,
    )


def _observed(
    fit: LMMFit, fitted: FittedResidual, observed: ObservedRows
) -> tuple[GroupedRows, FloatArray]:
    """Return where observed rows are, and the standard deviations of their residuals."""
    rows, related = observed.rows, observed.rows.related
    assert related is not None
    columns = _columns(fit, fitted, rows)
    deviations = fit.sigma * fitted.deviations(columns)
    if observed.precision is not None:
        deviations = deviations / np.sqrt(observed.precision)
    placed = fitted.learned.placed(columns, related.groups, related.places)
    return placed, np.broadcast_to(deviations, len(observed.response))


def _columns(fit: LMMFit, fitted: FittedResidual, rows: NewRows) -> Columns:
    """Return the columns that the structure reads, the means of the rows among them."""
    columns = {} if rows.residual is None else dict(rows.residual)
    if fitted.depends_on_fitted:
        columns["fitted"] = mean_of_columns(fit, standardised_columns(fit, rows))
    return columns


def require_columns(structure: ResidualStructure) -> None:
    """Raise ValueError if a structure reads columns, which are not there."""
    names = [*label_columns(structure), *time_columns(structure)]
    if names:
        raise ValueError(
            "The residual variance of a row, or its correlation with others, depends on columns of "
            f"the data, which are not all there: {structure!r} reads {list(dict.fromkeys(names))}. "
            "Give them, or ask for kind='mean' without residual_memory."
        )
