"""Several models ranked by information criteria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skmixed.exceptions import warn_user
from skmixed.inference.comparison.compared_models import (
    ComparedModel,
    compared_models,
    refitted,
    require_same_rows,
    same_fixed_effects,
)
from skmixed.inference.comparison.conditional_information import (
    conditional_aic,
    has_conditional_aic,
)

__all__ = ["compare"]


def compare(
    models: Sequence[Any] | Mapping[str, Any],
    *,
    refit: str | None = None,
    conditional: bool = True,
    sort_by: str | None = "aic",
) -> pd.DataFrame:
    """Compare models by AIC, AICc, BIC and conditional AIC.

    AIC and its relatives ask how well a model predicts new groups, the conditional AIC new
    observations of the same groups (Vaida and Blanchard 2005; Greven and Kneib 2010).

    Parameters
    ----------
    models : sequence or mapping of MixedLMResults
        Fitted by mixedlm to the same rows; the keys of a mapping name them.
    refit : {None, "ml", "reml"}, optional
        Criterion to fit all models by; by default they stay as they are.
    conditional : bool, default=True
        Whether to compute the conditional AIC.
    sort_by : str or None, default="aic"
        Column to sort by, the lowest first; None keeps the order.

    Returns
    -------
    DataFrame
        One row for each model: model, method, refitted, n_parameters, log_likelihood, aic, aicc
        (Hurvich and Tsai 1989, with the number of rows), bic, caic, caic_df (effective degrees of
        freedom of the conditional AIC; both NaN where correlations or variances of the residuals
        are estimated, and for generalised models), delta_aic (above the lowest) and weight,
        Akaike's: exp(-delta / 2) as a share of their sum.

    Warns
    -----
    UserWarning
        If REML fits with different fixed effects, or REML and ML fits, are compared.

    Raises
    ------
    ValueError
        If there is no model, or the models have different rows.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import compare
    >>> sleepstudy = load_sleepstudy()
    >>> table = compare(
    ...     {
    ...         "intercepts": mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy),
    ...         "slopes": mixedlm("Reaction ~ Days + (Days | Subject)", sleepstudy),
    ...         "uncorrelated": mixedlm("Reaction ~ Days + (Days || Subject)", sleepstudy),
    ...     },
    ...     refit="ml",
    ... )
    >>> table[["model", "n_parameters", "aic", "bic", "delta_aic", "weight"]].round(2)
              model  n_parameters      aic      bic  delta_aic  weight
    0  uncorrelated             5  1762.00  1777.97       0.00    0.72
    1        slopes             6  1763.94  1783.10       1.94    0.28
    2    intercepts             4  1802.08  1814.85      40.08    0.00
    """
    compared = compared_models(models)
    if not compared:
        raise ValueError("There is no model to compare. Give the results of mixedlm.")
    require_same_rows(compared)
    if refit is None:
        _warn_of_criteria(compared)
    else:
        compared = refitted(compared, refit)
    table = pd.DataFrame([_row(one, conditional=conditional) for one in compared])
    table["delta_aic"] = table["aic"] - table["aic"].min()
    relative = np.exp(-0.5 * table["delta_aic"])
    table["weight"] = relative / relative.sum()
    return table if sort_by is None else table.sort_values(sort_by, ignore_index=True)


def _row(one: ComparedModel, *, conditional: bool) -> dict[str, Any]:
    """Return the criteria of one model."""
    fit = one.fit
    k, n = fit.n_parameters, fit.n_rows
    row = {
        "model": one.name,
        "method": one.method,
        "refitted": one.refitted,
        "n_parameters": k,
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "aicc": fit.aic + 2.0 * k * (k + 1.0) / (n - k - 1.0) if n > k + 1 else np.inf,
        "bic": fit.bic,
    }
    if conditional:
        found = conditional_aic(fit) if has_conditional_aic(fit) else None
        row["caic"] = np.nan if found is None else found.caic
        row["caic_df"] = np.nan if found is None else found.df
    return row


def _warn_of_criteria(models: Sequence[ComparedModel]) -> None:
    """Warn where the likelihoods are not those of the same data."""
    reml = [one for one in models if one.fit.reml]
    if not reml:
        return
    if len(reml) < len(models):
        problem = "Some of the models are REML fits and some ML fits"
    elif all(same_fixed_effects(reml[0], other) for other in reml[1:]):
        return
    else:
        problem = "The models are REML fits with different fixed effects"
    warn_user(
        f"{problem}: their likelihoods, and AIC, AICc and BIC with them, are not comparable. "
        "Use refit='ml' (the conditional AIC is comparable as it is).",
        UserWarning,
    )
