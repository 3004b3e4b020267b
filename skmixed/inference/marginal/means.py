"""Marginal means, as R's emmeans defines them, and their comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.inference.coefficients.degrees_of_freedom import rule_for
from skmixed.inference.marginal.averaged_means import AveragedEstimates, averaged_functions
from skmixed.inference.marginal.estimates import MarginalEstimates, check_scale
from skmixed.inference.marginal.grid_source import grid_source
from skmixed.inference.marginal.reference_grid import reference_grid

__all__ = ["contrasts", "marginal_means", "pairwise"]


def marginal_means(
    results: Any,
    specs: str | Sequence[str] | None = None,
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, Any] | None = None,
    weights: str = "equal",
    df_method: str | None = None,
    level: float = 0.95,
    scale: str = "link",
    average: bool = False,
    offset: float | None = None,
) -> MarginalEstimates:
    """Predict the population mean of each level of a factor, averaged over the other factors.

    The means are those of the predictions X beta over a reference grid: all combinations of the
    factors' levels, with covariates at their mean over the training rows (Searle, Speed and
    Milliken 1980; Lenth 2016). A column of two distinct numbers counts as a factor.

    In a generalised model X beta is the linear predictor, as in emmeans: the mean response that it
    is transformed to is that of a typical group, whose random effects are 0, of counts before zero
    inflation. ``average=True`` gives the mean response of the population instead.

    Parameters
    ----------
    results : MixedLMResults or MixedGLMResults
        Of `skmixed.mixedlm` or `skmixed.mixedglm`, which keep formula and data.
    specs : str or sequence of str, optional
        Variables to give a mean for each combination of levels of; none gives the overall mean.
    by : str or sequence of str, optional
        Variables that divide the table: comparisons are made within their levels.
    at : mapping of str to values, optional
        Values of covariates in place of their means, or those levels of factors to look at.
    weights : {"equal", "proportional", "outer", "cells", "flat"}, default="equal"
        How the levels of the other factors count: all alike; as the rows of their combinations;
        as the product of the rows of each factor's levels; as the rows of each cell of the grid;
        or alike, but for cells without rows.
    df_method : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", \
            "residual", "normal", "design"}, optional
        Where degrees of freedom come from, by default as in the tables of the results.
        ``"kenward-roger"``, which emmeans prefers, adjusts the standard errors too.
    level : float, default=0.95
        Confidence of the limits, which are not adjusted for the number of means.
    scale : {"link", "response"}, default="link"
        Of the tables of a generalised model, whose methods can be asked for the other one:
        transformed means with transformed limits, and ratios of odds (logit) or of means (log).
    average : bool, default=False
        Whether to average the response of each cell of the grid over the random effects, which are
        normal with the estimated covariance, and then over the cells. Standard errors count the
        uncertainty of that covariance.
    offset : float, optional
        What replaces the offsets of the model in every cell: 0 gives rates for an exposure of 1. By
        default offsets of the formula are taken at the means of their columns, ``log(t)`` at the
        mean of t as in emmeans, and an offset or exposure that was passed beside it at its mean
        on the scale of the link.

    Returns
    -------
    MarginalEstimates
        ``tidy()`` is the table, ``contrasts()`` compares. A mean that the data do not determine,
        for a combination of levels without rows, is NaN.

    Raises
    ------
    ValueError
        If a name is no variable of the fixed effects, or an option is unknown.
    TypeError
        If the results keep no formula or no rows.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import marginal_means
    >>> results = mixedlm("Reaction ~ C(Days) + (1 | Subject)", load_sleepstudy())
    >>> means = marginal_means(results, "Days", at={"Days": [0, 1, 9]})
    >>> means.tidy()[["Days", "estimate", "se", "df", "lower", "upper"]].round(2)
       Days  estimate     se     df   lower   upper
    0     0    256.65  11.46  41.98  233.53  279.77
    1     1    264.50  11.46  41.98  241.37  287.62
    2     9    350.85  11.46  41.98  327.73  373.97
    >>> means.contrasts("trt.vs.ctrl", adjust="holm")[["contrast", "estimate", "p_value"]].round(4)
            contrast  estimate  p_value
    0  Days1 - Days0    7.8439   0.4551
    1  Days9 - Days0   94.1994   0.0000
    """
    source = grid_source(results, offset)
    grid = reference_grid(source, specs, by, at)
    common = source, rule_for(results, df_method), source.fit.link, check_scale(scale)
    if average and isinstance(source.fit, GLMMFit):
        functions, known = averaged_functions(grid, source.fit, weights)
        return AveragedEstimates(grid.kept, grid.by, functions, known, level, *common)
    cells = grid.average(grid.evaluate(), weights)
    return MarginalEstimates(grid.kept, grid.by, cells[:, :-1], cells[:, -1], level, *common)


def contrasts(
    means: MarginalEstimates,
    method: str | Mapping[str, Any] = "pairwise",
    *,
    adjust: str | None = None,
    reference: int = 0,
    level: float | None = None,
    scale: str | None = None,
) -> pd.DataFrame:
    """Compare marginal means or slopes, as ``means.contrasts`` does.

    Parameters
    ----------
    means : MarginalEstimates
    method : {"pairwise", "trt.vs.ctrl", "consec", "eff"} or dict, default="pairwise"
    adjust : {"tukey", "mvt", "holm", "bonferroni", "sidak", "bh", "none"}, optional
    reference : int, default=0
    level : float, optional
    scale : {"link", "response"}, optional

    See Also
    --------
    MarginalEstimates.contrasts : Where the parameters are described.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_penicillin
    >>> from skmixed.inference import contrasts, marginal_means
    >>> results = mixedlm("diameter ~ sample + (1 | plate)", load_penicillin())
    >>> means = marginal_means(results, "sample", at={"sample": ["A", "B", "C"]})
    >>> contrasts(means, {"C less A and B": [-0.5, -0.5, 1.0]}).iloc[:, :4].round(3)
             contrast  estimate     se     df
    0  C less A and B     1.354  0.137  115.0
    """
    return means.contrasts(method, adjust=adjust, reference=reference, level=level, scale=scale)


def pairwise(
    results: Any,
    specs: str | Sequence[str],
    *,
    adjust: str = "tukey",
    **options: Any,
) -> pd.DataFrame:
    """Compare the marginal means of all pairs of levels.

    Parameters
    ----------
    results : MixedLMResults
    specs : str or sequence of str
        The factor, or factors whose combinations are compared.
    adjust : {"tukey", "mvt", "holm", "bonferroni", "sidak", "bh", "none"}, default="tukey"
    **options
        As for `marginal_means`: by, at, weights, df_method, level, scale, average, offset.

    Returns
    -------
    DataFrame
        With the columns of ``by``, contrast, estimate, se, df, statistic, p_value, lower, upper.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import pairwise
    >>> results = mixedlm("Reaction ~ C(Days) + (1 | Subject)", load_sleepstudy())
    >>> table = pairwise(results, "Days", at={"Days": [0, 1, 9]})
    >>> table[["contrast", "estimate", "se", "p_value"]].round(4)
            contrast  estimate       se  p_value
    0  Days0 - Days1   -7.8439  10.4753   0.7348
    1  Days0 - Days9  -94.1994  10.4753   0.0000
    2  Days1 - Days9  -86.3555  10.4753   0.0000
    """
    return marginal_means(results, specs, **options).contrasts("pairwise", adjust=adjust)
