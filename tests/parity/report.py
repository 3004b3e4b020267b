"""Print the largest deviation from R of every quantity: ``python -m tests.parity.report``."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pandas as pd

from .cases import ONE_FACTOR, SEVERAL_FACTORS, STRUCTURED
from .comparison import QUANTITIES
from .reference import SHARED, Case, bundled_case, bundled_names, fit_case, shared_case
from .structured import structured_case

__all__ = ["deviations", "largest"]


def deviations(cases: Iterable[Case]) -> pd.DataFrame:
    """Return the relative deviation of each case (row) in each quantity (column)."""
    rows = {}
    for case in cases:
        fitted = fit_case(case)
        rows[case.name] = {
            quantity.name: quantity.difference(case, fitted)
            for quantity in QUANTITIES
            if quantity.known(case)
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def largest(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each quantity: its tolerance, and the worst case."""
    return pd.DataFrame(
        {
            "tolerance": {quantity.name: quantity.tolerance for quantity in QUANTITIES},
            "largest": table.max(),
            "median": table.median(),
            "worst case": table.idxmax(),
            "cases": table.count(),
        }
    ).loc[[quantity.name for quantity in QUANTITIES]]


def main() -> None:
    """Print a table for the bundled cases, and one for the shared references if they are there."""
    sources = {"bundled data": map(bundled_case, bundled_names("lme4", "glmmTMB"))}
    if SHARED.is_dir():
        sources["shared references"] = (
            *(shared_case(SHARED, name) for name in ONE_FACTOR + SEVERAL_FACTORS),
            *(structured_case(SHARED, name) for name in STRUCTURED),
        )
    for title, cases in sources.items():
        table = largest(deviations(cases))
        sys.stdout.write(f"{title}:\n{table.to_string(float_format='{:.1e}'.format)}\n\n")


if __name__ == "__main__":
    main()
