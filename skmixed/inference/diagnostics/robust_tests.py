"""Tests of the fixed effects with a cluster-robust covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.quadratic_forms import quadratic_forms
from skmixed.inference.coefficients.wald import TTests
from skmixed.inference.diagnostics.cluster_scores import ClusterScores

__all__ = ["RobustCovariance"]

FloatArray = NDArray[np.float64]


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
        variances = quadratic_forms(contrasts, covariance)
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
        return tests.table(self.fit.fixed.names, level)
