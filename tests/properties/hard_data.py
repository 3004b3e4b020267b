"""Data sets that are hard to fit, drawn at random: what a property must hold for to hold at all.

A sample combines one choice of each kind below: what varies between which groups, how the rows lie
in them, what is wrong with the covariate, how large the variances are, how the errors are
distributed and weighted. Its name lists the choices, beginning with the seed and the number that
draw it again: ``hard_sample(seed, number)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]
Rng = np.random.Generator

TERMS = {
    "intercept": "(1 | g)",
    "slope": "(x | g)",
    "slope without intercept": "(0 + x | g)",
    "two slopes": "(x + z | g)",
    "uncorrelated slopes": "(x + z || g)",
    "categorical slope": "(f | g)",
    "diagonal": "diag(0 + f | g)",
    "compound symmetry": "cs(0 + f | g)",
    "autoregression": "ar1(0 + f | g)",
    "crossed": "(1 | g) + (1 | crossed)",
    "crossed slope": "(x | g) + (1 | crossed)",
    "sparsely crossed": "(1 | g) + (1 | sparse)",
    "sparsely crossed slopes": "(x | g) + (x | sparse)",
    "crossed structure": "cs(0 + f | g) + (1 | sparse)",
    "nested": "(1 | above/g)",
    "nested slopes": "(x | above) + (1 | above:g)",
    "one partition twice": "(1 | g) + (1 | twin)",
}
# Standard deviation of the effects of groups over that of the errors.
RATIOS = (0.0, 1e-3, 0.3, 1.0, 10.0, 1e3)


@dataclass(frozen=True)
class HardSample:
    """Hold what ``mixedlm`` takes.

    Attributes
    ----------
    name : str
        Seed and number of the sample, and the choices that make it hard.
    frame : DataFrame
    formula : str
    weights : str or None
        A column of the frame.
    method : {"reml", "ml"}
    """

    name: str
    frame: pd.DataFrame
    formula: str
    weights: str | None
    method: str


def hard_samples(seed: int, n: int) -> Iterator[HardSample]:
    """Draw the first n samples of a seed."""
    return (hard_sample(seed, number) for number in range(n))


def hard_sample(seed: int, number: int) -> HardSample:
    """Draw one sample; REML and ML take turns."""
    rng = np.random.default_rng([seed, number])
    kinds = (TERMS, SIZES, COVARIATES, ERRORS, WEIGHTS)
    term, size, covariate, error, weighting = (str(rng.choice(list(kind))) for kind in kinds)
    ratio = float(rng.choice(RATIOS))
    frame = _rows(SIZES[size](rng), rng)
    frame["y"] = _response(frame, ratio, ERRORS[error](len(frame), rng), rng)
    COVARIATES[covariate](frame)
    if error == "nearly exact":
        frame["y"] = frame["x"] + 1e-7 * frame["y"]
    frame["w"] = 10.0 ** (WEIGHTS[weighting] * rng.uniform(-1.0, 1.0, len(frame)))
    fixed = [name for name in "xzf" if name == "x" or name in TERMS[term]]
    choices = (term, size, covariate, error, f"ratio {ratio:g}", weighting)
    return HardSample(
        name=f"{seed}, {number}: {', '.join(choices)}",
        frame=frame.iloc[rng.permutation(len(frame))].reset_index(drop=True),
        formula=f"y ~ {' + '.join(fixed)} + {TERMS[term]}",
        weights=None if weighting == "no weights" else "w",
        method=("reml", "ml")[number % 2],
    )


def _rows(sizes: Codes, rng: Rng) -> pd.DataFrame:
    """Return grouping factors and clean covariates of groups of given sizes."""
    g = np.repeat(np.arange(len(sizes)), sizes)
    n = len(g)
    within = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    sparse = np.where(rng.random(n) < 0.15, rng.integers(7, size=n), g % 7)
    return pd.DataFrame(
        {
            "g": g,
            "twin": [f"name {code}" for code in g],
            "above": g // 3,
            "crossed": within % 6,
            "sparse": sparse,
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
            # Which rows a fault of the covariate strikes.
            "rank": rng.permutation(n),
            "f": rng.choice(["a", "b", "c"], size=n, p=[0.5, 0.35, 0.15]),
        }
    )


def _response(frame: pd.DataFrame, ratio: float, errors: FloatArray, rng: Rng) -> FloatArray:
    """Add up fixed effects, effects of the groups and errors, whatever the model will be."""
    x, f = frame["x"].to_numpy(), frame["f"].factorize(sort=True)[0]
    y = 1.0 + 0.5 * x + 0.3 * f + errors
    for factor in ("g", "above", "crossed", "sparse"):
        codes = frame[factor].to_numpy()
        effects = ratio * rng.normal(size=(codes.max() + 1, 5))[codes]
        share = 1.0 if factor == "g" else 0.3
        y += share * (effects[:, 0] + 0.5 * effects[:, 1] * x + effects[np.arange(len(f)), 2 + f])
    return np.asarray(y)


def _few(rng: Rng) -> Codes:
    return rng.integers(8, 21, rng.integers(3, 9))


def _similar(rng: Rng) -> Codes:
    return rng.integers(4, 11, rng.integers(10, 26))


def _unequal(rng: Rng) -> Codes:
    n_groups = rng.integers(8, 14)
    return np.geomspace(1.0, 80.0, n_groups).astype(np.intp)


def _singletons(rng: Rng) -> Codes:
    sizes = rng.integers(2, 6, 30)
    return np.where(rng.random(30) < 0.5, 1, sizes)


def _clean(frame: pd.DataFrame) -> None:
    """Leave the covariates as they are."""


def _one_code(frame: pd.DataFrame) -> None:
    frame.loc[frame["rank"] < 1, "x"] = 999.0


def _several_codes(frame: pd.DataFrame) -> None:
    frame.loc[frame["rank"] < 4, "x"] = 1000.0


def _offset(frame: pd.DataFrame) -> None:
    frame["x"] += 1e6


def _correlated(frame: pd.DataFrame) -> None:
    frame["z"] = frame["x"] + 1e-3 * frame["z"]


def _zero_inflated(frame: pd.DataFrame) -> None:
    frame.loc[frame["rank"] >= 0.15 * len(frame), "x"] = 0.0


def _of_groups(frame: pd.DataFrame) -> None:
    frame["x"] = np.cos(frame["g"]) + 1e-6 * frame["x"]


def _nearly_constant(frame: pd.DataFrame) -> None:
    frame["x"] = 1.0 + 1e-6 * frame["x"]


SIZES: dict[str, Callable[[Rng], Codes]] = {
    "few groups": _few,
    "similar groups": _similar,
    "very unequal groups": _unequal,
    "half singletons": _singletons,
}
# Applied to the frame in place, after the response was made from clean covariates.
COVARIATES: dict[str, Callable[[pd.DataFrame], None]] = {
    "clean x": _clean,
    "a code 999 in x": _one_code,
    "codes 1000 in x": _several_codes,
    "x + 1e6": _offset,
    "z nearly x": _correlated,
    "zero-inflated x": _zero_inflated,
    "x nearly constant in groups": _of_groups,
    "x nearly constant": _nearly_constant,
}
ERRORS: dict[str, Callable[[int, Rng], FloatArray]] = {
    "normal errors": lambda n, rng: rng.normal(size=n),
    "t2 errors": lambda n, rng: rng.standard_t(2.0, size=n),
    "nearly exact": lambda n, rng: rng.normal(size=n),
}
# Powers of 10 by which weights differ from 1 at most.
WEIGHTS = {"no weights": 0.0, "weights over two decades": 1.0, "weights over four decades": 2.0}
