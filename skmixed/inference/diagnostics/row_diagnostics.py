"""Residuals, leverage and Cook's distance of single rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.inference.diagnostics.decorrelation import decorrelated
from skmixed.inference.diagnostics.family_residuals import FAMILY_KINDS
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.hat_products import hat_diagonal
from skmixed.inference.diagnostics.row_inputs import fitted_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["cooks_distance", "leverage", "residuals"]

FloatArray = NDArray[np.float64]

# A row whose residual keeps less than this part of its variance is fitted exactly.
DETERMINED = 1e-10


def residuals(
    fitted: Any, X: Any = None, y: Any = None, *, kind: str = "response", **arguments: Any
) -> pd.Series:
    r"""Return one residual for each row that was fitted.

    With :math:`V = R + Z \Psi Z'`, where :math:`\sigma^2 R` is the covariance of the errors
    (:math:`W^{-1}` without a residual structure),

    - ``"conditional"``, also called ``"response"``: :math:`y - X\hat\beta - Z\hat b`;
    - ``"marginal"``: :math:`y - X\hat\beta`;
    - ``"pearson"``: conditional ones over the standard deviation of the row's error,
      :math:`e_i / (\hat\sigma \sqrt{R_{ii}})`; lme4's ``residuals(type = "pearson", scaled =
      TRUE)`` and nlme's ``resid(type = "pearson")``;
    - ``"normalised"``: :math:`T e / \hat\sigma` with T the inverse of the Cholesky factor of R,
      rows in the order of time, in which the errors are uncorrelated with variance 1; nlme's
      ``resid(type = "normalized")``. Without a residual structure they are the Pearson residuals;
    - ``"standardised"``: conditional ones over their own standard deviation, NaN where that is 0;
      SAS's conditional studentised residuals;
    - ``"marginal_standardised"``: marginal ones over their own standard deviation; SAS's and
      mmrm's studentised residuals;
    - ``"decorrelated"``: :math:`L^{-1}(y - X\hat\beta)/\hat\sigma` with :math:`L L' = V`, which are
      uncorrelated with variance 1, but for the estimation of :math:`\beta`; SAS's and mmrm's
      scaled residuals. With one grouping factor or none L is the Cholesky factor within each
      group, in the order of the rows, or of time where errors are correlated; with several it is
      the Cholesky factor for the factor of most levels, times the symmetric root of what the other
      factors add.

    Of a generalised model, with :math:`\mu` the mean and :math:`\eta` the linear predictor at the
    conditional modes,

    - ``"response"``: :math:`y - \mu`, shares of trials for successes; ``"marginal"`` ones are
      about the mean over new groups instead;
    - ``"pearson"``: over the standard deviation of the response, trials and zero inflation
      included;
    - ``"deviance"``: the signed root of what the row adds to the deviance;
    - ``"working"``: :math:`(y - \mu) / h'(\eta)`, on the scale of the link;
    - ``"standardised"``: Pearson residuals over :math:`\sqrt{1 - h_i}` with the leverage
      :math:`h_i`.

    `quantile_residuals` have a known distribution for every family.

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
    rows = fitted_rows(fitted, X, y, **arguments)
    known: Mapping[str, Callable[[Any], FloatArray]]
    known = FAMILY_KINDS if isinstance(rows, FamilyRows) else KINDS
    if kind not in known:
        raise ValueError(f"kind must be one of {sorted(known)}, got {kind!r}.")
    return rows.series(known[kind](rows), kind)


def leverage(fitted: Any, X: Any = None, y: Any = None, **arguments: Any) -> pd.Series:
    """Return the diagonal of the matrix that maps y to X beta + Z b, as lme4's ``hatvalues``.

    The sum is the effective number of parameters at the estimated variances. Where errors are
    correlated, a single value may lie outside 0 to 1. Of a generalised model they are those of the
    linear model that the last step of the conditional modes solved, as lme4's.

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
    rows = fitted_rows(fitted, X, y, **arguments)
    if isinstance(rows, FamilyRows):
        return rows.series(rows.leverage, "leverage")
    errors = rows.error_covariance
    return rows.series(hat_diagonal(rows, errors.colour, errors.precise) / rows.copies, "leverage")


def cooks_distance(fitted: Any, X: Any = None, y: Any = None, **arguments: Any) -> pd.Series:
    r"""Return Cook's distance of each row, as lme4's ``cooks.distance``.

    It is :math:`h_i r_i^2 / (p (1 - h_i))` with leverage :math:`h_i`, standardised residual
    :math:`r_i` and p the rank of X: the change of the conditional fit when the row is left out at
    fixed variances, in units of the error's variance; for whole groups see ``group_influence``.

    With the precision :math:`R^{-1}` of correlated errors and P as in ``loo_predict``, it is
    :math:`(y_i - \hat y_{(-i)})^2 (R^{-1}_{ii} - P_{ii}) / (p \hat\sigma^2)`, which is the same
    where :math:`R = I`, and the distance of generalised least squares without random effects.

    Of a generalised model it is that of the linear model that the last step of the conditional
    modes solved, with Pearson residuals: the first step towards the fit without the row.

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
    rows = fitted_rows(fitted, X, y, **arguments)
    rank = max(len(rows.fit.fixed.standardised), 1)
    if isinstance(rows, FamilyRows):
        scores, h = FAMILY_KINDS["pearson"](rows), rows.leverage
        left = 1.0 - h
    else:
        errors, copies = rows.error_covariance, rows.copies
        h = hat_diagonal(rows, errors.precise, errors.precise) / (errors.precisions * copies)
        scores = _over(rows.precise_conditional / np.sqrt(copies * errors.precisions), rows.sigma)
        left = _left(1.0 - h)
    return rows.series(scores**2 * h / (rank * left**2), "cooks_distance")


def _conditional(rows: TrainingRows) -> FloatArray:
    """Return y - X beta - Z b."""
    return rows.in_units_of_y(rows.error_covariance.colour(rows.conditional[None])[0])


def _marginal(rows: TrainingRows) -> FloatArray:
    """Return y - X beta."""
    return rows.in_units_of_y(rows.weighted_marginal)


def _over(residuals: FloatArray, deviations: FloatArray | float) -> FloatArray:
    """Return residuals over their standard deviations, NaN where these are 0 or not known."""
    known = np.asarray(deviations) > 0.0
    return np.where(known, residuals, np.nan) / np.where(known, deviations, 1.0)


def _pearson(rows: TrainingRows) -> FloatArray:
    """Return conditional residuals over the standard deviation of the errors."""
    return _over(_conditional(rows), rows.deviations)


def _normalised(rows: TrainingRows) -> FloatArray:
    """Return white conditional residuals."""
    return _over(rows.conditional / np.sqrt(rows.copies), rows.sigma)


def _standardised(rows: TrainingRows) -> FloatArray:
    """Return conditional residuals over their own standard deviation."""
    colour = rows.error_covariance.colour
    lost = hat_diagonal(rows, colour, colour) / (rows.error_covariance.variances * rows.copies)
    return _pearson(rows) / np.sqrt(_left(1.0 - lost))


def _marginal_standardised(rows: TrainingRows) -> FloatArray:
    """Return marginal residuals over their own standard deviation."""
    errors, copies = rows.error_covariance, rows.copies
    variance = errors.variances + rows.effect_variances / copies
    of_beta = np.sum(rows.weighted_fixed**2, axis=0) / copies
    relative = variance * _left(1.0 - of_beta / variance) / errors.variances
    return _over(_marginal(rows), rows.deviations) / np.sqrt(relative)


def _decorrelated(rows: TrainingRows) -> FloatArray:
    """Return marginal residuals over a root of their covariance."""
    return _over(decorrelated(rows, rows.marginal[None])[0], rows.sigma)


def _left(left: FloatArray) -> FloatArray:
    """Return the part of a variance that a residual keeps, NaN where the row is fitted exactly."""
    return np.where(left > DETERMINED, left, np.nan)


KINDS: Mapping[str, Callable[[TrainingRows], FloatArray]] = {
    "response": _conditional,
    "conditional": _conditional,
    "marginal": _marginal,
    "pearson": _pearson,
    "normalised": _normalised,
    "standardised": _standardised,
    "marginal_standardised": _marginal_standardised,
    "decorrelated": _decorrelated,
}
