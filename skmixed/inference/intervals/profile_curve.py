"""The profile of one parameter as a curve: zeta, the signed root of the deviance, of its value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicHermiteSpline

from skmixed.covariance.scales import ParameterScale
from skmixed.inference.intervals.model_parameters import ModelParameter

__all__ = ["ProfileCurve"]

FloatArray = NDArray[np.float64]

ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class ProfileCurve:
    """Hold the profile of one parameter.

    Attributes
    ----------
    parameter : ModelParameter
    estimate : float
        By maximum likelihood, where zeta is 0.
    limits : tuple of float
        At the level that the profile was made for.
    internal, zeta, slope : ndarray of shape (n_points,)
        Points of the curve, increasing: the parameter on an internal scale, zeta and its derivative
        in it. Empty where the data say nothing of the parameter.
    scale : ParameterScale
        Of the internal values.
    """

    parameter: ModelParameter
    estimate: float
    limits: tuple[float, float]
    internal: FloatArray
    zeta: FloatArray
    slope: FloatArray
    scale: ParameterScale

    @property
    def values(self) -> FloatArray:
        """Return the points in the user's units."""
        return self.scale.to_user(self.internal)

    def zeta_at(self, values: ArrayLike) -> FloatArray:
        """Return zeta at values of the parameter, NaN beyond the curve.

        Parameters
        ----------
        values : array-like
        """
        wanted = np.asarray(values, dtype=np.float64)
        if self._by_value is None:
            return np.full(wanted.shape, np.nan)
        return np.asarray(self._by_value(self.scale.to_internal(wanted)))

    def value_at(self, zeta: ArrayLike) -> FloatArray:
        """Return the values of the parameter at which zeta is given, NaN beyond the curve.

        Parameters
        ----------
        zeta : array-like
        """
        wanted = np.asarray(zeta, dtype=np.float64)
        found = [self._internal_at(float(one)) for one in wanted.ravel()]
        return self.scale.to_user(np.array(found).reshape(wanted.shape))

    def _internal_at(self, zeta: float) -> float:
        """Return the internal value nearest to the estimate at which zeta is given."""
        if self._by_value is None:
            return math.nan
        # The points themselves are within rounding only where the cubics reach them.
        (nodes,) = np.nonzero(np.abs(self.zeta - zeta) <= ROUNDING)
        roots = self.internal[nodes] if len(nodes) else self._by_value.solve(zeta)
        if not len(roots):
            return math.nan
        estimate = self.scale.to_internal(np.array(self.estimate))
        return float(roots[np.argmin(np.abs(roots - estimate))])

    @cached_property
    def _by_value(self) -> CubicHermiteSpline | None:
        """Return the cubic through the points with their slopes."""
        if len(self.internal) < 2:
            return None
        return CubicHermiteSpline(self.internal, self.zeta, self.slope, extrapolate=False)
