"""Partial autocorrelations: any numbers between -1 and 1 make a stationary series."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["durbin_levinson"]


def durbin_levinson(partial: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the autoregression and the autocorrelations that belong to partial ones.

    The map is one-to-one between partial autocorrelations within (-1, 1) and stationary
    autoregressions (Barndorff-Nielsen and Schou 1973), and between them and positive definite
    Toeplitz matrices. This is the recursion of Durbin and Levinson; Monahan (1984) uses it
    for moving averages, too.

    Parameters
    ----------
    partial : ndarray of shape (p,)
        May be complex.

    Returns
    -------
    coefficients : ndarray of shape (p,)
        Of the autoregression.
    autocorrelations : ndarray of shape (p,)
        Those of the lags 1 to p.

    References
    ----------
    .. [1] O. Barndorff-Nielsen and G. Schou (1973). On the parametrization of autoregressive
       models by partial autocorrelations. Journal of Multivariate Analysis 3, 408-419.
    .. [2] J. F. Monahan (1984). A note on enforcing stationarity in autoregressive-moving average
       models. Biometrika 71, 403-404.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual.partial import durbin_levinson
    >>> coefficients, autocorrelations = durbin_levinson(np.array([0.5, 0.2]))
    >>> coefficients, autocorrelations
    (array([0.4, 0.2]), array([0.5, 0.4]))
    """
    coefficients = partial[:0]
    autocorrelations = np.zeros_like(partial)
    innovation: Any = 1.0
    for k, last in enumerate(partial):
        explained = coefficients @ autocorrelations[:k][::-1]
        autocorrelations[k] = explained + last * innovation
        coefficients = np.append(coefficients - last * coefficients[::-1], last)
        innovation = innovation * (1.0 - last**2)
    return coefficients, autocorrelations
