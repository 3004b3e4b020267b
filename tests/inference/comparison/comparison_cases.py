"""What the tests of inference share: R's figures and the models they belong to."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from skmixed import datasets, mixedlm
from skmixed.results import MixedLMResults

__all__ = ["COMPARISON", "comparison_fit"]

COMPARISON: dict[str, Any] = json.loads(
    (Path(__file__).parent / "fixtures" / "comparison.json").read_text(encoding="utf-8")
)


@lru_cache
def comparison_fit(name: str) -> MixedLMResults:
    """Fit one of the models of ``comparison.json``, bundled data included."""
    model = COMPARISON["models"][name]
    data = getattr(datasets, f"load_{model['data']}")()
    return mixedlm(model["formula"], data, method=model["method"])
