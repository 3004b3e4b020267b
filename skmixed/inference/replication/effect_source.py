"""The linear predictor of the fitted rows, and random effects to put into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design, RandomBlock
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects

__all__ = ["EffectBlock", "EffectSource", "effect_source"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EffectBlock:
    """Hold one grouping factor in standardised columns, its effects in units of y.

    ``turned`` is the root of the same covariance that is a lower triangle in the user's columns.
    """

    Z: FloatArray
    codes: NDArray[np.intp]
    root: FloatArray
    turned: FloatArray
    modes: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class EffectSource:
    """Hold what the linear predictor of the fitted rows is made of.

    Attributes
    ----------
    fixed : ndarray of shape (n_rows,)
        X beta and the offset.
    """

    fit: LMMFit
    fixed: FloatArray
    blocks: tuple[EffectBlock, ...]

    @property
    def modes(self) -> list[FloatArray]:
        """Return the conditional modes of each factor, (1, n_levels, k)."""
        return [block.modes[None] for block in self.blocks]

    @property
    def n_effects(self) -> int:
        """Count the effects of all factors."""
        return sum(block.modes.size for block in self.blocks)

    @property
    def variances(self) -> list[FloatArray]:
        """Return the variance that effects of new groups give each row, (n_rows,) a factor."""
        return [np.sum((block.root.T @ block.Z) ** 2, axis=0) for block in self.blocks]

    def of_normals(self, normals: FloatArray) -> list[FloatArray]:
        """Make effects of numbers of shape (m, n_effects) with the covariance of new groups."""
        ends = np.cumsum([block.modes.size for block in self.blocks])
        parts = np.split(normals, ends[:-1], axis=1)
        return [
            u.reshape(len(normals), *block.modes.shape) @ block.root.T
            for u, block in zip(parts, self.blocks, strict=False)
        ]

    def new_effects(self, m: int, rng: np.random.Generator) -> list[FloatArray]:
        """Draw effects of new groups, (m, n_levels, k) of each factor."""
        return self.of_normals(rng.standard_normal((m, self.n_effects)))

    def effects_given_data(self, m: int, rng: np.random.Generator) -> list[FloatArray]:
        """Draw effects of the fitted groups given the data, all parameters being known."""
        errors = self.fit.errors.draws(m, rng)
        return [
            block.modes[None]
            if effects.position is None
            else block.modes + self.fit.working_sigma * errors[effects.position]
            for block, effects in zip(self.blocks, self.fit.random, strict=True)
        ]

    def at(self, effects: Sequence[FloatArray]) -> FloatArray:
        """Return X beta + Z b of effects (m, n_levels, k) of each factor, (m, n_rows)."""
        m = len(effects[0]) if effects else 1
        total = np.tile(self.fixed, (m, 1))
        for b, block in zip(effects, self.blocks, strict=True):
            for j, column in enumerate(block.Z):
                total += np.take(b[:, :, j], block.codes, axis=1) * column
        return total


def effect_source(fit: LMMFit, design: Design) -> EffectSource:
    """Return what the linear predictor of the rows of a design is made of."""
    fixed = fit.working_coefficients @ fit.coordinates.fixed.transform(design.fixed)
    if design.offset is not None:
        fixed = fixed + design.offset
    blocks = tuple(
        _block(block, effects) for block, effects in zip(design.blocks, fit.random, strict=True)
    )
    return EffectSource(fit, fixed, blocks)


def _block(block: RandomBlock, effects: RandomEffects) -> EffectBlock:
    """Return what one grouping factor contributes."""
    root = effects.working_sigma * effects.standardised_factor
    rotation, _ = np.linalg.qr((effects.coordinates.matrix @ root).T)
    return EffectBlock(
        effects.coordinates.transform(block.columns),
        block.factor.codes,
        root,
        root @ rotation,
        effects.standardised_modes * effects.response_scale,
    )
