"""The covariance of y that MarginalCovarianceDisplay shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.plots.reading.labels import label_array
from skmixed.prediction.predict import within_levels

__all__ = ["Rows", "marginal_covariance_arrays"]

Rows = slice | ArrayLike


def marginal_covariance_arrays(
    found: TrainingRows, rows: Rows, factor: str | None
) -> dict[str, Any]:
    """Return the arguments of MarginalCovarianceDisplay, but for ``correlation``.

    Parameters
    ----------
    rows, factor
        As for ``MarginalCovarianceDisplay.from_results``.

    Raises
    ------
    ValueError
        If there is no such factor, or no row.
    """
    kept = np.arange(found.design.n_rows)[rows if isinstance(rows, slice) else np.asarray(rows)]
    if not len(kept):
        raise ValueError(
            f"rows={rows!r} chooses none of the {found.design.n_rows} rows. Use slice(30)."
        )
    covariance = _covariance(found, kept)
    factors = [found.factor(factor)] if factor is not None else found.factors
    if not factors:
        return {"covariance": covariance}
    steadiest = min(factors, key=lambda one: np.count_nonzero(np.diff(one.codes[kept])))
    return {
        "covariance": covariance,
        "groups": label_array(steadiest.levels.labels)[steadiest.codes[kept]],
        "factor": steadiest.levels.name,
    }


def _covariance(found: TrainingRows, kept: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the covariance of some rows, Z Psi Z' + R over their weights, in units of y."""
    relative = found.error_covariance.blocks(kept[None])[0]
    precision = np.sqrt(found.relative_precision[kept])
    covariance = relative / np.outer(precision, precision)
    for effects, block in zip(found.fit.random, found.design.blocks, strict=True):
        Z = effects.coordinates.transform(block.columns[kept])
        root = effects.standardised_factor.T @ Z
        covariance += within_levels(root, block.factor.codes[kept])
    return np.asarray(found.fit.working_sigma**2 * covariance)
