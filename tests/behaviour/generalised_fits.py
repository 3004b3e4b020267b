"""Fits of generalised models, one of each kind that inference tells apart."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from skmixed import mixedglm
from skmixed.results import MixedGLMResults

COUNTS, BINARY = "count ~ x + f + k + (1 | g)", "yes ~ x + f + k + (1 | g)"
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "binomial": (BINARY, {"family": "binomial"}),
    "probit, slopes": ("yes ~ x + f + k + (x | g)", {"family": "binomial", "link": "probit"}),
    "trials": ("share ~ x + f + k + (1 | g)", {"family": "binomial", "weights": "trials"}),
    "poisson": (COUNTS, {"family": "poisson"}),
    "poisson, crossed": (COUNTS + " + (1 | h)", {"family": "poisson"}),
    "negative binomial": (COUNTS, {"family": "negative_binomial"}),
    "dispersion": (COUNTS, {"family": "negative_binomial", "dispersion": "~ x"}),
    "zero inflation": (COUNTS, {"family": "poisson", "zero_inflation": "~ 1"}),
    "gamma": ("amount ~ x + f + k + (1 | g)", {"family": "gamma", "link": "log"}),
    "variance 0": ("noise ~ x + f + k + (1 | g)", {"family": "poisson"}),
    "aliased": ("count ~ x + f + k + I(2 * x) + (1 | g)", {"family": "poisson"}),
}


@cache
def rows() -> pd.DataFrame:
    """Return 120 rows in fifteen groups, crossed with eight others."""
    rng = np.random.default_rng(5)
    n, groups = 120, list("abcdefghijklmno")
    table = pd.DataFrame({"g": np.repeat(groups, 8), "h": np.tile(list("pqrstuvw"), 15)})
    table["x"] = rng.normal(size=n)
    table["f"], table["k"] = np.resize(["a", "b"], n), np.resize(["u", "v", "w"], n)
    effects = np.repeat(0.8 * rng.normal(size=15), 8) + np.tile(0.3 * rng.normal(size=8), 15)
    eta = 0.4 + 0.5 * table["x"] + effects
    spread = rng.gamma(2.0, 0.5, size=n)
    table["count"] = rng.poisson(np.exp(eta) * spread) * (rng.random(n) > 0.1)
    table["noise"] = np.arange(n) % 4
    table["yes"] = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
    table["trials"] = 1 + np.arange(n) % 5
    table["share"] = rng.binomial(table["trials"], 1.0 / (1.0 + np.exp(-eta))) / table["trials"]
    table["amount"] = np.exp(eta) * rng.gamma(4.0, 0.25, size=n)
    return table


@cache
def fitted(name: str) -> MixedGLMResults:
    """Return one of the fits."""
    formula, options = MODELS[name]
    return fit(formula, **options)


def fit(formula: str, **options: Any) -> MixedGLMResults:
    """Fit a model to the rows; that a variance is 0 is no surprise."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)
        return mixedglm(formula, rows(), **options)


def smaller(name: str) -> MixedGLMResults:
    """Return the model with the mean that is the same everywhere."""
    formula, options = MODELS[name]
    return fit(f"{formula.split()[0]} ~ 1 + (1 | g)", **options)
