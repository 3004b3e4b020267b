"""How far the modes are from the random effects: their covariance given the data and beta.

Relative to sigma^2 it is D = Lambda M^-1 Lambda' (Bates et al. 2015, equation 58). Rows of Z are
multiplied with a root of it, so that variances are sums of squares.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.batched import solve_lower_over_groups, triangle_beside_identity
from skmixed.saving.fields import FieldState

__all__ = [
    "BlockedErrors",
    "ConditionalErrors",
    "SingleFactorErrors",
    "Stage",
    "conditional_root",
    "level_blocks",
]

FloatArray = NDArray[np.float64]
Root = FloatArray | sparse.csr_array
Part = tuple[Root, NDArray[np.intp] | None]


class ConditionalErrors(Protocol):
    """The covariance of the random effects of all factors, given the data and beta."""

    @property
    def width(self) -> int:
        """Count the rows of the roots that are dense."""
        ...

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, for each factor: (n_levels, k, k)."""
        ...

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return roots of Z D Z' for some rows, with Z of 0 where a level is not known.

        It is the sum of root' root over the parts, between rows of the same code only where codes
        are given. A root may be sparse.
        """
        ...

    def draws(self, n: int, rng: np.random.Generator) -> list[FloatArray]:
        """Draw normal errors with covariance D, of all factors together: (n, n_levels, k) each."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SingleFactorErrors:
    """Hold what D is made of for one grouping factor, or none; R'R = Z'WZ, as in its kernel."""

    R: FloatArray
    Lambda: FloatArray

    @property
    def width(self) -> int:
        """Count the rows of the root."""
        return len(self.Lambda)

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, (n_levels, k, k); nothing without a factor."""
        root = conditional_root(self.R, self.Lambda)
        return [np.swapaxes(root, 1, 2) @ root] if len(self.R) else []

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return the root of each row within its level."""
        if not Z:
            return []
        used, positions = np.unique(codes[0], return_inverse=True)
        root = conditional_root(self.R[:, :, used], self.Lambda)[positions]
        return [(np.einsum("nlk,kn->ln", root, Z[0]), codes[0])]

    def draws(self, n: int, rng: np.random.Generator) -> list[FloatArray]:
        """Draw the errors of each level, nothing without a factor."""
        if not len(self.R):
            return []
        root = conditional_root(self.R, self.Lambda)
        normals = rng.standard_normal((n, *root.shape[:2]))
        return [np.einsum("nga,gaq->ngq", normals, root)]


@dataclass(frozen=True, eq=False)
class Stage(FieldState):
    """Hold what D is made of for one factor that was eliminated level by level."""

    root: FloatArray  # (n_levels, k, k): C'C is the covariance given the factors after it.
    # For each coarser stage, the level that each lies in, and what its effects owe to those of it.
    links: Mapping[int, tuple[NDArray[np.integer], FloatArray]]
    moved: sparse.csr_array  # What the effects owe to those of factors that are not eliminated.

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, the sparse one as its arrays: skops trusts no matrices of SciPy."""
        moved = self.moved
        plain = (moved.data, moved.indices, moved.indptr, *moved.shape)
        return {**super().__getstate__(), "moved": plain}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the fields."""
        *arrays, n_rows, n_columns = state["moved"]
        moved = sparse.csr_array(tuple(arrays), shape=(n_rows, n_columns))
        super().__setstate__({**state, "moved": moved})

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of effects, and of levels."""
        return self.root.shape[2], self.root.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class BlockedErrors:
    """Hold what D is made of for several factors: each one's errors given those after it."""

    stages: list[Stage]
    root: FloatArray  # C'C is the covariance of the effects of all other factors.
    shapes: tuple[tuple[int, int], ...]  # Effects and levels of the other factors.
    order: tuple[int, ...]  # Position of each factor in the model.

    @property
    def width(self) -> int:
        """Count the rows of the dense root, that of the factors that are not eliminated."""
        return len(self.root)

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, for each factor: (n_levels, k, k)."""
        own = [self._of_stage(s) for s in range(len(self.stages))]
        start = 0
        for k, n_levels in self.shapes:
            part = self.root[:, start : start + k * n_levels].reshape(-1, k, n_levels)
            own.append(np.einsum("aqg,arg->gqr", part, part))
            start += k * n_levels
        return [own[self.order.index(i)] for i in range(len(own))]

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return the roots of each factor given those after it."""
        n = Z[0].shape[1]
        shapes = [*(stage.shape for stage in self.stages), *self.shapes]
        spread = [
            _spread(Z[i], codes[i], n_levels)
            for i, (_, n_levels) in zip(self.order, shapes, strict=True)
        ]
        others = spread[len(self.stages) :]
        combined = sparse.hstack([sparse.csr_array((n, 0)), *others], format="csr")
        *of_stages, of_others = self._roots(spread[: len(self.stages)], combined)
        return [*((sparse.csr_array(root.T), None) for root in of_stages), (of_others.T, None)]

    def draws(self, n: int, rng: np.random.Generator) -> list[FloatArray]:
        """Draw the errors of each factor given those after it, the last factors first."""
        of_others = self.root.T @ rng.standard_normal((len(self.root), n))
        drawn: dict[int, FloatArray] = {}
        for s in reversed(range(len(self.stages))):
            stage = self.stages[s]
            normals = rng.standard_normal((n, *stage.root.shape[:2]))
            own = np.einsum("nga,gaq->qgn", normals, stage.root).reshape(-1, n)
            for t, (parents, carried) in stage.links.items():
                own -= _linking(carried, parents, self.stages[t].shape[1]) @ drawn[t]
            drawn[s] = own - stage.moved @ of_others
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])
        parts = [*(drawn[s] for s in range(len(self.stages))), *np.split(of_others, ends[:-1])]
        shapes = [*(stage.shape for stage in self.stages), *self.shapes]
        errors = [
            part.reshape(k, n_levels, n).transpose(2, 1, 0)
            for part, (k, n_levels) in zip(parts, shapes, strict=False)
        ]
        return [errors[self.order.index(i)] for i in range(len(errors))]

    def _roots(self, of_stages: list[sparse.csr_array], of_others: sparse.csr_array) -> list[Any]:
        """Return roots of the errors of combinations of effects, combination by combination."""
        weights = list(of_stages)
        roots = []
        for s, stage in enumerate(self.stages):
            roots.append(weights[s] @ level_blocks(stage.root.transpose(2, 1, 0)))
            for t, (parents, carried) in stage.links.items():
                weights[t] = weights[t] - weights[s] @ _linking(
                    carried, parents, self.stages[t].shape[1]
                )
            of_others = of_others - weights[s] @ stage.moved
        return [*roots, of_others @ self.root.T]

    def _of_stage(self, s: int) -> FloatArray:
        """Return D of each level of one factor."""
        k, n_levels = self.stages[s].shape
        roots = []
        for effect in range(k):
            Z = np.zeros((k, n_levels))
            Z[effect] = 1.0
            of_stages = [sparse.csr_array((n_levels, math.prod(one.shape))) for one in self.stages]
            of_stages[s] = _spread(Z, np.arange(n_levels), n_levels)
            of_others = sparse.csr_array((n_levels, len(self.root)))
            roots.append(self._roots(of_stages, of_others))
        D = np.zeros((n_levels, k, k))
        for q in range(k):
            for r in range(k):
                for left, right in zip(roots[q], roots[r], strict=True):
                    D[:, q, r] += np.asarray((left * right).sum(axis=1)).ravel()
        return D


def conditional_root(R: FloatArray, Lambda: FloatArray) -> FloatArray:
    """Return C = L^-1 Lambda', (n_levels, k, k), with L L' = Lambda'R'R Lambda + I: C'C is D."""
    k, n_levels = R.shape[1:]
    RLambda = (Lambda.T @ R.reshape(k, k * n_levels)).reshape(R.shape)
    columns = np.repeat(Lambda[:, :, None], n_levels, axis=2)
    return solve_lower_over_groups(triangle_beside_identity(RLambda), columns).transpose(2, 1, 0)


def _spread(Z: FloatArray, codes: NDArray[np.intp], n_levels: int) -> sparse.csr_array:
    """Spread the columns of one factor over its levels: effect by effect, (n, k * n_levels)."""
    k, n = Z.shape
    columns = codes + n_levels * np.arange(k)[:, None]
    rows = np.broadcast_to(np.arange(n), (k, n))
    return sparse.csr_array((Z.ravel(), (rows.ravel(), columns.ravel())), shape=(n, k * n_levels))


def level_blocks(blocks: FloatArray) -> sparse.csr_array:
    """Return the block-diagonal matrix of all levels of (a, b, n_levels), effect by effect."""
    return _linking(blocks.swapaxes(0, 1), np.arange(blocks.shape[-1]), blocks.shape[-1])


def _linking(blocks: FloatArray, parents: NDArray[np.integer], n_parents: int) -> sparse.csr_array:
    """Place a block (columns, rows) of each level in the columns of its parent."""
    b, a, n_levels = blocks.shape
    levels = np.arange(n_levels)
    rows = np.broadcast_to(levels + n_levels * np.arange(a)[:, None], blocks.shape)
    columns = np.broadcast_to((parents + n_parents * np.arange(b)[:, None])[:, None], blocks.shape)
    return sparse.csr_array(
        (blocks.ravel(), (rows.ravel(), columns.ravel())), shape=(a * n_levels, b * n_parents)
    )
