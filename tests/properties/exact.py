"""Likelihoods in exact rational arithmetic: references that no rounding touches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

Row = list[Fraction]


def logarithm(value: Fraction) -> float:
    """Return the logarithm of a positive fraction, however large its integers are."""
    return math.log(value.numerator) - math.log(value.denominator)


def balanced_one_way(groups: Sequence[Sequence[float]]) -> tuple[Fraction, Fraction]:
    """Return the sums of squares between and within groups of equal size."""
    exact = [[Fraction(value) for value in group] for group in groups]
    size = len(exact[0])
    means = [sum(group) / size for group in exact]
    grand = sum(means) / len(means)
    between = size * sum((mean - grand) ** 2 for mean in means)
    within = sum(
        (value - mean) ** 2 for group, mean in zip(exact, means, strict=True) for value in group
    )
    return between, within


def profiled_objective(
    X: Sequence[Row], y: Row, relative_covariance: Sequence[Row], *, reml: bool
) -> float:
    """Return -2 log-likelihood with sigma profiled out, V given relative to sigma^2."""
    n, p = len(X), len(X[0])
    augmented = [[*row, *X[i], y[i]] for i, row in enumerate(relative_covariance)]
    log_det = _eliminate(augmented, n)
    solved = [row[n:] for row in augmented]
    normal = [
        [sum(X[i][a] * solved[i][b] for i in range(n)) for b in range(p + 1)] for a in range(p)
    ]
    total = sum(y[i] * solved[i][p] for i in range(n))
    Xy = [row[p] for row in normal]
    log_information = _eliminate(normal, p)
    r2 = total - sum(a * row[p] for a, row in zip(Xy, normal, strict=True))
    nu = n - p * reml
    value = log_det + nu * (1.0 + math.log(2.0 * math.pi / nu) + logarithm(r2))
    return value + log_information if reml else value


def _eliminate(rows: list[Row], n: int) -> float:
    """Solve a positive definite system in place by Gauss-Jordan; return its log-determinant."""
    log_det = 0.0
    for j in range(n):
        pivot = rows[j][j]
        log_det += logarithm(pivot)
        rows[j] = [value / pivot for value in rows[j]]
        for i in range(n):
            if i != j and rows[i][j]:
                times = rows[i][j]
                rows[i] = [a - times * b for a, b in zip(rows[i], rows[j], strict=True)]
    return log_det
