"""Covariance of the fixed effects that does not rely on the model's covariance of y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.cluster_scores import ClusterScores, bias_reduced_scores, plain_scores
from skmixed.inference.shares import group_counts, group_shares, independent, orthonormal
from skmixed.inference.training_rows import TrainingRows, training_rows
from skmixed.inference.wald import TTests

__all__ = ["RobustCovariance", "robust_covariance"]

FloatArray = NDArray[np.float64]

KIND_NAMES = ("CR0", "CR1", "CR1S", "CR2")


@dataclass(frozen=True, eq=False)
class RobustCovariance:
    """Hold a cluster-robust covariance of the fixed effects, and test with it.

    Attributes
    ----------
    kind : str
    cluster : str
        Name of the clusters.
    n_clusters : float
    covariance : ndarray of shape (p, p)
        NaN for aliased coefficients.
    fit : LMMFit
    scores : ClusterScores
        Of the columns X L_C.
    counts : ndarray of shape (n_clusters,)
        How many times each cluster counts.
    matrix : ndarray of shape (p, rank)
        From the coefficients of the columns X L_C to the user's.
    """

    kind: str
    cluster: str
    n_clusters: float
    covariance: FloatArray
    fit: LMMFit
    scores: ClusterScores
    counts: FloatArray
    matrix: FloatArray

    def __repr__(self) -> str:
        return f"<RobustCovariance: {self.kind}, {self.n_clusters:g} clusters of {self.cluster}>"

    @property
    def frame(self) -> pd.DataFrame:
        """Return the covariance with the names of the coefficients."""
        names = list(self.fit.fixed.names)
        return pd.DataFrame(self.covariance, index=names, columns=names)

    def df(self, contrasts: FloatArray) -> FloatArray:
        """Return Satterthwaite's degrees of freedom of the t test of each row of contrasts.

        The variance estimate of a contrast is a quadratic form in y; under the model its matrix has
        the nonzero eigenvalues of P = diag(a) - F F', a_j = c'B_j V_j B_j'c and F_j = c'B_j X_j,
        and df = tr(P)^2 / tr(P^2) (Pustejovsky and Tipton 2018, section 4.1). CR0 and CR1 use
        theirs too.

        Parameters
        ----------
        contrasts : ndarray of shape (n, p)
        """
        inner = contrasts @ self.matrix
        counts = self.counts
        a = np.einsum("na,abj,nb->nj", inner, self.scores.BVB, inner, optimize=True)
        F = np.einsum("na,abj->nbj", inner, self.scores.BX)
        squares = np.einsum("nbj,nbj->nj", F, F)
        gram = np.einsum("nbj,ncj,j->nbc", F, F, counts, optimize=True)
        first = (a - squares) @ counts
        second = (a * (a - 2.0 * squares)) @ counts + np.einsum("nbc,nbc->n", gram, gram)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(first**2 / second)

    def t_tests(self, contrasts: FloatArray) -> TTests:
        """Test linear combinations of the coefficients against 0, each with the t distribution.

        Parameters
        ----------
        contrasts : ndarray of shape (n, p)
            A combination that uses an aliased coefficient has no estimate.
        """
        missing = (contrasts[:, self.fit.fixed.aliased] != 0.0).any(axis=1)
        estimates = contrasts @ self.fit.fixed.coefficients
        covariance = np.nan_to_num(self.covariance)
        variances = np.einsum("ni,ij,nj->n", contrasts, covariance, contrasts)
        errors = np.where(missing, np.nan, np.sqrt(variances))
        df = np.where(missing, np.nan, self.df(contrasts))
        with np.errstate(divide="ignore", invalid="ignore"):
            statistics = estimates / errors
        p_values = np.asarray(2.0 * stats.t.sf(np.abs(statistics), df))
        return TTests(estimates, errors, df, statistics, p_values)

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row for each coefficient.

        Parameters
        ----------
        level : float, default=0.95
            Of the confidence limits.

        Returns
        -------
        pandas.DataFrame
            term, estimate, se, df, statistic, p_value, lower, upper.

        Raises
        ------
        ValueError
            If level is not between 0 and 1.
        """
        tests = self.t_tests(np.eye(len(self.fit.fixed.names)))
        limits = tests.limits(level)
        return pd.DataFrame(
            {
                "term": list(self.fit.fixed.names),
                "estimate": tests.estimates,
                "se": tests.standard_errors,
                "df": tests.df,
                "statistic": tests.statistics,
                "p_value": tests.p_values,
                "lower": limits[:, 0],
                "upper": limits[:, 1],
            }
        )


def robust_covariance(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    kind: str = "CR2",
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

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    kind : {"CR0", "CR1", "CR1S", "CR2"}, default="CR2"
    cluster : str or array-like of shape (n,), optional
        Name of a grouping factor or of a column of the data, or labels. Every level of every
        grouping factor must lie within one cluster; by default a grouping factor for which that is
        so.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    RobustCovariance
        With ``covariance``, ``frame``, and ``tidy()``: tests with Satterthwaite's degrees of
        freedom.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If there is no such kind, clusters are correlated or fewer than two, or the rows are not
        those of the fit.

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
    if kind not in KIND_NAMES:
        raise ValueError(f"kind must be one of {list(KIND_NAMES)}, got {kind!r}.")
    rows = training_rows(fitted, X, y, **arguments)
    clusters = _outer_factor(rows) if cluster is None else _independent(rows, cluster)
    counts = group_counts(rows, clusters)
    n_clusters = float(counts.sum())
    if n_clusters < 2:
        raise ValueError(
            f"Expected at least two clusters, got {n_clusters:g} of {clusters.levels.name!r}: "
            "their differences are what the covariance is estimated from. Use smaller clusters."
        )
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
    J, n, p = counts.sum(), rows.fit.n_rows, len(rows.fit.fixed.standardised)
    if kind == "CR2":
        return bias_reduced_scores(rows, clusters, shares)
    scale = {"CR0": 1.0, "CR1": J / (J - 1.0), "CR1S": J * (n - 1.0) / ((J - 1.0) * (n - p))}
    return plain_scores(shares, scale[kind])


def _independent(rows: TrainingRows, cluster: Any) -> GroupingFactor:
    """Return the clusters that were asked for."""
    clusters = rows.factor(cluster)
    if independent(rows, clusters):
        return clusters
    raise ValueError(
        f"Rows of different clusters of {clusters.levels.name!r} are correlated in the model: "
        "some level of a grouping factor lies in several of them. Use clusters that hold whole "
        "levels."
    )


def _outer_factor(rows: TrainingRows) -> GroupingFactor:
    """Return the factor of most levels that holds whole levels of all others."""
    for factor in rows.design.factors:
        if independent(rows, factor):
            return factor
    raise ValueError(
        f"The grouping factors {[one.levels.name for one in rows.design.factors]} are crossed: the "
        "levels of none hold whole levels of the others. Pass cluster=, labels of larger clusters."
    )
