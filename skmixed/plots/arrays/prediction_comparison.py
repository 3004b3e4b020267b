"""The two predictions that PredictionComparisonDisplay shows."""

from __future__ import annotations

from typing import Any

from skmixed.plots.reading.fitted_rows import FittedRows
from skmixed.plots.reading.least_squares import pooled_values

__all__ = ["prediction_comparison_arrays"]


def prediction_comparison_arrays(source: FittedRows) -> dict[str, Any]:
    """Return the arguments of PredictionComparisonDisplay."""
    return {
        "first": pooled_values(source, source.table),
        "second": source.predict(source.table, include=True),
        "observed": source.response,
        "response": source.response_name,
    }
