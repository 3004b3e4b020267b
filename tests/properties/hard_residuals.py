"""Data that are hard for a residual structure, drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.residual import ResidualStructure

from .residual_models import RESIDUALS, by_group, sample

__all__ = ["HardResidual", "hard_residual"]

Rng = np.random.Generator
FORMULAS = ("y ~ x", "y ~ x", "y ~ x + (1 | g)", "y ~ x + (x | g)", "y ~ x + (1 | above/g)")


@dataclass(frozen=True)
class HardResidual:
    """Hold what ``mixedlm`` takes, and a name that lists the choices."""

    name: str
    frame: pd.DataFrame
    formula: str
    structure: ResidualStructure
    method: str


def hard_residual(seed: int, number: int) -> HardResidual:
    """Draw one sample; REML and ML take turns."""
    rng = np.random.default_rng([seed, number])
    residual, size, response = (str(rng.choice(list(kind))) for kind in (RESIDUALS, SIZES, Y))
    formula = str(rng.choice(FORMULAS))
    frame = SIZES[size](rng)
    frame["y"] = Y[response](frame, rng)
    return HardResidual(
        name=f"{seed}, {number}: {residual}, {formula}, {size}, {response}",
        frame=frame,
        formula=formula,
        structure=by_group(RESIDUALS[residual]),
        method=("reml", "ml")[number % 2],
    )


def _drawn(rng: Rng, n_groups: int, largest: int = 5) -> pd.DataFrame:
    return sample(int(rng.integers(1 << 30)), n_groups=n_groups, largest=largest)


def _similar(rng: Rng) -> pd.DataFrame:
    return _drawn(rng, int(rng.integers(15, 40)))


def _two_groups(rng: Rng) -> pd.DataFrame:
    frame = _drawn(rng, 30)
    frame["g"] = np.where(frame["above"] < 3, "a", "b")
    frame["time"] = frame.groupby("g").cumcount()
    return frame[frame["time"] < 8].assign(above=0)


def _singletons(rng: Rng) -> pd.DataFrame:
    return _drawn(rng, 40).drop_duplicates("g").reset_index(drop=True)


def _hardly_repeated(rng: Rng) -> pd.DataFrame:
    frame = _drawn(rng, 40)
    return frame.loc[(frame.groupby("g").cumcount() == 0) | (frame.index % 6 == 0)]


def _few_rows(rng: Rng) -> pd.DataFrame:
    return _drawn(rng, 5, 3)


def _as_drawn(frame: pd.DataFrame, rng: Rng) -> NDArray[np.float64]:
    return frame["y"].to_numpy()


def _constant(frame: pd.DataFrame, rng: Rng) -> NDArray[np.float64]:
    return np.full(len(frame), 3.0)


def _exact(frame: pd.DataFrame, rng: Rng) -> NDArray[np.float64]:
    return 1.0 + 2.0 * frame["x"].to_numpy()


def _nearly_exact(frame: pd.DataFrame, rng: Rng) -> NDArray[np.float64]:
    return _exact(frame, rng) + 1e-7 * rng.normal(size=len(frame))


def _exact_in_a_stratum(frame: pd.DataFrame, rng: Rng) -> NDArray[np.float64]:
    return np.where(frame["stratum"] == "early", _exact(frame, rng), frame["y"])


def _random_walk(frame: pd.DataFrame, rng: Rng) -> NDArray[np.float64]:
    ordered = frame.sort_values(["g", "time"])
    steps = pd.Series(rng.normal(size=len(frame)), ordered.index)
    return steps.groupby(ordered["g"]).cumsum().reindex(frame.index).to_numpy()


def _one_value_a_group(frame: pd.DataFrame, rng: Rng) -> NDArray[np.float64]:
    return pd.factorize(frame["g"])[0] ** 2 + 1e-6 * rng.normal(size=len(frame))


def _heavy_tails(frame: pd.DataFrame, rng: Rng) -> NDArray[np.float64]:
    return frame["y"].to_numpy() + rng.standard_t(1.5, len(frame))


SIZES: dict[str, Callable[[Rng], pd.DataFrame]] = {
    "similar groups": _similar,
    "two groups": _two_groups,
    "a row in each group": _singletons,
    "mostly a row in each group": _hardly_repeated,
    "few rows": _few_rows,
}
Y: dict[str, Callable[[pd.DataFrame, Rng], NDArray[np.float64]]] = {
    "as drawn": _as_drawn,
    "constant y": _constant,
    "exact y": _exact,
    "nearly exact y": _nearly_exact,
    "exact in a stratum": _exact_in_a_stratum,
    "random walk": _random_walk,
    "one value in a group": _one_value_a_group,
    "heavy tails": _heavy_tails,
}
