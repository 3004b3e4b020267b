"""Parametric bootstrap of a likelihood ratio."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from skmixed.inference.comparison.compared_models import ComparedModel
from skmixed.inference.replication.refits import Refitter
from skmixed.inference.replication.simulation import response_model

__all__ = ["bootstrap_p_value"]


def bootstrap_p_value(
    small: ComparedModel,
    large: ComparedModel,
    n: int,
    rng: np.random.Generator,
    *,
    n_jobs: int | None = None,
    rounding: float = 0.0,
) -> dict[str, float]:
    """Compare a likelihood ratio with those of responses that the smaller model simulates.

    With k of n simulated ratios at least as large as the observed one, the p-value is
    (k + 1) / (n + 1) (Davison and Hinkley 1997, section 4.2). Replicates in which a search failed
    are left out.

    Parameters
    ----------
    small, large : ComparedModel
        Fitted by one criterion.
    n : int
        Number of replicates.
    rng : Generator
    n_jobs : int, optional
        Processes for fits that are made one by one.
    rounding : float, default=0.0
        Ratios that differ by less are taken as equal.

    Returns
    -------
    dict
        With p_value_bootstrap and its Monte-Carlo standard error, p_value_bootstrap_se.

    Raises
    ------
    ValueError
        If rows or groups count several times by their weights.
    """
    source = response_model(small.fit, small.model)
    seed = int(rng.integers(2**63))
    pair = []
    for one in (small, large):
        # The same seed for both: they are fitted to the same responses.
        draw = partial(source.with_new_effects, rng=np.random.default_rng(seed))
        refitter = Refitter(one.model, one.fit, one.model, None, n_jobs, 0)
        pair.append(refitter.of_responses(n, draw))
    without, within = pair
    ratios = 2.0 * (within["log_likelihood"] - without["log_likelihood"])
    found = ratios[within["converged"] & without["converged"]].to_numpy()
    observed = small.fit.criterion - large.fit.criterion
    return _p_value(int((found >= observed - rounding).sum()), len(found))


def _p_value(n_larger: int, n: int) -> dict[str, float]:
    """Return the p-value and its standard error, NaN without replicates."""
    p_value = (n_larger + 1) / (n + 1) if n else math.nan
    error = math.sqrt(p_value * (1.0 - p_value) / n) if n else math.nan
    return {"p_value_bootstrap": p_value, "p_value_bootstrap_se": error}
