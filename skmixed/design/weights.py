"""The weights of rows and groups: what they mean, and how often each row counts.

A whitening makes the residuals of all rows independent, with one variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor

__all__ = ["SCALINGS", "DiagonalWhitening", "Weights", "Whitening", "sampling_weights"]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]
SCALINGS = ("size", "effective", "none")


class Whitening(Protocol):
    """Multiply columns by a root of R^-1, where Var(e) = sigma^2 R."""

    @property
    def log_determinant(self) -> float:
        """Return log|R|."""

    def apply(self, columns: FloatArray) -> FloatArray:
        """Return the whitened columns; the argument itself where nothing changes."""


@dataclass(frozen=True, slots=True, eq=False)
class DiagonalWhitening:
    """Multiply each row by a number, as weights do.

    Without a root, of shape (n,), all rows stay as they are.
    """

    root: FloatArray | None = None
    log_determinant: float = 0.0

    def apply(self, columns: FloatArray) -> FloatArray:
        """Return the columns times the root; the argument itself without one."""
        return columns if self.root is None else columns * self.root


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Hold the weights of rows and of groups.

    Attributes
    ----------
    values : ndarray of shape (n,) or None
        Positive weights of the rows, None where all are 1.
    kind : {"precision", "frequency", "sampling"}
        Var(e_i) = sigma^2 / value_i; or a value repeats its row; or it is the inverse probability
        of selecting the row, which repeats it in the likelihood but not in standard errors.
    groups : ndarray of shape (n_levels,) or None
        How many times each group of the only factor counts, None where each does once.
    codes : ndarray of shape (n,) or None
        Group of each row; not read without ``groups``.
    """

    values: FloatArray | None = None
    kind: str = "precision"
    groups: FloatArray | None = None
    codes: Codes | None = None

    @property
    def precision(self) -> FloatArray | None:
        """Return the weights that divide Var(e_i), None where all are 1."""
        return self.values if self.kind == "precision" else None

    @property
    def repetitions(self) -> FloatArray | None:
        """Return how many times each row counts within its group, None where each does once."""
        return None if self.kind == "precision" else self.values

    @property
    def group_counts(self) -> FloatArray | None:
        """Return how many times each row's group counts, None where each does once."""
        return None if self.groups is None else self.groups[self.codes]

    @property
    def row_multiplicity(self) -> FloatArray | None:
        """Return how many times each row counts in all, None where each does once."""
        by_row, by_group = self.repetitions, self.group_counts
        if by_row is None or by_group is None:
            return by_group if by_row is None else by_row
        return by_group * by_row

    @property
    def scale(self) -> float:
        """Return the mean of precision weights, which they are relative to; 1 for counts."""
        return 1.0 if self.precision is None else float(self.precision.mean())

    def whitening(self, scale: float | None = None) -> DiagonalWhitening:
        """Return the map that multiplies rows by the root of their relative weights.

        ``scale``: what precision weights are divided by; by default their mean.
        """
        if self.values is None:
            return DiagonalWhitening()
        if self.precision is None:
            return DiagonalWhitening(np.sqrt(self.values))
        relative = self.precision / (self.scale if scale is None else scale)
        logs, counts = np.log(relative), self.group_counts
        total = logs.sum() if counts is None else logs @ counts
        return DiagonalWhitening(np.sqrt(relative), -float(total))

    def select(self, rows: NDArray[np.bool_] | Codes) -> Weights:
        """Return the weights of some rows, and of the groups that still occur."""
        values = None if self.values is None else self.values[rows]
        if self.groups is None or self.codes is None:
            return Weights(values, self.kind)
        levels, codes = np.unique(self.codes[rows], return_inverse=True)
        return Weights(values, self.kind, self.groups[levels], codes)


def sampling_weights(
    values: FloatArray | None,
    groups: FloatArray | None,
    factor: GroupingFactor | None,
    scaling: str,
) -> Weights:
    r"""Return inverse probabilities of rows scaled within groups, and those of groups to mean 1.

    .. math::

        w^*_{ij} = \lambda_j w_{ij}, \qquad
        \lambda_j = \frac{n_j}{\sum_i w_{ij}} \text{ (size)}, \quad
        \lambda_j = \frac{\sum_i w_{ij}}{\sum_i w_{ij}^2} \text{ (effective)}

    (Pfeffermann, Skinner, Holmes, Goldstein and Rasbash 1998, section 4).

    Those of rows are positive, and scaled to mean 1 where there are no groups.
    """
    if factor is None:
        return Weights(None if values is None else values / values.mean(), "sampling")
    if values is not None:
        values = values * _scales(values, factor, scaling)[factor.codes]
    if groups is not None:
        groups = groups / groups.mean()
    return Weights(values, "sampling", groups, factor.codes)


def _scales(values: FloatArray, factor: GroupingFactor, scaling: str) -> FloatArray:
    """Return lambda of each group."""
    codes, n_levels = factor.codes, len(factor.levels)
    if scaling == "none":
        return np.ones(n_levels)
    total = np.bincount(codes, values, n_levels)
    if scaling == "size":
        return np.asarray(factor.sizes / total)
    return np.asarray(total / np.bincount(codes, values**2, n_levels))
