"""Tests of the fixed effects with a cluster-robust covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.wald import TTests, t_tests_of
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
    scores : ClusterScores or None
        Of the columns X L_C; None of a generalised model.
    counts : ndarray of shape (n_clusters,) or None
        How many times each cluster counts.
    matrix : ndarray of shape (p, rank) or None
        From the coefficients of the columns X L_C to the user's.
    """

    kind: str
    cluster: str
    n_clusters: float
    covariance: FloatArray
    fit: LMMFit
    scores: ClusterScores | None = None
    counts: FloatArray | None = None
    matrix: FloatArray | None = None

    def __repr__(self) -> str:
        return f"<RobustCovariance: {self.kind}, {self.n_clusters:g} clusters of {self.cluster}>"

    @property
    def frame(self) -> pd.DataFrame:
        """Return the covariance with the names of the coefficients."""
        names = list(self.fit.fixed.names)
        return pd.DataFrame(self.covariance, index=names, columns=names)

    def df(self, contrasts: FloatArray) -> FloatArray:
        """Return the degrees of freedom of the t test of each row of contrasts.

        Of a generalised model they are the clusters less one, of a linear one Satterthwaite's.

        The variance estimate of a contrast is a quadratic form in y; under the model its matrix has
        the nonzero eigenvalues of P = diag(a) - F F', a_j = c'B_j V_j B_j'c and F_j = c'B_j X_j,
        and df = tr(P)^2 / tr(P^2) (Pustejovsky and Tipton 2018, section 4.1). CR0 and CR1 use
        theirs too.

        Parameters
        ----------
        contrasts : ndarray of shape (n, p)
        """
        if self.scores is None or self.counts is None or self.matrix is None:
            return np.full(len(contrasts), self.n_clusters - 1.0)
        inner, counts = contrasts @ self.matrix, self.counts
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
        return t_tests_of(self.fit, contrasts, np.nan_to_num(self.covariance), self.df)

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
