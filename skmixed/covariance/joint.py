"""The covariances of all grouping factors of a model, with their parameters in one vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skmixed.covariance.base import FloatArray
from skmixed.covariance.direct_sum import DirectSum, joined_bounds
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.scales import ParameterScale

__all__ = ["JointCovariance"]


@dataclass(frozen=True)
class JointCovariance:
    """Join the covariances of grouping factors: effects of different factors are independent."""

    factors: tuple[DirectSum, ...]

    @property
    def n_parameters(self) -> int:
        """Count the parameters of all factors."""
        return sum(factor.n_parameters for factor in self.factors)

    @property
    def lower_bounds(self) -> FloatArray | None:
        """Return the least theta of all factors, None where theta is free."""
        parts = [factor.lower_bounds for factor in self.factors]
        return joined_bounds(parts, [factor.n_parameters for factor in self.factors])

    def of_factors(self, positions: Sequence[int]) -> JointCovariance:
        """Return the covariance of some of the factors only."""
        return JointCovariance(tuple(self.factors[i] for i in positions))

    def split(self, theta: FloatArray) -> list[FloatArray]:
        """Return each factor's part of theta."""
        if len(self.factors) == 1:
            return [theta]
        ends = np.cumsum([factor.n_parameters for factor in self.factors])[:-1]
        return np.split(theta, ends) if self.factors else []

    def relative_factors(self, theta: FloatArray) -> list[FloatArray]:
        """Return Lambda of each grouping factor."""
        return [
            factor.factor(part)
            for factor, part in zip(self.factors, self.split(theta), strict=True)
        ]

    def parameters(self, roots: list[FloatArray]) -> FloatArray:
        """Return the theta nearest to the covariances root root', factor by factor."""
        parts = [factor.parameters(root) for factor, root in zip(self.factors, roots, strict=True)]
        return np.concatenate(parts) if parts else np.empty(0)

    def led_by_largest(self, roots: list[FloatArray]) -> JointCovariance:
        """Return the same covariances, with triangles that begin with the largest variance."""
        return JointCovariance(
            tuple(
                factor.led_by_largest(root)
                for factor, root in zip(self.factors, roots, strict=True)
            )
        )

    def parametrised_by(
        self,
        parameter: NaturalParameter,
        position: int,
        term: int,
        directions: FloatArray,
        root: FloatArray,
    ) -> tuple[JointCovariance, int, ParameterScale]:
        """Make a natural parameter of one term of the factor at a position an entry of theta."""
        factors = list(self.factors)
        before = sum(factor.n_parameters for factor in factors[:position])
        factors[position], held, scale = factors[position].parametrised_by(
            parameter, term, directions, root
        )
        return JointCovariance(tuple(factors)), before + held, scale

    def near(self, theta: FloatArray) -> JointCovariance:
        """Return the same covariances, with a parameter that is held in the best way near theta."""
        parts = zip(self.factors, self.split(theta), strict=True)
        return JointCovariance(tuple(factor.near(part) for factor, part in parts))
