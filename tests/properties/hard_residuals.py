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
    residual, size = (str(rng.choice(list(kind))) for kind in (RESIDUALS, SIZES))
    formula = str(rng.choice(FORMULAS))
    frame = SIZES[size](rng)
    responses = _responses(frame, rng)
    response = str(rng.choice(list(responses)))
    frame["y"] = responses[response]
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


def _responses(frame: pd.DataFrame, rng: Rng) -> dict[str, NDArray[np.float64]]:
    """Return what y may be."""
    n, drawn = len(frame), frame["y"].to_numpy()
    exact = 1.0 + 2.0 * frame["x"].to_numpy()
    ordered = frame.sort_values(["g", "time"])
    walk = pd.Series(rng.normal(size=n), ordered.index).groupby(ordered["g"]).cumsum()
    return {
        "as drawn": drawn,
        "constant y": np.full(n, 3.0),
        "exact y": exact,
        "nearly exact y": exact + 1e-7 * rng.normal(size=n),
        "exact in a stratum": np.where(frame["stratum"] == "early", exact, drawn),
        "random walk": walk.reindex(frame.index).to_numpy(),
        "one value in a group": pd.factorize(frame["g"])[0] ** 2 + 1e-6 * rng.normal(size=n),
        "heavy tails": drawn + rng.standard_t(1.5, n),
    }


SIZES: dict[str, Callable[[Rng], pd.DataFrame]] = {
    "similar groups": _similar,
    "two groups": _two_groups,
    "a row in each group": _singletons,
    "mostly a row in each group": _hardly_repeated,
    "few rows": _few_rows,
}
