"""Levels that take in new labels stay sorted, and say where the old ones are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from skmixed.design.groups import factorise, factorise_interaction

DAYS = pd.to_datetime(["2024-03-01", "2024-01-01", "2024-02-01"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["b", "d", "b"], ["c", "d", "a", "c"]),
        (np.array([5, 1]), np.array([3, 1, 3, 9])),
        (np.array([5, 1]), np.array([2.5, 1.0])),
        (np.array([2**60 + 1, 3]), np.array([2**60, 2**63 + 5], dtype=np.uint64)),
        (["b", "d"], [1, "b", 2]),
        (pd.Categorical(["z", "y"]), pd.Categorical(["x", "y"], categories=["y", "x", "w"])),
        (DAYS[:1], DAYS),
        (["a"], ["a", "a"]),
    ],
    ids=["text", "integers", "floats", "large", "mixed", "categories", "dates", "nothing new"],
)
def test_new_labels_are_sorted_in(old: Any, new: Any) -> None:
    levels = factorise(old, "g").levels
    extended, places, codes = levels.extended([new], levels.encode([new]))
    objects = [*pd.Index(old).astype(object), *pd.Index(new).astype(object)]
    expected = factorise(pd.Series(objects, dtype=object), "g").levels
    assert extended.labels.tolist() == expected.labels.tolist()
    assert extended.labels[places].tolist() == levels.labels.tolist()
    assert extended.labels[codes].tolist() == pd.Index(new).tolist()
    assert extended.name == "g"


def test_combinations_of_columns_are_sorted_in() -> None:
    old = [["b", "b", "a"], [2, 1, 7]]
    new = [["a", "b", "c", "a"], [1, 2, 0, 7]]
    levels = factorise_interaction(old, ["u", "v"]).levels
    extended, places, codes = levels.extended(new, levels.encode(new))
    joined = [[*one, *other] for one, other in zip(old, new, strict=True)]
    assert extended.labels.equals(factorise_interaction(joined, ["u", "v"]).levels.labels)
    assert extended.labels.names == ["u", "v"]
    assert extended.labels[places].tolist() == levels.labels.tolist()
    assert extended.labels[codes].tolist() == list(zip(*new, strict=True))


def test_codes_of_rows_that_were_dropped_make_no_levels() -> None:
    levels = factorise(["b", "d"], "g").levels
    codes = levels.encode([["x", "c", "y"]])
    extended, _, kept = levels.extended([["y"]], codes[2:])
    assert extended.labels.tolist() == ["b", "d", "y"]
    assert kept.tolist() == [2]
