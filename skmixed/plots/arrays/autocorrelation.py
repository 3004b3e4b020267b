"""What a plot of autocorrelations is made from."""

from __future__ import annotations

from typing import Any

from skmixed.inference.diagnostics.autocorrelation import autocorrelation_of_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["TITLES", "autocorrelation_arrays"]

TITLES = {"pearson": "Pearson residuals", "normalised": "Normalised residuals"}


def autocorrelation_arrays(rows: TrainingRows, *, level: float, **options: Any) -> dict[str, Any]:
    """Return the arguments of an AutocorrelationDisplay.

    Parameters
    ----------
    **options
        Of ``skmixed.inference.autocorrelation``.
    """
    # Without a residual structure, both kinds are the same.
    kinds = ["pearson"] if rows.error_covariance.at is None else list(TITLES)
    tables = {
        kind: autocorrelation_of_rows(rows, kind=kind, level=level, **options) for kind in kinds
    }
    return {"autocorrelations": tables, "level": level}
