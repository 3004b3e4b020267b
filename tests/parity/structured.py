"""The cases of glmmTMB with structured random effects: what is identified of their figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from .reference import Case, shared_case

__all__ = ["structured_case"]

OCCASIONS = [f"occasyear {year} semester {half}" for year in (1, 2, 3) for half in (1, 2)]
NOT_IDENTIFIED = {
    # The variance of the intercept is 0 beside ar1, where glmmTMB has a small number.
    "gpa_tmb_ar1": {"varcorr", "ranef"},
    # Variances of single rows are told from the residual one by nothing but their sums.
    "gpa_tmb_diag": {"varcorr", "ranef", "sigma", "fitted10", "predict_fixed10"},
}


def structured_case(folder: Path, name: str) -> Case:
    """Return one case of the shared references, with the figures that the data determine."""
    case = _with_errors_of_least_squares(shared_case(folder, name))
    unknown = NOT_IDENTIFIED.get(name, set())
    return replace(case, figures={k: v for k, v in case.figures.items() if k not in unknown})


def _with_errors_of_least_squares(case: Case) -> Case:
    """Replace the errors of beta by those of generalised least squares at R's variances.

    glmmTMB's errors come from the joint information of beta and the variances, ours take the
    variances as known.
    """
    one = case.data[case.data["student"] == "1"]
    Z = {"(Intercept)": np.ones(6)} | dict(zip(OCCASIONS, np.eye(6), strict=True))
    V = case.figures["sigma"] ** 2 * np.eye(6)
    for term in case.figures["varcorr"]:
        columns = np.column_stack([Z[name] for name in term["names"]])
        V += columns @ term["cov"] @ columns.T
    X = np.column_stack([np.ones(6), one["occasion"]])
    covariance = np.linalg.inv(200 * X.T @ np.linalg.solve(V, X))
    errors = dict(zip(case.figures["fixef"], np.sqrt(np.diagonal(covariance)), strict=True))
    return replace(case, figures={**case.figures, "se": errors, "vcov": covariance})
