"""Numeric columns and labels to a design, and the recipe that repeats it for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewBlock, NewRows, RandomBlock, TermLayout
from skmixed.design.groups import GroupingFactor, Levels
from skmixed.design.labels import missing_labels, select_labels

__all__ = ["ArrayFactor", "ArrayRecipe", "Labels", "encode_labels", "new_blocks"]

FloatArray = NDArray[np.float64]
Labels = Sequence[Any] | None
"""The label columns of one factor (several for an interaction); None where they are not known."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayFactor:
    """Say which columns have random effects of one grouping factor.

    ``slopes``: positions of the columns with a random slope.
    """

    levels: Levels
    slopes: tuple[int, ...]
    random_intercept: bool

    def layout(self, names: Sequence[str]) -> TermLayout:
        """Name the random effects."""
        intercept = ("Intercept",) if self.random_intercept else ()
        return TermLayout(intercept + tuple(names[j] for j in self.slopes))

    def columns(self, fixed: FloatArray) -> FloatArray:
        """Return the columns of Z before they are spread over the levels, shape (n, n_effects)."""
        slopes = fixed[:, list(self.slopes)]
        if not self.random_intercept:
            return slopes
        return np.concatenate([np.ones((len(fixed), 1)), slopes], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayRecipe:
    """Say which columns are fixed effects, and which are random effects of which factors.

    The factor of most levels comes first; there is none in a model without groups.
    """

    names: tuple[str, ...]
    factors: tuple[ArrayFactor, ...]

    def blocks(
        self, fixed: FloatArray, factors: Sequence[GroupingFactor]
    ) -> tuple[RandomBlock, ...]:
        """Return the random effects of the training rows."""
        return tuple(
            RandomBlock(factor, part.columns(fixed), (part.layout(self.names),))
            for part, factor in zip(self.factors, factors, strict=True)
        )

    def new_rows(
        self, fixed: FloatArray, labels: Sequence[Labels], *, unseen: str, missing: str
    ) -> NewRows:
        """Return the columns of rows to predict; see ``new_blocks``."""
        columns = [part.columns(fixed) for part in self.factors]
        levels = [part.levels for part in self.factors]
        return NewRows(fixed, new_blocks(columns, levels, labels, unseen=unseen, missing=missing))


def new_blocks(
    columns: Sequence[FloatArray],
    levels: Sequence[Levels],
    labels: Sequence[Labels],
    *,
    unseen: str,
    missing: str,
) -> tuple[NewBlock, ...]:
    """Return what rows to predict say of each factor.

    Parameters
    ----------
    unseen : {"population", "error"}
        Whether a label that was not fitted is an error.
    missing : {"population", "error"}
        Whether a label that is missing is an error, or as one that was not fitted.
    """
    return tuple(
        NewBlock(part, encode_labels(known, given, unseen=unseen, missing=missing))
        for part, known, given in zip(columns, levels, labels, strict=True)
    )


def encode_labels(
    levels: Levels, labels: Labels, *, unseen: str, missing: str = "error"
) -> NDArray[np.intp] | None:
    """Return the codes of labels, None where no labels are known.

    Labels that were not fitted, and those that are missing, may be errors.
    """
    if labels is None:
        return None
    if missing == "population":
        known = ~missing_labels(labels)
        if not known.all():
            codes = np.full(len(known), -1, dtype=np.intp)
            codes[known] = _encode(levels, select_labels(labels, known), unseen)
            # A row without a label shares its group with no other row, as far as is known.
            first = max(len(levels), int(codes.max()) + 1)
            codes[~known] = np.arange(first, first + np.count_nonzero(~known))
            return codes
    return _encode(levels, labels, unseen)


def _encode(levels: Levels, labels: Sequence[Any], unseen: str) -> NDArray[np.intp]:
    """Return the codes of labels none of which is missing."""
    codes = levels.encode(labels)
    if unseen == "error":
        levels.check_seen(codes, labels)
    return codes
