"""Covariance structures as users write them, of what ``CovarianceStructure`` lists alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skmixed.covariance import NaturalParameter, ParameterValue
from skmixed.covariance.effect_parameters import deviation
from skmixed.covariance.scales import Logarithm

TINY_STEP, STEP = 1e-30, 1e-6


class Differentiated:
    """Differentiate ``factor`` by complex steps."""

    invariance: ClassVar[str] = "scalar"

    def lower_bounds(self, n_effects):
        return None

    def factor_derivative(self, theta, n_effects):
        steps = TINY_STEP * 1j * np.eye(len(theta))
        return np.array([self.factor(theta + s, n_effects).imag / TINY_STEP for s in steps])

    def factor_second_derivative(self, theta, n_effects):
        up, down = (
            [
                self.factor_derivative(theta + s * step, n_effects)
                for step in STEP * np.eye(len(theta))
            ]
            for s in (1.0, -1.0)
        )
        return (np.array(up) - np.array(down)) / (2.0 * STEP)


@dataclass(frozen=True)
class Toeplitz(Differentiated):
    """Give three ordered effects one variance, and a correlation for each distance.

    theta is the standard deviation, and the angles of the partial correlations.
    """

    def n_parameters(self, n_effects):
        return n_effects

    def factor(self, theta, n_effects):
        assert n_effects == 3
        size, one, two = theta
        r, p, c = np.sin(one), np.sin(two), np.cos(one)
        far = r**2 + c**2 * p
        return size * np.array(
            [[1.0, 0.0, 0.0], [r, c, 0.0], [far, r * c * (1.0 - p), c * np.cos(two)]]
        )

    def parameters(self, root):
        size = np.sqrt(np.sum(root**2) / 3.0)
        if size == 0.0:
            return np.zeros(3)
        unit = root / size
        near = np.clip(0.5 * np.sum(unit[1:] * unit[:-1]), -1.0, 1.0)
        partial = (unit[0] @ unit[2] - near**2) / max(1.0 - near**2, 1e-12)
        return np.array([size, np.arcsin(near), np.arcsin(np.clip(partial, -1.0, 1.0))])


@dataclass(frozen=True)
class Decay(Differentiated):
    """Let the correlation of effects at some places be exp(-distance / range)."""

    places: tuple[float, ...]

    def n_parameters(self, n_effects):
        return 2

    def factor(self, theta, n_effects):
        distance = np.abs(np.subtract.outer(self.places, self.places))
        R, L = np.exp(-distance * np.exp(-theta[1])), np.zeros((n_effects, n_effects), complex)
        for j in range(n_effects):
            L[j, j] = np.sqrt(R[j, j] - L[j, :j] @ L[j, :j])
            L[j + 1 :, j] = (R[j + 1 :, j] - L[j + 1 :, :j] @ L[j, :j]) / L[j, j]
        factor = theta[0] * L
        return factor if np.iscomplexobj(theta) else factor.real

    def parameters(self, root):
        size = np.sqrt(np.sum(root**2) / len(root))
        cosine = np.clip(root[0] @ root[1] / size**2, 1e-8, 1.0 - 1e-8) if size else 0.5
        return np.array([size, np.log((self.places[1] - self.places[0]) / -np.log(cosine))])

    def natural_parameters(self, directions):
        at = NaturalParameter("range", _range, Logarithm(), r"\ell")
        return [deviation(self, directions, range(len(directions))), at]


def _range(theta):
    return ParameterValue(float(np.exp(theta[1])), np.array([0.0, np.exp(theta[1])]))


@dataclass(frozen=True)
class Plain:
    """Offer the least of another structure."""

    other: object

    @property
    def invariance(self):
        return self.other.invariance

    def n_parameters(self, n_effects):
        return self.other.n_parameters(n_effects)

    def lower_bounds(self, n_effects):
        return self.other.lower_bounds(n_effects)

    def factor(self, theta, n_effects):
        return self.other.factor(theta, n_effects)

    def factor_derivative(self, theta, n_effects):
        return self.other.factor_derivative(theta, n_effects)

    def factor_second_derivative(self, theta, n_effects):
        return self.other.factor_second_derivative(theta, n_effects)

    def parameters(self, root):
        return self.other.parameters(root)
