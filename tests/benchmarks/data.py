"""Write the rows of a benchmark once, so that every library gets the same.

Run as ``python data.py sleepstudy PATH``, or as ``python data.py simulated PATH`` with the
numbers of rows, groups and covariates. The columns are pickled as NumPy arrays, which any version
of pandas can read; ``--csv`` writes them for R as well.
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np
import pandas as pd

from skmixed.datasets import load_sleepstudy

__all__ = ["simulated", "sleepstudy"]


def sleepstudy() -> dict[str, np.ndarray]:
    """Return the sleepstudy data under the names of a problem, with integer labels."""
    data = load_sleepstudy()
    return {
        "y": data["Reaction"].to_numpy(),
        "x0": data["Days"].to_numpy(),
        "g": data["Subject"].astype(int).to_numpy(),
    }


def simulated(
    n_rows: int, n_groups: int, n_covariates: int, *, slope: bool
) -> dict[str, np.ndarray]:
    """Return rows in random order, of groups with random effects, labelled by strings."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, n_groups, n_rows)
    X = rng.normal(size=(n_covariates, n_rows))
    intercepts = rng.normal(scale=0.7, size=n_groups)
    slopes = rng.normal(scale=0.5, size=n_groups)
    y = 1.0 + np.arange(1, n_covariates + 1) @ X + rng.normal(size=n_rows)
    y += intercepts[codes]
    if slope:
        y += slopes[codes] * X[0]
    labels = np.array([f"id_{code}" for code in codes.tolist()], dtype=object)
    return {"y": y, **{f"x{j}": column for j, column in enumerate(X)}, "g": labels}


def main() -> None:
    """Write one set of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["sleepstudy", "simulated"])
    parser.add_argument("path", type=Path)
    parser.add_argument("sizes", type=int, nargs="*")
    parser.add_argument("--slope", action="store_true")
    parser.add_argument("--csv", action="store_true")
    options = parser.parse_args()
    if options.kind == "sleepstudy":
        columns = sleepstudy()
    else:
        columns = simulated(*options.sizes, slope=options.slope)
    options.path.write_bytes(pickle.dumps(columns))
    if options.csv:
        pd.DataFrame(columns).to_csv(options.path.with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
