"""The covariance of y that MarginalCovarianceDisplay shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.plots.reading.labels import label_array
from skmixed.prediction.predict import marginal_covariance
from skmixed.prediction.related import fitted_rows

__all__ = ["Rows", "marginal_covariance_arrays"]

Rows = slice | ArrayLike


def marginal_covariance_arrays(
    found: TrainingRows, rows: Rows, factor: str | None
) -> dict[str, Any]:
    """Return the arguments of MarginalCovarianceDisplay, but for ``correlation``.

    Parameters
    ----------
    found : TrainingRows
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
    precision = found.design.weights.precision
    covariance = marginal_covariance(
        found.fit,
        fitted_rows(found.model).take(kept),
        None if precision is None else precision[kept],
    )
    factors = [found.factor(factor)] if factor is not None else list(found.design.factors)
    if not factors:
        return {"covariance": covariance}
    steadiest = min(factors, key=lambda one: np.count_nonzero(np.diff(one.codes[kept])))
    return {
        "covariance": covariance,
        "groups": label_array(steadiest.levels.labels)[steadiest.codes[kept]],
        "factor": steadiest.levels.name,
    }
