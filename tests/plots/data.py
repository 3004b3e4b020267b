"""Data of few and of many groups to draw."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["simulated_groups"]


def simulated_groups(n_groups: int, n_rows: int) -> pd.DataFrame:
    """Return rows of groups with long names."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(n_groups), n_rows)
    x = rng.normal(size=len(codes))
    y = 1.0 + 2.0 * x + rng.normal(size=n_groups)[codes] + rng.normal(size=len(codes))
    names = np.array([f"a municipality of a long name {i}" for i in range(n_groups)])
    return pd.DataFrame({"y": y, "x": x, "municipality": names[codes]})
