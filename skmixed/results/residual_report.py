"""The tables of a summary that show a residual structure."""

from __future__ import annotations

import numpy as np

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.intervals.residual_table import residual_table
from skmixed.residual.fitted import FittedResidual
from skmixed.results.numbers import format_estimates, format_fixed
from skmixed.results.report import Table

__all__ = ["residual_tables"]

# Most occasions whose correlations are shown as a matrix, and fewest.
MOST_OCCASIONS, FEWEST_OCCASIONS = 10, 3


def residual_tables(fit: LMMFit, level: float) -> list[Table]:
    """Return the parameters with limits, and correlations of all pairs of occasions as matrices."""
    if fit.residual is None:
        return []
    table = residual_table(fit, level)
    matrices = _matrices(fit.residual)
    if matrices:
        in_matrices = fit.residual.learned.n_arms * fit.residual.learned.n_correlations
        table = table.iloc[in_matrices:]
    if table.empty:
        return matrices
    errors = table["se"].to_numpy(float)
    numbers = table[["estimate", "se", "lower", "upper"]].to_numpy(float)
    scale = np.where(np.isfinite(errors), errors, np.abs(numbers[:, 0]))
    columns = format_estimates(numbers, scale)
    tail = 50.0 * (1.0 - level)
    header = ("Parameter", "Estimate", "SE", f"{tail:g} %", f"{100.0 - tail:g} %")
    rows = tuple(zip(table["parameter"].map(str), *columns, strict=True))
    return [*matrices, Table("Residual structure", header, rows, n_labels=1)]


def _matrices(residual: FittedResidual) -> list[Table]:
    """Return the correlations of each arm, where each pair of a few occasions has its own."""
    learned = residual.learned
    m = learned.axis.n_occasions
    every_pair = learned.n_correlations == m * (m - 1) // 2
    if not every_pair or not FEWEST_OCCASIONS <= m <= MOST_OCCASIONS:
        return []
    values = learned.reported(residual.rho)[: learned.n_arms * learned.n_correlations]
    arms = [""] if learned.arms is None else [f", {label}" for label in learned.arms.flat_labels]
    return [
        _matrix(f"Correlation of residuals{arm}", learned.axis.occasions, own)
        for arm, own in zip(arms, np.split(values, learned.n_arms), strict=True)
    ]


def _matrix(title: str, occasions: tuple[str, ...], values: np.ndarray) -> Table:
    """Return the lower triangle of a correlation matrix, which is given row by row."""
    m = len(occasions)
    whole = np.full((m, m), np.nan)
    whole[np.tril_indices(m, -1)] = values
    rows = tuple(
        (occasions[i], *(format_fixed([whole[i, j]], 3)[0] if j < i else "" for j in range(m - 1)))
        for i in range(m)
    )
    return Table(title, ("", *occasions[:-1]), rows, n_labels=1)
