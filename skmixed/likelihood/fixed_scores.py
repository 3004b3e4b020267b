"""What the fixed effects leave in the random ones, in the linear model of the modes' last step.

With V = W^-1 + Z Psi Z', an error d of the coefficients moves the modes by -Psi Z'V^-1 X d.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.modes import Modes

__all__ = ["fixed_scores"]

FloatArray = NDArray[np.float64]


def fixed_scores(X: FloatArray, rows: EffectRows, modes: Modes) -> list[FloatArray]:
    """Return Z'V^-1 X of each level of each factor, (n_coefficients, k, n_levels).

    Parameters
    ----------
    X : ndarray of shape (n_coefficients, n)
    rows : EffectRows
    modes : Modes
    """
    n = len(modes.eta)
    weighted = X * -modes.rows.second
    of_X = rows.columns_to_levels(weighted)
    right = [np.einsum("ab,mag->mbg", L, one) for L, one in zip(modes.factors, of_X, strict=True)]
    solved = modes.system.solve(right)
    for j in range(len(weighted)):
        b = [L @ one[j] for L, one in zip(modes.factors, solved, strict=True)]
        moved = rows.to_levels(-modes.rows.second * rows.to_rows(b, n))
        for one, change in zip(of_X, moved, strict=True):
            one[j] -= change
    return of_X
