"""Where else to start a search, if the likelihood may have several optima.

Think of one variance, lambda in units of sigma^2, and of levels whose information on the effect
is d = z'Wz. Each level adds a term to the score, of weight (d / (1 + lambda d))^2. Near 0 these
weights are d^2, and the levels with most information decide alone; far from 0 all levels count
the same. If few levels hold most of the information (one wild value in a covariate, weights over
decades, a handful of groups of unequal size), the two may disagree, and each may have an optimum
of its own. Many levels of similar information hardly can.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum, JointCovariance
from skmixed.likelihood.batched import repeated
from skmixed.likelihood.crossproducts import FactorProducts
from skmixed.likelihood.profiled import ProfiledObjective

__all__ = [
    "N_CORNERS",
    "N_STARTS",
    "corners",
    "has_corners",
    "is_lopsided",
    "lattice",
    "other_starts",
]

FloatArray = NDArray[np.float64]

# Fewer levels than FEW decide near a variance of 0 where the likelihood has several optima: 3 % of
# such samples of one variance had some, and none of 2,500 others (simulated by
# tests/calibration/several_optima.py). With several variances and a handful of levels there may be
# twice as many.
FEW, HANDFUL, SMALL = 3.0, 6.0, 10
# The same for structures that tie correlations together: those have several optima more often.
FEW_TIED = 30.0
# Levels are alike if they are at most so many times as many as decide.
ALIKE = 1.01
# Points at which the objective is looked up, and how many of the best a search starts from.
N_POINTS, N_STARTS, N_CORNERS = 64, 4, 6
# Standard deviations at these points, where 1 is what a level could just tell from 0.
LEAST, MOST = 0.3, 30.0
FAR = 300.0
# The part of these points at which an effect is absent, if the structure ties its correlations.
ABSENT = 0.2
# How many times as large effects are tried that share a variance.
LARGER = 3.0
# Correlations come from triangles with entries up to this below a diagonal of 1.
STEEPEST = 2.0
# A level without information on an effect is treated as if it had this part of the most there is.
LITTLE = 1e-6
# Part of the identity that keeps the shape of a level's information regular.
RIDGE = 0.01


def other_starts(objective: ProfiledObjective, theta: FloatArray) -> list[FloatArray]:
    """Return where else to start, an optimum being known; nowhere, if no second one is likely."""
    covariance, products = objective.covariance, objective.products.factors
    starts = []
    if is_lopsided(products):
        starts += _lowest(objective, lattice(covariance, products), N_STARTS)
        if sum(factor.ZtWZ[0].size for factor in products) >= objective.n_rows:
            # The effects can explain every row, and an optimum lie where sigma is next to 0.
            starts.append(
                covariance.parameters([FAR * np.eye(one.n_effects) for one in covariance.factors])
            )
    if has_corners(covariance, products):
        starts += _lowest(objective, corners(covariance, theta), N_CORNERS)
    return starts


def is_lopsided(products: Sequence[FactorProducts]) -> bool:
    """Tell whether few levels hold so much of the information that several optima are likely."""
    limits = [HANDFUL if _n_levels(factor) <= SMALL else FEW for factor in products]
    if not any(map(_fewer_decide, products, limits)):
        return False
    # One factor has a single optimum if its levels are alike.
    return len(products) > 1 or _fewer_decide(products[0], _n_levels(products[0]) / ALIKE)


def has_corners(covariance: JointCovariance, products: Sequence[FactorProducts]) -> bool:
    """Tell whether a structure with an angle for its correlations meets few levels."""
    tied = any(map(_ties_correlations, covariance.factors))
    return tied and any(_fewer_decide(factor, FEW_TIED) for factor in products)


def _fewer_decide(factor: FactorProducts, limit: float) -> bool:
    """Tell whether (sum d^2)^2 / sum d^4 is below a limit for some effect."""
    squares = np.einsum("jjg->jg", factor.ZtWZ) ** 2
    counted = repeated(squares, factor.multiplicity)
    fourths = np.einsum("jg,jg->j", counted, squares)
    return bool((counted.sum(axis=1) ** 2 < limit * fourths).any())


def _n_levels(factor: FactorProducts) -> float:
    """Return the number of levels, each as often as it counts."""
    return float(repeated(np.ones(factor.ZtWZ.shape[2]), factor.multiplicity).sum())


def _lowest(
    objective: ProfiledObjective, points: Sequence[FloatArray], n_points: int
) -> list[FloatArray]:
    """Return the points of lowest objective."""
    values = np.array([objective.value(point) for point in points])
    best = np.argsort(values, kind="stable")[:n_points]
    return [points[i] for i in best if np.isfinite(values[i])]


def lattice(covariance: JointCovariance, products: Sequence[FactorProducts]) -> list[FloatArray]:
    """Return points from all over the range of theta, the same on every machine.

    An additive sequence fills a cube evenly (Roberts 2018). One coordinate chooses a level, in the
    order of their information; the others are standard deviations and correlations of the effects,
    in units of what that level could just tell from 0. So the scales and shapes of all levels are
    tried: where one of them has a wild value, its effects look perfectly correlated to others.
    """
    lengths = [1 + one.n_effects * (one.n_effects + 1) // 2 for one in covariance.factors]
    cube = np.split(_additive_sequence(N_POINTS, sum(lengths)), np.cumsum(lengths)[:-1], axis=1)
    parts = [
        _points_of_factor(one, factor.ZtWZ, coordinates)
        for one, factor, coordinates in zip(covariance.factors, products, cube, strict=True)
    ]
    return [np.concatenate(joined) for joined in zip(*parts, strict=True)]


def _points_of_factor(
    covariance: DirectSum, ZtWZ: FloatArray, cube: FloatArray
) -> list[FloatArray]:
    """Return the parameters of one factor at some points of the cube."""
    k = covariance.n_effects
    scale, shape = _information(ZtWZ, cube[:, 0])
    sizes = LEAST * (MOST / LEAST) ** cube[:, 1 : k + 1]
    if len(covariance.structures) == 1 and covariance.structures[0].invariance == "linear":
        # A level could just tell the covariance (Z'WZ)^-1 from 0.
        lower = np.linalg.cholesky(shape + RIDGE * np.eye(k))
        triangles = sizes[:, :, None] * _triangles(cube[:, k + 1 :], k)
        roots = np.linalg.solve(lower.swapaxes(1, 2), triangles)
    else:
        if _ties_correlations(covariance):
            sizes[cube[:, 1 : k + 1] < ABSENT] = 0.0
        roots = sizes[:, :, None] * _tied(cube[:, -1], k)
    return [covariance.parameters(root) for root in roots / scale[:, :, None]]


def _information(ZtWZ: FloatArray, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return scales and shapes of Z'WZ = D C D of the levels at these quantiles of its size."""
    scale = np.sqrt(np.einsum("jjg->gj", ZtWZ))
    most = scale.max(axis=0)
    most[most == 0.0] = 1.0
    scale = np.maximum(scale, LITTLE * most)
    order = np.argsort(np.log(scale).sum(axis=1), kind="stable")
    chosen = order[(places * len(order)).astype(np.intp)]
    scale = scale[chosen]
    shape = np.moveaxis(ZtWZ[:, :, chosen], 2, 0) / (scale[:, :, None] * scale[:, None, :])
    return scale, shape


def _triangles(coordinates: FloatArray, k: int) -> FloatArray:
    """Return lower triangles with rows of length 1 and any correlations between them."""
    triangles = np.tile(np.eye(k), (len(coordinates), 1, 1))
    rows, columns = np.tril_indices(k, -1)
    triangles[:, rows, columns] = STEEPEST * (2.0 * coordinates - 1.0)
    return triangles / np.linalg.norm(triangles, axis=2, keepdims=True)


def _tied(coordinate: FloatArray, k: int) -> FloatArray:
    """Return roots with rows of length 1 and one correlation, from -1 / (k - 1) to 1."""
    if k == 1:
        return np.ones((len(coordinate), 1, 1))
    angle = 0.5 * np.pi * coordinate[:, None, None]
    mean = np.full((k, k), 1.0 / k)
    apart, together = np.sqrt(k / (k - 1)) * np.cos(angle), np.sqrt(k) * np.sin(angle)
    return np.asarray(apart * (np.eye(k) - mean) + together * mean)


def corners(covariance: JointCovariance, theta: FloatArray) -> list[FloatArray]:
    """Return theta with extreme correlations of tied structures, and with one effect absent.

    Effects that share a variance are not left out, but larger.
    """
    points = []
    for place, factor in enumerate(covariance.factors):
        if not _ties_correlations(factor):
            continue
        k = factor.n_effects
        sizes = np.linalg.norm(factor.factor(covariance.split(theta)[place]), axis=1)
        sizes = np.maximum(sizes, LEAST * max(sizes.max(), 1.0))
        shared = all(structure.invariance == "scalar" for structure in factor.structures)
        others = np.full((1, k), LARGER) if shared else 1.0 - np.eye(k)
        for root in _tied(np.array([0.0, 0.5, 1.0]), k):
            for size in np.vstack([np.ones(k), others]) * sizes:
                parts = list(covariance.split(theta))
                parts[place] = factor.parameters(size[:, None] * root)
                points.append(np.concatenate(parts))
    return points


def _ties_correlations(covariance: DirectSum) -> bool:
    """Tell whether a structure ties correlations together: Lambda is not linear in theta."""
    return covariance.factor_second_derivative(np.zeros(covariance.n_parameters)) is not None


def _additive_sequence(n_points: int, n_dimensions: int) -> FloatArray:
    """Return the points n (1/phi, 1/phi^2, ...) modulo 1 with phi^(d + 1) = phi + 1."""
    phi = 2.0
    for _ in range(32):
        phi = (1.0 + phi) ** (1.0 / (n_dimensions + 1))
    steps = phi ** -np.arange(1.0, n_dimensions + 1)
    return (0.5 + np.multiply.outer(np.arange(1.0, n_points + 1), steps)) % 1.0
