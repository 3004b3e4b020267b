"""Numeric columns and labels to a design, and the recipe that repeats it for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewBlock, NewRows, RandomBlock, TermLayout
from skmixed.design.groups import GroupingFactor, Levels

__all__ = ["ArrayRecipe", "encode_labels"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ArrayRecipe:
    """Say which columns are random effects, and of which factor.

    Attributes
    ----------
    names : tuple of str
        Names of the columns of X.
    slopes : tuple of int
        Positions of the columns with a random slope.
    random_intercept : bool
    levels : Levels or None
        None for a model without groups.
    """

    names: tuple[str, ...]
    slopes: tuple[int, ...]
    random_intercept: bool
    levels: Levels | None

    @property
    def term(self) -> TermLayout:
        """Name the random effects."""
        intercept = ("Intercept",) if self.random_intercept else ()
        return TermLayout(intercept + tuple(self.names[j] for j in self.slopes))

    def random_columns(self, fixed: FloatArray) -> FloatArray:
        """Return the columns of Z before they are spread over the levels, shape (n, n_effects)."""
        slopes = fixed[:, list(self.slopes)]
        if not self.random_intercept:
            return slopes
        return np.concatenate([np.ones((len(fixed), 1)), slopes], axis=1)

    def block(self, fixed: FloatArray, factor: GroupingFactor) -> RandomBlock:
        """Return the random effects of the training rows."""
        return RandomBlock(factor, self.random_columns(fixed), (self.term,))

    def new_rows(
        self, fixed: FloatArray, labels: Sequence[Any] | None, *, unseen: str = "population"
    ) -> NewRows:
        """Return the columns of rows to predict.

        Parameters
        ----------
        fixed : ndarray of shape (n, n_features)
        labels : sequence of array-like of shape (n,), or None
            The label columns of the factor; None where they are not known.
        unseen : {"population", "error"}
            Whether a label that was not fitted is an error.
        """
        if self.levels is None:
            return NewRows(fixed, ())
        codes = encode_labels(self.levels, labels, unseen=unseen)
        return NewRows(fixed, (NewBlock(self.random_columns(fixed), codes),))


def encode_labels(
    levels: Levels, labels: Sequence[Any] | None, *, unseen: str
) -> NDArray[np.intp] | None:
    """Return the codes of labels, None where no labels are known; unseen ones may be an error."""
    if labels is None:
        return None
    codes = levels.encode(labels)
    if unseen == "error":
        levels.check_seen(codes, labels)
    return codes
