"""Rows with every kind of residual column, and predictions of them by dense matrices.

Independent of the package: V is written out, and nothing is factored but V.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["dense_prediction", "residual_data", "whole_covariance"]


def residual_data(seed: int = 0, n_groups: int = 14, n_rows: int = 6) -> pd.DataFrame:
    """Return correlated rows of groups in any order, with all columns that structures read."""
    rng = np.random.default_rng(seed)
    g, t = np.repeat(np.arange(n_groups), n_rows), np.tile(np.arange(n_rows), n_groups)
    n = len(g)
    error = rng.normal(size=(n_groups, n_rows))
    for k in range(1, n_rows):
        error[:, k] = 0.6 * error[:, k - 1] + 0.8 * error[:, k]
    z = rng.normal(size=n)
    slopes = rng.normal(size=n_groups)
    data = pd.DataFrame(
        {
            "z": z,
            "time": t,
            "x": rng.uniform(0.0, 3.0, n),
            "y": rng.uniform(0.0, 3.0, n),
            "stratum": np.where(t % 2 == 0, "even", "odd"),
            "covariate": rng.uniform(1.0, 3.0, n),
            "variance": rng.uniform(0.5, 1.5, n),
            "who": [f"p{i:02d}" for i in g],
            "out": 1.0 + z + slopes[g] * z + error.ravel(),
        }
    )
    return data.iloc[rng.permutation(n)].reset_index(drop=True)


def whole_covariance(results: Any, data: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the covariance of rows: R of each person by itself, and Z Psi Z'."""
    who = data["who"].to_numpy(dtype=object)
    R = np.zeros((len(data), len(data)))
    for label in dict.fromkeys(who):
        rows = np.flatnonzero(who == label)
        if results.fit.residual is not None:
            R[np.ix_(rows, rows)] = results.residual_covariance(data.iloc[rows])
        else:
            R[rows, rows] = results.scale
    R /= np.sqrt(np.multiply.outer(weights, weights))
    z = data["z"].to_numpy()
    psi = results.variance_components.iloc[0]["vcov"] if results.fit.random else 0.0
    return R + np.where(who[:, None] == who, psi * np.multiply.outer(z, z), 0.0)


def dense_prediction(
    results: Any, past: pd.DataFrame, new: pd.DataFrame, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return E[y_new | y_past] with beta estimated, and the covariance of its error."""
    n = len(past)
    both = pd.concat([past, new], ignore_index=True)
    w = np.ones(len(both))
    if weights is not None:
        w[:n] = weights
    V = whole_covariance(results, both, w)
    X = np.column_stack([np.ones(len(both)), both["z"]])
    y = past["out"].to_numpy()
    Vi = np.linalg.inv(V[:n, :n])
    C = np.linalg.inv(X[:n].T @ Vi @ X[:n])
    beta = C @ X[:n].T @ Vi @ y
    K = V[n:, :n] @ Vi
    A = X[n:] - K @ X[:n]
    mean = X[n:] @ beta + K @ (y - X[:n] @ beta)
    return mean, V[n:, n:] - K @ V[:n, n:] + A @ C @ A.T
