"""Cases with R's figures: reading them, choosing the linear ones, fitting them."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from skmixed import MixedLM, SingularFitWarning, datasets, mixedlm
from skmixed.residual import ResidualStructure
from skmixed.results import MixedLMResults

from .residual_words import residual_of

__all__ = [
    "FIXTURES",
    "SHARED",
    "Case",
    "Fitted",
    "bundled_case",
    "bundled_names",
    "fit_case",
    "fit_estimator",
    "linear_names",
    "python_formula",
    "read_json",
    "shared_case",
    "shared_data",
    "shared_names",
]

FIXTURES = Path(__file__).parent / "fixtures"
SHARED = Path(os.environ.get("SKMIXED_SHARED", Path(__file__).parents[3] / "shared"))
PERIODS = ("first", "middle", "last")
# nlme's uncorrelated effects: list(group = pdDiag(~terms)).
_DIAGONAL = re.compile(r"list\((\w+) = pdDiag\(~(.*)\)\)$")


@dataclass(frozen=True, eq=False)
class Case:
    """Hold a model, its data, and the figures that R gives.

    Attributes
    ----------
    name : str
    figures : mapping
        As described in the README of the references.
    data : DataFrame
        Factors are categories in R's order of levels.
    weights : Series or None
    residual : ResidualStructure or None
    """

    name: str
    figures: Mapping[str, Any]
    data: pd.DataFrame
    weights: pd.Series | None
    residual: ResidualStructure | None = None

    @property
    def formula(self) -> str:
        """Return the formula as skmixed reads it."""
        text, random = self.figures["formula"], self.figures.get("random")
        if random:  # nlme gives the random effects in an argument of their own.
            random = _DIAGONAL.sub(r"\2 || \1", random).lstrip("~ ")
            text += f" + ({random})"
        return python_formula(text, self.data)

    @property
    def method(self) -> str:
        """Return ``"reml"`` or ``"ml"``."""
        return self.figures["method"].lower()

    @property
    def singular(self) -> bool:
        """Tell whether lme4 finds a covariance on its boundary; no other case is one."""
        return bool(self.figures.get("is_singular", False))


@dataclass(frozen=True, eq=False)
class Fitted:
    """Hold the results of one case and the categories of the warnings that the fit gave."""

    results: MixedLMResults
    warnings: tuple[type[Warning], ...]


def python_formula(text: str, data: pd.DataFrame) -> str:
    """Return R's formula with the two differences that Python needs.

    R codes an ordered factor by polynomial contrasts, patsy by treatment contrasts unless told
    otherwise; and the constant ``pi`` belongs to NumPy. All else is read as R reads it.
    """
    response, terms = text.split("~")
    for name, column in data.items():
        if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
            terms = re.sub(rf"\b{name}\b", f"C({name}, Poly)", terms)
    terms = re.sub(r"\bpi\b", "np.pi", terms)
    return f"{response}~{terms}"


def shared_case(folder: Path, name: str) -> Case:
    """Return one case of the shared references."""
    figures = read_json(folder / "reference" / "reference.json")["cases"][name]
    data = shared_data(folder, figures["data"])
    weights = figures.get("weights") or ""
    if weights == "varFixed(~I(1/w))":  # The variance is the inverse of w.
        weights = "w"
    return Case(name, figures, data, data.get(weights), residual_of(figures))


def shared_names(folder: Path, chosen: Callable[[Mapping[str, Any]], bool]) -> set[str]:
    """Return the names of the cases whose figures are chosen."""
    cases = read_json(folder / "reference" / "reference.json")["cases"]
    return {name for name, figures in cases.items() if chosen(figures)}


def linear_names(folder: Path) -> set[str]:
    """Return the names of all cases that are linear mixed models with independent rows."""
    return shared_names(folder, _is_linear)


def bundled_names(*packages: str) -> list[str]:
    """Return the names of the cases of some packages that are kept beside these tests."""
    return list(_bundled_figures(*packages))


def bundled_case(name: str) -> Case:
    """Return one case on the data that skmixed ships."""
    figures = _bundled_figures("lme4", "glmmTMB", "nlme")[name]
    data = getattr(datasets, f"load_{figures['data']}")()
    if figures["fn"] != "lmer":
        data["period"] = pd.Categorical.from_codes(data["Days"] // 4, PERIODS)
    residual = residual_of(figures)
    weights = figures["weights"] if residual is None else None
    return Case(name, figures, data, data.eval(weights) if weights else None, residual)


def fit_case(case: Case) -> Fitted:
    """Fit a case by ``mixedlm``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = mixedlm(
            case.formula,
            case.data,
            residual=case.residual,
            method=case.method,
            weights=case.weights,
        )
    return Fitted(results, tuple(warning.category for warning in caught))


def fit_estimator(case: Case) -> MixedLM:
    """Fit a case by the estimator, from the same formula."""
    model = MixedLM(formula=case.formula, residual=case.residual, method=case.method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if case.singular else "error", SingularFitWarning)
        return model.fit(case.data, sample_weight=case.weights)


def _bundled_figures(*packages: str) -> dict[str, Any]:
    """Return the figures of the cases of some packages that are kept beside these tests."""
    return {
        name: figures
        for package in packages
        for name, figures in read_json(FIXTURES / f"{package}.json")["cases"].items()
    }


@lru_cache
def read_json(path: Path) -> Any:
    """Read a file once."""
    return json.loads(path.read_text(encoding="utf-8"))


def shared_data(folder: Path, name: str) -> pd.DataFrame:
    """Read a data set with its factors as the schema describes them; their labels are text."""
    factors = read_json(folder / "data" / "schema.json")[name]["factors"]
    frame = pd.read_csv(folder / "data" / f"{name}.csv", dtype=dict.fromkeys(factors, str))
    return frame.astype(
        {
            factor: pd.CategoricalDtype(rule["levels"], ordered=rule["ordered"])
            for factor, rule in factors.items()
        }
    )


def _is_linear(figures: Mapping[str, Any]) -> bool:
    """Tell whether a case is a Gaussian model with random effects and nothing beside them."""
    function = figures["fn"]
    if function == "lmer":
        return True
    if function == "lme":
        # A case without fixed effects holds the tests of another case's fit.
        residuals = figures.get("correlation") or "var" in (figures.get("weights") or "")
        known = not residuals or figures["weights"] == "varFixed(~I(1/w))"
        return known and "fixef" in figures
    if function == "glmmTMB":
        return bool(figures["family"] == "gaussian" and figures["dispformula"] == "~1")
    return False
