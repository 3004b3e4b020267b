"""Scales on which parameters are nearly normal, or their likelihood smooth up to its bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

__all__ = [
    "RIGHT_ANGLE",
    "Angle",
    "Between",
    "EqualAngle",
    "FisherZ",
    "Linear",
    "Logarithm",
    "NormalScale",
    "ParameterScale",
]

FloatArray = NDArray[np.float64]

RIGHT_ANGLE = 0.5 * math.pi


class ParameterScale(Protocol):
    """Map internal values to the user's, increasing.

    ``lower`` and ``upper``: bounds of the internal value.
    """

    @property
    def lower(self) -> float:
        """Return the least internal value."""

    @property
    def upper(self) -> float:
        """Return the largest internal value."""

    def to_user(self, internal: FloatArray) -> FloatArray:
        """Return the values in the user's units."""

    def to_internal(self, values: FloatArray) -> FloatArray:
        """Return the internal values, those out of bounds at the bound."""

    def derivative(self, internal: FloatArray) -> FloatArray:
        """Return the derivative of the user's value in the internal one."""


class NormalScale(ParameterScale, Protocol):
    """A scale on which estimates are nearly normal.

    ``closed``: one that reaches the bounds of the parameter, along which the likelihood is smooth
    there.
    """

    @property
    def closed(self) -> ParameterScale:
        """Return the scale that reaches the bounds."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Multiply by a unit and add a shift: coefficients and standard deviations."""

    unit: float
    shift: float = 0.0
    lower: float = -math.inf
    upper: float = math.inf

    def to_user(self, internal: FloatArray) -> FloatArray:
        """Return unit * internal + shift."""
        return self.unit * np.asarray(internal) + self.shift

    def to_internal(self, values: FloatArray) -> FloatArray:
        """Return (values - shift) / unit."""
        internal = (np.asarray(values, dtype=np.float64) - self.shift) / self.unit
        return np.clip(internal, self.lower, self.upper)

    def derivative(self, internal: FloatArray) -> FloatArray:
        """Return the unit."""
        return np.full_like(internal, self.unit, dtype=np.float64)

    @property
    def closed(self) -> Linear:
        """Return this scale."""
        return self


@dataclass(frozen=True, slots=True)
class Logarithm:
    """Exponentiate: sigma and other standard deviations. The lower bound stands for 0."""

    unit: float = 1.0
    lower: float = -math.inf
    upper: float = math.inf

    def to_user(self, internal: FloatArray) -> FloatArray:
        """Return unit * exp(internal), 0 at the lower bound."""
        values = self.unit * np.exp(internal)
        return np.where(np.asarray(internal) <= self.lower, 0.0, values)

    def to_internal(self, values: FloatArray) -> FloatArray:
        """Return log(values / unit)."""
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(np.maximum(values, 0.0) / self.unit), self.lower)

    def derivative(self, internal: FloatArray) -> FloatArray:
        """Return unit * exp(internal)."""
        return np.asarray(self.unit * np.exp(internal))

    @property
    def closed(self) -> Linear:
        """Return the standard deviation itself: the likelihood is an even function of it."""
        return Linear(self.unit, lower=0.0)


@dataclass(frozen=True, slots=True)
class FisherZ:
    """Take the hyperbolic tangent: correlations."""

    lower: float = -math.inf
    upper: float = math.inf

    def to_user(self, internal: FloatArray) -> FloatArray:
        """Return tanh(internal)."""
        return np.tanh(internal)

    def to_internal(self, values: FloatArray) -> FloatArray:
        """Return artanh(values)."""
        with np.errstate(divide="ignore"):
            return np.arctanh(np.clip(values, -1.0, 1.0))

    def derivative(self, internal: FloatArray) -> FloatArray:
        """Return 1 - tanh(internal)^2."""
        return np.asarray(1.0 - np.tanh(internal) ** 2)

    @property
    def closed(self) -> Angle:
        """Return the angle whose sine is the correlation."""
        return Angle()


@dataclass(frozen=True, slots=True)
class Between:
    """Take the logistic function between two bounds: the log of the ratio of the distances."""

    least: float = 0.0
    most: float = 1.0
    lower: float = -math.inf
    upper: float = math.inf

    def to_user(self, internal: FloatArray) -> FloatArray:
        """Return least + (most - least) / (1 + exp(-internal))."""
        return np.asarray(self.least + (self.most - self.least) * expit(internal))

    def to_internal(self, values: FloatArray) -> FloatArray:
        """Return log((values - least) / (most - values))."""
        part = (np.asarray(values) - self.least) / (self.most - self.least)
        return np.asarray(logit(np.clip(part, 0.0, 1.0)))

    def derivative(self, internal: FloatArray) -> FloatArray:
        """Return the width times the density of the logistic distribution."""
        return np.asarray((self.most - self.least) * expit(internal) * expit(-np.asarray(internal)))

    @property
    def closed(self) -> Linear:
        """Return the value itself."""
        return Linear(1.0, lower=self.least, upper=self.most)


@dataclass(frozen=True, slots=True)
class Angle:
    """Take the sine: correlations of any two effects."""

    lower: float = -RIGHT_ANGLE
    upper: float = RIGHT_ANGLE

    def to_user(self, internal: FloatArray) -> FloatArray:
        """Return sin(internal)."""
        return np.sin(internal)

    def to_internal(self, values: FloatArray) -> FloatArray:
        """Return arcsin(values)."""
        return np.arcsin(np.clip(values, -1.0, 1.0))

    def derivative(self, internal: FloatArray) -> FloatArray:
        """Return cos(internal)."""
        return np.cos(internal)


@dataclass(frozen=True, slots=True)
class EqualAngle:
    """Return the common correlation of k effects, 1 - k / (k - 1) cos^2."""

    k: int
    lower: float = 0.0
    upper: float = RIGHT_ANGLE

    def to_user(self, internal: FloatArray) -> FloatArray:
        """Return the correlation of an angle."""
        return np.asarray(1.0 - self.k / (self.k - 1) * np.cos(internal) ** 2)

    def to_internal(self, values: FloatArray) -> FloatArray:
        """Return the angle of a correlation."""
        part = (1.0 - np.asarray(values)) * (self.k - 1) / self.k
        return np.arccos(np.sqrt(np.clip(part, 0.0, 1.0)))

    def derivative(self, internal: FloatArray) -> FloatArray:
        """Return the derivative of the correlation in the angle."""
        return np.asarray(self.k / (self.k - 1) * np.sin(2.0 * np.asarray(internal)))
