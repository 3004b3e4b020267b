"""What the generators of simulated data share: random numbers, checks, factors and the output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

RandomSource = int | np.random.Generator | np.random.RandomState | None

# A pivot below this part of its diagonal is rounding: what is left has no variance.
NO_PIVOT = 1e-12


def as_generator(random_state: RandomSource) -> np.random.Generator:
    """Return a Generator; a RandomState seeds it with its next number."""
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(np.iinfo(np.int32).max))
    return np.random.default_rng(random_state)


def draw_effects(
    re_cov: NDArray[np.float64], n: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw n vectors of N(0, re_cov), which may be singular, shape (n, k).

    The triangular root is unique. Eigenvectors, which NumPy's multivariate_normal takes by default,
    are not: with them a seed gives other data on another processor.
    """
    root = np.zeros_like(re_cov)
    for j in range(len(re_cov)):
        column = re_cov[j:, j] - root[j:, :j] @ root[j, :j]
        if column[0] > NO_PIVOT * re_cov[j, j]:
            root[j:, j] = column / np.sqrt(column[0])
    return generator.standard_normal((n, len(re_cov))) @ root.T


def check_beta(beta: ArrayLike) -> NDArray[np.float64]:
    """Return the mean coefficients as a vector."""
    vector = np.array(beta, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(
            "beta must be a vector of the intercept and one slope per feature, got shape "
            f"{vector.shape}; [0.0] has no feature."
        )
    return vector


def check_sigma(sigma: float) -> float:
    """Return the residual standard deviation."""
    if not 0 <= sigma < np.inf:
        raise ValueError(f"sigma must be a finite standard deviation >= 0, got {sigma}.")
    return float(sigma)


def as_factor(second: Any, levels: list[str]) -> Any:
    """Return a factor of two levels from where it has the second one."""
    return pd.Categorical(np.where(second, levels[1], levels[0]), categories=levels)


def pack(
    y: NDArray[np.float64],
    features: Mapping[str, NDArray[np.float64]],
    groups: NDArray[Any],
    truth: Bunch,
    *,
    as_frame: bool,
    coef: bool,
) -> Any:
    """Return X, y and groups, or one data frame, and the truth if it is wanted.

    ``features`` are matrices by the letter that names their columns in the frame.
    """
    data: tuple[Any, ...] = (np.hstack(list(features.values())), y, groups)
    if as_frame:
        data = (_as_frame(y, features, groups),)
    if coef:
        data = (*data, truth)
    return data if len(data) > 1 else data[0]


def _as_frame(
    y: NDArray[np.float64], features: Mapping[str, NDArray[np.float64]], groups: NDArray[Any]
) -> pd.DataFrame:
    """Name the columns of the data."""
    columns: dict[str, NDArray[Any]] = {"y": y}
    for letter, matrix in features.items():
        columns |= {f"{letter}{j}": column for j, column in enumerate(matrix.T, start=1)}
    if groups.ndim == 1:
        columns["group"] = groups
    else:
        columns |= {f"group{j}": column for j, column in enumerate(groups.T, start=1)}
    return pd.DataFrame(columns)
