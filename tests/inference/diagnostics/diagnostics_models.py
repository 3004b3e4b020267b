"""Fits of every kind of model that diagnostics distinguish."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from inference.diagnostics.residual_models import RESIDUAL, residual_model
from skmixed import MixedLM, datasets, mixedlm
from skmixed.prediction.kept_rows import KeptRows
from skmixed.results import MixedLMResults

SLOPES = "Reaction ~ Days + (Days | Subject)"
NESTED = "strength ~ cask + (1 | batch/cask)"
CROSSED = "y ~ x + (1 + x | g) + (1 | h)"
SINGLE = ("slopes", "weights", "frequency", "group_weight", "offset", "ml")
SEVERAL = ("nested", "crossed", "crossed_weights", "crossed_iterative")


def unbalanced() -> pd.DataFrame:
    """Return sleepstudy with groups of 1 to 10 rows, in a random order."""
    data = datasets.load_sleepstudy()
    rng = np.random.default_rng(1)
    kept = data["Days"] <= rng.integers(0, 10, 18)[data["Subject"].cat.codes]
    return data[kept].sample(frac=1.0, random_state=2)


def crossed() -> pd.DataFrame:
    """Return rows of two crossed factors, some pairs of levels empty."""
    rng = np.random.default_rng(3)
    n = 120
    data = pd.DataFrame({"g": rng.integers(0, 12, n), "h": rng.integers(0, 5, n)})
    data["x"] = rng.normal(size=n)
    effects = rng.normal(size=12) + 0.0
    data["y"] = 1.0 + data["x"] + effects[data["g"]] + rng.normal(size=5)[data["h"]]
    data["y"] += data["x"] * rng.normal(size=12)[data["g"]] + rng.normal(size=n)
    data["w"] = rng.uniform(0.3, 3.0, n)
    return data


@lru_cache
def model(name: str) -> MixedLMResults:
    """Return the results of one kind of model."""
    if name in RESIDUAL:
        return residual_model(name)
    if name == "nested":
        return mixedlm(NESTED, datasets.load_pastes())
    if name.startswith("crossed"):
        data = crossed()
        weights = data["w"] if name == "crossed_weights" else None
        solver = "iterative" if name == "crossed_iterative" else "direct"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Monte-Carlo", UserWarning)
            return mixedlm(CROSSED, data, weights=weights, solver=solver)
    data = unbalanced()
    if name == "group_weight":
        return group_weighted(data)
    rng = np.random.default_rng(4)
    formula = "Reaction ~ Days + offset(5 * Days) + (1 | Subject)" if name == "offset" else SLOPES
    options: dict[str, dict[str, Any]] = {
        "ml": {"method": "ml"},
        "weights": {"weights": rng.uniform(0.3, 3.0, len(data))},
        "frequency": {"weights": rng.integers(1, 4, len(data)), "weight_type": "frequency"},
    }
    return mixedlm(formula, data, **options.get(name, {}))


def group_weighted(data: pd.DataFrame) -> MixedLMResults:
    """Return results of groups that count several times, which mixedlm has no argument for."""
    times = dict(zip(data["Subject"].cat.categories, [1, 2, 3] * 6, strict=True))
    estimator = MixedLM(formula=SLOPES).fit(data, group_weight=times)
    rows = KeptRows(estimator.training_model(data, group_weight=times), data)
    return MixedLMResults(replace(estimator.fitted_model, rows=rows))
