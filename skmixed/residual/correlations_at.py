"""The correlations of patterns of rows at given parameters, each with those of its arm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.correlation import Correlation
from skmixed.residual.learned import LearnedResidual

__all__ = ["CorrelationsAt"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CorrelationsAt:
    """Hold rho, and the natural parameters of the correlations there, arm by arm.

    Patterns come as positions, (n_patterns, n_rows) or with dimensions on a third axis, and arms,
    (n_patterns,).
    """

    learned: LearnedResidual
    rho: FloatArray

    @property
    def correlation(self) -> Correlation:
        """Return the structure, which there is."""
        assert self.learned.correlation is not None
        return self.learned.correlation

    @cached_property
    def of_arms(self) -> list[FloatArray]:
        """Return the part of rho of each arm."""
        return self.learned.split(self.rho)[0]

    @cached_property
    def naturals(self) -> list[FloatArray]:
        """Return the natural parameters of each arm."""
        return [self.correlation.natural(one, self.learned.axis) for one in self.of_arms]

    @cached_property
    def chains(self) -> list[FloatArray]:
        """Return their derivatives in rho, (n_natural, n_parameters) of each arm."""
        return [self.correlation.natural_derivative(one, self.learned.axis) for one in self.of_arms]

    def members(self, arms: Integers) -> Iterator[tuple[int, slice | Integers]]:
        """Yield each arm that occurs, and where it does."""
        if len(self.of_arms) == 1:
            yield 0, slice(None)
            return
        for arm in np.unique(arms):
            yield int(arm), np.flatnonzero(arms == arm)

    def matrices(self, positions: NDArray[Any], arms: Integers) -> FloatArray:
        """Return the correlations of each pattern, (n_patterns, n_rows, n_rows)."""
        m = positions.shape[1]
        found = np.empty((len(positions), m, m))
        for arm, own in self.members(arms):
            found[own] = self.correlation.correlations(self.naturals[arm], positions[own])
        return found

    def slopes(self, positions: NDArray[Any], arms: Integers) -> FloatArray:
        """Return their derivatives in the natural parameters of their arm, these first."""
        m = positions.shape[1]
        found = np.empty((len(self.naturals[0]), len(positions), m, m))
        for arm, own in self.members(arms):
            at = self.naturals[arm], positions[own]
            found[:, own] = self.correlation.correlation_derivative(*at)
        return found

    def derivatives(self, positions: NDArray[Any], arms: Integers) -> FloatArray:
        """Return their derivatives in rho, (n_rho, n_patterns, n_rows, n_rows)."""
        slopes = self.slopes(positions, arms)
        k = self.chains[0].shape[1]
        found = np.zeros((len(self.chains) * k, *slopes.shape[1:]))
        for arm, own in self.members(arms):
            chained = np.tensordot(self.chains[arm].T, slopes[:, own], axes=1)
            found[arm * k : (arm + 1) * k, own] = chained
        return found

    def contracted(
        self, parts: Iterable[tuple[Integers, FloatArray, FloatArray]]
    ) -> list[FloatArray]:
        """Return the sums of tr(net dC) in the natural parameters of each arm.

        Parameters
        ----------
        parts : iterable
            Arms of some patterns, their `slopes`, and nets of shape (n_patterns, n_rows, n_rows).
        """
        sums = [np.zeros(len(natural)) for natural in self.naturals]
        for arms, slopes, nets in parts:
            for arm, own in self.members(arms):
                net, slope = nets[own], slopes[:, own]
                sums[arm] += slope.reshape(len(slope), net.size) @ net.ravel()
        return sums

    def gradient(self, parts: Iterable[tuple[Integers, FloatArray, FloatArray]]) -> FloatArray:
        """Return the same sums in rho."""
        sums = zip(self.contracted(parts), self.chains, strict=True)
        return np.concatenate([own @ chain for own, chain in sums])
