"""The prediction of each row from all others."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmixed.inference.diagnostics.contributions import INESTIMABLE
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.hat_products import hat_diagonal
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.leave_out.family_predictions import each_row
from skmixed.inference.leave_out.left_out import LeftOut, of_residuals, own_rows, reported

__all__ = ["loo_predict"]


def loo_predict(
    fitted: Any, X: Any = None, y: Any = None, *, return_std: bool = False, **arguments: Any
) -> Any:
    r"""Predict each row from all others, at the estimated variance parameters.

    Nothing is fitted again: with :math:`P = V^{-1} - V^{-1} X (X'V^{-1}X)^{-1} X'V^{-1}`,

    .. math:: y_i - \hat y_{(-i)} = (P y)_i / P_{ii}, \qquad
              \mathrm{Var}(y_i - \hat y_{(-i)}) = \sigma^2 / P_{ii},

    where the other rows of the same groups still tell of the random effects, and of errors that are
    correlated with the row's own. :math:`\theta` and
    :math:`\sigma` are those of all rows.

    Of a generalised model all parameters are those of all rows, and the random effects without a
    row are found by one Newton step from their modes. Predictions are means of the response,
    averaged over what the other rows leave open of the random effects.

    Parameters
    ----------
    fitted : MixedLMResults, MixedGLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    return_std : bool, default=False
        Whether to return the standard deviation of each observation about its prediction too.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``. A row of a weight that counts repetitions is left out with all of them,
        and so is its copy in every copy of its group.

    Returns
    -------
    mean : Series of shape (n,)
        With the index of the data; rows of weight 0 are not among those that were fitted. NaN, with
        a warning, where the other rows do not tell a coefficient that the row needs.
    std : Series of shape (n,), if ``return_std``

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the rows are not those of the fit.

    See Also
    --------
    logo_predict : From the other groups.
    kfold_predict : From the other folds.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import loo_predict
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> loo_predict(results).head(3).round(2)
    0    254.88
    1    276.32
    2    299.12
    Name: prediction, dtype: float64
    """
    rows = own_rows(fitted, X, y, arguments)
    left = each_row(rows) if isinstance(rows, FamilyRows) else _each_row(rows)
    return reported(rows, left, return_std=return_std)


def _each_row(rows: TrainingRows) -> LeftOut:
    """Leave out each row: P_ii = q - s, q = (V^-1)_ii, s the part of the fixed effects.

    Where a group counts m times, m copies of the row are left out: q - m s takes the place of P_ii,
    and the variance is (q - m s + s) / (q (q - m s)).
    """
    errors, precise = rows.error_covariance, rows.error_covariance.precise
    s = np.sum(rows.precise_fixed**2, axis=0)
    q = errors.precisions - hat_diagonal(rows, precise, precise) + s
    left = q - rows.group_counts * s
    left = np.where(left > INESTIMABLE * q, left, np.nan)
    return of_residuals(rows, rows.precise_conditional / left, (left + s) / (q * left))
