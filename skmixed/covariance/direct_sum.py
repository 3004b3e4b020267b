"""The covariance of a whole grouping factor: its terms' structures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance.base import CovarianceStructure, FloatArray
from skmixed.covariance.effect_parameters import linked_effects, natural_parameters
from skmixed.covariance.leading import LeadingEffect
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.parametrisation import HeldParameter, parametrised_by
from skmixed.covariance.scales import ParameterScale

__all__ = ["DirectSum", "joined_bounds"]


@dataclass(frozen=True)
class DirectSum:
    """Join the structures of the terms of one grouping factor into one block-diagonal Lambda.

    Effects of different terms are uncorrelated, as in ``(1 | g) + (0 + x | g)``.

    Parameters
    ----------
    structures : tuple of CovarianceStructure
        One for each term.
    sizes : tuple of int
        Number of effects of each term.
    """

    structures: tuple[CovarianceStructure, ...]
    sizes: tuple[int, ...]

    @property
    def n_effects(self) -> int:
        """Count the effects of all terms."""
        return sum(self.sizes)

    @property
    def n_parameters(self) -> int:
        """Count the parameters of all terms."""
        return sum(self._lengths)

    @property
    def _lengths(self) -> list[int]:
        """Return the number of parameters of each term."""
        return [s.n_parameters(k) for s, k in zip(self.structures, self.sizes, strict=True)]

    @property
    def lower_bounds(self) -> FloatArray | None:
        """Return the least theta of all terms, None where theta is free."""
        parts = [s.lower_bounds(k) for s, k in zip(self.structures, self.sizes, strict=True)]
        return joined_bounds(parts, self._lengths)

    def split_parameters(self, theta: FloatArray) -> list[FloatArray]:
        """Return each term's part of theta."""
        return [theta[own] for own in self.parameter_slices]

    @property
    def parameter_slices(self) -> list[slice]:
        """Return each term's parameters among all parameters."""
        return _consecutive(self._lengths)

    @property
    def effect_slices(self) -> list[slice]:
        """Return each term's effects among all effects."""
        return _consecutive(self.sizes)

    def factor(self, theta: FloatArray) -> FloatArray:
        """Return Lambda of all effects."""
        if len(self.sizes) == 1:
            return self.structures[0].factor(theta, self.sizes[0])
        factor = np.zeros((self.n_effects, self.n_effects))
        for structure, k, own, effects in self._terms():
            factor[effects, effects] = structure.factor(theta[own], k)
        return factor

    def factor_derivative(self, theta: FloatArray) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""
        if len(self.sizes) == 1:
            return self.structures[0].factor_derivative(theta, self.sizes[0])
        derivative = np.zeros((len(theta), self.n_effects, self.n_effects))
        for structure, k, own, effects in self._terms():
            derivative[own, effects, effects] = structure.factor_derivative(theta[own], k)
        return derivative

    def covariance_derivative(self, theta: FloatArray) -> FloatArray:
        """Return the derivatives of Psi = Lambda Lambda', (n_parameters, n_effects, n_effects)."""
        half = self.factor_derivative(theta) @ self.factor(theta).T
        return half + half.swapaxes(1, 2)

    def factor_second_derivative(self, theta: FloatArray) -> FloatArray | None:
        """Return the second derivatives of Lambda, None where it is linear in theta."""
        if len(self.sizes) == 1:
            return self.structures[0].factor_second_derivative(theta, self.sizes[0])
        terms = self._terms()
        parts = [one.factor_second_derivative(theta[own], k) for one, k, own, _ in terms]
        if all(part is None for part in parts):
            return None
        whole = np.zeros((len(theta), len(theta), self.n_effects, self.n_effects))
        for (_, _, own, effects), second in zip(terms, parts, strict=True):
            if second is not None:
                whole[own, own, effects, effects] = second
        return whole

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the theta nearest to the covariance root root', term by term."""
        parts = [
            structure.parameters(root[effects])
            for structure, effects in zip(self.structures, self.effect_slices, strict=True)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def natural_parameters(self, directions: FloatArray) -> list[tuple[NaturalParameter, ...]]:
        """List the natural parameters of each term.

        ``directions`` of shape (n_effects, n_effects): row i says what the user's effect i is of
        the effects that Lambda belongs to.
        """
        return [
            natural_parameters(structure, directions[effects, effects])
            for structure, effects in zip(self.structures, self.effect_slices, strict=True)
        ]

    def parametrised_by(
        self, parameter: NaturalParameter, term: int, directions: FloatArray, root: FloatArray
    ) -> tuple[DirectSum, int, ParameterScale]:
        """Make a natural parameter of one term an entry of theta.

        ``directions`` and ``root`` of shape (n_effects, n_effects): as in ``natural_parameters``,
        and a root of the covariance that one starts from.
        """
        effects, structures = self.effect_slices[term], list(self.structures)
        structures[term], held, scale = parametrised_by(
            structures[term], parameter, directions[effects, effects], root[effects, effects]
        )
        covariance = DirectSum(tuple(structures), self.sizes)
        return covariance, covariance.parameter_slices[term].start + held, scale

    def near(self, theta: FloatArray) -> DirectSum:
        """Return the same covariances, with a parameter that is held in the best way near theta."""
        if not any(isinstance(one, HeldParameter) for one in self.structures):
            return self
        structures = tuple(
            one.near(theta[own]) if isinstance(one, HeldParameter) else one
            for one, own in zip(self.structures, self.parameter_slices, strict=True)
        )
        return DirectSum(structures, self.sizes)

    @property
    def linked_effects(self) -> NDArray[np.bool_]:
        """Tell which effects may be correlated, shape (n_effects, n_effects)."""
        linked = np.zeros((self.n_effects, self.n_effects), dtype=bool)
        for structure, k, _, effects in self._terms():
            linked[effects, effects] = linked_effects(structure, k)
        return linked

    def led_by_largest(self, root: FloatArray) -> DirectSum:
        """Return the same covariances, with triangles that begin with the largest variance.

        ``root`` of shape (n_effects, n_effects): near the covariance root root'.
        """
        variances = np.sum(root**2, axis=1)
        structures = []
        for structure, effects in zip(self.structures, self.effect_slices, strict=True):
            order = np.argsort(-variances[effects], kind="stable").tolist()
            free = structure.invariance == "linear"
            structures.append(LeadingEffect.in_order(order) if free else structure)
        return DirectSum(tuple(structures), self.sizes)

    def _terms(self) -> list[tuple[CovarianceStructure, int, slice, slice]]:
        """Return structure, number of effects, parameters and effects of each term."""
        parts = self.structures, self.sizes, self.parameter_slices, self.effect_slices
        return list(zip(*parts, strict=True))


def joined_bounds(parts: Sequence[FloatArray | None], lengths: Sequence[int]) -> FloatArray | None:
    """Return lower bounds one after the other, None where there is none at all."""
    if all(part is None for part in parts):
        return None
    return np.concatenate(
        [
            np.full(length, -np.inf) if part is None else part
            for part, length in zip(parts, lengths, strict=True)
        ]
    )


def _consecutive(lengths: Sequence[int]) -> list[slice]:
    """Return slices of some lengths, one after the other."""
    return [slice(end - n, end) for end, n in zip(accumulate(lengths), lengths, strict=True)]
