"""The page on saving and serving shows code for shap, which is tried where shap is installed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from .tables import DOCS, names

PAGE = "guide/save-serve-explain.md"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_shares_add_up_to_the_prediction():
    pytest.importorskip("shap")
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / PAGE).read_text("utf-8"), flags=re.DOTALL)
    shown = [block for block in blocks if not block.startswith(">>>") and "mlflow" not in block]
    scope = names(PAGE)
    for block in shown:
        exec(compile(block, PAGE, "exec"), scope)
    shares, coded = scope["shares"], scope["coded"]
    total = shares.values.sum(axis=1) + shares.base_values
    np.testing.assert_allclose(total, scope["by_column"].predict(coded.head(2)))
    population = scope["population"]
    total = population.values.sum(axis=1) + population.base_values
    expected = scope["by_array"].predict(scope["rows"][:3], include_random_effects=False)
    np.testing.assert_allclose(total, expected)
