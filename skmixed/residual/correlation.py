"""What a structure of correlations within groups must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.differentiation import central_differences, complex_step
from skmixed.residual.structure import Names, ResidualStructure, Scale, named, subscripted

__all__ = ["BOUNDARY", "AxisKind", "Correlation", "MarkovCorrelation", "product_of_steps"]

FloatArray = NDArray[np.float64]
# A correlation this near to 0 or to 1 cannot be told from it.
BOUNDARY = 1e-8
AxisKind = Literal["none", "integer", "real", "occasion", "coordinates"]


class Correlation(ResidualStructure, ABC):
    """Map parameters rho to the correlations of the rows of one group.

    A structure has free parameters rho, in which the likelihood is searched, and natural ones, in
    which it is written and as a rule reported. A subclass says how they belong together, and what
    the correlations are at natural parameters. Where it offers no derivatives, they are taken by
    complex steps, exact to rounding: its functions must then compute with complex numbers as with
    real ones.

    Attributes
    ----------
    axis_kind : {"none", "integer", "real", "occasion", "coordinates"}
        What a position is: nothing (all rows of a group are alike), an integer time (the number of
        an occasion where times are labels), a real time, the number of an occasion, or a point.
    linear : bool
        Whether the correlations are linear in the natural parameters.
    """

    axis_kind: ClassVar[AxisKind]
    equation: ClassVar[str] = r"r_{ii'}"
    linear: ClassVar[bool] = False
    group: Names | None
    by: Names | None

    def contains(self, other: ResidualStructure) -> bool:
        """Tell whether another structure is a special case: the same one, or one listed.

        Each label of `by` has parameters of its own, which may be equal.
        """
        if not isinstance(other, Correlation) or named(self.group) != named(other.group):
            return False
        along = other.axis_kind == "none" or self.axis_columns == other.axis_columns
        by = not other.by or named(self.by) == named(other.by)
        return along and by and self.has_case(other)

    def has_case(self, other: Correlation) -> bool:
        """Tell whether another correlation along the same times is a special case."""
        return type(self) is type(other)

    @property
    def axis_columns(self) -> tuple[Any, ...]:
        """Return the columns of times or coordinates."""
        return named(getattr(self, "time", None) or getattr(self, "coordinates", None))

    def n_parameters(self, axis: Axis) -> int:
        """Return the length of rho, and of the natural parameters."""
        return len(self.names(axis))

    @abstractmethod
    def names(self, axis: Axis) -> list[str]:
        """Name the reported parameters."""

    @abstractmethod
    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return the natural parameters."""

    @abstractmethod
    def correlations(self, natural: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
        """Return the correlations of patterns.

        Parameters
        ----------
        natural : ndarray of shape (n_parameters,)
        positions : ndarray of shape (n_patterns, n_rows), or (n_patterns, n_rows, n_dimensions)

        Returns
        -------
        ndarray of shape (n_patterns, n_rows, n_rows)
        """

    def reported(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return the parameters that are reported, by default the natural ones."""
        return self.natural(rho, axis)

    def start(self, axis: Axis) -> FloatArray:
        """Return the rho to start from."""
        return np.zeros(self.n_parameters(axis))

    def symbols(self, axis: Axis) -> list[str]:
        """Return the reported parameters in LaTeX."""
        return [subscripted(self.symbol, name) for name in self.names(axis)]

    def scales(self, axis: Axis) -> list[Scale]:
        """Say for each reported parameter where it is nearly normal."""
        return ["fisher"] * self.n_parameters(axis)

    def on_boundary(self, rho: FloatArray, axis: Axis) -> NDArray[np.bool_]:
        """Tell which reported parameters are at the ends of their scales within rounding."""
        values, scales = self.reported(rho, axis), self.scales(axis)
        return np.array([_at_end(x, s) for x, s in zip(values, scales, strict=True)], dtype=bool)

    def natural_derivative(self, rho: FloatArray, axis: Axis) -> FloatArray:
        """Return the derivatives of the natural parameters in rho, (n_natural, n_parameters)."""
        return complex_step(lambda free: self.natural(free, axis), rho).T

    def natural_curvature(self, weights: FloatArray, rho: FloatArray, axis: Axis) -> FloatArray:
        """Return the second derivatives in rho of the sum of weights times natural parameters.

        They are central differences of the exact first ones.
        """

        def slope(at: FloatArray) -> FloatArray:
            return weights @ self.natural_derivative(at, axis)

        found = central_differences(slope, rho)
        return 0.5 * (found + found.T)

    def correlation_derivative(self, natural: FloatArray, positions: NDArray[Any]) -> FloatArray:
        """Return the derivatives of the correlations, (n_natural, n_patterns, n_rows, n_rows)."""
        return complex_step(lambda value: self.correlations(value, positions), natural)


class MarkovCorrelation(Correlation):
    """A correlation in which a row depends on the earlier ones through the last of them only.

    The correlation of two rows is the product of the steps in between, and rows are whitened by
    what the one before leaves of each.

    Attributes
    ----------
    stationary : bool
        Whether a step depends on the distance of the two positions alone.
    """

    stationary: ClassVar[bool] = False

    @abstractmethod
    def steps(
        self, natural: NDArray[Any], before: NDArray[Any], after: NDArray[Any]
    ) -> NDArray[Any]:
        """Return the correlation of neighbours.

        Parameters
        ----------
        natural : ndarray of shape (n_parameters,)
        before, after : ndarray
            Their positions, of any shape.
        """

    def step_derivative(
        self, natural: FloatArray, before: NDArray[Any], after: NDArray[Any]
    ) -> FloatArray:
        """Return the derivatives of the steps, the parameters on the first axis."""
        return complex_step(lambda value: self.steps(value, before, after), natural)

    def correlations(self, natural: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
        """Return the correlations of patterns, whose positions ascend."""
        return product_of_steps(self.steps(natural, positions[:, :-1], positions[:, 1:]))


def _at_end(value: float, scale: Scale) -> bool:
    """Tell whether a parameter is next to a bound of its scale."""
    low, high = scale if isinstance(scale, tuple) else (-1.0, 1.0)
    near = min(value - low, high - value) < BOUNDARY * (high - low)
    return bool(near) and (scale == "fisher" or isinstance(scale, tuple))


def product_of_steps(steps: NDArray[Any]) -> NDArray[Any]:
    """Return the correlations that have given ones between neighbours.

    Parameters
    ----------
    steps : ndarray of shape (n_patterns, n_rows - 1)
    """
    n_patterns, n_rows = len(steps), steps.shape[1] + 1
    whole = np.ones((n_patterns, n_rows, n_rows), dtype=np.result_type(steps, np.float64))
    for lag in range(1, n_rows):
        i = np.arange(n_rows - lag)
        whole[:, i, i + lag] = whole[:, i, i + lag - 1] * steps[:, lag - 1 :]
        whole[:, i + lag, i] = whole[:, i, i + lag]
    return whole
