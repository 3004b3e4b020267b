"""The covariance of the random effects given the data, from a factorisation of M."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.errors import BlockedErrors, ConditionalErrors, Part, Stage
from skmixed.likelihood.penalised_factor import PenalisedFactor
from skmixed.likelihood.probed_complement import ProbedComplement
from skmixed.likelihood.probed_errors import probed_errors
from skmixed.likelihood.schur_complement import DenseComplement
from skmixed.likelihood.stages import solved_transposed

__all__ = ["PenalisedErrors", "errors_given_data"]

FloatArray = NDArray[np.float64]


def errors_given_data(system: PenalisedFactor, factors: Sequence[FloatArray]) -> ConditionalErrors:
    """Return the covariance of the effects of all factors, as far as the factorisation knows it.

    Parameters
    ----------
    factors : sequence of ndarray of shape (k, k)
        Lambda of each grouping factor.
    """
    if isinstance(system.schur, ProbedComplement):
        return probed_errors(system, system.schur, factors)
    return PenalisedErrors.of(system, factors)


@dataclass(frozen=True, slots=True, eq=False)
class PenalisedErrors:
    """Hold the covariance D = Lambda M^-1 Lambda' of the effects of all factors.

    Attributes
    ----------
    spherical : BlockedErrors
        Of the spherical effects u, with b = Lambda u.
    factors : list of ndarray of shape (k, k)
        Lambda of each grouping factor.
    """

    spherical: BlockedErrors
    factors: list[FloatArray]

    @classmethod
    def of(cls, system: PenalisedFactor, factors: Sequence[FloatArray]) -> PenalisedErrors:
        """Take from an exact factorisation what does not grow with the rows."""
        schur = system.schur
        assert isinstance(schur, DenseComplement)
        elimination = system.elimination
        place = {factor: s for s, factor in enumerate(elimination.chain)}
        stages = []
        for stage in system.stages:
            root = stage.inverse_root.transpose(2, 0, 1)
            links = {
                place[t]: (stage.parents[t], solved_transposed(stage.L, C).swapaxes(0, 1))
                for t, C in stage.linked.items()
            }
            stages.append(Stage(root, links, sparse.csr_array(stage.moved)))
        dense = np.asarray(np.linalg.solve(schur.lower, np.eye(len(schur.lower))), np.float64)
        shapes = tuple(elimination.shapes)
        order = (*elimination.chain, *elimination.others)
        return cls(BlockedErrors(stages, dense, shapes, order), list(factors))

    @property
    def width(self) -> int:
        """Count the rows of the roots that are dense."""
        return len(self.factors[0]) if self._single else self.spherical.width

    @property
    def _single(self) -> bool:
        """Tell whether there is one factor only."""
        return len(self.factors) == 1

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, for each factor: (n_levels, k, k)."""
        if not self.factors:
            return []
        if self._single:
            root = self.spherical.stages[0].root @ self.factors[0].T
            return [np.swapaxes(root, 1, 2) @ root]
        return [
            L @ own @ L.T for L, own in zip(self.factors, self.spherical.covariances(), strict=True)
        ]

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return roots of Z D Z' for some rows, as ``ConditionalErrors``."""
        if not Z:
            return []
        turned = [L.T @ one for L, one in zip(self.factors, Z, strict=True)]
        if self._single:
            root = self.spherical.stages[0].root[codes[0]]
            return [(np.einsum("nlk,kn->ln", root, turned[0]), codes[0])]
        return self.spherical.parts(turned, codes)

    def draws(self, n: int, rng: np.random.Generator) -> list[FloatArray]:
        """Draw normal errors with covariance D, of all factors together."""
        if not self.factors:
            return []
        drawn = self.spherical.draws(n, rng)
        return [own @ L.T for L, own in zip(self.factors, drawn, strict=True)]
