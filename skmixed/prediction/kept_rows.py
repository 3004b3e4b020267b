"""The rows that a model was fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skmixed.formula.columns import n_rows

__all__ = ["KeptRows"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KeptRows:
    """Hold the rows of a fit, as arrays and as the user knows them.

    Attributes
    ----------
    model : LMMModel or GLMMModel
        What was fitted: what refits start from.
    data : DataFrame, mapping of columns, array or None
        The same rows, as the user knows them.
    given : DataFrame, mapping of columns, array or None
        What the user gave: also the rows that were left out for missing values.
    weights : array-like or None
        One for each row that was given.
    offset : ndarray or None
        What was added to the linear predictor of each row that was given, beside the formula's own
        offsets.
    """

    model: Any
    data: Any = None
    given: Any = None
    weights: Any = None
    offset: Any = None

    @property
    def n_dropped(self) -> int:
        """Count the rows that were left out for missing values."""
        if self.given is None or self.given is self.data:
            return 0
        return n_rows(self.given) - n_rows(self.data)
