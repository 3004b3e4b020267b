"""A fitted estimator grows with its groups and columns, never with the rows it was fitted to."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from skmixed import MixedLM, RandomInterceptRegressor


def data_of(repeats: int) -> pd.DataFrame:
    """Return rows of the same ten groups, so many times over."""
    rng = np.random.default_rng(0)
    n = 200 * repeats
    labels = [f"s{i}" for i in range(10)] * (n // 10)
    data = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "g": labels})
    effects = np.random.default_rng(1).normal(size=(2, 10))[:, np.arange(n) % 10]
    data["y"] = data["x"] + effects[0] + effects[1] * data["x"] + rng.normal(size=n)
    return data


FITS = {
    "intercept, array": lambda d: RandomInterceptRegressor().fit(
        d[["x", "z"]].to_numpy(), d["y"], groups=d["g"].to_numpy()
    ),
    "intercept, frame": lambda d: RandomInterceptRegressor("g").fit(d[["x", "z", "g"]], d["y"]),
    "slope, array": lambda d: MixedLM(random_slopes=0).fit(
        d[["x", "z"]].to_numpy(), d["y"], groups=d["g"].to_numpy()
    ),
    "slope, weights": lambda d: MixedLM(random_slopes=0).fit(
        d[["x", "z"]].to_numpy(), d["y"], groups=d["g"], sample_weight=np.arange(len(d)) + 1.0
    ),
    "slope, frame": lambda d: MixedLM("g", random_slopes="x").fit(d[["x", "z", "g"]], d["y"]),
    "formula": lambda d: MixedLM(formula="y ~ scale(x) + poly(z, 2) + (x | g)").fit(d),
    "category": lambda d: MixedLM("g").fit(d[["x", "z", "g"]].astype({"g": "category"}), d["y"]),
}


@pytest.mark.parametrize("name", FITS)
def test_pickle_does_not_grow_with_rows(name):
    small, large = (len(pickle.dumps(FITS[name](data_of(repeats)))) for repeats in (1, 20))
    assert abs(large - small) < 64


@pytest.mark.parametrize("name", FITS)
def test_predictions_survive_pickling(name):
    data = data_of(1)
    model = FITS[name](data)
    again = pickle.loads(pickle.dumps(model))
    if model.groups is None and getattr(model, "formula", None) is None:
        X, labels = data[["x", "z"]].to_numpy(), {"groups": data["g"]}
    else:
        X, labels = (data if getattr(model, "formula", None) else data[["x", "z", "g"]]), {}
    for options in ({}, {"return_std": True}, {"include_random_effects": False}):
        assert np.array_equal(
            again.predict(X, **labels, **options), model.predict(X, **labels, **options)
        )
    assert str(again.summary()) == str(model.summary())
