"""The kernel of several grouping factors: the largest level by level, the others densely.

Let V_c = W^-1 + sum Z Psi Z' over the factors that are eliminated level by level, the largest and
those that it is nested in, and U the columns of Z of all others. With S = U'V_c^-1 U and
M = Lambda_U'S Lambda_U + I = L L', and K = Lambda_U M^-1 Lambda_U',

    V^-1 = V_c^-1 - V_c^-1 U K U'V_c^-1,    log|V| = log|V_c| + log|M|

(Bates, Maechler, Bolker and Walker 2015, equations 17 to 20, factor by factor).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotri, dtrtri, dtrtrs

from skmixed.likelihood.arrangement import Arrangement, arrange
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.eliminated import EliminatedFactors, Reduced
from skmixed.likelihood.errors import BlockedErrors
from skmixed.likelihood.kernel import ScoreTensors
from skmixed.likelihood.largest import LargestFactor
from skmixed.likelihood.nested import NestedFactors
from skmixed.likelihood.others import OtherFactors
from skmixed.likelihood.several import (
    SeveralFactors,
    entrywise,
    explained_by,
    profiled_information,
)
from skmixed.likelihood.threads import threads_for

__all__ = ["BlockedKernel", "BlockedWhitened"]

FloatArray = NDArray[np.float64]
Result = TypeVar("Result")


def _in_useful_threads(method: Callable[..., Result]) -> Callable[..., Result]:
    """Run a method of the kernel with as many threads as its dense part is worth."""

    @wraps(method)
    def limited(self: BlockedKernel, *args: Any, **kwargs: Any) -> Result:
        with threads_for(self.n_dense):
            return method(self, *args, **kwargs)

    return limited


@dataclass(frozen=True, slots=True, eq=False)
class BlockedWhitened:
    """Hold one evaluation of the kernel; ``eliminated`` is what V_c leaves."""

    log_determinant: float  # log|V| + log|W|
    reduced: FloatArray  # A'V^-1 A, with A = [X y]
    eliminated: Reduced
    factors: list[FloatArray]  # Lambda of the other factors.
    L: FloatArray
    columns: FloatArray  # (n_other, n_columns): L^-1 Lambda_U'U'V_c^-1 A


class BlockedKernel(SeveralFactors):
    """Evaluate log|V| and A'V^-1 A, and their derivatives, for several factors, largest first."""

    def __init__(self, products: CrossProducts, arrangement: Arrangement | None = None) -> None:
        super().__init__(products)
        arrangement = arrangement or arrange(products)
        self._depth = len(arrangement.nested)
        self._order = (*arrangement.nested, *arrangement.others)
        ordered = products.of_factors(self._order)
        self._eliminated: EliminatedFactors = (
            LargestFactor(ordered) if self._depth == 1 else NestedFactors(ordered, self._depth)
        )
        self._others = OtherFactors(
            [(len(f.ZtWZ), f.ZtWZ.shape[-1]) for f in ordered.factors[self._depth :]]
        )
        sizes = [len(factor.ZtWZ) ** 2 for factor in ordered.factors]
        entries = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
        self._entries = np.concatenate(self._in_model_order(entries))

    @property
    def n_dense(self) -> int:
        """Return the number of effects that are not eliminated level by level."""
        return self._others.n_coordinates

    @_in_useful_threads
    def whiten(self, factors: Sequence[FloatArray]) -> BlockedWhitened:
        """Evaluate the kernel at the relative covariance factors, one for each grouping factor."""
        ordered = [factors[i] for i in self._order]
        of_others = ordered[self._depth :]
        eliminated = self._eliminated.whiten(ordered[: self._depth])
        L = self._others.cholesky(eliminated.UU, of_others)
        columns = _solved(L, self._others.times(eliminated.UA.T, of_others).T)
        return BlockedWhitened(
            log_determinant=eliminated.log_determinant + 2.0 * float(np.log(L.diagonal()).sum()),
            reduced=eliminated.AA - columns.T @ columns,
            eliminated=eliminated,
            factors=of_others,
            L=L,
            columns=columns,
        )

    @_in_useful_threads
    def projected(self, at: BlockedWhitened, columns: FloatArray) -> list[FloatArray]:
        """Return Z'V^-1 A columns' of each factor, each of shape (n_mixed, k, n_levels).

        Since V^-1 A = V_c^-1 (A - U K U'V_c^-1 A), these are combinations of the columns [U A].
        """
        taken = _solved(at.L, at.columns, transposed=True) @ columns.T
        of_U = -self._others.times(taken.T, at.factors, transposed=True)
        of_others = columns @ at.eliminated.UA.T + of_U @ at.eliminated.UU
        projected = self._eliminated.projected(at.eliminated.at, of_U, columns)
        return self._in_model_order([*projected, *self._others.split(of_others)])

    @_in_useful_threads
    def errors(self, at: BlockedWhitened, factors: Sequence[FloatArray]) -> BlockedErrors:
        """Return the covariance of the effects given the data and beta."""
        ordered = [factors[i] for i in self._order]
        inverse = dtrtri(at.L, lower=1)[0] if at.L.size else at.L
        return BlockedErrors(
            self._eliminated.stages(at.eliminated.at, ordered[: self._depth]),
            self._others.times(inverse, at.factors, transposed=True),
            tuple(self._others.shapes),
            self._order,
        )

    @_in_useful_threads
    def score_tensors(
        self, at: BlockedWhitened, mixing: FloatArray, *, reml: int, nu: float, precision: float
    ) -> ScoreTensors:
        """Return the exact gradient in each Psi, and the average information as curvature.

        It is that of y'P V_E P V_F P y, with sigma^2 profiled (Gilmour, Thompson and Cullis 1995,
        equation 5).
        """
        T = self.projected(at, mixing)
        traces = self._traces(at)
        information = self._average_information(at, mixing, [t[-1] for t in T])
        gradients = list(map(np.subtract, traces, explained_by(T, reml, precision)))
        return ScoreTensors(gradients, profiled_information(information, T, nu, precision))

    def _traces(self, at: BlockedWhitened) -> list[FloatArray]:
        """Return the sum of Z'V^-1 Z over the levels of each factor."""
        inverse = _inverse(at.L)
        K = self._others.both_sides(inverse, at.factors, transposed=True)
        return self._in_model_order(
            [
                *self._eliminated.traces(at.eliminated.at, K),
                *self._others.traces(at.eliminated.UU, inverse, K, at.factors),
            ]
        )

    def _average_information(
        self, at: BlockedWhitened, mixing: FloatArray, residuals: list[FloatArray]
    ) -> FloatArray:
        """Return f_E'P f_F with f_E = Z E t, for the entries E of all Psi."""
        entries = [entrywise(residuals[i]) for i in self._order]
        eliminated = self._eliminated.directions(at.eliminated.at, entries[: self._depth])
        others = self._others.joined(entries[self._depth :])
        of_U = others @ at.eliminated.UU
        across = eliminated.U @ others.T
        gram = np.block([[eliminated.gram, across], [across.T, of_U @ others.T]])
        U = np.concatenate([eliminated.U, of_U])
        A = np.concatenate([eliminated.A, others @ at.eliminated.UA])
        removed = _solved(at.L, self._others.times(U, at.factors).T)
        explained = (A - removed.T @ at.columns) @ mixing[:-1].T
        information = gram - removed.T @ removed - explained @ explained.T
        return information[np.ix_(self._entries, self._entries)]

    def _in_model_order(self, by_factor: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return what was computed in the order of elimination in that of the model."""
        return [by_factor[self._order.index(i)] for i in range(len(by_factor))]


def _solved(L: FloatArray, columns: FloatArray, *, transposed: bool = False) -> FloatArray:
    """Return L^-1 columns, or L'^-1 columns."""
    if not L.size:
        return columns
    return np.asarray(dtrtrs(L, columns, lower=1, trans=int(transposed))[0])


def _inverse(L: FloatArray) -> FloatArray:
    """Return (L L')^-1."""
    if not L.size:
        return L
    lower = dpotri(L, lower=1)[0]
    inverse = np.asarray(lower + lower.T)
    inverse[np.diag_indices_from(inverse)] *= 0.5
    return inverse
