"""The random effects of a finished fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skmixed import mixedlm
from skmixed.datasets import load_sleepstudy


@dataclass(frozen=True)
class Known:
    """Errors of which the covariance is given."""

    D: np.ndarray

    def covariances(self):
        return [self.D]


def test_variances_far_from_the_origin_are_not_below_0():
    """Given the data, intercept and slope err together so that at the origin nothing is left."""
    results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    (effects,) = results.fit.random
    matrix = effects.coordinates.matrix
    nothing = np.array([-matrix[0, 1], matrix[0, 0]])
    sizes = np.random.default_rng(0).uniform(0.1, 10.0, size=len(effects.levels))
    D = sizes[:, None, None] * np.multiply.outer(nothing, nothing)
    moved = replace(effects, errors=Known(D))
    assert (np.diagonal(moved.conditional_covariance, axis1=1, axis2=2) >= 0.0).all()
