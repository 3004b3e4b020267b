"""Simulate how often the likelihood of one variance has several optima, by how few levels decide.

The figures of docs/theory.md, "Several optima": ``python tests/calibration/several_optima.py``.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.fitting.optimise import minimise
from skmixed.fitting.start import starting_theta
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts
from skmixed.likelihood.profiled import ProfiledObjective

SEED, SAMPLES = 1, 12_000
LEVELS = (4, 6, 10, 20, 50, 100, 200)
DEVIATIONS = (0.0, 0.05, 0.2, 0.6, 1.5, 5.0)
GRID = np.concatenate([[0.0], np.geomspace(1e-3, 1e2, 61)])
INTERCEPTS = JointCovariance((DirectSum((Unstructured(),), (1,)),))
# Differences of the objective that are no rounding, and that matter.
ROUNDING, LOSS = 1e-9, 1e-5


def sizes_of_levels(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return sizes that fall with the rank of the level, or are log-normal."""
    n_levels, steepness = int(rng.choice(LEVELS)), rng.uniform(0.5, 6.0)
    if rng.integers(2):
        sizes = 3000.0 * (np.arange(n_levels) + 1.0) ** -steepness
    else:
        sizes = np.exp(rng.normal(1.0, 0.6 * steepness, n_levels))
    return np.maximum(1.0, sizes.round())


def products(rng: np.random.Generator) -> CrossProducts:
    """Simulate the cross-products of random intercepts, normal or with heavy tails."""
    sizes = sizes_of_levels(rng)
    n, n_levels = sizes.sum(), len(sizes)
    heavy = rng.integers(3) == 0
    effects = rng.standard_t(2, n_levels) if heavy else rng.normal(size=n_levels)
    means = rng.choice(DEVIATIONS) * effects + rng.normal(size=n_levels) / np.sqrt(sizes)
    within = rng.chisquare(max(n - n_levels, 1.0))
    total = sizes @ means
    AtWA = np.array([[n, total], [total, sizes @ means**2 + within]])
    ZtWA = np.stack([sizes, sizes * means])[:, None]
    return CrossProducts(n, 0.0, AtWA, (FactorProducts(sizes[None, None], ZtWA),))


def n_optima(values: NDArray[np.float64]) -> int:
    """Count the local minima of an objective on a grid that begins at its boundary."""
    inner = values[1:-1]
    lower = (inner < values[:-2] - ROUNDING) & (inner < values[2:] - ROUNDING)
    return int(lower.sum()) + int(values[0] < values[1] - ROUNDING)


def main() -> None:
    """Print how many samples have several optima, and how many of them mislead one search."""
    rng = np.random.default_rng(SEED)
    counts: dict[int, NDArray[np.int64]] = defaultdict(lambda: np.zeros(3, dtype=np.int64))
    for i in range(SAMPLES):
        one = products(rng)
        objective = ProfiledObjective(one, INTERCEPTS, reml=bool(i % 2))
        d2 = one.factors[0].ZtWZ[0, 0] ** 2
        end = minimise(objective, starting_theta(objective), tol=1e-8, max_iter=100)
        values = np.array([objective.value(np.array([theta])) for theta in GRID])
        misled = end.at.value > values.min() + LOSS
        counts[int(d2.sum() ** 2 / (d2**2).sum())] += (1, n_optima(values) > 1, misled)
    sys.stdout.write("levels that decide: samples, with several optima, misled\n")
    for few in sorted(counts):
        sys.stdout.write("{:4d}: {:5d} {:4d} {:4d}\n".format(few, *counts[few]))


if __name__ == "__main__":
    main()
