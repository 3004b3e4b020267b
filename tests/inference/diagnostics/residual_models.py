"""Fits with residual structures, and the covariance of their errors written out by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed import MixedLM, mixedlm
from skmixed.prediction.kept_rows import KeptRows
from skmixed.residual import AR1, Heterogeneous, KnownVariance, Unstructured, VariancePower
from skmixed.results import MixedLMResults

FloatArray = NDArray[np.float64]
CORRELATED = ("ar1_heterogeneous", "ar1_weights", "ar1_nested", "us", "us_weights", "ar1_slopes")
UNEQUAL = ("power_weights", "strata_frequency", "strata_crossed", "known_variance")
RESIDUAL = (*CORRELATED, *UNEQUAL)


@lru_cache
def visits(seed: int = 7) -> pd.DataFrame:
    """Return visits of people at two sites, some missing, in a random order."""
    rng = np.random.default_rng(seed)
    n_people, n_visits = 24, 5
    time = np.arange(n_visits)
    C = 0.6 ** np.abs(time[:, None] - time) + 0.3
    errors = rng.multivariate_normal(np.zeros(n_visits), C, n_people, method="cholesky")
    data = pd.DataFrame(
        {
            "person": np.repeat(np.arange(n_people), n_visits),
            "visit": np.tile(time, n_people),
            "x": rng.normal(size=errors.size),
        }
    )
    data["site"] = data["person"] % 8
    data["late"] = np.where(data["visit"] < 3, "no", "yes")
    data["age"] = 1.0 + data["visit"] + rng.uniform(size=len(data))
    effects = rng.normal(size=n_people)[data["person"]] + 1.5 * rng.normal(size=8)[data["site"]]
    spread = np.where(data["late"] == "yes", 2.0, 1.0)
    data["y"] = 3.0 + data["x"] + 0.5 * data["visit"] + effects + spread * errors.ravel()
    data["w"] = rng.uniform(0.3, 3.0, len(data))
    data["times"] = rng.integers(1, 4, len(data))
    data["rater"] = rng.integers(0, 4, len(data))
    data["v"] = rng.uniform(0.5, 3.0, len(data))
    return data.sample(frac=0.8, random_state=seed)


@lru_cache
def residual_model(name: str) -> MixedLMResults:
    """Return the results of a model with a residual structure."""
    data = visits()
    ar1 = AR1(time="visit", group="person") * Heterogeneous(by="late")
    if name in ("ar1_heterogeneous", "ar1_weights", "ar1_slopes", "ar1_nested"):
        random = {"ar1_slopes": "(x | person)", "ar1_nested": "(1 | site)"}
        formula = f"y ~ x + visit + {random.get(name, '(1 | person)')}"
        if name == "ar1_weights":
            return group_weighted(formula, ar1)
        return mixedlm(formula, data, residual=ar1)
    if name.startswith("us"):
        weights = data["w"] if name == "us_weights" else None
        us = Unstructured(time="visit", group="person")
        return mixedlm("y ~ x + visit", data, residual=us, weights=weights)
    strata, plain = Heterogeneous(by="late"), "y ~ x + (1 | person)"
    formula, structure, options = {
        "power_weights": (plain, VariancePower(of="age"), {"weights": data["w"]}),
        "known_variance": (plain, KnownVariance("v"), {}),
        "strata_crossed": ("y ~ x + (1 | person) + (1 | rater)", strata, {}),
        "strata_frequency": (
            plain,
            strata,
            {"weights": data["times"], "weight_type": "frequency"},
        ),
    }[name]
    return mixedlm(formula, data, residual=structure, **options)


def group_weighted(formula: str, residual: object) -> MixedLMResults:
    """Return results with weights of rows, and of people that count several times."""
    data = visits()
    times = {person: 1 + person % 3 for person in data["person"].unique()}
    weights = {"sample_weight": data["w"], "group_weight": times}
    estimator = MixedLM(formula=formula, residual=residual).fit(data, **weights)
    rows = KeptRows(estimator.training_model(data, **weights), data)
    return MixedLMResults(replace(estimator.fitted_model, rows=rows))


def errors_written_out(results: MixedLMResults) -> FloatArray:
    """Return R of the rows of visits, from the parameters that are reported."""
    data, found = results.data, results.residual_parameters
    time, person = data["visit"].to_numpy(), data["person"].to_numpy()
    C = np.eye(len(data))
    if "phi" in found:
        C = found["phi"] ** np.abs(time[:, None] - time)
    elif "cor 0.1" in found:
        of_visits = np.eye(5)
        for i in range(5):
            for j in range(i):
                of_visits[i, j] = of_visits[j, i] = found[f"cor {j}.{i}"]
        C = of_visits[time][:, time]
    ratio = {int(name[6:]): value for name, value in found.items() if name[6:].isdigit()}
    S = np.array([ratio.get(one, 1.0) for one in time])
    if "ratio yes" in found:
        S = np.where(data["late"] == "yes", found["ratio yes"], 1.0)
    if "power" in found:
        S = data["age"].to_numpy() ** found["power"]
    if not found:
        S = np.sqrt(data["v"].to_numpy())
    return np.where(person[:, None] == person, C, 0.0) * np.outer(S, S)
