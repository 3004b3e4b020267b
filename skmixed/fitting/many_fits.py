"""Many responses to one design: as the likelihood takes them, and their estimates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.standardise import Coordinates, take_least_squares

__all__ = ["ManyFits", "WorkingResponses", "working_responses"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ManyFits:
    """Hold the estimates of m responses in the user's units, those of working ones standardised.

    A response that has not converged needs a fit of its own.
    """

    coefficients: FloatArray
    sigma: FloatArray
    log_likelihood: FloatArray
    standardised_factors: list[FloatArray]  # (m, k, k) of each estimable factor.
    converged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class WorkingResponses:
    """Hold m responses as the likelihood takes them: whitened residuals over their size.

    The scale of a response that X explains exactly is NaN.
    """

    shift: FloatArray  # Least-squares coefficients, standardised columns.
    scale: FloatArray
    y: FloatArray

    def in_units(
        self, fits: ManyFits, coordinates: Coordinates, *, nu: float, reml: bool
    ) -> ManyFits:
        """Carry fits of the working responses over to the user's units."""
        fixed, scale = coordinates.fixed, self.scale
        constant = nu * np.log(scale) - reml * fixed.log_volume
        log_likelihood = fits.log_likelihood - constant
        return replace(
            fits,
            coefficients=(self.shift + scale[:, None] * fits.coefficients) @ fixed.matrix.T,
            sigma=fits.sigma * scale * np.sqrt(coordinates.weight_scale),
            log_likelihood=log_likelihood,
            converged=fits.converged & np.isfinite(log_likelihood),
        )


def working_responses(rows: WhitenedRows, responses: FloatArray) -> WorkingResponses:
    """Take what least squares explain from each response, (m, n), and its size."""
    design = rows.plain.design
    y = responses.copy() if design.offset is None else responses - design.offset
    y = rows.plain.weighting.apply(y)
    shift, scale = take_least_squares(y, rows.A[:-1], design.weights.group_counts)
    return WorkingResponses(shift, scale, y)
