"""How often each count occurs, and how often a model expects it."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.prediction.averaged_density import averaged_log_density

__all__ = ["rootogram_arrays"]

# Counts that are shown unless a number is given.
SHOWN = 40


def rootogram_arrays(rows: FamilyRows, *, average: bool, max_count: int | None) -> dict[str, Any]:
    """Return the arguments of a RootogramDisplay.

    Parameters
    ----------
    average : bool
        Whether random effects are integrated out, or at their modes.
    max_count : int or None
        The largest count that is shown.

    Raises
    ------
    ValueError
        If the response holds no counts.
    """
    rows.require_counts("A rootogram")
    family, y = rows.fit.family, rows.response
    last = min(int(y.max()), SHOWN) if max_count is None else max_count
    mean = rows.source.fixed if average else rows.eta
    variance = rows.effect_variance if average else np.zeros_like(mean)
    counts = np.arange(last + 1)
    probabilities = [
        np.exp(averaged_log_density(family, np.full_like(y, count), mean, variance, rows.extra))
        for count in counts
    ]
    return {
        "counts": counts,
        "observed": np.array([rows.copies @ (y == count) for count in counts]),
        "expected": np.array([rows.copies @ one for one in probabilities]),
    }
