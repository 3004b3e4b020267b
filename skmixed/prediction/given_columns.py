"""What is given beside the columns of new rows: offsets and trials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewRows
from skmixed.design.offsets import total_offset
from skmixed.formula.columns import n_rows
from skmixed.formula.values import row_numbers
from skmixed.prediction.switches import PredictionSwitches

__all__ = ["GivenColumns"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GivenColumns:
    """Hold what is given for each new row.

    Attributes
    ----------
    offset : ndarray of shape (n,) or None
        Added to the linear predictor.
    trials : ndarray of shape (n,) or None
        Of observations that are shares of successes.
    """

    offset: FloatArray | None = None
    trials: FloatArray | None = None

    @classmethod
    def of(cls, X: Any, link: str, chosen: PredictionSwitches) -> GivenColumns:
        """Read arguments that have one number for each row."""
        offset, exposure, trials = chosen.offset, chosen.exposure, chosen.trials
        if offset is None and exposure is None and trials is None:
            return cls()
        n = n_rows(X)
        known = total_offset(n, None, offset, exposure, link=link)
        return cls(known, None if trials is None else _checked_trials(trials, n))

    def take(self, rows: NDArray[np.bool_]) -> GivenColumns:
        """Return some of the rows."""
        return GivenColumns(
            None if self.offset is None else self.offset[rows],
            None if self.trials is None else self.trials[rows],
        )

    def added_to(self, rows: NewRows) -> NewRows:
        """Return rows with the offset added to their own."""
        if self.offset is None:
            return rows
        own = 0.0 if rows.offset is None else rows.offset
        return replace(rows, offset=own + self.offset)


def _checked_trials(trials: Any, n: int) -> FloatArray:
    """Return numbers of trials, one of 1 or more for each row."""
    numbers = row_numbers(trials, "trials", n)
    wrong = ~((numbers >= 1.0) & (numbers == np.floor(numbers)) & np.isfinite(numbers))
    if wrong.any():
        raise ValueError(
            f"trials must be whole numbers of 1 or more, got {numbers[np.argmax(wrong)]:g} in row "
            f"{int(np.argmax(wrong))}. Leave trials= out for single trials."
        )
    return numbers
