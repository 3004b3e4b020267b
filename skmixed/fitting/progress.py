"""What a long fit shows of its search."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.profiled import ObjectiveValue

__all__ = ["WatchedObjective"]


@dataclass(slots=True)
class WatchedObjective:
    """Evaluate an objective and show each evaluation on standard output.

    Attributes
    ----------
    objective : callable
        Returns the ObjectiveValue at a theta.
    verbose : int
        0 shows nothing, 1 a line for each evaluation.
    constant : float
        What -2 log-likelihood has in the user's units beyond that of standardised columns.
    """

    objective: Any
    verbose: int
    constant: float = 0.0
    n_evaluations: int = 0

    def __call__(self, theta: NDArray[np.float64]) -> ObjectiveValue:
        """Return the objective's value at theta."""
        start = time.perf_counter()
        at: ObjectiveValue = self.objective(theta)
        self.n_evaluations += 1
        if self.verbose:
            self._show(at, time.perf_counter() - start)
        return at

    def _show(self, at: ObjectiveValue, seconds: float) -> None:
        """Write one line."""
        error = f" +- {at.value_error:.2g}" if at.value_error else ""
        theta = np.array2string(at.theta, precision=6, max_line_width=1000)
        sys.stdout.write(
            f"evaluation {self.n_evaluations}: -2 log-likelihood "
            f"{at.value + self.constant:.4f}{error}, standardised theta {theta}, {seconds:.2f} s\n"
        )
        sys.stdout.flush()
