"""What a plot of the spread of residuals by stratum is made from."""

from __future__ import annotations

from typing import Any

from skmixed.inference.diagnostics.residual_spread import residual_spread_of_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["spread_arrays"]


def spread_arrays(rows: TrainingRows, *, by: Any, level: float) -> dict[str, Any]:
    """Return the arguments of a SpreadByStratumDisplay.

    Parameters
    ----------
    by, level
        As for ``skmixed.inference.residual_spread``.
    """
    table = residual_spread_of_rows(rows, by=by, level=level)
    return {
        "strata": table.index,
        "observed": table["observed"],
        "limits": table[["lower", "upper"]],
        "fitted": table["fitted"],
        "by": str(table.index.name),
        "level": level,
    }
