"""The residual structure of a model with its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.whitening import ResidualAt, residual_at

__all__ = ["ResidualModel"]


@dataclass(frozen=True, slots=True, eq=False)
class ResidualModel:
    """Hold a learned structure and the training rows.

    Attributes
    ----------
    learned : LearnedResidual
    rows : ResidualRows
    """

    learned: LearnedResidual
    rows: ResidualRows

    def at(self, rho: NDArray[np.float64], counts: NDArray[np.float64] | None) -> ResidualAt:
        """Evaluate R at rho; each row's group counts so many times."""
        return residual_at(self.learned, self.rows, rho, counts)
