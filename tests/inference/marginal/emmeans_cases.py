"""The figures of emmeans: reading them, fitting their models, matching their rows with ours."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skmixed import mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference.marginal.estimates import MarginalEstimates
from skmixed.inference.marginal.means import marginal_means
from skmixed.inference.marginal.slopes import marginal_slopes
from skmixed.results import MixedLMResults

__all__ = [
    "COLUMNS",
    "Rows",
    "case_names",
    "estimates_of",
    "figures_of",
    "fitted",
    "rows_of",
    "sleep",
]

FIXTURE = Path(__file__).parent / "fixtures" / "emmeans.json"
COLUMNS = {
    "SE": "se",
    "df": "df",
    "t.ratio": "statistic",
    "p.value": "p_value",
    "lower.CL": "lower",
    "upper.CL": "upper",
}
PARTS = ["early", "middle", "late"]

Rows = dict[tuple[str, ...], dict[str, float]]
"""Figures by what they are of."""


@lru_cache
def _cases() -> dict[str, Any]:
    return json.loads(FIXTURE.read_text(encoding="utf-8"))["cases"]


def case_names(*, shared: bool) -> list[str]:
    """Return the cases whose data are among the shared ones, or those whose data are bundled."""
    return [
        name for name, case in _cases().items() if (case["data"] in ("oats", "machines")) == shared
    ]


def figures_of(name: str) -> dict[str, Any]:
    """Return what emmeans was asked for, and what it gave."""
    return _cases()[name]


def sleep(name: str = "sleep") -> pd.DataFrame:
    """Return one of the variants of the sleep study that the generator makes."""
    data = load_sleepstudy()
    subject = data["Subject"].astype(str).rank(method="dense").astype(int)
    data["part"] = pd.Categorical.from_codes(data["Days"] // 4, PARTS)
    data["team"] = np.where(subject % 2 == 1, "odd", "even")
    data["half"] = (data["Days"] >= 5).astype(float)
    data["w"] = 1 + data["Days"] % 3
    data["twice"] = 2 * data["Days"]
    if name != "sleep":
        data = data[data["Days"] != subject % 7]
    if name == "holed":
        data = data[~((data["part"] == "late") & (data["team"] == "odd"))]
    return data


@lru_cache
def fitted(
    formula: str, data: str, prior: str | None, reml: bool, folder: Path | None
) -> MixedLMResults:
    """Fit the model of a case."""
    if folder is None:
        frame = sleep(data)
    else:
        frame = pd.read_csv(folder / "data" / f"{data.capitalize()}.csv")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X is rank deficient", UserWarning)
        return mixedlm(formula, frame, weights=prior, method="reml" if reml else "ml")


def estimates_of(name: str, folder: Path | None) -> MarginalEstimates:
    """Return our marginal means, or slopes, of a case."""
    case = figures_of(name)
    results = fitted(case["formula"], case["data"], case["prior"] or None, case["reml"], folder)
    options = {
        "by": case["by"],
        "at": case["at"] or None,
        "weights": case["weights"],
        "df_method": case["df_method"],
    }
    specs = [one for one in case["specs"] if one != "1"]
    if case["variable"]:
        return marginal_slopes(results, case["variable"], specs, **options)
    return marginal_means(results, specs, **options)


def rows_of(table: list[dict[str, Any]] | pd.DataFrame, names: list[str]) -> Rows:
    """Key the rows of a table, theirs or ours, by the levels that they are of.

    A difference is keyed by its two sides in alphabetical order, with the sign to match.
    """
    ours = isinstance(table, pd.DataFrame)
    rows = table.to_dict("records") if ours else table
    return dict(_row(row, names, ours=ours) for row in rows)


def _row(
    row: Mapping[str, Any], names: list[str], *, ours: bool
) -> tuple[tuple[str, ...], dict[str, float]]:
    """Return the key and the figures of one row."""
    key = [_label(row[name]) for name in names]
    first, _, second = key[-1].partition(" - ") if key else ("", "", "")
    turned = bool(second) and first > second
    if turned:
        key[-1] = f"{second} - {first}"
    estimate = "estimate" if ours else next(iter({"emmean", "estimate"} & row.keys()), None)
    estimate = estimate or next(column for column in row if column.endswith(".trend"))
    figures = {"estimate": row[estimate]}
    figures |= {our: row.get(our if ours else their) for their, our in COLUMNS.items()}
    figures = {k: np.nan if value is None else float(value) for k, value in figures.items()}
    if turned:
        figures |= {k: -figures[k] for k in ("estimate", "statistic")}
        figures["lower"], figures["upper"] = -figures["upper"], -figures["lower"]
    return tuple(key), figures


def _label(value: Any) -> str:
    """Return a level as text: a number without a trailing .0."""
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
