"""What a reference grid is made from: the formula's columns and the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.formula import FormulaMatrices, FormulaRecipe
from skmixed.formula.columns import Columns
from skmixed.formula.variables import factors_of, mean_variables, training_columns
from skmixed.inference.inputs import fitted_model_of
from skmixed.prediction.kept_rows import KeptRows

__all__ = ["GridSource", "grid_source"]

FloatArray = NDArray[np.float64]

# A numeric column of no more values is a factor of a grid (emmeans' option cov.keep).
FEW_VALUES = 2
# What other columns leave of a column is rounding below this part of its length.
DEPENDENT = 1e-7
# A combination whose part outside the rows of X is larger cannot be estimated.
OUTSIDE = 1e-6


@dataclass(frozen=True, eq=False)
class GridSource:
    """Hold a fit, its formula and the columns of its training rows.

    Attributes
    ----------
    columns : dict of str to array or Categorical of shape (n,)
        Every column that the formula reads, grouping factors apart; rows of weight 0 left out.
    variables : tuple of str
        The columns behind the mean of the population.
    factors : frozenset of str
        Those of them that are factors in the data or by ``C(x)``.
    counts : ndarray of shape (n,)
        How many times each row is there; a precision weight is no number of rows.
    beside : float
        The mean over the rows of the offset that was given beside the formula.
    known : float or None
        What replaces all offsets; None where they count.
    """

    fit: LMMFit
    recipe: FormulaRecipe
    columns: Columns
    variables: tuple[str, ...]
    factors: frozenset[str]
    counts: FloatArray
    beside: float = 0.0
    known: float | None = None

    def levels(self, variable: str, *, continuous: bool = False) -> pd.Index:
        """Return the levels of a factor, or the mean of a covariate, which may have two values."""
        values = self.columns[variable]
        if isinstance(values, pd.Categorical):
            return values.categories
        if values.dtype.kind in "mM":
            return pd.Index([pd.Series(values).mean()])
        distinct = np.unique(values)
        few = len(distinct) <= FEW_VALUES and not continuous
        if variable in self.factors or few:
            return _plain(distinct)
        return pd.Index([float(np.average(values, weights=self.counts))])

    def is_factor(self, variable: str) -> bool:
        """Tell whether the levels of a variable are groups of rows that can be counted."""
        if variable in self.factors:
            return True
        return len(np.unique(np.asarray(self.columns[variable]))) <= FEW_VALUES

    def evaluate(self, rows: Mapping[str, Any], n: int) -> tuple[FloatArray, FloatArray]:
        """Return the columns of X, shape (n, p), and the offset, shape (n,), of new rows."""
        matrices = self.matrices(rows, n)
        if self.known is not None:
            return matrices.fixed, np.full(n, self.known)
        offset = np.zeros(n) if matrices.offset is None else matrices.offset
        return matrices.fixed, offset + self.beside

    def matrices(self, rows: Mapping[str, Any], n: int) -> FormulaMatrices:
        """Return the columns of new rows; those of random effects alone have a training value."""
        filled = {
            name: rows[name] if name in rows else values[np.zeros(n, dtype=np.intp)]
            for name, values in self.columns.items()
        }
        if not filled:
            filled = {"no column": np.zeros(n)}
        return self.recipe.evaluate(filled)

    def estimable(self, functions: FloatArray) -> NDArray[np.bool_]:
        """Tell which linear functions (m, p) of the coefficients the training rows determine.

        One with a NaN is not determined.
        """
        known = np.asarray(np.isfinite(functions).all(axis=1))
        if len(self.fit.fixed.standardised) == functions.shape[1]:
            return known
        centre, scale, basis = self._row_space
        standard = (functions - functions[:, :1] * centre) / scale
        outside = standard - (standard @ basis.T) @ basis
        lengths = np.linalg.norm(standard, axis=1)
        return np.asarray(known & (np.linalg.norm(outside, axis=1) <= OUTSIDE * lengths))

    @cached_property
    def _row_space(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return centres and scales of the columns of X, and a basis of its rows then."""
        n = len(self.counts)
        X, _ = self.evaluate(self.columns, n)
        centre = np.zeros(X.shape[1])
        if self.recipe.has_intercept:
            centre[1:] = X[:, 1:].mean(axis=0)
        centred = X - centre
        scale = np.sqrt(np.mean(centred**2, axis=0))
        # The rounding that centring leaves of a constant column is no column.
        constant = scale <= DEPENDENT * np.abs(centre)
        centred[:, constant] = 0.0
        scale[constant] = np.maximum(np.abs(centre[constant]), 1.0)
        _, sizes, basis = np.linalg.svd(centred / scale, full_matrices=False)
        return centre, scale, basis[sizes > DEPENDENT * sizes[0]]


def grid_source(results: Any, offset: float | None = None) -> GridSource:
    """Read what a reference grid needs off the results of a formula; ``offset`` replaces theirs."""
    found = fitted_model_of(results)
    recipe, rows = found.recipe, found.rows
    if recipe is None or rows is None or rows.data is None:
        raise TypeError(
            "Marginal means need the formula and the rows of the data, which "
            f"{type(results).__name__} does not keep. Fit with mixedlm."
        )
    columns = training_columns(recipe, rows.data)
    n = len(next(iter(columns.values()))) if columns else 0
    counts = _row_counts(rows, n)
    kept = counts > 0.0
    if not kept.all():
        columns = {name: values[kept] for name, values in columns.items()}
    variables = mean_variables(recipe)
    factors = factors_of(recipe, {name: columns[name] for name in variables})
    source = GridSource(found.fit, recipe, columns, variables, factors, counts[kept], known=offset)
    return replace(source, beside=_beside_formula(source, rows.model.design.offset))


def _beside_formula(source: GridSource, total: FloatArray | None) -> float:
    """Return the mean offset of the rows without that of the formula."""
    if total is None or not len(total):
        return 0.0
    own = source.matrices(source.columns, len(source.counts)).offset
    return float(np.mean(total)) - (0.0 if own is None else float(np.mean(own)))


def _row_counts(rows: KeptRows, n: int) -> FloatArray:
    """Return how often each row is there, 0 where its weight is 0."""
    design = rows.model.design
    if rows.weights is None or not n:
        return np.ones(n)
    for candidate in (design.weights.values, rows.weights):
        if candidate is not None and len(candidate) == n:
            weights = np.asarray(candidate, dtype=np.float64)
            counted = design.weights.repetitions is not None
            return weights if counted else (weights > 0.0).astype(np.float64)
    raise ValueError(
        "Rows were dropped for missing values and others have a weight of 0, so that the weights "
        "cannot be told apart. Leave both kinds of rows out before fitting."
    )


def _plain(distinct: NDArray[Any]) -> pd.Index:
    """Return distinct numbers, as integers where all are whole."""
    whole = distinct.dtype.kind == "f" and (distinct == np.trunc(distinct)).all()
    return pd.Index(distinct.astype(np.int64) if whole else distinct)
