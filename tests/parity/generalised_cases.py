"""The cases of glmer and glmmTMB: their models in our words, and the figures that are ours too."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from skmixed import mixedglm

from .reference import FIXTURES, Case, Fitted, python_formula, read_json, shared_case, shared_data

__all__ = [
    "BY_TWIN",
    "GENERALISED",
    "GeneralisedModel",
    "fit_generalised",
    "fixture_case",
    "fixture_names",
    "generalised_case",
    "generalised_data",
    "is_generalised",
    "model_of",
]

GENERALISED = (
    "sdating",
    "cbpp",
    "cbpp_agq9",
    "cbpp_agq25",
    "cbpp_null",
    "contra",
    "contra_slope",
    "contra_agq11",
    "verbagg",
    "verbagg_int",
    "grouse",
    "grouse_raw",
    "mmmec",
    "tmb_contra",
    "tmb_contra_probit",
    "tmb_cbpp_cloglog",
    "tmb_cbpp",
    "tmb_grouse_poisson",
    "tmb_grouse_nb2",
    "tmb_grouse_nb1",
    "tmb_mmmec_nb2",
    "tmb_sleep_gamma",
)
"""Cases that are compared with the package they come from."""

BY_TWIN = {"contra_probit": "tmb_contra_probit", "cbpp_cloglog": "tmb_cbpp_cloglog"}
"""Cases of glmer that cannot agree, and glmmTMB's case of the same model, which does.

Laplace's approximation needs the curvature of the log density in eta. With a link that is not
canonical, glmer takes its expectation and glmmTMB, as skmixed does, the curvature at the response:
two approximations of one likelihood, 0.14 apart for contra_probit and 0.04 for cbpp_cloglog.
"""

_FAMILIES = {
    "nbinom2": "negative_binomial",
    "nbinom1": "negative_binomial_1",
    "Gamma": "gamma",
}


@dataclass(frozen=True, eq=False)
class GeneralisedModel:
    """Hold a model in R's words, and fit it.

    Attributes
    ----------
    formula, family, link : str
    data : DataFrame
        The rows that R used, with factors as categories in R's order of levels.
    n_quadrature : int
    weights : str or None
        The column of numbers of trials.
    dispersion, zero_inflation : str
        One-sided formulas of glmmTMB; ``"~1"`` and ``"~0"`` are its defaults.
    """

    formula: str
    data: pd.DataFrame
    family: str
    link: str
    n_quadrature: int = 1
    weights: str | None = None
    dispersion: str = "~1"
    zero_inflation: str = "~0"

    def fit(self) -> Any:
        """Fit the model."""
        return mixedglm(
            python_formula(self.formula, self.data),
            self.data,
            family=_FAMILIES.get(self.family, self.family),
            link=self.link,
            n_quadrature=self.n_quadrature,
            weights=self.weights,
            dispersion=None if self.dispersion == "~1" else self.dispersion,
            zero_inflation=None if self.zero_inflation == "~0" else self.zero_inflation,
        )


def generalised_data(folder: Path, name: str, formula: str) -> pd.DataFrame:
    """Return the rows of a shared data set in which no variable of a formula is missing."""
    data = shared_data(folder, name)
    if name == "sleepstudy":
        data["R1"] = data["Reaction"] / 1000.0
    words = set(re.findall(r"\w+", formula))
    return data.dropna(subset=[column for column in data if column in words])


def is_generalised(figures: Mapping[str, Any]) -> bool:
    """Tell whether a case is a fit of glmer, or of glmmTMB with another family than the normal."""
    function = figures["fn"]
    return function == "glmer" or (function == "glmmTMB" and figures["family"] != "gaussian")


def generalised_case(folder: Path, name: str) -> Case:
    """Return one case of the shared references."""
    case = shared_case(folder, name)
    data = generalised_data(folder, case.figures["data"], case.figures["formula"])
    return replace(case, figures=_comparable(case.figures), data=data)


def fixture_names() -> list[str]:
    """Return the names of the cases that are kept beside these tests."""
    return list(_fixtures())


def fixture_case(name: str) -> Case:
    """Return one case that is kept beside these tests, with its simulated data."""
    figures = _fixtures()[name]
    data = pd.read_csv(FIXTURES / f"{figures['data']}.csv")
    return Case(name, _comparable(figures), data, None)


def model_of(case: Case) -> GeneralisedModel:
    """Return the model of a case."""
    figures = case.figures
    return GeneralisedModel(
        figures["formula"],
        case.data,
        figures["family"],
        figures["link"],
        figures.get("nAGQ", 1),
        figures.get("weights"),
        figures.get("dispformula", "~1"),
        figures.get("ziformula", "~0"),
    )


def fit_generalised(case: Case) -> Fitted:
    """Fit a case by ``mixedglm``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = model_of(case).fit()
    return Fitted(results, tuple(warning.category for warning in caught))


def _fixtures() -> dict[str, Any]:
    """Return the figures that are kept beside these tests."""
    return read_json(FIXTURES / "generalised.json")["cases"]


def _comparable(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that are the same here as in R.

    With more than one node, glmer's log-likelihood is relative to that of the saturated model.
    """
    found = {key: value for key, value in figures.items() if value not in (None, [])}
    if "loglik_true" in found:
        missing = found["loglik_true"] - found["loglik"]
        found["loglik"] = found["loglik_true"]
        found |= {name: found[name] - 2.0 * missing for name in ("AIC", "BIC")}
    return found
