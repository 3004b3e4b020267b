"""Autoregressive moving averages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.ar1 import AR1
from skmixed.residual.axis import Axis
from skmixed.residual.correlation import AxisKind, Correlation
from skmixed.residual.distance import DistanceCorrelation
from skmixed.residual.structure import Names, Scale

__all__ = ["ARMA", "durbin_levinson"]


@dataclass(frozen=True)
class ARMA(DistanceCorrelation):
    r"""Let the residuals of a group be a stationary and invertible ARMA(p, q) series.

    .. math:: e_t = \sum_{i=1}^p \phi_i e_{t-i} + a_t + \sum_{j=1}^q \theta_j a_{t-j}

    The signs are those of nlme's corARMA [1]_. Times are integers, and rows k steps apart have the
    autocorrelation of lag k, whether or not there are rows in between. The search is for the
    inverse hyperbolic tangents of the partial autocorrelations of the autoregression, and of those
    that belong to the moving average in the same way [2]_.

    Parameters
    ----------
    p : int
        The number of autoregressive coefficients, phi1 to phip.
    q : int
        The number of moving average coefficients, theta1 to thetaq.
    time : str or int, optional
        The column of times, by default the order of the rows in their group.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels, such as the arm of a trial, each of which has coefficients of its own.

    Raises
    ------
    ValueError
        If p or q is not an integer from 0 on, or both are 0.

    References
    ----------
    .. [1] J. C. Pinheiro and D. M. Bates (2000). Mixed-Effects Models in S and S-PLUS. Springer,
       section 5.3.1.
    .. [2] J. F. Monahan (1984). A note on enforcing stationarity in autoregressive-moving average
       models. Biometrika 71, 403-404.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import ARMA
    >>> ARMA(0, 1).correlations(np.array([0.5]), np.array([[0, 1, 2]]))[0]
    array([[1. , 0.4, 0. ],
           [0.4, 1. , 0.4],
           [0. , 0.4, 1. ]])
    """

    p: int
    q: int
    time: str | int | None = None
    group: Names | None = None
    by: Names | None = None
    axis_kind: ClassVar[AxisKind] = "integer"
    equation: ClassVar[str] = r"\gamma_{|t_i - t_{i'}|} / \gamma_0"

    def __post_init__(self) -> None:
        super().__post_init__()
        orders = (self.p, self.q)
        integers = all(isinstance(order, int | np.integer) for order in orders)
        if not integers or min(orders) < 0 or max(orders) == 0:
            raise ValueError(
                f"ARMA(p, q) got p = {self.p!r} and q = {self.q!r}: expected integers from 0 on, "
                "at least one of them positive. Write ARMA(1, 1, time='visit') for one coefficient "
                "of each kind."
            )

    def has_case(self, other: Correlation) -> bool:
        """Return True for lower orders, and AR1."""
        p, q = (other.p, other.q) if isinstance(other, ARMA) else (1, 0)
        return isinstance(other, ARMA | AR1) and p <= self.p and q <= self.q

    def names(self, axis: Axis) -> list[str]:
        """Name the autoregressive coefficients, then those of the moving average."""
        autoregressive = [f"phi{i + 1}" for i in range(self.p)]
        return autoregressive + [f"theta{j + 1}" for j in range(self.q)]

    def symbols(self, axis: Axis) -> list[str]:
        """Return phi and theta with their numbers."""
        autoregressive = [rf"\phi_{{{i + 1}}}" for i in range(self.p)]
        return autoregressive + [rf"\theta_{{{j + 1}}}" for j in range(self.q)]

    @property
    def words(self) -> str:
        """Say what it is, with the orders."""
        return f"an ARMA({self.p}, {self.q})"

    def scales(self, axis: Axis) -> list[Scale]:
        """Return Fisher's z for a single coefficient, which alone is bounded by -1 and 1."""
        return [
            "fisher" if order == 1 else "linear" for order in (self.p, self.q) for _ in range(order)
        ]

    def start(self, axis: Axis) -> NDArray[np.float64]:
        """Return 0, or coefficients that do not cancel where a moving average could do so.

        Where the last phi and the last theta are 0, or roots are common as with phi1 = -theta1, a
        change of the one has the same effect as a change of the other.
        """
        if not (self.p and self.q):
            return np.zeros(self.p + self.q)
        return np.append(0.5 / np.arange(1.0, self.p + 1), 0.3 / np.arange(1.0, self.q + 1))

    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return the coefficients."""
        partial = np.tanh(rho)
        autoregressive, _ = durbin_levinson(partial[: self.p])
        moving_average, _ = durbin_levinson(-partial[self.p :])
        return np.concatenate([autoregressive, -moving_average])

    def at_distances(self, natural: NDArray[Any], distances: NDArray[Any]) -> NDArray[Any]:
        """Look up the autocorrelations at lags."""
        lags = distances.astype(np.intp)
        longest = int(lags.max(initial=0))
        return _autocorrelations(natural[: self.p], natural[self.p :], longest)[lags]


def durbin_levinson(partial: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the autoregression and the autocorrelations that belong to partial ones.

    The map is one-to-one between partial autocorrelations within (-1, 1), which may be complex,
    and stationary autoregressions (Barndorff-Nielsen and Schou 1973), and between them and positive
    definite Toeplitz matrices. Monahan (1984) uses the recursion for moving averages, too.
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


def _autocorrelations(phi: NDArray[Any], theta: NDArray[Any], longest: int) -> NDArray[Any]:
    """Return the autocorrelations of the lags 0 to the longest."""
    first = _first_autocovariances(phi, theta)
    gamma = np.zeros(max(longest + 1, len(first)), dtype=first.dtype)
    gamma[: len(first)] = first
    # Later ones follow the autoregression alone.
    for k in range(len(first), longest + 1):
        gamma[k] = phi @ gamma[k - len(phi) : k][::-1]
    return gamma[: longest + 1] / first[0]


def _first_autocovariances(phi: NDArray[Any], theta: NDArray[Any]) -> NDArray[Any]:
    """Return the autocovariances of the lags 0 to max(p, q), the innovations having variance 1.

    They solve gamma_k - sum_i phi_i gamma_|k-i| = sum_j theta_j psi_(j-k), theta_0 being 1
    (Brockwell and Davis 1991, equations 3.3.8 and 3.3.9).
    """
    p, q = len(phi), len(theta)
    size = max(p, q) + 1
    moving_average = np.concatenate([[1.0], theta])
    response = moving_average.copy()
    for j in range(1, q + 1):
        earlier = response[max(j - p, 0) : j][::-1]
        response[j] += phi[: len(earlier)] @ earlier
    right = np.zeros(size, dtype=response.dtype)
    right[: q + 1] = [moving_average[k:] @ response[: q + 1 - k] for k in range(q + 1)]
    left = np.eye(size, dtype=response.dtype)
    lags = np.arange(size)
    for i, coefficient in enumerate(phi, start=1):
        left[lags, np.abs(lags - i)] -= coefficient
    return np.linalg.solve(left, right)
