"""Small generalised models that several tests of inference look at."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from skmixed import mixedglm

__all__ = ["binary_data", "count_data", "counts", "crossed", "variance_of", "yes_or_no"]


def binary_data(n: int = 400, n_groups: int = 40) -> pd.DataFrame:
    """Return yes or no in groups, with a covariate whose slope varies and a factor."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.arange(n) % n_groups, "h": np.arange(n) % 9})
    data["x"] = rng.normal(size=n)
    data["a"] = rng.choice(list("pqr"), n)
    effects = rng.normal(size=(n_groups, 2)) * [1.2, 0.6]
    eta = -0.4 + 0.7 * data["x"] + 0.6 * (data["a"] == "q") + effects[data["g"], 0]
    eta += effects[data["g"], 1] * data["x"] + 0.8 * rng.normal(size=9)[data["h"]]
    data["y"] = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
    return data


def count_data(*, dispersed: bool = False, inflated: bool = False) -> pd.DataFrame:
    """Return counts in groups with times of exposure."""
    rng = np.random.default_rng(3)
    n = 600
    data = pd.DataFrame({"g": np.arange(n) % 30, "x": rng.normal(size=n)})
    data["t"] = rng.uniform(0.5, 2.0, n)
    rate = data["t"] * np.exp(0.6 + 0.4 * data["x"] + 0.5 * rng.normal(size=30)[data["g"]])
    data["y"] = rng.poisson(rate * rng.gamma(1.5, 1.0 / 1.5, n) if dispersed else rate)
    if inflated:
        data["y"] *= rng.random(n) < 0.7
    return data


@cache
def yes_or_no(formula: str = "y ~ x + a + (x | g)", link: str = "logit") -> Any:
    """Return the fit of a model to ``binary_data``."""
    return mixedglm(formula, binary_data(), link=link)


@cache
def crossed() -> Any:
    """Return a fit with two crossed factors."""
    return mixedglm("y ~ x + (1 | g) + (1 | h)", binary_data())


@cache
def counts(family: str = "poisson", *, dispersed: bool = False, inflated: bool = False) -> Any:
    """Return the fit of a model to ``count_data``."""
    data = count_data(dispersed=dispersed, inflated=inflated)
    return mixedglm("y ~ x + offset(log(t)) + (1 | g)", data, family=family)


def variance_of(results: Any, position: int = 0) -> float:
    """Return the variance of the first effect of a grouping factor."""
    return float(results.fitted_model.fit.random[position].effect_covariance[0, 0])
