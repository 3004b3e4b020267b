"""What a kernel must offer: everything about V that the objective asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.errors import ConditionalErrors

__all__ = ["Kernel", "ScoreTensors"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTensors:
    """Hold the derivatives of the objective in Psi = Lambda Lambda' of each grouping factor."""

    gradients: list[FloatArray]  # G of each factor: d objective = sum tr(G dPsi).
    hessian: FloatArray  # Quadratic form in the dPsi of all factors, raveled and joined.
    replicates: list[FloatArray] | None = None  # Independent estimates; None if exact.
    log_determinant_error: float = 0.0  # Monte-Carlo standard error of log|V|.


class Kernel(Protocol):
    """Evaluate V = W^-1 + Z Psi Z' through cross-products, for one arrangement of factors.

    An evaluation has ``log_determinant``, log|V| + log|W|, and ``reduced``, [X y]'V^-1 [X y]; what
    else it holds is the kernel's own.
    """

    @property
    def varies(self) -> list[NDArray[np.bool_]]:
        """Tell for each factor and effect whether it varies within any level."""
        ...

    @property
    def n_spanned_levels(self) -> list[int]:
        """Count for each factor the levels in which all its effects vary."""
        ...

    @property
    def within_levels(self) -> tuple[float, float]:
        """Return the variation of y within the largest factor's levels, and its degrees."""
        ...

    def refine(
        self, Z: Sequence[FloatArray], A: FloatArray, codes: Sequence[NDArray[np.intp]]
    ) -> FloatArray | None:
        """Return `CrossProducts.within` from the rows, None where the sums are good."""
        ...

    def second_moments(self, sigma2: float) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Return for each factor what a moment estimate of its covariance needs."""
        ...

    def whiten(self, factors: Sequence[FloatArray]) -> Any:
        """Evaluate the kernel at the relative covariance factor of each grouping factor."""
        ...

    def projected(self, at: Any, columns: FloatArray) -> list[FloatArray]:
        """Return Z'V^-1 [X y] columns' of each factor, each of shape (n_mixed, k, n_levels)."""
        ...

    def errors(self, at: Any, factors: Sequence[FloatArray]) -> ConditionalErrors:
        """Return the covariance of the effects given the data and beta."""
        ...

    def score_tensors(
        self, at: Any, mixing: FloatArray, *, reml: int, nu: float, precision: float
    ) -> ScoreTensors:
        """Return the derivatives of the profiled objective in each Psi."""
        ...
