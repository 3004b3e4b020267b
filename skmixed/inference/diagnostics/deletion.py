"""How the estimates change when a whole group is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.inference.coefficients.covariance_solve import covariance_solve
from skmixed.inference.diagnostics.contributions import (
    INESTIMABLE,
    group_contributions,
    group_counts,
)
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.inputs import fit_of

__all__ = ["group_influence"]

FloatArray = NDArray[np.float64]

# beta - beta without each group (p, n_groups), the distances (n_groups, 4), and sigma without it.
Deletions = tuple[FloatArray, FloatArray, FloatArray]
DISTANCES = ["cooks_distance", "mdffits", "covratio", "covtrace"]


def group_influence(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    factor: Any = None,
    refit: bool = False,
    **arguments: Any,
) -> pd.DataFrame:
    r"""Return how much each group contributes to the fixed effects: estimates without it.

    With :math:`C` the covariance of :math:`\hat\beta`, and :math:`C_{(g)}` and
    :math:`\hat\beta_{(g)}` the estimates without the rows of group g,

    - ``dfbeta_<term>``: :math:`\hat\beta - \hat\beta_{(g)}`;
    - ``cooks_distance``: :math:`(\hat\beta - \hat\beta_{(g)})' C^{-1} (\hat\beta -
      \hat\beta_{(g)}) / p`;
    - ``mdffits``: the same with :math:`C_{(g)}`;
    - ``covratio``: :math:`|C_{(g)}| / |C|`, above 1 where the group adds precision;
    - ``covtrace``: :math:`|\mathrm{tr}(C^{-1} C_{(g)}) - p|`;
    - ``sigma``: the residual standard deviation.

    The covariance of the random effects relative to :math:`\sigma^2` is kept, and so is sigma in C
    and C(g), unless ``refit``: then all rows are downdated for every group at once, exactly. Where
    other factors cross the groups, each group needs a dense matrix of the size of its rows.

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    factor : str or array-like of shape (n,), optional
        Name of a grouping factor or of a column of the data, or labels of the groups to leave out.
        The grouping factor, if there is only one.
    refit : bool, default=False
        Whether to estimate the variance parameters anew without each group: a whole fit each.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    pandas.DataFrame
        One row for each group, indexed by its label; NaN where some coefficient has no estimate
        without the group.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the groups cannot be told, or the rows are not those of the fit.

    References
    ----------
    Loy, A. and Hofmann, H. (2014). HLMdiag: a suite of diagnostics for hierarchical linear models
    in R. Journal of Statistical Software 56(5), 1-28.

    Demidenko, E. and Stukel, T. A. (2005). Influence analysis for linear mixed-effects models.
    Statistics in Medicine 24, 893-909.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import group_influence
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> influence = group_influence(results)
    >>> influence.nlargest(2, "cooks_distance")[["cooks_distance", "dfbeta_Days"]].round(2)
             cooks_distance  dfbeta_Days
    Subject
    309                0.15        -0.48
    335                0.13        -0.79
    """
    fit_of(fitted).require_gaussian("The influence of groups", "fit without each group")
    rows = training_rows(fitted, X, y, **arguments)
    groups = rows.factor(factor)
    dfbeta, distances, sigma = (_refitted if refit else _downdated)(rows, groups)
    labels, name = groups.levels.labels, groups.levels.name
    index = labels.rename(name) if groups.levels.columns == 1 else labels
    frame = pd.DataFrame(distances, index, DISTANCES)
    frame.insert(0, "n_rows", groups.sizes)
    frame["sigma"] = sigma
    for name, values in zip(rows.fit.fixed.names, dfbeta, strict=True):
        frame[f"dfbeta_{name}"] = values
    return frame


def _downdated(rows: TrainingRows, groups: GroupingFactor) -> Deletions:
    """Leave out each group at fixed variance parameters."""
    contributions, counts = group_contributions(rows, groups), group_counts(rows, groups)
    XX, Xr, rr = contributions.XX * counts, contributions.Xr * counts, contributions.rr * counts
    p = len(Xr)
    inverse, determinant = _inverted(np.eye(p) - np.moveaxis(XX, -1, 0))
    change = np.einsum("gpq,qg->pg", inverse, Xr)
    product = np.einsum("pg,pg->g", change, Xr)
    sigma2 = rows.sigma**2 * max(p, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = np.column_stack(
            [
                np.einsum("pg,pg->g", change, change) / sigma2,
                product / sigma2,
                1.0 / determinant,
                np.abs(np.einsum("gpp->g", inverse) - p),
            ]
        )
    at = rows.fit.coordinates
    dfbeta = at.fixed.matrix * at.response_scale @ (rows.orthonormal @ change)
    dfbeta[rows.fit.fixed.aliased] = np.nan
    return dfbeta, distances, _sigma_without(rows, groups, rr + product)


def _inverted(left: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return inverse and determinant of what is left of an identity; NaN where it is singular."""
    left[~np.isfinite(left).all(axis=(1, 2))] = 0.0
    determinant = np.linalg.det(left)
    zero = determinant == 0.0
    left[zero] = np.eye(left.shape[1])
    inverse = np.asarray(np.linalg.inv(left), dtype=np.float64)
    # No eigenvalue of what is left is above 1, so that no diagonal of the inverse is below 1.
    diagonal = np.einsum("gpp->gp", inverse)
    singular = zero | (diagonal < 0.5).any(axis=1) | (diagonal.sum(axis=1) > 1.0 / INESTIMABLE)
    inverse[singular] = determinant[singular] = np.nan
    return inverse, determinant


def _sigma_without(rows: TrainingRows, groups: GroupingFactor, lost: FloatArray) -> FloatArray:
    """Return sigma of the rows that are left, given what r2 loses; NaN where none are left."""
    fit, design = rows.fit, rows.design
    if fit.residual is not None and fit.residual.fixes_sigma:
        return np.full(len(lost), fit.sigma)
    sizes = np.bincount(groups.codes, design.weights.repetitions, len(groups.levels))
    nu = fit.nu - sizes * group_counts(rows, groups)
    r2 = np.maximum(rows.sigma**2 * fit.nu - lost, 0.0)
    sigma2 = np.divide(r2, nu, out=np.full(len(nu), np.nan), where=nu > 0)
    return np.asarray(np.sqrt(sigma2) * (fit.sigma / rows.sigma if rows.sigma else 1.0))


def _refitted(rows: TrainingRows, groups: GroupingFactor) -> Deletions:
    """Fit the model again without each group; distances need errors of the estimates."""
    fit, model, n_groups = rows.fit, rows.model, len(groups.levels)
    kept = ~fit.fixed.aliased
    beta, C = fit.fixed.coefficients, fit.fixed.covariance[np.ix_(kept, kept)]
    p = int(kept.sum())
    dfbeta, sigma = np.full((len(beta), n_groups), np.nan), np.full(n_groups, np.nan)
    distances = np.full((n_groups, 4), np.nan)
    # A group of all rows leaves nothing to fit.
    for g in range(n_groups if n_groups > 1 else 0):
        without = model.with_design(model.design.select(groups.codes != g)).fit()
        sigma[g] = without.sigma
        if (without.fixed.aliased != fit.fixed.aliased).any():
            continue
        change = (beta - without.fixed.coefficients)[kept]
        C_without = without.fixed.covariance[np.ix_(kept, kept)]
        dfbeta[kept, g] = change
        ratio = covariance_solve(C, C_without)
        if np.isnan(ratio).any():
            continue
        distances[g] = [
            change @ covariance_solve(C, change[:, None])[:, 0] / max(p, 1),
            change @ covariance_solve(C_without, change[:, None])[:, 0] / max(p, 1),
            np.linalg.det(ratio),
            abs(np.trace(ratio) - p),
        ]
    return dfbeta, distances, sigma
