"""Best linear unbiased prediction by dense matrices: V, generalised least squares, joint normal.

Independent of the package: nothing is factored, and the parameters are the variances and
covariances themselves, sigma^2 the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Kriging", "Solver", "Term", "delta_method", "derivatives", "hessian"]

FloatArray = NDArray[np.float64]
Solver = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Term:
    """Hold the labels and columns of one factor, of the observed rows and then of the new ones."""

    labels: NDArray[np.object_]
    columns: FloatArray

    @property
    def n_parameters(self) -> int:
        k = self.columns.shape[1]
        return k * (k + 1) // 2

    def covariance(self, parameters: FloatArray) -> FloatArray:
        """Return the covariance that the factor gives to all rows."""
        k = self.columns.shape[1]
        G = np.zeros((k, k))
        G[np.tril_indices(k)] = parameters
        G = np.tril(G) + np.tril(G, -1).T
        same = self.labels[:, None] == self.labels[None, :]
        return np.where(same, self.columns @ G @ self.columns.T, 0.0)

    def parameters(self, covariance: FloatArray) -> FloatArray:
        """Return the lower triangle of the covariance of the effects."""
        return covariance[np.tril_indices(len(covariance))]


@dataclass(frozen=True, eq=False)
class Kriging:
    """Hold the observed rows, and those to predict below them.

    Attributes
    ----------
    X : ndarray of shape (n + m, p)
    y : ndarray of shape (n,)
    terms : sequence of Term
    weights : ndarray of shape (n,)
    reml : bool
    """

    X: FloatArray
    y: FloatArray
    terms: Sequence[Term]
    weights: FloatArray
    reml: bool

    def split(self, eta: FloatArray) -> list[FloatArray]:
        return np.split(eta, np.cumsum([term.n_parameters for term in self.terms]))

    def covariance(self, eta: FloatArray) -> FloatArray:
        """Return the covariance of the observed rows and of the means of the new ones."""
        n = len(self.y)
        *parts, sigma2 = self.split(eta)
        whole = sum(term.covariance(part) for term, part in zip(self.terms, parts, strict=True))
        whole = whole + np.zeros((len(self.X), len(self.X)))
        whole[np.arange(n), np.arange(n)] += sigma2[0] / self.weights
        return whole

    def minus_two_log_likelihood(self, eta: FloatArray) -> float:
        n = len(self.y)
        V, X = self.covariance(eta)[:n, :n], self.X[:n]
        information = X.T @ np.linalg.solve(V, X)
        beta = np.linalg.solve(information, X.T @ np.linalg.solve(V, self.y))
        error = self.y - X @ beta
        value = np.linalg.slogdet(V)[1] + error @ np.linalg.solve(V, error)
        return float(value + self.reml * np.linalg.slogdet(information)[1])

    def restriction(self, eta: FloatArray) -> FloatArray:
        """Return -log|X'V^-1 X| as an array of one number."""
        n = len(self.y)
        V, X = self.covariance(eta)[:n, :n], self.X[:n]
        return np.array([-np.linalg.slogdet(X.T @ np.linalg.solve(V, X))[1]])

    def solve(self, eta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return predictions and the covariance of their errors, without the new residuals.

        The weights a of y minimise Var(t - a'y) subject to a'X = x'.
        """
        n, p = len(self.y), self.X.shape[1]
        K = self.covariance(eta)
        system = np.block([[K[:n, :n], self.X[:n]], [self.X[:n].T, np.zeros((p, p))]])
        right = np.vstack([K[:n, n:], self.X[n:].T])
        a = np.linalg.solve(system, right)[:n]
        cross = a.T @ K[:n, n:]
        return a.T @ self.y, K[n:, n:] - cross - cross.T + a.T @ K[:n, :n] @ a

    def with_rows_left_out_of(self, omitted: Sequence[int], *, averaged: bool) -> Kriging:
        """Return the problem where the new rows' levels of some terms are not known.

        Parameters
        ----------
        omitted : sequence of int
            Terms that are left out.
        averaged : bool
            Whether what is predicted is an average over the levels that are not known.
        """
        n = len(self.y)
        terms = []
        for i, term in enumerate(self.terms):
            labels, columns = term.labels.copy(), term.columns.copy()
            if i in omitted:
                labels[n:] = [f"apart {j}" for j in range(len(labels) - n)]
            if averaged:
                columns[n:][~np.isin(labels[n:], labels[:n])] = 0.0
            terms.append(Term(labels, columns))
        return replace(self, terms=terms)


def derivatives(function: Callable[[FloatArray], FloatArray], eta: FloatArray) -> FloatArray:
    """Return central differences along the first axis, good to eight digits."""
    rows = []
    for step in np.diag(5e-3 * np.maximum(np.abs(eta), 0.1)):
        near = function(eta + step) - function(eta - step)
        far = function(eta + 2.0 * step) - function(eta - 2.0 * step)
        rows.append((8.0 * near - far) / (12.0 * step.sum()))
    return np.array(rows)


def hessian(function: Callable[[FloatArray], float], eta: FloatArray) -> FloatArray:
    """Return second derivatives by differences of differences."""
    return derivatives(lambda at: derivatives(lambda x: np.array(function(x)), at), eta)


def delta_method(
    problem: Kriging, eta: FloatArray, solve: Solver
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return estimates, their covariance and degrees of freedom, by the delta method.

    Parameters
    ----------
    problem : Kriging
        The likelihood of eta.
    eta : ndarray
        Where it is greatest.
    solve : callable
        Takes eta and returns what is estimated, and the covariance of its errors.
    """
    A = 2.0 * np.linalg.inv(hessian(problem.minus_two_log_likelihood, eta))
    mean, M = solve(eta)
    d = derivatives(lambda at: solve(at)[0], eta)
    slopes = derivatives(lambda at: solve(at)[1], eta)
    covariance = M + 2.0 * d.T @ A @ d
    if not problem.reml:
        shift = 0.5 * A @ derivatives(problem.restriction, eta)[:, 0]
        covariance = covariance + np.tensordot(shift, slopes, axes=1)
    own = np.einsum("mnn->mn", slopes)
    spread = np.einsum("mn,ml,ln->n", own, A, own)
    return mean, covariance, 2.0 * np.diagonal(M) ** 2 / spread
