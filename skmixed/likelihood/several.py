"""What kernels of several factors learn from each factor alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.joined import alone
from skmixed.likelihood.single_factor import SingleFactorKernel

__all__ = ["SeveralFactors"]

FloatArray = NDArray[np.float64]


class SeveralFactors:
    """Answer for each factor as if it were the only one.

    Parameters
    ----------
    products : CrossProducts
        With the largest factor first.
    """

    def __init__(self, products: CrossProducts) -> None:
        self._single = [
            SingleFactorKernel(alone(products, j)) for j in range(len(products.factors))
        ]

    @property
    def varies(self) -> list[NDArray[np.bool_]]:
        """Tell for each factor which effects vary within any of its levels."""
        return [varies for kernel in self._single for varies in kernel.varies]

    @property
    def n_spanned_levels(self) -> list[int]:
        """Count for each factor the levels in which all its effects vary."""
        return [n for kernel in self._single for n in kernel.n_spanned_levels]

    def refine(
        self, Z: Sequence[FloatArray], A: FloatArray, codes: Sequence[NDArray[np.intp]]
    ) -> FloatArray | None:
        """Return None: with several factors no part of V is free of theta."""
        return None

    @property
    def within_levels(self) -> tuple[float, float]:
        """Return the variation of y within the largest factor's levels, and its degrees."""
        return self._single[0].within_levels

    def second_moments(self, sigma2: float) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Return the moments of each factor as if it were the only one."""
        return [moments for kernel in self._single for moments in kernel.second_moments(sigma2)]
