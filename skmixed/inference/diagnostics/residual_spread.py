"""How far residuals spread in each stratum of the rows, and what the model says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.design.groups import factorise_interaction
from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.hat_products import hat_diagonal
from skmixed.inference.diagnostics.row_diagnostics import KINDS
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.residual.variance import VarianceFunction

__all__ = ["residual_spread", "residual_spread_of_rows"]

FloatArray = NDArray[np.float64]

# Different numbers from which on they are cut into intervals, and how many these are.
MANY, INTERVALS = 12, 8


def residual_spread(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    by: Any = None,
    level: float = 0.95,
    **arguments: Any,
) -> pd.DataFrame:
    r"""Return the standard deviation of the residuals in each stratum beside the fitted one.

    Conditional residuals e vary less than errors, because :math:`\beta` and b were estimated from
    them. So the mean of :math:`(e_i / s_i)^2` is divided by that of what they keep of the variances
    of the errors under the model, with :math:`s_i` the fitted standard deviations: where the model
    holds, observed and fitted ones agree on average.

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    by : str or array-like of shape (n,), optional
        A column of the data, or values; numbers are cut into intervals where there are many. By
        default what the residual variances of the model depend on.
    level : float, default=0.95
        Of the limits.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    pandas.DataFrame
        Indexed by stratum: n_rows, observed, lower, upper and fitted, in units of y at weight 1.
        The limits are those of normal residuals that are independent.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the rows have no strata, or ``by`` is no column.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import residual_spread
    >>> from skmixed.residual import Heterogeneous
    >>> sleepstudy = load_sleepstudy()
    >>> sleepstudy["half"] = (sleepstudy["Days"] > 4).map({False: "first", True: "second"})
    >>> results = mixedlm(
    ...     "Reaction ~ Days + (1 | Subject)", sleepstudy, residual=Heterogeneous(by="half")
    ... )
    >>> residual_spread(results).reset_index().round(1)
         half  n_rows  observed  lower  upper  fitted
    0   first    90.0      21.3   18.4   25.4    21.3
    1  second    90.0      40.8   35.5   48.0    40.8
    """
    check_level(level)
    return residual_spread_of_rows(training_rows(fitted, X, y, **arguments), by=by, level=level)


def residual_spread_of_rows(rows: TrainingRows, *, by: Any, level: float) -> pd.DataFrame:
    """Return the spread of the residuals of rows, as ``residual_spread``."""
    strata = _strata(rows, by)
    errors = rows.error_covariance
    multiplicity = rows.design.weights.row_multiplicity
    counts = np.ones(rows.design.n_rows) if multiplicity is None else multiplicity
    lost = hat_diagonal(rows, errors.colour, errors.colour) / (errors.variances * rows.copies)
    variances = rows.fit.sigma**2 * errors.variances
    table = pd.DataFrame(
        {
            "n_rows": counts,
            "squares": counts * np.nan_to_num(KINDS["pearson"](rows)) ** 2,
            "df": counts * (1.0 - lost),
            "variance": counts * variances,
        }
    )
    sums = table.groupby(strata, observed=True).sum()
    sums.index = pd.Index(list(sums.index), name=str(strata.name))
    fitted = np.sqrt(sums["variance"] / sums["n_rows"])
    observed = fitted * np.sqrt(sums["squares"] / sums["df"])
    tail = 0.5 * (1.0 - level)
    bounds = [np.sqrt(sums["df"] / stats.chi2.isf(q, sums["df"])) for q in (tail, 1.0 - tail)]
    return pd.DataFrame(
        {
            "n_rows": sums["n_rows"],
            "observed": observed,
            "lower": observed * bounds[0],
            "upper": observed * bounds[1],
            "fitted": fitted,
        }
    )


def _strata(rows: TrainingRows, by: Any) -> pd.Series:
    """Return the stratum of each row as a category."""
    if by is not None:
        name = by if isinstance(by, str) else str(getattr(by, "name", None) or "stratum")
        return _in_intervals(rows.column(by, "by"), name)
    variance = _variance_of(rows)
    columns = {} if rows.design.residual is None else rows.design.residual
    if variance.columns == variance.label_columns and variance.columns:
        names = list(map(str, variance.columns))
        factor = factorise_interaction([columns[name] for name in variance.columns], names)
        labels = factor.levels.flat_labels
        cut = pd.Categorical.from_codes(factor.codes, labels, ordered=True)
        return pd.Series(cut, name=factor.levels.name)
    numeric = [name for name in variance.columns if name not in variance.label_columns]
    if not numeric:
        return _in_intervals(rows.design.response - KINDS["conditional"](rows), "fitted")
    return _in_intervals(columns[numeric[0]], str(numeric[0]))


def _variance_of(rows: TrainingRows) -> VarianceFunction:
    """Return the first structure of variances of the model."""
    learned = None if rows.fit.residual is None else rows.fit.residual.learned
    for part in () if learned is None else learned.structure.factors:
        if isinstance(part, VarianceFunction):
            return part
    raise ValueError(
        "The residual variances of the model depend on nothing, so that there are no strata. Name "
        "a column or pass values: by=."
    )


def _in_intervals(column: Any, name: str) -> pd.Series:
    """Return values as categories, many numbers cut into intervals of as many rows each."""
    values = pd.Series(np.asarray(column), name=name)
    if not pd.api.types.is_numeric_dtype(values.dtype) or values.nunique() <= MANY:
        return values.astype("category")
    cut = pd.qcut(values, INTERVALS, duplicates="drop")
    names = [f"{one.left:.3g} to {one.right:.3g}" for one in cut.cat.categories]
    return cut.cat.rename_categories(dict(zip(cut.cat.categories, names, strict=True)))
