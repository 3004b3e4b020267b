"""Models with every residual structure on one sample, and their likelihood written out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed import MixedLM
from skmixed.covariance import JointCovariance
from skmixed.fitting.model import LMMModel
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.fitting.standardise import standardised
from skmixed.formula.parse import parse_formula
from skmixed.residual import (
    CORRELATIONS,
    VARIANCES,
    Correlation,
    Heterogeneous,
    Product,
    ResidualStructure,
)
from skmixed.residual.model import ResidualModel

__all__ = [
    "FORMULAS",
    "RESIDUALS",
    "by_group",
    "dense_covariance",
    "dense_value",
    "model_of",
    "objective_of",
    "sample",
]

FloatArray = NDArray[np.float64]

# The columns of the sample, of which y is the response.
_CORRELATIONS = {
    name: replace(one, coordinates=("east", "north")) if hasattr(one, "coordinates") else one
    for name, one in CORRELATIONS.items()
}
RESIDUALS: dict[str, ResidualStructure] = {
    **_CORRELATIONS,
    **VARIANCES,
    **{f"{name} x strata": one * Heterogeneous("stratum") for name, one in _CORRELATIONS.items()},
    "ar1 x power": CORRELATIONS["ar1"] * VARIANCES["variance power"],
    "ar1 of arms": replace(CORRELATIONS["ar1"], by="arm"),
    "unstructured of arms": replace(CORRELATIONS["unstructured"], by="arm")
    * Heterogeneous(("arm", "time")),
}
FORMULAS = {
    "no factor": "y ~ x",
    "one factor": "y ~ x + (1 + x | g)",
    "nested factors": "y ~ x + (1 | above) + (1 | g)",
}


def sample(seed: int = 0, *, n_groups: int = 30, largest: int = 5) -> pd.DataFrame:
    """Draw rows of groups in two arms: singletons, missing visits, errors that are correlated."""
    rng = np.random.default_rng(seed)
    sizes = np.append([1, 1], rng.integers(2, largest + 1, n_groups - 2))
    g = np.repeat(np.arange(n_groups), sizes)
    n = len(g)
    time = np.concatenate([np.sort(rng.permutation(largest)[:size]) for size in sizes])
    errors = rng.normal(size=(n_groups, largest + 1))
    errors = errors[:, 1:] + 0.8 * errors[:, :-1]
    frame = pd.DataFrame(
        {
            "g": [f"g{code}" for code in g],
            "above": g // 6,
            "arm": np.where(g % 2, "treated", "control"),
            "time": time,
            "stratum": np.where(time < 2, "early", "late"),
            "covariate": rng.uniform(1.0, 5.0, n),
            "variance": rng.uniform(0.5, 2.0, n),
            "x": rng.normal(size=n),
        }
    )
    frame[["east", "north"]] = rng.uniform(0.0, 2.0, (n, 2))
    own = np.where(time < 2, 1.0, 1.4) * errors[g, time]
    frame["y"] = 1.0 + frame["x"] + 0.7 * rng.normal(size=n_groups)[g] + own
    return frame.iloc[rng.permutation(n)].reset_index(drop=True)


def by_group(structure: ResidualStructure) -> ResidualStructure:
    """Return a structure whose rows are correlated within the labels of g."""
    factors = [
        replace(one, group="g") if isinstance(one, Correlation) else one
        for one in structure.factors
    ]
    return Product(tuple(factors)) if len(factors) > 1 else factors[0]


def model_of(
    formula: str,
    frame: pd.DataFrame,
    structure: ResidualStructure,
    *,
    reml: bool,
    **weights: Any,
) -> LMMModel:
    """Return a model with its rows, unfitted."""
    estimator = MixedLM(
        formula=formula, residual=by_group(structure), method="reml" if reml else "ml"
    )
    return estimator.formula_model(parse_formula(formula), frame, environment={}, **weights)


def objective_of(model: LMMModel) -> ResidualObjective:
    """Return the objective of (theta, rho) with all random effects."""
    residual = model.residual
    assert residual is not None
    coordinates, rows = standardised(model.design, model.covariance)
    known = 1.0 / coordinates.sigma_unit**2 if residual.learned.fixes_sigma else None
    factors = list(range(len(model.design.factors)))
    return ResidualObjective(
        rows, model.covariance, factors, residual, reml=model.reml, sigma2=known
    )


def dense_covariance(residual: ResidualModel, rho: FloatArray) -> FloatArray:
    """Return R of all rows from the formulas of its structures."""
    of_arms, of_variances = residual.learned.split(rho)
    rows, correlation = residual.rows, residual.learned.correlation
    logs = [one.logarithms(part) for one, part in zip(rows.deviations, of_variances, strict=True)]
    grouped = rows.grouped
    n = len(grouped.groups) if grouped is not None else len(logs[0])
    R = np.eye(n)
    if grouped is not None and correlation is not None:
        for group in range(grouped.groups.max() + 1):
            own = np.flatnonzero(grouped.groups == group)
            own = own[np.lexsort(grouped.positions[own].reshape(len(own), -1).T[::-1])]
            natural = correlation.natural(of_arms[grouped.arms[own[0]]], residual.learned.axis)
            R[np.ix_(own, own)] = correlation.correlations(natural, grouped.positions[own][None])[0]
    S = np.exp(np.sum([np.zeros(n), *logs], axis=0))
    return S[:, None] * R * S


def dense_value(model: LMMModel, theta: FloatArray, rho: FloatArray) -> float:
    """Return the objective of weighted, standardised rows by dense algebra, a row a unit."""
    assert model.residual is not None
    coordinates, rows = standardised(model.design, model.covariance)
    V = dense_covariance(model.residual, rho)
    covariance: JointCovariance = model.covariance
    factors = covariance.relative_factors(theta)
    for factor, root, Z in zip(model.design.factors, factors, rows.Z, strict=True):
        V += (factor.codes[:, None] == factor.codes) * (Z.T @ root @ root.T @ Z)
    X, y = rows.A[:-1].T, rows.A[-1]
    VX = np.linalg.solve(V, X)
    information = X.T @ VX
    e = y - X @ np.linalg.solve(information, VX.T @ y)
    r2, nu = e @ np.linalg.solve(V, e), len(y) - model.reml * X.shape[1]
    value = rows.log_determinant + np.linalg.slogdet(V)[1]
    value += model.reml * np.linalg.slogdet(information)[1]
    if model.residual.learned.fixes_sigma:
        sigma2 = 1.0 / coordinates.sigma_unit**2
        return float(value + nu * np.log(2.0 * np.pi * sigma2) + r2 / sigma2)
    return float(value + nu * (1.0 + np.log(2.0 * np.pi * r2 / nu)))
