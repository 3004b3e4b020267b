"""The cases with a residual structure: R's figures, and ours in the same order and units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .comparison import QUANTITIES, Difference, Quantity
from .reference import Case, Fitted, shared_case

__all__ = ["RESIDUAL_QUANTITIES", "in_our_units", "residual_case"]


# Where nlme fits the same model as glmmTMB, whose errors are of beta and the variances together.
_BY_NLME = {"gpa_tmb_disp": "gpa_varident_ml"}


def residual_case(folder: Path, name: str) -> Case:
    """Return one case of the shared references."""
    case = shared_case(folder, name)
    if name in _BY_NLME:
        other = shared_case(folder, _BY_NLME[name]).figures
        case = replace(case, figures={**case.figures, "se": other["se"], "vcov": other["vcov"]})
    return in_our_units(case)


def in_our_units(case: Case) -> Case:
    """Return a case with the figures that are the same here as in R.

    sigma is the standard deviation of one stratum: here of the first level, in nlme
    of the first row's. glmmTMB has logarithms of all variances. nlme writes independent
    effects as one term.
    """
    figures = {key: value for key, value in case.figures.items() if value is not None}
    if figures["fn"] == "glmmTMB":
        deviations = np.exp(0.5 * np.array(list(figures["fixef_disp"].values())))
        figures |= {"sigma": 1.0, "var_par": dict(enumerate(deviations))}
    stratum = re.search(r"Ident\(form = ~1 \| (\w+)", figures.get("weights") or "")
    ratios = figures.get("var_par") or {}
    if stratum or figures["fn"] == "glmmTMB":
        labels = list(ratios)
        if stratum:
            labels = [str(label) for label in pd.Categorical(case.data[stratum[1]]).categories]
        first = ratios[labels[0]]
        figures["sigma"] *= first
        figures["var_par"] = {label: ratios[label] / first for label in labels[1:]}
    if "pdDiag" in (figures.get("random") or ""):
        figures["varcorr"] = _one_by_one(figures["varcorr"])
    return replace(case, figures=figures)


def _one_by_one(terms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a term for each effect."""
    return [
        {
            "group": term["group"],
            "names": [name],
            "cov": [[variance]],
            "sd": [variance**0.5],
            "corr": [[1.0]],
        }
        for term in terms
        for name, variance in zip(term["names"], np.diagonal(term["cov"]), strict=True)
    ]


def _parameters(case: Case, fitted: Fitted) -> Difference:
    """Compare the parameters of the residual structure."""
    correlations = _values(case.figures.get("cor_par") or ())
    if "Symm(" in (case.figures.get("correlation") or "") and len(correlations) > 1:
        correlations = _by_rows(correlations)
    expected = np.concatenate([correlations, _values(case.figures.get("var_par") or ())])
    # A correlation near 0 is compared as one; a small phi in long units of time as it is.
    unit = np.where(np.abs(expected) > 1e-3, np.maximum(np.abs(expected), 0.1), expected)
    return Difference(list(fitted.results.residual_parameters.values()), expected, unit)


def _by_rows(correlations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a lower triangle by rows that R has column by column."""
    m = round(0.5 + np.sqrt(0.25 + 2 * len(correlations)))
    matrix = np.zeros((m, m))
    matrix[np.triu_indices(m, 1)] = correlations
    return matrix.T[np.tril_indices(m, -1)]


def _values(figures: Any) -> npt.NDArray[np.float64]:
    """Return the values of a mapping, or of a list."""
    return np.array([*(figures.values() if isinstance(figures, Mapping) else figures)], dtype=float)


# The residual row of the table of variances is the mean over the rows, which R does not print.
RESIDUAL_QUANTITIES = (
    *(quantity for quantity in QUANTITIES if quantity.name != "table of variances"),
    Quantity("residual parameters", 1e-5, "loglik", _parameters),
)
