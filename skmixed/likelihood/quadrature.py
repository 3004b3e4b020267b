"""Adaptive Gauss-Hermite quadrature over the effects of one factor, with its exact gradient.

With L L' = M of a level, as in ``laplace``, and the nodes z of Gauss and Hermite, the effects are
u = mode + L'^-1 z, and the level's likelihood is |L|^-1 times the weighted mean over the nodes of

    exp(log p(y | u) - |u|^2 / 2 + |z|^2 / 2)

(Liu and Pierce 1994; Pinheiro and Bates 1995). Modes and L move with the parameters, and the nodes
with them. With an upper triangular Lambda, Lambda L'^-1 is the upper triangular root of the
covariance of the effects given the data: the nodes in b depend on Lambda Lambda' alone, and not on
the units and origins of the columns of Z.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from numbers import Integral
from typing import Any

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.families.base import RowDerivatives
from skmixed.likelihood.batched import (
    solve_lower_over_groups,
    solve_lower_transposed_over_groups,
)
from skmixed.likelihood.criterion import RowGradient
from skmixed.likelihood.effect_rows import Blocks, EffectRows
from skmixed.likelihood.laplace import implicit_gradient
from skmixed.likelihood.modes import Modes
from skmixed.likelihood.responses import Responses

__all__ = ["Quadrature", "check_quadrature"]

FloatArray = NDArray[np.float64]

# Rows times nodes that are held at once.
AT_ONCE = 200_000
MOST_EFFECTS = 3


def check_quadrature(n_quadrature: Any, covariance: JointCovariance) -> None:
    """Raise if the random effects cannot be integrated out with so many nodes.

    Parameters
    ----------
    n_quadrature : int
        Nodes in each dimension; 1 is Laplace's approximation, which needs no more of the model.
    covariance : JointCovariance
        Of the random effects of each grouping factor.

    Raises
    ------
    TypeError
        If the number is no integer.
    ValueError
        If it is below 1; if there are several factors, or too many effects for more than one node.

    Examples
    --------
    >>> from skmixed.covariance import DirectSum, JointCovariance, Unstructured
    >>> from skmixed.likelihood.quadrature import check_quadrature
    >>> check_quadrature(9, JointCovariance((DirectSum((Unstructured(),), (2,)),)))
    """
    if isinstance(n_quadrature, bool) or not isinstance(n_quadrature, Integral):
        raise TypeError(
            f"n_quadrature must be an integer, got {type(n_quadrature).__name__}: the number of "
            "nodes in each dimension, 1 for Laplace's approximation."
        )
    if n_quadrature < 1:
        raise ValueError(
            f"n_quadrature must be at least 1, got {n_quadrature}: 1 is Laplace's approximation, "
            "more are nodes of adaptive quadrature in each dimension."
        )
    if n_quadrature == 1:
        return
    if len(covariance.factors) > 1:
        raise ValueError(
            f"n_quadrature={n_quadrature} needs a single grouping factor, got "
            f"{len(covariance.factors)}: the effects of several factors are integrated out "
            "together. Use n_quadrature=1."
        )
    most = max((factor.n_effects for factor in covariance.factors), default=0)
    if most > MOST_EFFECTS:
        raise ValueError(
            f"n_quadrature={n_quadrature} takes up to {MOST_EFFECTS} random effects in a group, "
            f"got {most}: {n_quadrature}**{most} nodes would be needed. Use n_quadrature=1, or "
            "fewer random effects."
        )


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Approximate the likelihood by adaptive Gauss-Hermite quadrature.

    Parameters
    ----------
    rows : EffectRows
        Of one grouping factor.
    n_nodes : int
        In each dimension.
    """

    rows: EffectRows
    responses: Responses
    n_nodes: int

    def of(self, rows: EffectRows, responses: Responses) -> Quadrature:
        """Return the same approximation for other rows."""
        return Quadrature(rows, responses, self.n_nodes)

    @cached_property
    def blocks(self) -> list[_Block]:
        """Return the nodes of all dimensions, in blocks of which the rows fit into memory."""
        nodes, weights = hermegauss(self.n_nodes)
        k = len(self.rows.Z[0])
        grid = np.array(list(product(nodes, repeat=k)))
        # Relative to the density of z: weights far out fall below the least number.
        logarithms = np.log(np.maximum(weights / weights.sum(), np.finfo(float).tiny))
        of_grid = np.array(list(product(logarithms, repeat=k))).sum(axis=1)
        of_grid += 0.5 * (grid * grid).sum(axis=1)
        size = max(1, AT_ONCE // len(self.responses.y))
        pieces = [slice(i, i + size) for i in range(0, len(grid), size)]
        # Blocks of one size share their rows.
        repeated = {
            m: _repeated(self.rows, self.responses, m)
            for m in {len(grid[piece]) for piece in pieces}
        }
        return [
            _Block(grid[piece], of_grid[piece], *repeated[len(grid[piece])]) for piece in pieces
        ]

    def value(self, modes: Modes) -> float:
        """Return -2 log likelihood."""
        parts = self._at_nodes(modes, full=False)
        return self._value(modes, np.sum([at.density.sum(axis=0) for at in parts], axis=0))

    def differentiated(self, modes: Modes) -> tuple[float, RowGradient]:
        """Return the value with its exact gradient, modes and nodes moving with the parameters."""
        n, (k, n_levels) = len(modes.eta), modes.spherical[0].shape
        total = np.zeros(n_levels)
        of_eta, of_extra = np.zeros(n), [np.zeros(n) for _ in modes.extra]
        of_modes = np.zeros((k, n_levels))
        of_factor, of_nodes = np.zeros((k, k, n_levels)), np.zeros((k, k, n_levels))
        for at in self._at_nodes(modes, full=bool(modes.extra)):
            total += at.density.sum(axis=0)
            of_eta += at.over_nodes(at.first)
            for j, e in enumerate(at.derivatives.extra):
                of_extra[j] += at.over_nodes(at.known(e.first))
            scores = at.scores
            slopes = np.einsum("ab,ajg->bjg", modes.factors[0], scores) - at.effects
            weighted = at.density * slopes
            of_modes += weighted.sum(axis=1)
            of_factor += np.einsum("ajg,jg,bjg->abg", scores, at.density, at.effects)
            lower = modes.system.stages[0].L
            whitened = solve_lower_over_groups(lower, np.array(weighted.swapaxes(0, 1)))
            of_nodes += np.einsum("ja,jbg->abg", at.block.nodes, whitened)
        value = self._value(modes, total)
        shares = -2.0 / total
        of_rows = np.take(shares, self.rows.codes[0])
        direct = RowGradient(
            of_rows * of_eta,
            [of_factor @ shares],
            [of_rows * sums for sums in of_extra],
        )
        own = modes.system.inverse.own[0] + _of_matrix(lower, -shares * of_nodes)
        of_M = Blocks([own], {})
        return value, implicit_gradient(self.rows, modes, direct, of_M, [shares * of_modes])

    def replicated(self, modes: Modes) -> list[RowGradient]:
        """Return nothing: with one factor, nothing is estimated."""
        return []

    def _value(self, modes: Modes, total: FloatArray) -> float:
        """Return -2 log likelihood, given the sum over the nodes relative to the mode's density."""
        if not (np.isfinite(total) & (total > 0.0)).all():
            raise np.linalg.LinAlgError("The mode is not where the density is largest.")
        laplace = modes.penalised + modes.system.log_determinant
        return laplace - 2.0 * float(np.log(total).sum())

    def _at_nodes(self, modes: Modes, *, full: bool) -> Iterator[_AtNodes]:
        """Evaluate the rows at the nodes, block by block."""
        own = np.bincount(self.rows.codes[0], modes.rows.value, self.rows.n_levels[0])
        at_modes = own - 0.5 * np.square(modes.spherical[0]).sum(axis=0)
        for block in self.blocks:
            yield block.at(modes, at_modes, full=full)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some of the nodes, and the rows as often as there are nodes: a level at a node is a level."""

    nodes: FloatArray
    log_weights: FloatArray
    rows: EffectRows
    responses: Responses

    def at(self, modes: Modes, at_modes: FloatArray, *, full: bool) -> _AtNodes:
        """Evaluate the rows at these nodes."""
        m, (k, n_levels) = len(self.nodes), modes.spherical[0].shape
        lower = modes.system.stages[0].L
        moves = np.repeat(self.nodes[:, :, None], n_levels, axis=2)
        moves = solve_lower_transposed_over_groups(lower, moves).swapaxes(0, 1)
        effects = modes.spherical[0][:, None] + moves
        moved = modes.factors[0] @ moves.reshape(k, m * n_levels)
        eta = np.tile(modes.eta, m) + self.rows.to_rows([moved], m * len(modes.eta))
        rows = self.responses.at(eta, [np.tile(one, m) for one in modes.extra], full=full)
        (codes,) = self.rows.codes
        logarithms = np.bincount(codes, rows.value, m * n_levels).reshape(m, n_levels)
        logarithms += self.log_weights[:, None] - 0.5 * np.square(effects).sum(axis=0) - at_modes
        with np.errstate(over="ignore"):
            density = np.exp(logarithms)
        return _AtNodes(self, effects, rows, density)


@dataclass(frozen=True, slots=True, eq=False)
class _AtNodes:
    """The rows at some nodes, and the density of each level there times the nodes' weights."""

    block: _Block
    effects: FloatArray
    derivatives: RowDerivatives
    density: FloatArray

    @property
    def first(self) -> FloatArray:
        """Return the derivatives of the rows' log densities."""
        return self.known(self.derivatives.first)

    def known(self, values: FloatArray) -> FloatArray:
        """Put 0 where the density is 0, and has no derivative."""
        return np.where(np.isfinite(self.derivatives.value), values, 0.0)

    @property
    def scores(self) -> FloatArray:
        """Return Z' times the derivatives, of shape (k, n_nodes, n_levels)."""
        (scores,) = self.block.rows.to_levels(self.first)
        return scores.reshape(len(scores), *self.density.shape)

    def over_nodes(self, values: FloatArray) -> FloatArray:
        """Sum values of rows over the nodes, times the density of their level."""
        of_rows = np.take(self.density.ravel(), self.block.rows.codes[0])
        return (of_rows * values).reshape(len(self.density), -1).sum(axis=0)


def _repeated(rows: EffectRows, responses: Responses, m: int) -> tuple[EffectRows, Responses]:
    """Return the rows m times, each time with levels of their own."""
    n_levels = rows.n_levels[0]
    codes = (rows.codes[0] + n_levels * np.arange(m)[:, None]).ravel()
    weights = None if responses.weights is None else np.tile(responses.weights, m)
    return (
        EffectRows((np.tile(rows.Z[0], m),), (codes,), (m * n_levels,)),
        Responses(responses.family, np.tile(responses.y, m), weights),
    )


def _of_matrix(lower: FloatArray, products: FloatArray) -> FloatArray:
    """Return dF / dM of each level, given L' dF / dL with L the triangular factor of M.

    It is the symmetric part of L'^-1 P L^-1, with P the lower triangle of L' dF / dL, half of its
    diagonal taken (Murray 2016, equation 9).
    """
    k = len(products)
    triangle = np.tril(np.ones((k, k))) - 0.5 * np.eye(k)
    taken = triangle[:, :, None] * products
    columns = solve_lower_transposed_over_groups(lower, np.array(taken.swapaxes(0, 1)))
    turned = solve_lower_transposed_over_groups(lower, np.array(columns.swapaxes(0, 1)))
    return np.asarray(0.5 * (turned + turned.swapaxes(0, 1)))
