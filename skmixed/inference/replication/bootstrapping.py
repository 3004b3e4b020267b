"""Bootstrap of a fitted linear mixed model."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.model import LMMModel
from skmixed.inference.inputs import fit_of, model_of
from skmixed.inference.replication.bootstrap_draws import BootstrapDraws
from skmixed.inference.replication.refits import Refitter, Statistic
from skmixed.inference.replication.resampling import (
    ResidualPool,
    check_whole_groups,
    counted_groups,
    whole_groups,
)
from skmixed.inference.replication.simulation import gaussian_response_model, response_model

__all__ = ["bootstrap"]

KINDS = ("parametric", "conditional", "residual", "case")


def bootstrap(
    fitted: Any,
    n: int = 1000,
    *,
    kind: str = "parametric",
    statistic: Statistic | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> BootstrapDraws:
    """Fit the model again and again to data like those that were observed.

    Parameters
    ----------
    fitted : MixedLMResults, MixedGLMResults or LMMModel
        A fitted model that keeps its rows.
    n : int, default=1000
        Number of replicates.
    kind : {"parametric", "conditional", "residual", "case"}, default="parametric"
        What makes the data of a replicate. Normal random effects and residuals of the estimated
        variances; normal residuals alone, around the conditional modes; modes and residuals drawn
        with replacement, after they were given the estimated variances (Carpenter, Goldstein and
        Rasbash 2003); or whole groups drawn with replacement, which assumes nothing of the
        distributions but needs many groups, and one grouping factor (or none, and groups of
        correlated residuals). Where the groups that were drawn do not tell all coefficients, these
        have no value. In a generalised model, responses of the family take the place of normal
        residuals, and there is no ``"residual"``.
    statistic : callable, optional
        Called with the refitted model as ``fitted`` is given (without data, but it predicts), it
        returns a number, an array, or numbers with names (Series or dict). By default a replicate
        keeps all parameters.
    random_state : int, numpy.random.Generator or None, default=None
        The same seed gives the same draws, whatever ``n_jobs`` is.
    n_jobs : int, optional
        Processes for the fits that are made one by one: those of several grouping factors, of
        ``kind="case"`` and of a statistic. All others are made in lock-step, in one process.
    verbose : int, default=0
        1 shows how far the fits have come.

    Returns
    -------
    BootstrapDraws
        The draws, with intervals, standard errors and bias.

    Raises
    ------
    ValueError
        If an argument cannot be used, or the data cannot be drawn.
    TypeError
        If ``fitted`` keeps no rows.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import bootstrap
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> draws = bootstrap(results, n=1000, random_state=0)
    >>> draws
    <BootstrapDraws: parametric, 1000 replicates, 14 singular>
    >>> draws.conf_int().round(1).head(3)
       parameter  estimate  lower  upper
    0  Intercept     251.4  237.0  265.4
    1       Days      10.5    7.5   13.6
    2      sigma      25.6   22.7   28.4
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, got {kind!r}.")
    if n < 1:
        raise ValueError(f"n, the number of replicates, must be at least 1, got {n!r}.")
    fit, model = fit_of(fitted), model_of(fitted)
    rng = np.random.default_rng(random_state)
    refitter = Refitter(fitted, fit, model, statistic, n_jobs, verbose)
    if kind == "case":
        check_whole_groups(model, "The case bootstrap")
        draws = refitter.of_models(
            [partial(counted_groups, model, counts) for counts in _group_counts(model, n, rng)]
        )
    elif kind == "residual":
        fit.require_gaussian("The residual bootstrap", "use kind='parametric' or 'case'")
        pool = ResidualPool(gaussian_response_model(fit, model))
        draws = refitter.of_responses(n, partial(pool.responses, rng=rng))
    else:
        source = response_model(fit, model)
        draw = source.with_new_effects if kind == "parametric" else source.with_modes
        draws = refitter.of_responses(n, partial(draw, rng=rng))
    return BootstrapDraws(kind, refitter.estimates(), draws, refitter)


def _group_counts(model: LMMModel, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw for each replicate how often each group comes, shape (n, n_levels)."""
    n_levels = len(whole_groups(model).levels)
    drawn = rng.integers(n_levels, size=(n, n_levels)) + n_levels * np.arange(n)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * n_levels).reshape(n, n_levels)
