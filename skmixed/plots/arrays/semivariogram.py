"""What a plot of a semivariogram is made from."""

from __future__ import annotations

from typing import Any

from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.diagnostics.variogram import semivariogram_of_rows
from skmixed.residual.learning import correlation_of

__all__ = ["NAMES", "semivariogram_arrays"]

NAMES = {"pearson": "Pearson residuals", "normalised": "Normalised residuals"}


def semivariogram_arrays(
    rows: TrainingRows, *, residual_kind: str, time: Any, **options: Any
) -> dict[str, Any]:
    """Return the arguments of a SemivariogramDisplay.

    Parameters
    ----------
    time : str or array-like of shape (n,), optional
    **options
        Of ``skmixed.inference.semivariogram``.
    """
    structure = rows.error_covariance.at is not None and residual_kind == "pearson"
    table = semivariogram_of_rows(rows, kind=residual_kind, time=time, **options)
    return {
        "distance": table["distance"],
        "semivariance": table["semivariance"],
        "n_pairs": table["n_pairs"],
        "expected": table["expected"],
        "fitted": table["fitted"] if structure else None,
        "residual_kind": residual_kind,
        "unit": _unit(rows, time),
    }


def _unit(rows: TrainingRows, time: Any) -> str:
    """Name what the distances are of."""
    if isinstance(time, str):
        return f"Distance in {time}"
    if time is not None or rows.fit.residual is None:
        return "Distance in time" if time is not None else "Distance in rows"
    correlation = correlation_of(rows.fit.residual.learned.structure)
    names = () if correlation is None else correlation.axis_columns
    return "Distance in " + (", ".join(map(str, names)) or "rows")
