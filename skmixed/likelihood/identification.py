"""Which variances the rows tell apart: the rank of the map from the variances to V.

V = sigma^2 W^-1 + sum Z G Z' is linear in the residual variance and in the covariances G of the
effects. A structure allows the changes of G that are derivatives of Psi, at any interior point. If
one of them, or one with sigma^2, leaves the variances of all error contrasts as they are, the
restricted likelihood is flat along it whatever y is: the design cannot tell these variances apart.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from skmixed.covariance import DirectSum, JointCovariance
from skmixed.likelihood.contrast_gram import ContrastGram, IndependentColumns
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.kernel import Kernel

__all__ = [
    "NO_PART",
    "UnidentifiedDirection",
    "undetermined_factors",
    "unidentified_directions",
]

FloatArray = NDArray[np.float64]

# A change of V whose square is below this part of that of its terms is rounding.
FLAT = 1e-10
# What changes V by less has no part in a direction.
NO_PART = 1e-5
# Correlation of the effects at a point that is special to no structure.
GENERIC = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class UnidentifiedDirection:
    """Hold a change of the variances that the error contrasts do not see.

    Its lengths are those of the changes of V that sigma^2 and each factor cause; their squares sum
    to 1. ``through_fixed`` tells whether it is the fixed effects that hide a change of V.
    """

    residual: float
    lengths: list[float]
    effects: list[FloatArray]  # Change of each factor's covariance, standardised columns.
    through_fixed: bool

    def within(self, factors: Collection[int]) -> bool:
        """Tell whether sigma^2 and other factors have no part in it."""
        outside = [length for i, length in enumerate(self.lengths) if i not in factors]
        return max([self.residual, *outside]) <= NO_PART


def unidentified_directions(
    products: CrossProducts, covariance: JointCovariance, kernel: Kernel
) -> list[UnidentifiedDirection]:
    """Return independent changes of the variances that the error contrasts do not see."""
    if not products.factors or _each_level_tells(products, kernel):
        return []
    gram = ContrastGram(products)
    changes = [_allowed(*pair) for pair in zip(covariance.factors, gram.factors, strict=True)]
    lengths = [one.lengths for one in gram.factors]
    unit = 1.0 / np.sqrt(products.n_rows)
    pull = block_diag(
        unit, *(c.relative / typical for c, (typical, _) in zip(changes, lengths, strict=True))
    )
    of_rows = pull @ gram.over_rows() @ pull.T
    spectral = unit**2 + sum(
        len(c.relative) * (largest / typical) ** 2
        for c, (typical, largest) in zip(changes, lengths, strict=True)
    )
    # |M D M|^2 >= |D|^2 - 2 p |D|^2 in the spectral norm: X hides little of what many levels have.
    if np.linalg.eigvalsh(of_rows)[0] - 2.0 * gram.n_coefficients * spectral > FLAT:
        return []
    of_contrasts = of_rows - pull @ gram.hidden() @ pull.T
    squares, axes = np.linalg.eigh(0.5 * (of_contrasts + of_contrasts.T))
    typical = [length for length, _ in lengths]
    return [
        _direction(axis, changes, typical, through_fixed=bool(axis @ of_rows @ axis > FLAT))
        for axis in axes[:, squares < FLAT].T
    ]


def undetermined_factors(
    directions: Sequence[UnidentifiedDirection], covariance: JointCovariance
) -> list[int]:
    """Return the factors of which the error contrasts see nothing, whatever their covariance."""
    return [
        i
        for i, factor in enumerate(covariance.factors)
        if sum(direction.within([i]) for direction in directions) == factor.n_parameters
    ]


def _each_level_tells(products: CrossProducts, kernel: Kernel) -> bool:
    """Tell by counting that one factor is identified, as it is in most models.

    A level whose effects all vary shows every change E as one of rank 1 or more; X hides changes of
    a rank up to 2 p. sigma^2 shows in what the effects leave of the rows, if that exceeds X.
    """
    if len(products.factors) > 1:
        return False
    p = len(products.AtWA) - 1
    return kernel.n_spanned_levels[0] > 2 * p and kernel.within_levels[1] > p


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """Hold the changes of a factor's covariance that its structure allows, (m, k, k) and (m, k^2).

    The relative ones are raveled, of length 1 each, for the independent columns.
    """

    standardised: FloatArray
    relative: FloatArray


def _allowed(covariance: DirectSum, columns: IndependentColumns) -> _Changes:
    """Return the changes at a point that is special to no structure."""
    k = covariance.n_effects
    spread = np.linalg.cholesky((1.0 - GENERIC) * np.eye(k) + GENERIC)
    # A structure that ties effects to each other is not to be mixed by a change of the columns.
    sizes = np.linspace(1.0, 2.0, k) / np.linalg.norm(columns.root, axis=1)
    theta = covariance.parameters(sizes[:, None] * spread)
    steps = covariance.covariance_derivative(theta)
    relative = (columns.root.T @ steps @ columns.root).reshape(len(steps), k * k)
    lengths = np.sqrt(np.sum(relative**2, axis=1))
    return _Changes(steps / lengths[:, None, None], relative / lengths[:, None])


def _direction(
    axis: FloatArray, changes: list[_Changes], typical: list[float], *, through_fixed: bool
) -> UnidentifiedDirection:
    """Carry coefficients of the changes over to the covariances."""
    ends = np.cumsum([1, *(len(one.relative) for one in changes)])
    parts = np.split(axis, ends[:-1])[1:]
    return UnidentifiedDirection(
        residual=abs(float(axis[0])),
        lengths=[float(np.linalg.norm(part)) for part in parts],
        effects=[
            np.tensordot(part / length, one.standardised, axes=1)
            for part, one, length in zip(parts, changes, typical, strict=True)
        ],
        through_fixed=through_fixed,
    )
