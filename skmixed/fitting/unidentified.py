"""The variances that a fit cannot tell apart, by their places in the user's covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.random_effects import RandomEffects
from skmixed.likelihood.identification import NO_PART, UnidentifiedDirection
from skmixed.saving.fields import FieldState

__all__ = ["Unidentified", "unidentified_of"]

# Part of the largest change of a covariance below which an entry does not change.
NO_ENTRY = 1e-6


@dataclass(frozen=True, eq=False)
class Unidentified(FieldState):
    """Hold which variance parameters are arbitrary: others can make up for them."""

    sigma: bool  # Whether the residual variance is.
    entries: tuple[NDArray[np.bool_], ...]  # Which entries of each factor's covariance are.
    through_fixed: bool  # Whether the fixed effects hide what would tell them apart.

    @property
    def factors(self) -> list[int]:
        """Return the positions of the factors with such variances."""
        return [i for i, entries in enumerate(self.entries) if entries.any()]


def unidentified_of(
    directions: Sequence[UnidentifiedDirection], random: Sequence[RandomEffects]
) -> Unidentified | None:
    """Collect what takes part in any of some directions; None if there are none."""
    if not directions:
        return None
    entries = [np.zeros((len(one.effect_names),) * 2, dtype=bool) for one in random]
    for direction in directions:
        for i, effects in enumerate(random):
            if effects.position is not None and direction.lengths[effects.position] > NO_PART:
                entries[i] |= _changed(effects, direction.effects[effects.position])
    return Unidentified(
        any(direction.residual > NO_PART for direction in directions),
        tuple(entries),
        any(direction.through_fixed for direction in directions),
    )


def _changed(effects: RandomEffects, change: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which entries of the user's covariance a change of the standardised one changes."""
    matrix = effects.coordinates.matrix
    matrix = matrix / np.sqrt(np.sum(matrix**2, axis=1))[:, None]
    relative = np.abs(matrix @ change @ matrix.T)
    return np.asarray(relative > NO_ENTRY * relative.max())
