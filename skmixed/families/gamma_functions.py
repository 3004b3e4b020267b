"""Differences of log-gamma functions and their derivatives, exact for large arguments.

lgamma(k + y) - lgamma(k) loses the digits of y as k grows, and that is where a search goes when
counts vary no more than Poisson's. Beyond ``LARGE``, Stirling's series give the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from skmixed.families.base import FloatArray

__all__ = ["digamma_excess", "log_gamma_excess", "log_rising", "polygamma_rise"]

LARGE = 20.0
# Powers of 1 / x, the highest first: lgamma(x) - (x - 1/2) log(x) + x - log(2 pi) / 2, then
# the polygamma functions without their leading terms log(x), 1 / x and -1 / x**2.
LOG_GAMMA = (1 / 1188, 0, -1 / 1680, 0, 1 / 1260, 0, -1 / 360, 0, 1 / 12, 0)
POLYGAMMA = (
    (-1 / 132, 0, 1 / 240, 0, -1 / 252, 0, 1 / 120, 0, -1 / 12, -1 / 2, 0),
    (5 / 66, 0, -1 / 30, 0, 1 / 42, 0, -1 / 30, 0, 1 / 6, 1 / 2, 0, 0),
    (-5 / 6, 0, 3 / 10, 0, -1 / 6, 0, 1 / 6, 0, -1 / 2, -1, 0, 0, 0),
)


def log_gamma_excess(x: FloatArray) -> FloatArray:
    """Return lgamma(x) - x log(x) + x."""
    return _by_size(
        x,
        lambda x: special.gammaln(x) - x * np.log(x) + x,
        lambda x: 0.5 * np.log(2.0 * np.pi / x) + np.polyval(LOG_GAMMA, 1.0 / x),
    )


def digamma_excess(x: FloatArray) -> FloatArray:
    """Return digamma(x) - log(x)."""
    return _by_size(
        x, lambda x: special.digamma(x) - np.log(x), lambda x: np.polyval(POLYGAMMA[0], 1.0 / x)
    )


def log_rising(k: FloatArray, y: FloatArray) -> FloatArray:
    """Return lgamma(k + y) - lgamma(k) - y log(k)."""
    return _by_size(
        k,
        lambda k: special.gammaln(k + y) - special.gammaln(k) - y * np.log(k),
        lambda k: (
            (k + y - 0.5) * np.log1p(y / k)
            - y
            + np.polyval(LOG_GAMMA, 1.0 / (k + y))
            - np.polyval(LOG_GAMMA, 1.0 / k)
        ),
    )


def polygamma_rise(order: int, k: FloatArray, y: FloatArray) -> FloatArray:
    """Return polygamma(order, k + y) - polygamma(order, k), for an order up to 2."""
    return _by_size(
        k,
        lambda k: _polygamma(order, k + y) - _polygamma(order, k),
        lambda k: (
            _leading_rise(order, k, y)
            + np.polyval(POLYGAMMA[order], 1.0 / (k + y))
            - np.polyval(POLYGAMMA[order], 1.0 / k)
        ),
    )


def _leading_rise(order: int, k: FloatArray, y: FloatArray) -> FloatArray:
    """Return how much the leading term of polygamma rises from k to k + y."""
    if order == 0:
        return np.log1p(y / k)
    share = y / (k + y)
    return -share / k if order == 1 else share * (2.0 - share) / (k * k)


def _polygamma(order: int, x: FloatArray) -> FloatArray:
    """Return a polygamma function; SciPy's own digamma is the faster one."""
    return special.digamma(x) if order == 0 else special.polygamma(order, x)


def _by_size(
    x: FloatArray,
    exact: Callable[[FloatArray], FloatArray],
    asymptotic: Callable[[FloatArray], Any],
) -> FloatArray:
    """Return one function of small x and another of large x."""
    large = x > LARGE
    if not large.any():
        return exact(x)
    if large.all():
        return asymptotic(x)
    return np.where(large, asymptotic(np.maximum(x, LARGE)), exact(np.minimum(x, LARGE)))
