"""Models of trials: what the references in mmrm_cases.json hold, and the same of our fits.

MMRM.md beside that file has the conventions. Its dense reference computed more models for
fixtures/trials.json.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from skmixed import mixedlm
from skmixed.fitting.variance_parameters import parameter_covariance
from skmixed.residual import (
    AR1,
    AnteDependence,
    CompoundSymmetry,
    Exponential,
    Gaussian,
    Heterogeneous,
    ResidualStructure,
    Toeplitz,
    Unstructured,
)
from skmixed.results import MixedLMResults

from .names import matching

__all__ = [
    "Trial",
    "covariance_parameters",
    "covariance_parameters_errors",
    "fit_trial",
    "own_trials",
    "shared_trials",
    "trial",
]

Array = npt.NDArray[np.float64]

FIXTURES = Path(__file__).parent / "fixtures"
_OF_OCCASIONS = {"cs": CompoundSymmetry, "ar1": AR1, "toep": Toeplitz, "ad": AnteDependence}
_IN_SPACE = {"sp_exp": Exponential, "sp_gau": Gaussian}


@dataclass(frozen=True, eq=False)
class Trial:
    """Hold a model, its rows and its figures.

    Attributes
    ----------
    figures : mapping
        As MMRM.md describes them.
    data : DataFrame
        Rows with a response; categories in the order of the reference.
    """

    figures: Mapping[str, Any]
    data: pd.DataFrame

    @property
    def text(self) -> str:
        """Return the residual structure in mmrm's spelling."""
        figures = self.figures
        group = "/".join(filter(None, (figures["by"], figures["subject"])))
        times = ", ".join(figures["coordinates"] or (figures["time"],))
        return f"{figures['structure']}({times} | {group})"

    @property
    def structure(self) -> ResidualStructure:
        """Return the residual structure, put together from objects."""
        figures = self.figures
        name, time, group, by = (figures[key] for key in ("structure", "time", "subject", "by"))
        if name == "us":
            return Unstructured(time, group=group, by=by)
        if name in _IN_SPACE:
            correlation = _IN_SPACE[name](tuple(figures["coordinates"]), group=group, by=by)
        else:
            correlation = _OF_OCCASIONS[name.removesuffix("h")](time, group=group, by=by)
        if name.endswith("h"):
            return correlation * Heterogeneous((by, time) if by else time)
        return correlation * Heterogeneous(by) if by else correlation

    def ours(self, results: MixedLMResults, figures: Mapping[str, Any]) -> list[int]:
        """Return the places of our coefficients in the order of the reference."""
        return matching(results.params.index, [one["name"] for one in figures["fixed"]])


def trial(folder: Path, name: str) -> Trial:
    """Return one trial on the shared data, rows without a response left out."""
    own = own_trials()
    figures = own[name] if name in own else shared_trials(folder)[name]
    data = pd.read_csv(folder / "data" / f"{figures['data']}.csv")
    response = figures["formula"].split("~")[0].strip()
    data = data[data[response].notna()].astype(
        {column: pd.CategoricalDtype(levels) for column, levels in figures["levels"].items()}
    )
    return Trial(figures, data)


@lru_cache
def shared_trials(folder: Path) -> dict[str, Any]:
    """Return the figures of the shared references by name."""
    cases = json.loads((folder / "reference" / "mmrm_cases.json").read_text(encoding="utf-8"))
    return {one["name"]: one for one in cases}


@lru_cache
def own_trials() -> dict[str, Any]:
    """Return the figures of the models beside them."""
    figures = json.loads((FIXTURES / "trials.json").read_text(encoding="utf-8"))
    assert isinstance(figures, dict)
    return figures


def fit_trial(one: Trial, residual: Any = None) -> MixedLMResults:
    """Fit a trial by its text, or by another way to say its structure; no warning is welcome."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return mixedlm(
            one.figures["formula"],
            one.data,
            residual=one.text if residual is None else residual,
            method=one.figures["method"].lower(),
            weights=one.figures["weights"],
        )


def covariance_parameters(results: MixedLMResults, figures: Mapping[str, Any]) -> Array:
    """Return the covariance parameters in the order and in the kind of the references."""
    residual = results.fit.residual
    assert residual is not None
    found = [np.empty(0)]
    for arm in _arms(results, figures):
        columns, index = residual.columns_of_one_group(_places(figures), arm)
        covariance = results.sigma**2 * residual.covariance(columns, len(index))
        found.append(_parameters(figures["structure"], covariance))
    return np.concatenate(found)


def covariance_parameters_errors(results: MixedLMResults, figures: Mapping[str, Any]) -> Array:
    """Return standard errors of the covariance parameters, by the information of the fit."""
    fit = results.fit
    assert fit.residual is not None
    at = np.append(fit.residual.rho, np.log(fit.sigma))

    def of(parameters: Array) -> Array:
        residual = replace(fit.residual, rho=parameters[:-1])
        moved = replace(fit, residual=residual, sigma=float(np.exp(parameters[-1])))
        return covariance_parameters(_WithFit(moved), figures)  # type: ignore[arg-type]

    slopes = _slopes(of, at)
    return np.sqrt(np.einsum("mi,mn,ni->i", slopes, parameter_covariance(fit), slopes))


@dataclass(frozen=True, eq=False)
class _WithFit:
    """Stand for results: a fit with its sigma."""

    fit: Any

    @property
    def sigma(self) -> float:
        return float(self.fit.sigma)


def _slopes(function: Callable[[Array], Array], at: Array) -> Array:
    """Return derivatives by differences of the fourth order, the parameters on the first axis."""
    step = 1e-3
    rows = []
    for unit in np.eye(len(at)):
        near, far = (function(at + h * unit) - function(at - h * unit) for h in (step, 2 * step))
        rows.append((8 * near - far) / (12 * step))
    return np.array(rows)


def _parameters(structure: str, V: Array) -> Array:
    """Return the parameters of one arm from its covariance matrix of all occasions."""
    m, variances = len(V), np.diagonal(V)
    correlation = V / np.sqrt(np.outer(variances, variances))
    if structure == "us":
        return V[np.tril_indices(m)]
    if structure == "cs":
        return np.array([V[0, 1], V[0, 0] - V[0, 1]])
    if structure == "toep":
        return np.append(V[0, 1:], V[0, 0])
    if structure in _IN_SPACE:
        falls = -np.log(correlation[0, 1])
        return np.array([1 / falls if structure == "sp_exp" else falls**-0.5, V[0, 0]])
    own = {
        "cs": correlation[0, 1:2],
        "ar1": correlation[0, 1:2],
        "toep": correlation[0, 1:],
        "ad": np.diagonal(correlation, 1),
    }[structure.removesuffix("h")]
    return np.append(variances, own) if structure.endswith("h") else np.append(own, variances[0])


def _arms(results: Any, figures: Mapping[str, Any]) -> list[Any]:
    """Return the labels that have parameters of their own, None if all share them."""
    if figures["by"] is None:
        return [None]
    return sorted(results.fit.residual.learned.arms.flat_labels)


def _places(figures: Mapping[str, Any]) -> pd.DataFrame:
    """Return where to ask for the covariance: at all occasions, or at two points 1 apart."""
    if figures["coordinates"] is None:
        return pd.DataFrame({figures["time"]: figures["time_levels"]})
    return pd.DataFrame(
        {name: [0.0, float(i == 0)] for i, name in enumerate(figures["coordinates"])}
    )
