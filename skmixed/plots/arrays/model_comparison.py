"""The tables of several models that ModelComparisonDisplay shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from skmixed.inference import compare
from skmixed.plots.style.text import short_label

__all__ = ["COEFFICIENT_COLUMNS", "CRITERIA", "model_comparison_arrays"]

# Columns of a table of criteria, with their names.
CRITERIA = {"aic": "AIC", "bic": "BIC", "caic": "Conditional AIC", "aicc": "AICc"}
COEFFICIENT_COLUMNS = ("model", "term", "estimate", "lower", "upper")


def model_comparison_arrays(
    results: Mapping[str, Any] | Sequence[Any],
    *,
    criteria: Sequence[str],
    terms: Sequence[str] | None,
    refit: str | None,
    level: float,
) -> dict[str, Any]:
    """Return the arguments of ModelComparisonDisplay.

    Parameters
    ----------
    results, criteria, terms, refit, level
        As for ``ModelComparisonDisplay.from_results``.

    Raises
    ------
    ValueError
        If the models have different rows, or there is no such criterion or term.
    """
    _check_known("criteria", criteria, list(CRITERIA))
    table = compare(results, refit=refit, conditional="caic" in criteria, sort_by=None)
    fitted = list(results.values() if isinstance(results, Mapping) else results)
    tidy = [
        one.tidy(level).assign(model=name) for name, one in zip(table["model"], fitted, strict=True)
    ]
    coefficients = pd.concat(tidy, ignore_index=True)[list(COEFFICIENT_COLUMNS)]
    if terms is not None:
        _check_known("terms", terms, list(coefficients["term"].unique()))
        coefficients = coefficients[coefficients["term"].isin(list(terms))]
    return {
        "criteria": table.sort_values("delta_aic")[["model", *criteria, "weight"]],
        "coefficients": coefficients,
        "level": level,
    }


def _check_known(argument: str, given: Sequence[str], known: list[str]) -> None:
    """Raise ValueError unless all names are known, and there are some."""
    unknown = [name for name in given if name not in known]
    if unknown or not len(given):
        raise ValueError(
            f"{argument} must be among {[short_label(name) for name in known]}, got "
            f"{unknown or list(given)}."
        )
