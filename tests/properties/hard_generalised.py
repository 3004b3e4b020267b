"""Data sets that are hard for generalised models, drawn at random.

A sample combines a family with a link, random effects, sizes of groups, and one thing that is wrong
with the rows. Its name begins with the number that draws it again: ``hard_generalised(number)``.
"""

# Every fault takes what some need.
# ruff: noqa: ARG001, ARG005

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.weights import Weights
from skmixed.estimators.formula_input import train_data
from skmixed.estimators.specification import formula_structures
from skmixed.families.reading import family_from
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.fitting.glmm_model import ExtraColumns, GLMMModel
from skmixed.formula import parse_formula

FloatArray = NDArray[np.float64]
Rng = np.random.Generator

SEED = 12
FAMILIES = {
    "logit": ("binomial", "logit"),
    "probit": ("binomial", "probit"),
    "cloglog": ("binomial", "cloglog"),
    "cauchit": ("binomial", "cauchit"),
    "trials": ("binomial", "logit"),
    "poisson": ("poisson", None),
    "negative binomial": ("negative_binomial", None),
    "negative binomial 1": ("negative_binomial_1", None),
    "zero-inflated": ("poisson", None),
    "gamma": ("gamma", None),
    "inverse gaussian": ("inverse_gaussian", "log"),
    "beta": ("beta", None),
    "gaussian": ("gaussian", None),
    "log gaussian": ("gaussian", "log"),
}
TERMS = {
    "intercept": "(1 | g)",
    "slope": "(x | g)",
    "uncorrelated slope": "(x || g)",
    "categorical": "diag(0 + f | g)",
    "compound symmetry": "cs(0 + f | g)",
    "autoregression": "ar1(0 + f | g)",
    "crossed": "(1 | g) + (1 | crossed)",
    "nested": "(1 | above/g)",
}
RATIOS = (0.0, 0.0, 0.3, 1.0, 3.0)


@dataclass(frozen=True, eq=False)
class HardGeneralised:
    """Hold a model, and the choices that made it."""

    name: str
    model: GLMMModel


def hard_generalised(number: int) -> HardGeneralised:
    """Draw one sample."""
    rng = np.random.default_rng([SEED, number])
    family, term, size, fault = (
        str(rng.choice(list(kinds))) for kinds in (FAMILIES, TERMS, SIZES, FAULTS)
    )
    ratio = float(rng.choice(RATIOS))
    chosen = family_from(*FAMILIES[family])
    frame = _rows(SIZES[size](rng), rng)
    n = len(frame)
    trials = rng.integers(1, 20, n) if family == "trials" else None
    omega = [np.full(n, float(rng.choice([-1.0, 1.0, 3.0]))) for _ in chosen.extra_names]
    eta = _predictor(frame, ratio, rng)
    offset = np.zeros(n)
    if fault == "offset":
        offset = np.full(n, 30.0) if family not in ("gaussian", "log gaussian") else offset
        offset = np.where(rng.random(n) < 0.5, offset, offset + 1.0)
        eta = eta + offset
        offset_of_response = 30.0 if offset.max() > 2.0 else 0.0
        eta = eta - offset_of_response
    if fault in ("rare", "huge"):
        eta = eta - 4.0 if fault == "rare" else eta + 9.0
    if family == "log gaussian":
        eta = np.clip(0.3 * eta, -2.0, 2.0)
    y = _response(chosen, eta, omega, trials, rng)
    frame["y"] = FAULTS[fault](y, frame, family, rng)
    if family == "zero-inflated":
        frame["y"] = np.where(rng.random(n) < 0.2, 0.0, frame["y"])
        chosen = ZeroInflated(chosen)
    frame = frame.iloc[rng.permutation(n)].reset_index(drop=True) if trials is None else frame
    return HardGeneralised(
        f"{number}: {family}, {term}, {size}, {fault}, ratio {ratio:g}",
        model_of(f"y ~ x + z + {TERMS[term]}", frame, chosen, trials, offset),
    )


def model_of(
    formula: str,
    frame: pd.DataFrame,
    family: Any,
    trials: Any = None,
    offset: FloatArray | None = None,
    n_quadrature: int = 1,
) -> GLMMModel:
    """Return the model of a formula."""
    parsed = parse_formula(formula)
    design, form = train_data(parsed, frame)
    if trials is not None:
        design = replace(design, weights=Weights(np.asarray(trials, float)))
    return GLMMModel(
        replace(design, offset=offset),
        formula_structures(parsed, design, form),
        family,
        tuple(ExtraColumns.constant(len(frame)) for _ in family.extra_names),
        trials=trials is not None,
        n_quadrature=n_quadrature,
    )


def _rows(sizes: NDArray[np.intp], rng: Rng) -> pd.DataFrame:
    """Return grouping factors and covariates of groups of given sizes."""
    g = np.repeat(np.arange(len(sizes)), sizes)
    n = len(g)
    return pd.DataFrame(
        {
            "g": g,
            "above": g // 3,
            "crossed": rng.integers(0, 5, n),
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
            "f": np.resize(["a", "b", "c"], n),
        }
    )


def _predictor(frame: pd.DataFrame, ratio: float, rng: Rng) -> FloatArray:
    """Add up fixed and random effects."""
    x = frame["x"].to_numpy()
    effects = ratio * rng.normal(size=(frame["g"].max() + 1, 2))[frame["g"]]
    others = 0.5 * ratio * rng.normal(size=5)[frame["crossed"]]
    return np.asarray(0.3 + 0.5 * x + effects[:, 0] + 0.5 * effects[:, 1] * x + others)


def _response(
    family: Any, eta: FloatArray, omega: list[FloatArray], trials: Any, rng: Rng
) -> FloatArray:
    """Draw responses, inside the support."""
    eta = np.clip(eta, -12.0, 13.0)
    if trials is not None:
        return np.asarray(family.simulate(eta, omega, rng, trials))
    y = np.asarray(family.simulate(eta, omega, rng), float)
    if family.name == "beta":
        return np.clip(y, 1e-9, 1.0 - 1e-9)
    if family.name in ("gamma", "inverse_gaussian"):
        return np.clip(y, 1e-12, 1e12)
    return y


def _same(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    return y


def _constant(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    """Let every response be the least there is, or one of the others."""
    return np.full(len(y), float(y.min()))


def _separated(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    """Let x tell large responses from small ones."""
    frame["x"] = np.where(y > np.median(y), 1.0, 0.0) + (0.0 if rng.random() < 0.5 else y * 0.0)
    return y


def _quasi(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    """Let x be 1 in a few rows that have the least response."""
    frame["x"] = np.where((y == y.min()) & (rng.random(len(y)) < 0.5), 1.0, 0.0)
    return y


def _empty_groups(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    """Give most groups the least response."""
    return np.where(rng.random(frame["g"].max() + 1)[frame["g"]] < 0.7, y.min(), y)


def _collinear(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    frame["z"] = frame["x"] * (1.0 if rng.random() < 0.5 else 1e3) + rng.choice(
        [0.0, 1e-5]
    ) * rng.normal(size=len(y))
    return y


def _still(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    """Let x not vary within groups."""
    frame["x"] = np.cos(frame["g"])
    return y


def _outlier(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    """Let one response, or one value of x, be wild."""
    y = y.copy()
    if family in ("poisson", "negative binomial", "negative binomial 1", "zero-inflated"):
        y[0] = 1e6
    elif family in ("gamma", "inverse gaussian"):
        y[0] = 1e4 * y.max()
    elif family == "gaussian":
        y[0] = 1e3
    elif family == "beta":
        y[0] = 1e-12
    else:
        frame.loc[0, "x"] = 999.0
    return y


def _underdispersed(y: FloatArray, frame: pd.DataFrame, family: str, rng: Rng) -> FloatArray:
    """Replace the responses by nearly their means."""
    if family in ("poisson", "negative binomial", "negative binomial 1", "zero-inflated"):
        return np.round(np.exp(1.0 + 0.5 * frame["x"].to_numpy()))
    return y


FAULTS: dict[str, Callable[[FloatArray, pd.DataFrame, str, Rng], FloatArray]] = {
    "nothing": _same,
    "rare": _same,
    "huge": _same,
    "offset": _same,
    "constant": _constant,
    "separated": _separated,
    "quasi-separated": _quasi,
    "empty groups": _empty_groups,
    "collinear": _collinear,
    "still": _still,
    "outlier": _outlier,
    "underdispersed": _underdispersed,
}
SIZES: dict[str, Callable[[Rng], NDArray[np.intp]]] = {
    "few groups": lambda rng: rng.integers(5, 15, rng.integers(2, 6)),
    "similar groups": lambda rng: rng.integers(3, 9, rng.integers(8, 20)),
    "unequal groups": lambda rng: np.geomspace(1.0, 40.0, 8).astype(np.intp),
    "singletons": lambda rng: np.ones(30, dtype=np.intp),
    "one group": lambda rng: np.array([20]),
    "tiny": lambda rng: np.array([2, 3, 2]),
}
