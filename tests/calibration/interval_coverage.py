"""Simulate how often prediction intervals hold a new row, where groups and errors are skewed.

Run ``python tests/calibration/interval_coverage.py`` for the table of docs/guide/conformal.md; rows
of MAPIE are printed if it is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from skmixed import GroupConformalRegressor, RandomInterceptRegressor

SIZES = (2, 4, 6, 8, 10, 30)
N_NEW = 300
SEED = 20261120


def drawn(generator: np.random.Generator, kind: str, n: int) -> np.ndarray:
    """Return values of mean 0 and variance 1, normal or centred log-normal ones."""
    if kind == "normal":
        return generator.normal(size=n)
    return (generator.lognormal(size=n) - np.exp(0.5)) / np.sqrt((np.e - 1.0) * np.e)


def frame(generator: np.random.Generator, kind: str, groups, intercepts) -> pd.DataFrame:
    """Return rows of y = 1 + x + b + e for some groups."""
    x = generator.normal(size=len(groups))
    y = 1.0 + x + intercepts + drawn(generator, kind, len(groups))
    return pd.DataFrame({"x": x, "group": groups, "y": y})


def samples(
    kind: str, n_groups: int, n_samples: int
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    """Give training rows, new rows of the same groups, and one row of each of many new groups."""
    generator = np.random.default_rng(SEED)
    for _ in range(n_samples):
        sizes = generator.permutation(np.resize(SIZES, n_groups))
        groups = np.repeat(np.arange(n_groups), sizes)
        intercepts = drawn(generator, kind, n_groups)
        train = frame(generator, kind, groups, intercepts[groups])
        known = generator.choice(groups, N_NEW)
        new = n_groups + np.arange(N_NEW)
        yield (
            train.assign(size=sizes[groups]),
            frame(generator, kind, known, intercepts[known]).assign(size=sizes[known]),
            frame(generator, kind, new, drawn(generator, kind, N_NEW)).assign(size=0),
        )


def limits_of_normal(train, rows, coverages):
    """Return the intervals of the mixed model."""
    model = RandomInterceptRegressor("group").fit(train[["x", "group"]], train["y"])
    return [model.predict_interval(rows[["x", "group"]], coverage=level) for level in coverages]


def limits_of_conformal(method):
    """Return a function that gives the conformal intervals of a method."""

    def limits(train, rows, coverages):
        model = GroupConformalRegressor(
            RandomInterceptRegressor("group"), method=method, random_state=0
        ).fit(train[["x", "group"]], train["y"])
        return [model.predict_interval(rows[["x", "group"]], coverage=level) for level in coverages]

    return limits


def limits_of_mapie(train, rows, coverages):
    """Return the intervals of MAPIE around the mixed model."""
    model = (
        importlib.import_module("mapie.regression")
        .CrossConformalRegressor(
            RandomInterceptRegressor("group"),
            confidence_level=list(coverages),
            cv=KFold(5, shuffle=True, random_state=0),
        )
        .fit_conformalize(train[["x", "group"]], train["y"])
    )
    found = model.predict_interval(rows[["x", "group"]])[1]
    return [found[:, :, i] for i in range(len(coverages))]


def covered(kind, question, method, *, n_groups=40, n_samples=100, coverages=(0.8, 0.95)):
    """Return how often intervals hold a row in each sample, and their mean width.

    Returns
    -------
    DataFrame
        One row per sample and level: coverage (nominal), held, held_in_pairs (in groups of two
        rows) and width.
    """
    found = []
    for train, known, new in samples(kind, n_groups, n_samples):
        rows = known if question == "known" else new
        for level, limits in zip(coverages, method(train, rows, coverages), strict=True):
            inside = (limits[:, 0] <= rows["y"]) & (rows["y"] <= limits[:, 1])
            found.append(
                {
                    "coverage": level,
                    "held": inside.mean(),
                    "held_in_pairs": inside[rows["size"] == SIZES[0]].mean(),
                    "width": np.mean(limits[:, 1] - limits[:, 0]),
                }
            )
    return pd.DataFrame(found)


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    known = {"normal": limits_of_normal}
    if importlib.util.find_spec("mapie"):
        known["MAPIE"] = limits_of_mapie
    new = {
        "normal": limits_of_normal,
        "cross": limits_of_conformal("cross"),
        "split": limits_of_conformal("split"),
    }
    for question, methods in (("new", new), ("known", known)):
        for kind in ("normal", "skewed"):
            for name, method in methods.items():
                table = covered(kind, question, method, n_samples=400)
                for level, part in table.groupby("coverage"):
                    error = part["held"].std() / np.sqrt(len(part))
                    sys.stdout.write(
                        f"| {question} | {kind} | {name} | {level} | {part['held'].mean():.3f} | "
                        f"{error:.3f} | {part['held_in_pairs'].mean():.3f} | "
                        f"{part['width'].median():.2f} |\n"
                    )


if __name__ == "__main__":
    main()
