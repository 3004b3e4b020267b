"""The records of glmm_inference.json: reading them, fitting their models, comparing by kind."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pandas as pd

from skmixed import SingularFitWarning

from .generalised_cases import GeneralisedModel, generalised_data
from .reference import SHARED, read_json

__all__ = ["RECORDS", "Record", "fitted", "left_out", "model_data", "summary"]


@dataclass(frozen=True, eq=False)
class Record:
    """Hold numbers of one kind about one model.

    Attributes
    ----------
    name, case, kind : str
        The kind is what the file calls a quantity.
    expected : mapping of str to float
    arguments : mapping
    package, note : str
    relative, absolute : float
        A number x is accepted if |x - expected| <= absolute + relative * |expected|.
    model : tuple
        What tells the record's model from others: formula, data, family, link, nodes, weights,
        model of the dispersion, model of zero inflation.
    """

    name: str
    case: str
    kind: str
    expected: Mapping[str, float]
    arguments: Mapping[str, Any]
    package: str
    note: str
    relative: float
    absolute: float
    model: tuple[Any, ...]

    def accepts(self, key: str, value: float) -> bool:
        """Tell whether a number is within the record's tolerance."""
        expected = self.expected[key]
        return abs(value - expected) <= self.absolute + self.relative * abs(expected)


def fitted(record: Record, **changes: Any) -> Any:
    """Fit the model of a record, once; or a model that differs in some attributes."""
    formula, data, *words = record.model
    return _fitted(changes.pop("formula", formula), data, tuple(words), tuple(changes.items()))


def model_data(record: Record) -> pd.DataFrame:
    """Return the rows of a record's model."""
    formula, data, *_ = record.model
    return generalised_data(SHARED, data, formula)


def left_out(record: Record) -> dict[str, str]:
    """Return the numbers of a record that are another quantity than ours, with the reason."""
    if record.kind == "performance_icc_r2" and record.model[2] != "binomial":
        return dict.fromkeys(record.expected, "performance takes another mean of the counts")
    if record.kind == "drop1_chisq" and record.case == "speed_dating":
        reason = "without a variable R has rows more, in which it is missing"
        dropped = ("attractive_sc", "sincere_sc", "intelligent_sc")
        return {key: reason for key in record.expected if key.startswith(dropped)}
    if record.name == "speed_dating-r2_icc_nakagawa":
        reason = "its model without fixed effects has rows that the model itself lacks"
        return {key: reason for key in record.expected if key.startswith("delta")}
    return {}


def summary(numbers: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Return how many numbers of each kind are within tolerance, left out, or missing.

    Parameters
    ----------
    numbers : mapping
        Our numbers by name of the record; a record without any counts as missing.
    """
    rows: dict[str, Counter[str]] = {}
    for name, record in RECORDS.items():
        row = rows.setdefault(record.kind, Counter())
        reasons, ours = left_out(record), numbers.get(name, {})
        for key in record.expected:
            row["numbers"] += 1
            if key in reasons:
                row["left out"] += 1
            elif key not in ours:
                row["missing"] += 1
            else:
                row["within" if record.accepts(key, ours[key]) else "beyond"] += 1
    table = pd.DataFrame.from_dict(rows, orient="index").fillna(0).astype(int)
    table.loc["all"] = table.sum()
    return table.reindex(columns=["numbers", "within", "beyond", "missing", "left out"]).fillna(0)


@lru_cache(maxsize=64)
def _fitted(
    formula: str, data: str, words: tuple[Any, ...], changes: tuple[tuple[str, Any], ...]
) -> Any:
    """Fit a model; that a variance is 0 in a smaller one is no surprise."""
    model = GeneralisedModel(formula, generalised_data(SHARED, data, formula), *words)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return replace(model, **dict(changes)).fit()


def _record(name: str, found: Mapping[str, Any]) -> Record:
    """Return a record of the file."""
    tolerance = found["tolerance"]
    model = (
        *(found[key] for key in ("formula", "data", "family", "link", "n_quadrature")),
        found.get("weights"),
        found.get("dispformula") or "~1",
        found.get("ziformula") or "~0",
    )
    return Record(
        name,
        found["case"],
        found["quantity"],
        found["value"],
        found["arguments"] or {},
        found["package"],
        found["note"],
        tolerance["relative"],
        tolerance["absolute"],
        model,
    )


def _records() -> dict[str, Record]:
    """Return all records by a name of each; none where the references are absent."""
    path = SHARED / "reference" / "glmm_inference.json"
    if not path.exists():
        return {}
    records, seen = {}, Counter()
    for found in read_json(path):
        key = f"{found['case']}-{found['quantity']}"
        seen[key] += 1
        name = key if seen[key] == 1 else f"{key}-{seen[key]}"
        records[name] = _record(name, found)
    return records


RECORDS = _records()
