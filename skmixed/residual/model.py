"""The residual structure of a model with its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor, factorise_interaction
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.learning import group_columns, learn_residual
from skmixed.residual.structure import ResidualStructure
from skmixed.residual.whitening import ResidualAt, residual_at

__all__ = ["ResidualModel", "residual_groups"]


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

    @classmethod
    def of(cls, structure: ResidualStructure, design: Design) -> ResidualModel:
        """Learn a structure from the rows of a design.

        Parameters
        ----------
        structure : ResidualStructure
        design : Design
            With the columns that the structure reads.

        Raises
        ------
        ValueError
            If the columns do not fit the structure, or it correlates rows and there are no groups.
        """
        columns = {} if design.residual is None else design.residual
        factor = residual_groups(structure, design)
        codes = None if factor is None else factor.codes
        learned = learn_residual(structure, columns, codes)
        return cls(learned, learned.rows(columns, codes))

    def at(self, rho: NDArray[np.float64], counts: NDArray[np.float64] | None) -> ResidualAt:
        """Evaluate R at rho; each row's group counts so many times."""
        return residual_at(self.learned, self.rows, rho, counts)


def residual_groups(structure: ResidualStructure, design: Design) -> GroupingFactor | None:
    """Return the factor within whose levels rows are correlated, None without one.

    Parameters
    ----------
    structure : ResidualStructure
    design : Design
    """
    names = group_columns(structure)
    if names and design.residual is not None:
        return factorise_interaction(
            [design.residual[name] for name in names], list(map(str, names))
        )
    return design.factors[0] if design.factors else None
