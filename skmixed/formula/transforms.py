"""Functions of formulas with the meaning that R gives them, those with a state as classes.

A class with ``memorize_chunk``, ``memorize_finish`` and ``transform`` (patsy's protocol) learns
from the training rows and treats new rows alike; none keeps the rows themselves. Each method gets
the arguments of the call in the formula; those that matter in training only are ignored later.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skmixed.formula.categories import recode, to_categorical
from skmixed.saving.labels import PlainLabels

__all__ = ["Category", "Center", "Polynomial", "Scale", "Standardize", "log"]


def log(x: Any, base: float | None = None) -> Any:
    """Return the logarithm of x, natural unless a base is given."""
    return np.log(x) if base is None else np.log(x) / np.log(base)


class _OnePass:
    """A transform that has learned when it has seen the rows once."""

    def memorize_finish(self) -> None:
        """Do nothing: one pass is enough."""


class Scale(_OnePass):
    """Subtract the mean, then divide by the root mean square with n - 1, as R's ``scale``.

    ``center`` and ``scale`` are booleans, or numbers to subtract and to divide by. Missing values
    are left out of both.
    """

    def memorize_chunk(self, x: Any, center: Any = True, scale: Any = True) -> None:
        """Learn what to subtract and what to divide by."""
        self._learn(x, center, scale, ddof=1)

    def transform(self, x: Any, *_arguments: Any, **_options: Any) -> np.ndarray:
        """Return the values shifted and divided by what training gave."""
        return (np.asarray(x, dtype=float) - self.location) / self.divisor

    def _learn(self, x: Any, center: Any, scale: Any, ddof: int) -> None:
        """Learn location and divisor of each column."""
        values = np.asarray(x, dtype=float)
        self.location = np.nanmean(values, axis=0) if center is True else np.float64(center or 0)
        self.divisor = np.float64(1.0)
        if scale is True:
            count = np.sum(~np.isnan(values), axis=0) - ddof
            squares = np.nansum(np.square(values - self.location), axis=0)
            self.divisor = np.sqrt(squares / count)
        elif scale is not False:
            self.divisor = np.float64(scale)
        if np.any(self.divisor == 0):
            raise ValueError(
                "all its values are equal, so that they cannot be scaled; leave it out"
            )


class Standardize(Scale):
    """Subtract the mean and divide by the standard deviation, as patsy's ``standardize``."""

    def memorize_chunk(
        self, x: Any, center: bool = True, rescale: bool = True, ddof: int = 0
    ) -> None:
        """Learn the mean and the standard deviation."""
        self._learn(x, center, rescale, ddof)


class Center(Scale):
    """Subtract the mean of the training rows."""

    def memorize_chunk(self, x: Any, center: Any = True, scale: Any = False) -> None:
        """Learn the mean."""
        self._learn(x, center, scale, ddof=1)


class Polynomial(_OnePass):
    """Evaluate the orthogonal polynomials of degree 1 to ``degree``, as R's ``poly``.

    They are orthonormal over the training rows and follow the three-term recurrence
    P_{k+1}(x) = (x - alpha_k) P_k(x) - (norm2_k / norm2_{k-1}) P_{k-1}(x)
    (Kennedy and Gentle 1980, Statistical Computing, pp. 343-344), whose coefficients are kept
    for new rows, relative to the mean. With ``raw=True`` the columns are the plain powers of x.
    """

    def memorize_chunk(self, x: Any, degree: int = 1, raw: bool = False) -> None:
        """Learn the coefficients of the recurrence from the values that are not missing."""
        values = _one_dimensional(x)
        values = values[~np.isnan(values)]
        if degree < 1 or degree != int(degree):
            raise ValueError(f"the degree of poly is {degree!r}; expected a whole number from 1")
        self.alpha: list[float] = []
        self.norm2: list[float] = [1.0]
        if raw:
            return
        n_unique = len(np.unique(values))
        if degree >= n_unique:
            raise ValueError(
                f"the degree of poly is {degree}, but there are only {n_unique} different values; "
                "expected a degree below their number"
            )
        self._learn(values, degree)

    def transform(self, x: Any, degree: int = 1, raw: bool = False) -> np.ndarray:
        """Return the polynomials at x, shape (n, degree)."""
        values = _one_dimensional(x)
        if raw:
            return values[:, None] ** np.arange(1, degree + 1)
        columns = np.empty((len(values), degree))
        centred = values - self.mean
        before, current = np.zeros_like(centred), np.ones_like(centred)
        for k in range(degree):
            before, current = current, self._next(centred, k, before, current)
            columns[:, k] = current / np.sqrt(self.norm2[k + 2])
        return columns

    def _learn(self, values: np.ndarray, degree: int) -> None:
        """Run the recurrence over the training values, from the mean to be free of their origin."""
        self.mean = float(values.mean())
        centred = values - self.mean
        before, current = np.zeros_like(centred), np.ones_like(centred)
        self.norm2.append(float(len(centred)))
        for k in range(degree):
            square = np.square(current)
            self.alpha.append(float(centred @ square) / float(square.sum()))
            before, current = current, self._next(centred, k, before, current)
            self.norm2.append(float(current @ current))

    def _next(
        self, centred: np.ndarray, k: int, before: np.ndarray, current: np.ndarray
    ) -> np.ndarray:
        """Return the polynomial of degree k + 1 from those of degree k - 1 and k."""
        return (centred - self.alpha[k]) * current - self.norm2[k + 1] / self.norm2[k] * before


class Category(_OnePass):
    """Make categories of any values, for ``C(...)`` and ``factor(...)``.

    ``contrast`` is any of patsy's contrasts, the levels are those of the training rows unless
    given.
    """

    contrast: Any = None

    def __getstate__(self) -> dict[str, PlainLabels]:
        """Return the levels; the contrast has done its work when the columns were trained."""
        return {"levels": self.levels}

    def memorize_chunk(self, data: Any, contrast: Any = None, levels: Any = None) -> None:
        """Learn the levels and their order."""
        self.levels = PlainLabels(to_categorical(data, levels).categories)
        self.contrast = getattr(data, "contrast", None) if contrast is None else contrast

    def transform(self, data: Any, *_arguments: Any, **_options: Any) -> pd.Categorical:
        """Return the values as categories of training; patsy reads the contrast beside them."""
        coded: Any = recode(data, self.levels.index)
        coded.contrast = self.contrast
        return coded


def _one_dimensional(x: Any) -> np.ndarray:
    """Return x as floats in one dimension."""
    values = np.asarray(x, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"poly got an array of shape {values.shape}; expected one variable")
    return values
