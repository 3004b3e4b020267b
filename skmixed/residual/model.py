"""The residual structure of a model with its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor, factorise_interaction
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.learning import depends_on_fitted, group_columns, learn_residual
from skmixed.residual.structure import ResidualStructure
from skmixed.residual.whitening import ResidualAt, residual_at

__all__ = ["ResidualModel", "residual_groups"]


@dataclass(frozen=True, slots=True, eq=False)
class ResidualModel:
    """Hold a learned structure and the training rows."""

    learned: LearnedResidual
    rows: ResidualRows

    @classmethod
    def of(
        cls,
        structure: ResidualStructure,
        design: Design,
        fitted: NDArray[np.float64] | None = None,
    ) -> ResidualModel:
        """Learn a structure from the rows of a design.

        If it depends on fitted values, they are those of least squares by default.
        """
        columns = {} if design.residual is None else dict(design.residual)
        if depends_on_fitted(structure):
            columns["fitted"] = _least_squares(design) if fitted is None else fitted
        factor = residual_groups(structure, design)
        codes = None if factor is None else factor.codes
        learned = learn_residual(structure, columns, codes)
        if learned.n_parameters >= max(design.n_rows, 2):
            raise ValueError(
                f"{structure!r} has {learned.n_parameters} parameters here, and there are "
                f"{design.n_rows} rows: expected far more rows than parameters. Is its time a "
                "number that hardly repeats? Round it to few occasions, or choose a structure of "
                "distances in time, such as CAR1."
            )
        return cls(learned, learned.rows(columns, codes))

    def select(self, rows: NDArray[np.intp]) -> ResidualModel:
        """Return the same structure with some of the rows."""
        return ResidualModel(self.learned, self.rows.select(rows))

    def at(self, rho: NDArray[np.float64], counts: NDArray[np.float64] | None = None) -> ResidualAt:
        """Evaluate R at rho; each row's group counts so many times, by default once."""
        return residual_at(self.learned, self.rows, rho, counts)


def residual_groups(structure: ResidualStructure, design: Design) -> GroupingFactor | None:
    """Return the factor within whose levels rows are correlated, None without one."""
    names = group_columns(structure)
    if names and design.residual is not None:
        return factorise_interaction(
            [design.residual[name] for name in names], list(map(str, names))
        )
    return design.factors[0] if design.factors else None


def _least_squares(design: Design) -> NDArray[np.float64]:
    """Return the fitted values of ordinary least squares, (n,)."""
    X = np.column_stack([np.ones((design.n_rows, int(design.intercept))), design.fixed])
    y = design.response_beside_offset
    return np.asarray(X @ np.linalg.lstsq(X, y, rcond=None)[0] + design.response - y)
