"""Covariance of the fixed effects that does not rely on the model's covariance of y."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.inference.diagnostics.cluster_scores import (
    ClusterScores,
    bias_reduced_scores,
    plain_scores,
)
from skmixed.inference.diagnostics.clusters import (
    clusters_of,
    require_clusters,
    small_sample_factor,
)
from skmixed.inference.diagnostics.family_sandwich import family_robust_covariance
from skmixed.inference.diagnostics.robust_tests import RobustCovariance
from skmixed.inference.diagnostics.row_inputs import family_rows, training_rows
from skmixed.inference.diagnostics.shares import (
    group_counts,
    group_shares,
    orthonormal,
)
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["robust_covariance"]

FloatArray = NDArray[np.float64]

KIND_NAMES = ("CR0", "CR1", "CR1S", "CR2")


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
    of_family = family_rows(fitted, X, y, **arguments)
    if of_family is not None:
        return family_robust_covariance(of_family, kind, cluster)
    kind = kind or "CR2"
    if kind not in KIND_NAMES:
        raise ValueError(f"kind must be one of {list(KIND_NAMES)}, got {kind!r}.")
    rows = training_rows(fitted, X, y, **arguments)
    rows.fit.require_likelihood()
    clusters = clusters_of(rows, cluster)
    counts = group_counts(rows, clusters)
    n_clusters = float(counts.sum())
    require_clusters(n_clusters, clusters.levels.name)
    scores = _scores(rows, clusters, kind, counts)
    fixed = rows.fit.fixed
    at = rows.fit.coordinates
    matrix = at.fixed.matrix @ orthonormal(rows)
    meat = np.einsum("aj,bj,j->ab", scores.score, scores.score, counts, optimize=True)
    covariance = matrix @ meat @ matrix.T * at.response_scale**2
    covariance[fixed.aliased] = covariance[:, fixed.aliased] = np.nan
    return RobustCovariance(
        kind, clusters.levels.name, n_clusters, covariance, rows.fit, scores, counts, matrix
    )


def _scores(
    rows: TrainingRows, clusters: GroupingFactor, kind: str, counts: FloatArray
) -> ClusterScores:
    """Return the scores of one copy of each cluster."""
    shares = group_shares(rows, clusters)
    if kind == "CR2":
        return bias_reduced_scores(rows, clusters, shares)
    return plain_scores(shares, small_sample_factor(kind, float(counts.sum()), rows.fit))
