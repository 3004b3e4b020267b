"""The arrays of a linear mixed model: what every later step works on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.design.residual_columns import ResidualColumns
from skmixed.design.weights import Weights

__all__ = [
    "Design",
    "NewBlock",
    "NewRows",
    "ObservedRows",
    "RandomBlock",
    "RelatedRows",
    "TermLayout",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TermLayout:
    """Name the effects of one random term: ``("Intercept", "x")`` for ``(1 + x | g)``."""

    effect_names: tuple[str, ...]

    @property
    def intercept(self) -> int | None:
        """Return the position of the term's intercept, None if it has none."""
        return self.effect_names.index("Intercept") if "Intercept" in self.effect_names else None


@dataclass(frozen=True, slots=True, eq=False)
class RandomBlock:
    """Hold the random effects of one grouping factor: all terms that share it.

    ``columns`` of shape (n, n_effects): the columns of Z before they are spread over the levels.
    """

    factor: GroupingFactor
    columns: FloatArray
    terms: tuple[TermLayout, ...]

    @property
    def effect_names(self) -> tuple[str, ...]:
        """Name the columns of the block."""
        return tuple(name for term in self.terms for name in term.effect_names)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Hold y, X, Z and the weights of a linear mixed model.

    Attributes
    ----------
    fixed : ndarray of shape (n, n_features)
        The columns of X but for the intercept.
    intercept : bool
        Whether a column of ones stands before ``fixed``.
    blocks : tuple of RandomBlock
        That of most levels first.
    offset : ndarray of shape (n,) or None
        A known part of the mean.
    weights : Weights
        Of the rows, and of the groups of the first block.
    """

    response: FloatArray
    fixed: FloatArray
    fixed_names: tuple[str, ...]
    intercept: bool
    blocks: tuple[RandomBlock, ...]
    offset: FloatArray | None = None
    weights: Weights = field(default_factory=Weights)
    residual: ResidualColumns | None = None

    @property
    def factors(self) -> tuple[GroupingFactor, ...]:
        """Return the grouping factor of each block."""
        return tuple(block.factor for block in self.blocks)

    @property
    def n_rows(self) -> int:
        """Count the rows."""
        return len(self.response)

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Name the fixed effects, the intercept first."""
        return ("Intercept", *self.fixed_names) if self.intercept else self.fixed_names

    @property
    def count(self) -> float:
        """Count the rows, each as often as it counts."""
        multiplicity = self.weights.row_multiplicity
        return float(self.n_rows if multiplicity is None else multiplicity.sum())

    @property
    def response_beside_offset(self) -> FloatArray:
        """Return the response without the known part of the mean, shape (n,)."""
        return self.response if self.offset is None else self.response - self.offset

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Design:
        """Return the design of some rows, with the levels that still occur."""
        return replace(
            self,
            response=self.response[rows],
            fixed=self.fixed[rows],
            blocks=tuple(
                RandomBlock(block.factor.select(rows), block.columns[rows], block.terms)
                for block in self.blocks
            ),
            offset=None if self.offset is None else self.offset[rows],
            weights=self.weights.select(rows),
            residual=None if self.residual is None else self.residual.select(rows),
        )


@dataclass(frozen=True, slots=True, eq=False)
class NewBlock:
    """Hold what new rows say of one grouping factor.

    Attributes
    ----------
    columns : ndarray of shape (n, n_effects)
    codes : ndarray of shape (n,) or None
        Position among the fitted levels; a label that was not fitted has a code of its own from
        n_levels on. None where no labels are known.
    """

    columns: FloatArray
    codes: NDArray[np.intp] | None


@dataclass(frozen=True, slots=True, eq=False)
class RelatedRows:
    """Say which of some rows have correlated residuals.

    Attributes
    ----------
    groups : ndarray of shape (n,)
        Codes of the groups within which residuals are correlated.
    places : ndarray of shape (n,)
        Place of each row in its group, after those of the group that were observed.
    observed : ObservedRows or None
        Rows whose response is known, their groups numbered as these; None if there are none.
    """

    groups: NDArray[np.intp]
    places: NDArray[np.intp]
    observed: ObservedRows | None = None

    def select(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> RelatedRows:
        """Return some of the rows, with all that were observed."""
        return replace(self, groups=self.groups[rows], places=self.places[rows])


@dataclass(frozen=True, slots=True, eq=False)
class NewRows:
    """Hold the columns of rows to predict.

    Attributes
    ----------
    fixed : ndarray of shape (n, n_features)
        The columns of X but for the intercept.
    residual : ResidualColumns or None
        What a structure of the residuals reads; None where the data do not have all of it.
    related : RelatedRows or None
        Groups of correlated residuals; None where it does not matter.
    extra : tuple of (ndarray of shape (n, q) or None)
        The columns of each further predictor of a family but for the intercept; empty where all of
        them are the same in all rows.
    """

    fixed: FloatArray
    blocks: tuple[NewBlock, ...]
    offset: FloatArray | None = None
    residual: ResidualColumns | None = None
    related: RelatedRows | None = None
    extra: tuple[FloatArray | None, ...] = ()

    @classmethod
    def of(cls, design: Design, related: RelatedRows | None = None) -> NewRows:
        """Return the rows of a design as rows to predict."""
        blocks = tuple(NewBlock(one.columns, one.factor.codes) for one in design.blocks)
        return cls(design.fixed, blocks, design.offset, design.residual, related)

    def take(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> NewRows:
        """Return some of the rows."""
        blocks = tuple(
            NewBlock(b.columns[rows], None if b.codes is None else b.codes[rows])
            for b in self.blocks
        )
        return NewRows(
            self.fixed[rows],
            blocks,
            None if self.offset is None else self.offset[rows],
            None if self.residual is None else self.residual.select(rows),
            None if self.related is None else self.related.select(rows),
            tuple(None if one is None else one[rows] for one in self.extra),
        )


@dataclass(frozen=True, slots=True, eq=False)
class ObservedRows:
    """Hold rows whose response is known.

    Attributes
    ----------
    rows : NewRows
        With their own places in ``related``.
    precision : ndarray of shape (n,) or None
        Weights that divide the variances of the residuals, None where all are 1.
    """

    rows: NewRows
    response: FloatArray
    precision: FloatArray | None = None

    def take(self, rows: NDArray[np.bool_]) -> ObservedRows:
        """Return some of the rows."""
        precision = None if self.precision is None else self.precision[rows]
        return ObservedRows(self.rows.take(rows), self.response[rows], precision)
