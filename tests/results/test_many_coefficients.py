"""Descriptions and tables of models with many coefficients take time in proportion to them."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from skmixed import mixedlm

# The loops over all pairs and triples of names took many times as long.
SECONDS = 4.0


def table(n: int, p: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(n, p)), columns=[f"x{j}" for j in range(p)])
    data["g"] = np.arange(n) % 25
    data["y"] = rng.normal(size=n) + 3.0 * rng.normal(size=25)[data["g"]]
    return data


def test_description_of_many_columns() -> None:
    columns = [f"x{j}" for j in range(160)]
    results = mixedlm(f"y ~ {' + '.join(columns)} + (1 | g)", table(400, 160))
    start = time.process_time()
    text = results.describe()
    assert time.process_time() - start < SECONDS
    assert text.count("Per unit of x") == 160
    assert "in several terms" not in text


def test_description_of_many_pairs() -> None:
    columns = [f"x{j}" for j in range(20)]
    results = mixedlm(f"y ~ ({' + '.join(columns)})**2 + (1 | g)", table(500, 20))
    start = time.process_time()
    text = results.describe()
    assert time.process_time() - start < SECONDS
    assert text.count("With each unit of x") == 190
    assert "Per unit of x0, y changes by" in text
    assert "where x1 is 0, x2 is 0" in text


def test_description_of_many_categories() -> None:
    data = table(600, 1)
    data["f"] = np.char.add("level ", (np.arange(600) // 3).astype(str))
    results = mixedlm("y ~ f + (1 | g)", data)
    text = results.describe()
    assert text.count("compared with level 0, y differs by") == 199
