"""Fits with residual structures, one of each kind."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd

from skmixed import mixedlm
from skmixed.residual import (
    AR1,
    CompoundSymmetry,
    Heterogeneous,
    KnownVariance,
    ResidualStructure,
    Unstructured,
    VariancePower,
)
from skmixed.results import MixedLMResults

FIXED, RANDOM = "y ~ x + z + f + k", " + (1 | g)"
MODELS: dict[str, tuple[str, ResidualStructure]] = {
    "ar1": (FIXED + RANDOM, AR1("t", group="g")),
    "ar1, unequal": (FIXED + RANDOM, AR1("t") * Heterogeneous("half")),
    "power": (FIXED + RANDOM, VariancePower("v")),
    "compound symmetry": (FIXED, CompoundSymmetry(group="g")),
    "unstructured": (FIXED, Unstructured("t", group="g")),
    "known": (FIXED + RANDOM, KnownVariance("v")),
}


@cache
def rows() -> pd.DataFrame:
    """Return 48 rows: three times of sixteen groups."""
    rng = np.random.default_rng(3)
    t = np.tile([0, 1, 2], 16)
    table = pd.DataFrame({"g": np.repeat(list("abcdefghijklmnop"), 3), "t": t})
    table["half"] = np.where(t < 1, "early", "late")
    table["x"], table["z"], table["v"] = *rng.normal(size=(2, 48)), rng.uniform(0.5, 2.0, size=48)
    table["f"], table["k"] = np.resize(["a", "b"], 48), np.resize(list("uvwu"), 48)
    e = rng.normal(size=(16, 3))
    for j in (1, 2):
        e[:, j] = 0.6 * e[:, j - 1] + 0.8 * e[:, j]
    effects = np.repeat(rng.normal(size=16), 3)
    return table.assign(y=1.0 + table["x"] + effects + e.ravel() * np.where(t < 1, 1.0, 1.5))


@cache
def fitted(name: str, method: str = "reml") -> MixedLMResults:
    """Return one of the fits."""
    formula, residual = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return mixedlm(formula, rows(), residual=residual, method=method)


def smaller(name: str) -> MixedLMResults:
    """Return the fit of fewer fixed effects."""
    formula, residual = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return mixedlm(formula.replace(" + f + k", ""), rows(), residual=residual)
