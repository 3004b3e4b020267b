"""Write the rows of a benchmark once, so that every library gets the same.

Run as ``python data.py KIND PATH SIZES...``, the sizes being the numbers of rows and of levels of
each factor. The columns are pickled as NumPy arrays, which any version of pandas can read;
``--csv`` writes them for R as well. Rows that are not there end the process with the status
``exit_status.ABSENT``.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from exit_status import ABSENT

from skmixed.datasets import load_sleepstudy, make_crossed_regression

__all__ = ["groups", "insteval", "nested", "ratings", "sleepstudy"]

SHARED = Path(os.environ.get("SKMIXED_SHARED", Path(__file__).parents[3] / "shared"))

Columns = dict[str, np.ndarray]


def sleepstudy() -> Columns:
    """Return the sleepstudy data under the names of a problem, with integer labels."""
    data = load_sleepstudy()
    return {
        "y": data["Reaction"].to_numpy(),
        "x0": data["Days"].to_numpy(),
        "g": data["Subject"].astype(int).to_numpy(),
    }


def insteval() -> Columns:
    """Return lme4's ratings of lecturers d by students s, with integer labels.

    Raises
    ------
    FileNotFoundError
        If the folder of shared data is not there.
    """
    data = pd.read_csv(SHARED / "data" / "InstEval.csv")
    labels = {name: data[name].to_numpy() for name in ("s", "d", "dept", "service")}
    return {
        "y": data["y"].to_numpy(float),
        "x0": data["service"].to_numpy(float),
        **labels,
    }


def groups(n_rows: int, n_groups: int, *, n_covariates: int, slope: bool) -> Columns:
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


def ratings(n_rows: int, n_users: int, n_films: int) -> Columns:
    """Return ratings by busy and idle users of popular and rare films."""
    X, y, labels = make_crossed_regression(
        n_rows,
        (n_users, n_films),
        beta=(3.5, 0.2),
        re_sd=(0.4, 0.5),
        sigma=0.9,
        popularity=(0.5, 0.9),
        random_state=0,
    )
    return {"y": y, "x0": X[:, 0], "user": labels[:, 0].copy(), "film": labels[:, 1].copy()}


def nested(n_rows: int, n_schools: int, n_classes: int) -> Columns:
    """Return classes of equal size in random order, numbered anew in every school."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(n_rows) % n_classes
    school, number = codes % n_schools, codes // n_schools
    x = rng.normal(size=n_rows)
    y = 1.0 + x + rng.normal(size=n_rows)
    y += rng.normal(scale=0.6, size=n_schools)[school]
    y += rng.normal(scale=0.8, size=n_classes)[codes]
    return {"y": y, "x0": x, "school": school, "class": number}


def main() -> None:
    """Write one set of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = ["sleepstudy", "insteval", "groups", "ratings", "nested"]
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("path", type=Path)
    parser.add_argument("sizes", type=int, nargs="*")
    parser.add_argument("--covariates", type=int, default=1)
    parser.add_argument("--slope", action="store_true")
    parser.add_argument("--csv", action="store_true")
    options = parser.parse_args()
    of_groups = partial(groups, n_covariates=options.covariates, slope=options.slope)
    makers: list[Callable[..., Columns]] = [sleepstudy, insteval, of_groups, ratings, nested]
    try:
        columns = dict(zip(kinds, makers, strict=True))[options.kind](*options.sizes)
    except FileNotFoundError as error:
        print(f"{error.filename} is absent: set SKMIXED_SHARED", file=sys.stderr)
        sys.exit(ABSENT)
    with options.path.open("wb") as file:
        pickle.dump(columns, file)
    if options.csv:
        pd.DataFrame(columns).to_csv(options.path.with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
