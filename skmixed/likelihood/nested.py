"""Factors that are nested in each other, eliminated from the finest to the coarsest.

With V_s = V_(s-1) + Z_s Psi_s Z_s' and V_0 = W^-1, every level of factor s meets one level of each
coarser factor t, so that all is done level by level: the cross-products of the coarser factors'
columns under V_s^-1 are sums over the levels of factor s (Bates, Maechler, Bolker and Walker 2015,
equations 17 to 20, factor by factor). Nothing grows faster than the number of levels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.batched import cholesky_over_groups, solve_lower_over_groups
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.eliminated import Directions, Reduced
from skmixed.likelihood.errors import Stage, conditional_root
from skmixed.likelihood.several import products_of_others, with_others
from skmixed.likelihood.single_factor import sum_log_diagonal, whitening_factor

__all__ = ["NestedFactors"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Products:
    """Hold the cross-products of one factor under V_(s-1)^-1, and what it contributes to V_s^-1."""

    ZtZ: FloatArray
    R: FloatArray  # (k, k, n_levels), with R'R = ZtZ
    columns: FloatArray  # Z'V_s^-1 of the effects of the coarser factors, of U and of A.
    trace: FloatArray  # Sum of Z'V_s^-1 Z.


@dataclass(frozen=True, slots=True, eq=False)
class _Evaluation:
    """Hold one evaluation, factor by factor from the finest."""

    products: list[_Products]
    linked: dict[tuple[int, int], FloatArray]  # For s < t, Z_t'V_(t-1)^-1 Z_s.
    roots: list[FloatArray]  # C'C = Lambda M^-1 Lambda'
    columns: list[FloatArray]  # Z'V_c^-1 [U A]
    traces: list[FloatArray]  # Sum of Z'V_c^-1 Z.


class NestedFactors:
    """Eliminate the first ``depth`` factors of some cross-products, each nested in the next."""

    def __init__(self, products: CrossProducts, depth: int) -> None:
        self._depth = depth
        factors = products.factors[:depth]
        self._sizes = [len(factor.ZtWZ) for factor in factors]
        self._parents = {
            (s, t): products.crossed[s, t].right for t in range(depth) for s in range(t)
        }
        self._ZtWZ = [factor.ZtWZ for factor in factors]
        self._columns = [_columns(products, s, depth) for s in range(depth)]
        UtWU, UtWA = products_of_others(products, depth)
        self._total = np.block([[UtWU, UtWA], [UtWA.T, products.AtWA]])
        self._n_other = len(UtWU)

    def whiten(self, factors: Sequence[FloatArray]) -> Reduced:
        """Evaluate at the relative covariance factors, finest first."""
        ZtZ, columns = list(self._ZtWZ), list(self._columns)
        total = self._total
        log_determinant = 0.0
        products: list[_Products] = []
        for s, Lambda in enumerate(factors):
            R = cholesky_over_groups(ZtZ[s], semidefinite=True)
            between = solve_lower_over_groups(R, columns[s].copy(), semidefinite=True)
            lower = whitening_factor(R, Lambda)
            k = len(R)
            stacked = solve_lower_over_groups(lower, np.concatenate([R, between]))
            own, whitened = stacked[:k], stacked[k:]
            log_determinant += 2.0 * sum_log_diagonal(lower, None)
            for t in range(s + 1, self._depth):
                change = self._change(s, t, between, whitened)
                ZtZ[t] = ZtZ[t] + change[: self._sizes[t]]
                columns[t] = columns[t] + change[self._sizes[t] :]
            first = self._columns_of(s, self._depth).start
            total = total - _gram(between[first:]) + _gram(whitened[first:])
            after = np.einsum("alg,qlg->aqg", whitened, own)
            products.append(_Products(ZtZ[s], R, after, _gram(own)))
        q = self._n_other
        return Reduced(
            log_determinant=log_determinant,
            UU=total[:q, :q],
            UA=total[:q, q:],
            AA=total[q:, q:],
            at=self._evaluation(products, factors),
        )

    def traces(self, at: _Evaluation, K: FloatArray) -> list[FloatArray]:
        """Return sum Z_g'(V_c^-1 - V_c^-1 U K U'V_c^-1) Z_g over the levels of each factor."""
        q = self._n_other
        if not q:
            return at.traces
        return [
            trace - np.einsum("alg,amg->lm", E[:q], (K @ _flat(E[:q])).reshape(E[:q].shape))
            for trace, E in zip(at.traces, at.columns, strict=True)
        ]

    def projected(self, at: _Evaluation, of_U: FloatArray, of_A: FloatArray) -> list[FloatArray]:
        """Return Z'V_c^-1 (U of_U' + A of_A') of each factor, each (n_mixed, k, n_levels)."""
        mixing = np.concatenate([of_U, of_A], axis=1)
        return [(mixing @ _flat(E)).reshape(len(mixing), *E.shape[1:]) for E in at.columns]

    def directions(self, at: _Evaluation, effects: Sequence[FloatArray]) -> Directions:
        """Return the products of f = Z v, for v of each factor, (m, k, n_levels) each."""
        met = {
            (s, t): self._met(at, s, t, effects[s])
            for s in range(self._depth)
            for t in range(s, self._depth)
        }
        taken = {
            (s, t): _flat(np.einsum("lkg,ikg->ilg", at.roots[t], of_t))
            for (s, t), of_t in met.items()
        }
        blocks: list[list[FloatArray]] = [[np.empty(0)] * self._depth for _ in effects]
        for (s, t), of_t in met.items():
            block = _flat(of_t) @ _flat(effects[t]).T
            for r in range(t, self._depth):
                block -= taken[s, r] @ taken[t, r].T
            blocks[s][t], blocks[t][s] = block, block.T
        products = np.concatenate(
            [_flat(v) @ _flat(E).T for v, E in zip(effects, at.columns, strict=True)]
        )
        q = self._n_other
        return Directions(np.block(blocks), products[:, :q], products[:, q:])

    def stages(self, at: _Evaluation, factors: Sequence[FloatArray]) -> list[Stage]:
        """Return what the errors of the effects are made of."""
        stages = []
        for s, (products, Lambda) in enumerate(zip(at.products, factors, strict=True)):
            carried = np.einsum("qr,arg->aqg", Lambda @ Lambda.T, products.columns)
            links = {
                t: (self._parents[s, t], carried[self._columns_of(s, t)])
                for t in range(s + 1, self._depth)
            }
            first = self._columns_of(s, self._depth).start
            moved = sparse.csr_array(_flat(carried[first : first + self._n_other]).T)
            stages.append(Stage(conditional_root(products.R, Lambda), links, moved))
        return stages

    def _evaluation(self, products: list[_Products], factors: Sequence[FloatArray]) -> _Evaluation:
        """Take the coarser factors out of Z'V_s^-1 of the finer ones."""
        roots = [
            conditional_root(one.R, Lambda).transpose(1, 2, 0)
            for one, Lambda in zip(products, factors, strict=True)
        ]
        linked: dict[tuple[int, int], FloatArray] = {}
        columns, traces = [], []
        for s, one in enumerate(products):
            left, trace = one.columns, one.trace
            for t in range(s + 1, self._depth):
                parents, k = self._parents[s, t], self._sizes[t]
                E, left = left[:k], left[k:]
                taken = _flat(np.einsum("lag,aqg->qlg", roots[t][:, :, parents], E))
                trace = trace - taken @ taken.T
                moved = np.einsum("ab,cbg->cag", factors[t] @ factors[t].T, products[t].columns)
                left = left - np.einsum("aqg,cag->cqg", E, moved[:, :, parents])
                linked[s, t] = E
            columns.append(left)
            traces.append(trace)
        return _Evaluation(products, linked, roots, columns, traces)

    def _change(self, s: int, t: int, between: FloatArray, whitened: FloatArray) -> FloatArray:
        """Return what eliminating factor s changes in Z_t'[Z_t .. A], level by level."""
        own = self._columns_of(s, t)
        change = np.einsum("alg,clg->cag", whitened[own], whitened[own.start :])
        change -= np.einsum("alg,clg->cag", between[own], between[own.start :])
        return self._sum_over(s, t, change)

    def _met(self, at: _Evaluation, s: int, t: int, v: FloatArray) -> FloatArray:
        """Return Z_t'V_(t-1)^-1 Z_s v of each level of a factor that is not finer."""
        if s == t:
            return np.einsum("qrg,irg->iqg", at.products[s].ZtZ, v)
        return self._sum_over(s, t, np.einsum("aqg,iqg->iag", at.linked[s, t], v))

    def _sum_over(self, s: int, t: int, values: FloatArray) -> FloatArray:
        """Sum over the levels of factor s within each level of factor t."""
        n_levels = self._ZtWZ[t].shape[-1]
        sums = [np.bincount(self._parents[s, t], row, n_levels) for row in _rows(values)]
        return np.stack(sums).reshape(*values.shape[:-1], n_levels).astype(np.float64, copy=False)

    def _columns_of(self, s: int, t: int) -> slice:
        """Return where the columns of factor t are among those that factor s meets."""
        start = sum(self._sizes[s + 1 : t])
        return slice(start, start + (self._sizes[t] if t < self._depth else 0))


def _columns(products: CrossProducts, s: int, depth: int) -> FloatArray:
    """Return Z_s'W of the coarser factors' effects, of U and of A, level by level."""
    k, _, n_levels = products.factors[s].ZtWZ.shape
    coarser = [products.crossed[s, t].values.swapaxes(0, 1) for t in range(s + 1, depth)]
    U = with_others(products, s, depth).T.toarray()
    return np.concatenate([*coarser, U.reshape(len(U), k, n_levels), products.factors[s].ZtWA])


def _gram(columns: FloatArray) -> FloatArray:
    """Return the inner products of columns over effects and levels."""
    return _flat(columns) @ _flat(columns).T


def _flat(columns: FloatArray) -> FloatArray:
    """Join all axes but the first."""
    return columns.reshape(len(columns), math.prod(columns.shape[1:]))


def _rows(values: FloatArray) -> FloatArray:
    """Join all axes but the last."""
    return values.reshape(-1, values.shape[-1])
