"""R's diagnostics of models of the data that skmixed ships, and our fits of the same models."""

from __future__ import annotations

import json
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skmixed import SingularFitWarning, datasets, mixedlm
from skmixed.results import MixedLMResults

FIXTURES = Path(__file__).parent / "fixtures" / "diagnostics.json"
CASES: dict[str, Any] = json.loads(FIXTURES.read_text(encoding="utf-8"))["cases"]


def with_part(part: str) -> list[str]:
    """Return the names of the cases that have some figures."""
    return [name for name, case in CASES.items() if part in case]


def case_data(case: dict[str, Any]) -> pd.DataFrame:
    """Return the rows of a case."""
    data: pd.DataFrame = getattr(datasets, f"load_{case['data']}")()
    if case.get("keep"):
        kept = (np.arange(len(data)) + 1) * 7 % 11 > data["Days"] // 2
        data = data[kept & ~((data["Subject"] == "308") & (data["Days"] > 1))]
    return data


@lru_cache
def fitted(name: str) -> MixedLMResults:
    """Return our fit of a case."""
    case = CASES[name]
    data = case_data(case)
    weights = data.eval(case["weights"]) if case.get("weights") else None
    with warnings.catch_warnings():
        warnings.simplefilter("error", SingularFitWarning)
        return mixedlm(case["formula"], data, method=case["method"].lower(), weights=weights)
