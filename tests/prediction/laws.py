"""Averages over a normal predictor by brute force."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# 2**-7 of a standard deviation: sums over it are exact for functions that change over 0.1 of one.
STEP = 1.0 / 128.0
Z = np.arange(-38.0, 38.0, STEP)
DENSITY = np.exp(-0.5 * Z * Z) / np.sqrt(2.0 * np.pi) * STEP

SPREADS = (0.0, 1e-6, 0.3, 1.0, 3.0, 10.0)
CENTRES = (-30.0, -4.0, 0.0, 1.3, 30.0)


def grid(
    centres: tuple[float, ...] = CENTRES, spreads: tuple[float, ...] = SPREADS
) -> tuple[FloatArray, FloatArray]:
    """Return every mean with every standard deviation."""
    mean, spread = np.meshgrid(centres, spreads)
    return mean.ravel(), spread.ravel()


def average(
    function: Callable[[FloatArray], FloatArray], mean: FloatArray, spread: FloatArray
) -> FloatArray:
    """Return E[function(eta)] for each row; the function takes eta of shape (m,)."""
    with np.errstate(all="ignore"):
        return np.array(
            [
                function(np.array([m]))[0] if s == 0.0 else DENSITY @ function(m + s * Z)
                for m, s in zip(mean, spread, strict=True)
            ]
        )
