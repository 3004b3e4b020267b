"""Covariance of the fixed effects that does not rely on the model's covariance of y."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.diagnostics.cluster_scores import ClusterScores, bias_reduced_scores
from skmixed.inference.diagnostics.contributions import group_contributions, group_counts
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.labelled_rows import LabelledRows, positions_of
from skmixed.inference.diagnostics.robust_tests import RobustCovariance
from skmixed.inference.diagnostics.row_inputs import fitted_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["robust_covariance"]

FloatArray = NDArray[np.float64]

KIND_NAMES = ("CR0", "CR1", "CR1S", "CR2")
FAMILY_KIND_NAMES = KIND_NAMES[:-1]


def robust_covariance(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    kind: str | None = None,
    cluster: Any = None,
    **arguments: Any,
) -> RobustCovariance:
    r"""Return the cluster-robust ("sandwich") covariance of the fixed effects.

    .. math::

        C \Big[ \sum_j X_j' V_j^{-1} A_j r_j r_j' A_j' V_j^{-1} X_j \Big] C, \qquad
        C = (X'V^{-1}X)^{-1}, \quad r_j = y_j - X_j \hat\beta

    It holds also where the covariance of y within clusters is not what the model says, if there are
    many clusters. With few, ``"CR2"`` and its degrees of freedom are the choice.

    - ``"CR0"``: :math:`A_j = I` (Liang and Zeger);
    - ``"CR1"``: CR0 times :math:`J / (J - 1)`, J clusters;
    - ``"CR1S"``: CR0 times :math:`J (n - 1) / ((J - 1)(n - p))`, as Stata;
    - ``"CR2"``: :math:`A_j` chosen so that there is no bias where the model holds (Bell and
      McCaffrey). It decomposes a matrix of the rows of each cluster.

    In a generalised model the scores :math:`X_j' V_j^{-1} r_j` are derivatives of the clusters'
    log-likelihoods, and C is the inverse of the information, in all parameters together; there is
    no ``"CR2"``, and degrees of freedom are the clusters less one.

    Parameters
    ----------
    fitted : MixedLMResults, MixedGLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    kind : {"CR0", "CR1", "CR1S", "CR2"}, optional
        By default ``"CR2"``, and ``"CR1"`` for a generalised model.
    cluster : str or array-like of shape (n,), optional
        Name of a grouping factor or of a column of the data, or labels. Every level of every
        grouping factor, and every group that a residual structure correlates, must lie within one
        cluster; by default a grouping factor for which that is so, or these groups.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    RobustCovariance
        With ``covariance``, ``frame``, and ``tidy()``: tests, with Satterthwaite's degrees of
        freedom in a linear model.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If there is no such kind, clusters are correlated or fewer than two, the rows are not
        those of the fit, or no more than the coefficients for ``"CR1S"``.

    References
    ----------
    Liang, K.-Y. and Zeger, S. L. (1986). Longitudinal data analysis using generalized linear
    models. Biometrika 73, 13-22.

    Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression
    with multi-stage samples. Survey Methodology 28, 169-181.

    Pustejovsky, J. E. and Tipton, E. (2018). Small-sample methods for cluster-robust variance
    estimation and hypothesis testing in fixed effects models. Journal of Business and Economic
    Statistics 36, 672-683.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import robust_covariance
    >>> results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    >>> robust = robust_covariance(results)
    >>> robust
    <RobustCovariance: CR2, 18 clusters of Subject>
    >>> robust.tidy()[["term", "estimate", "se", "df"]].round(3)
            term  estimate     se    df
    0  Intercept   251.405  6.825  17.0
    1       Days    10.467  1.546  17.0
    """
    rows = fitted_rows(fitted, X, y, **arguments)
    if isinstance(rows, FamilyRows):
        return _of_family(rows, kind or "CR1", cluster)
    return _of_linear(rows, kind or "CR2", cluster)


def _of_linear(rows: TrainingRows, kind: str, cluster: Any) -> RobustCovariance:
    """Return the covariance of a linear model, each cluster as often as it counts."""
    if kind not in KIND_NAMES:
        raise ValueError(f"kind must be one of {list(KIND_NAMES)}, got {kind!r}.")
    fit = rows.fit
    fit.require_likelihood()
    clusters = _clusters_of(rows, cluster)
    counts, name = group_counts(rows, clusters), clusters.levels.name
    n_clusters = float(counts.sum())
    _require_several(n_clusters, name)
    contributions = group_contributions(rows, clusters)
    if kind == "CR2":
        scores = bias_reduced_scores(rows, clusters, contributions)
    else:
        scale = _small_sample_factor(kind, n_clusters, fit)
        root = math.sqrt(scale)
        scores = ClusterScores(
            root * contributions.Xr, scale * contributions.XX, root * contributions.XX
        )
    matrix = fit.coordinates.fixed.matrix @ rows.orthonormal
    meat = np.einsum("aj,bj,j->ab", scores.score, scores.score, counts, optimize=True)
    covariance = matrix @ meat @ matrix.T * fit.coordinates.response_scale**2
    covariance[fit.fixed.aliased] = covariance[:, fit.fixed.aliased] = np.nan
    return RobustCovariance(kind, name, n_clusters, covariance, fit, scores, counts, matrix)


def _of_family(rows: FamilyRows, kind: str, cluster: Any) -> RobustCovariance:
    """Return H^-1 (sum of s_j s_j') H^-1, scaled, of the scores s_j of clusters.

    H is the information on all parameters of a generalised model.
    """
    if kind not in FAMILY_KIND_NAMES:
        raise ValueError(
            f"kind must be one of {list(FAMILY_KIND_NAMES)} for a generalised model, whose "
            f"residuals have no linear theory, got {kind!r}."
        )
    clusters = _clusters_of(rows, cluster)
    n_clusters, name = len(clusters.levels), clusters.levels.name
    _require_several(n_clusters, name)
    fit, joint = rows.fit, rows.fit.joint
    reached = joint.covariance[joint.beta] @ _family_scores(rows, clusters)
    root = fit.coordinates.fixed.matrix @ reached
    root *= math.sqrt(_small_sample_factor(kind, n_clusters, fit))
    covariance = root @ root.T
    covariance[fit.fixed.aliased] = covariance[:, fit.fixed.aliased] = np.nan
    return RobustCovariance(kind, name, n_clusters, covariance, fit)


def _family_scores(rows: FamilyRows, clusters: GroupingFactor) -> FloatArray:
    """Return the derivative of each cluster's log-likelihood, (n_parameters, n_clusters)."""
    objective, x = rows.objective, rows.fit.joint.parameters
    parts = positions_of(clusters)
    return -0.5 * np.array([objective.of_rows(part).gradient(x) for part in parts]).T


def _clusters_of(rows: LabelledRows, cluster: Any) -> GroupingFactor:
    """Return the clusters that were asked for, or the factor of most levels that can be them."""
    candidates = rows.factors if cluster is None else [rows.factor(cluster)]
    for factor in candidates:
        if rows.independent(factor):
            return factor
    names = [factor.levels.name for factor in candidates]
    if cluster is not None:
        raise ValueError(
            f"Rows of different clusters of {names[0]!r} are correlated in the model: "
            "some level of a grouping factor, or some group that the residual structure "
            "correlates, lies in several of them. Use clusters that hold whole levels and groups."
        )
    if not names:
        raise ValueError(
            "The model has no groups that could be clusters. Pass cluster=, a column or labels of "
            "groups of rows that are independent of each other."
        )
    raise ValueError(
        f"The grouping factors {names} are crossed: the levels of none hold whole levels of the "
        "others. Pass cluster=, labels of larger clusters."
    )


def _require_several(n_clusters: float, name: str) -> None:
    """Raise ValueError if there are fewer than two clusters."""
    if n_clusters < 2:
        raise ValueError(
            f"Expected at least two clusters, got {n_clusters:g} of {name!r}: their differences "
            "are what the covariance is estimated from. Use smaller clusters."
        )


def _small_sample_factor(kind: str, n_clusters: float, fit: LMMFit) -> float:
    """Return what the sum of squared scores is multiplied by."""
    if kind == "CR0":
        return 1.0
    factor = n_clusters / (n_clusters - 1.0)
    if kind == "CR1":
        return factor
    n, p = fit.n_rows, len(fit.fixed.standardised)
    if n <= p:
        raise ValueError(
            f'kind="CR1S" divides by the rows minus the coefficients, and got {n:g} rows for '
            f'{p} coefficients. Use kind="CR1", or fewer columns.'
        )
    return factor * ((n - 1.0) / (n - p))
