"""Degrees of freedom by where the columns of X vary: between groups or within them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import differs_within
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel

__all__ = ["BetweenWithin", "between_within"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class BetweenWithin:
    """Hold the degrees of freedom of each coefficient.

    Attributes
    ----------
    covariance : ndarray of shape (p, p)
        Of the coefficients.
    df : ndarray of shape (p,)
        NaN where groups or rows are too few.
    """

    covariance: FloatArray
    df: FloatArray

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the fewest degrees of freedom among the coefficients of each row."""
        return np.min(np.where(contrasts != 0.0, self.df, np.inf), axis=1, initial=np.inf)

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return the fewest of all rows; the statistic is not scaled."""
        return float(self.t_df(contrasts).min()), 1.0


def between_within(fit: LMMFit, model: LMMModel) -> FloatArray:
    """Return the degrees of freedom of each coefficient.

    Of m_1 groups of a factor, m_2 of the next factor nested in it, and so on down to n rows, a
    column that is constant within the groups of level i, and not within those of level i - 1, has

        m_i - m_{i-1} - p_i

    degrees of freedom, with p_i the number of such columns and m_0 = 1 for the intercept, which
    itself has those of the rows (the inner-outer rule of Pinheiro and Bates 2000, section 2.4.2;
    with one factor it is SAS's and mmrm's rule).

    Parameters
    ----------
    model : LMMModel
        What was fitted, with its rows.

    Raises
    ------
    ValueError
        If factors are crossed.
    """
    design = model.design
    levels = _nested_groups(model)
    counts = design.weights.group_counts
    counts = np.ones(design.n_rows) if counts is None else counts
    firsts = [np.unique(codes, return_index=True)[1] for codes in levels]
    sizes = [float(design.intercept), *(counts[first].sum() for first in firsts), fit.n_rows]
    where = np.full(design.fixed.shape[1], len(levels))
    for i, codes in reversed(list(enumerate(levels))):
        where[~differs_within(design.fixed, codes).any(axis=0)] = i
    if design.intercept:
        where = np.append(len(levels), where)
    estimated = ~fit.fixed.aliased
    estimated[: int(design.intercept)] = False
    used = np.bincount(where[estimated], minlength=len(levels) + 1)
    df = np.diff(sizes) - used
    return np.where(df > 0.0, df, np.nan)[where]


def _nested_groups(model: LMMModel) -> list[Integers]:
    """Return the codes of the factors from the coarsest on, or of the groups of the residuals."""
    factors = [(one.levels.name, one.codes) for one in model.design.factors]
    if not factors:
        grouped = None if model.residual is None else model.residual.rows.grouped
        return [] if grouped is None else [grouped.groups]
    factors.sort(key=lambda one: len(np.unique(one[1])))
    for (outer_name, outer), (name, inner) in pairwise(factors):
        if differs_within(outer, inner).any():
            raise ValueError(
                f"df_method='between-within' needs factors that are nested, and {outer_name!r} "
                f"and {name!r} are crossed. Use df_method='satterthwaite'."
            )
    return [codes for _, codes in factors]
