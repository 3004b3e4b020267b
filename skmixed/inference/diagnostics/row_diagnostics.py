"""Residuals, leverage and Cook's distance of single rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.inference.diagnostics.decorrelation import decorrelated
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.prediction.predict import mean_error_variance

__all__ = ["cooks_distance", "leverage", "residuals"]

FloatArray = NDArray[np.float64]

# A row whose residual keeps less than this part of its variance is fitted exactly.
DETERMINED = 1e-10


def residuals(
    fitted: Any, X: Any = None, y: Any = None, *, kind: str = "response", **arguments: Any
) -> pd.Series:
    r"""Return one residual for each row that was fitted.

    With :math:`V = W^{-1} + Z \Psi Z'` and :math:`h_i` the leverage,

    - ``"conditional"``, also called ``"response"``: :math:`y - X\hat\beta - Z\hat b`;
    - ``"marginal"``: :math:`y - X\hat\beta`;
    - ``"pearson"``: conditional ones over the standard deviation of the error,
      :math:`\sqrt{w_i} e_i / \hat\sigma`; lme4's ``residuals(type = "pearson", scaled = TRUE)``;
    - ``"standardised"``: conditional ones over their own standard deviation,
      :math:`\sqrt{w_i} e_i / (\hat\sigma \sqrt{1 - h_i})`; NaN where that is 0;
    - ``"decorrelated"``: :math:`L^{-1}(y - X\hat\beta)/\hat\sigma` with :math:`L L' = V`, which are
      uncorrelated with variance 1, but for the estimation of :math:`\beta`. With one grouping
      factor L is the Cholesky factor within each group, in the order of the rows; with several it
      is the Cholesky factor for the factor of most levels, times the symmetric root of what the
      other factors add.

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    kind : str, default="response"
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    pandas.Series of shape (n,)
        With the index of the data; rows of weight 0 are not among those that were fitted.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If there is no such kind, or the rows are not those of the fit.

    References
    ----------
    Fitzmaurice, G. M., Laird, N. M. and Ware, J. H. (2011). Applied Longitudinal Analysis, 2nd ed.
    Wiley, section 10.2.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import residuals
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> residuals(results, kind="standardised").head(3).round(3)
    0   -0.183
    1   -0.627
    2   -1.764
    Name: standardised, dtype: float64
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {sorted(KINDS)}, got {kind!r}.")
    rows = training_rows(fitted, X, y, **arguments)
    return rows.series(KINDS[kind](rows), kind)


def leverage(fitted: Any, X: Any = None, y: Any = None, **arguments: Any) -> pd.Series:
    """Return the diagonal of the matrix that maps y to X beta + Z b, as lme4's ``hatvalues``.

    With weights it is the matrix of the weighted rows. The sum is the effective number of
    parameters at the estimated variances.

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    pandas.Series of shape (n,)

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the rows are not those of the fit.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import leverage
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> leverage(results).head(3).round(3)
    0    0.229
    1    0.170
    2    0.127
    Name: leverage, dtype: float64
    """
    rows = training_rows(fitted, X, y, **arguments)
    return rows.series(_leverage(rows), "leverage")


def cooks_distance(fitted: Any, X: Any = None, y: Any = None, **arguments: Any) -> pd.Series:
    r"""Return Cook's distance of each row, as lme4's ``cooks.distance``.

    It is :math:`h_i r_i^2 / (p (1 - h_i))` with leverage :math:`h_i`, standardised residual
    :math:`r_i` and p the rank of X: the change of the conditional fit when the row is left out at
    fixed variances, in units of the error's variance; for whole groups see ``group_influence``.

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    pandas.Series of shape (n,)
        NaN where the leverage is 1.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the rows are not those of the fit.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import cooks_distance
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> cooks_distance(results).nlargest(2).round(2)
    59    4.33
    56    2.12
    Name: cooks_distance, dtype: float64
    """
    rows = training_rows(fitted, X, y, **arguments)
    h = _leverage(rows)
    rank = max(len(rows.fit.fixed.standardised), 1)
    return rows.series(_pearson(rows) ** 2 * h / (rank * _left(h) ** 2), "cooks_distance")


def _conditional(rows: TrainingRows) -> FloatArray:
    """Return y - X beta - Z b."""
    return rows.in_units_of_y(rows.conditional)


def _marginal(rows: TrainingRows) -> FloatArray:
    """Return y - X beta."""
    return rows.in_units_of_y(rows.marginal)


def _pearson(rows: TrainingRows) -> FloatArray:
    """Return conditional residuals over the standard deviation of the errors."""
    if rows.fit.sigma == 0.0:
        return np.full(rows.design.n_rows, np.nan)
    return _conditional(rows) * np.sqrt(rows.relative_precision) / rows.fit.working_sigma


def _standardised(rows: TrainingRows) -> FloatArray:
    """Return conditional residuals over their own standard deviation."""
    return _pearson(rows) / np.sqrt(_left(_leverage(rows)))


def _decorrelated(rows: TrainingRows) -> FloatArray:
    """Return marginal residuals over a root of their covariance."""
    if rows.fit.sigma == 0.0:
        return np.full(rows.design.n_rows, np.nan)
    return decorrelated(rows, rows.marginal[None])[0] / rows.sigma


def _leverage(rows: TrainingRows) -> FloatArray:
    """Return the diagonal of the hat matrix."""
    variance = mean_error_variance(rows.exact_fit, rows.new_rows, include_random_effects=True)
    return variance * rows.relative_precision


def _left(leverages: FloatArray) -> FloatArray:
    """Return 1 - h, NaN where the row is fitted exactly."""
    left = 1.0 - leverages
    return np.where(left > DETERMINED, left, np.nan)


KINDS = {
    "response": _conditional,
    "conditional": _conditional,
    "marginal": _marginal,
    "pearson": _pearson,
    "standardised": _standardised,
    "decorrelated": _decorrelated,
}
