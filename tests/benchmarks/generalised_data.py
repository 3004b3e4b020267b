"""The rows of the benchmarks of generalised models: labels are text, binary responses 0 and 1."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["contraception", "grouseticks", "logistic", "speed_dating", "verbagg"]

SHARED = Path(os.environ.get("SKMIXED_SHARED", Path(__file__).parents[3] / "shared"))


def contraception(_: float) -> pd.DataFrame:
    """Return the women of Bangladesh, 60 districts."""
    return _read("Contraception", ["district", "livch"], ("use", "Y")).drop(columns="woman")


def verbagg(_: float) -> pd.DataFrame:
    """Return 316 persons' answers to 24 items."""
    return _read("VerbAgg", ["id"], ("r2", "Y"))


def grouseticks(_: float) -> pd.DataFrame:
    """Return counts of ticks on 403 chicks, an effect for each of them."""
    return _read("grouseticks", ["INDEX", "BROOD", "LOCATION", "YEAR"])


def speed_dating(_: float) -> pd.DataFrame:
    """Return the dates with complete ratings."""
    data = _read("speed_dating", ["iid"], ("decision", "Yes"))
    return data.drop(columns=["wave", "partner_id"]).dropna()


def logistic(n_rows: int, n_a: int, n_b: int = 0, scale: float = 1.0) -> pd.DataFrame:
    """Simulate binary rows in random order, of one factor or of two crossed ones."""
    rng = np.random.default_rng(0)
    n_rows = int(n_rows * scale)
    x0, x1 = rng.normal(size=(2, n_rows))
    eta = -0.3 + 0.5 * x0 - 0.4 * x1
    data = {"x0": x0, "x1": x1}
    for name, levels, sd in (("a", n_a, 0.8), ("b", n_b, 0.6)):
        if levels:
            codes = rng.integers(0, max(int(levels * scale), 20), n_rows)
            eta += rng.normal(scale=sd, size=codes.max() + 1)[codes]
            data[name] = _labels(name, codes)
    data["y"] = (rng.random(n_rows) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    return pd.DataFrame(data)


def _read(name: str, labels: list[str], response: tuple[str, str] | None = None) -> pd.DataFrame:
    """Read a shared data set; numbers that are labels become text, a response 0 and 1."""
    data = pd.read_csv(SHARED / "data" / f"{name}.csv", dtype=dict.fromkeys(labels, str))
    for label in labels:
        data[label] = "l" + data[label]
    if response is not None:
        column, success = response
        data[column] = (data[column] == success).astype(float)
    return data


def _labels(name: str, codes: np.ndarray) -> np.ndarray:
    """Return labels of groups as text."""
    return np.array([f"{name}{code}" for code in codes.tolist()], dtype=object)
