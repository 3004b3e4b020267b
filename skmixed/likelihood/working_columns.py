"""Columns of rows in the linear model that the last step of the modes solved.

With V = W^-1 + Z Psi Z', b = Psi s at the modes, s = Z'g the sums of the rows' scores. A parameter
that moves the linear predictor at fixed effects by a column f, or Psi by dPsi, where f = Z dPsi s,
changes s by -Z'V^-1 f. That log-likelihood has curvature 2 X'V^-1 X in beta, and along theta the
average information f'V^-1 f (Gilmour, Thompson and Cullis 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.likelihood.effect_rows import Blocks, EffectRows
from skmixed.likelihood.modes import Modes

__all__ = ["WorkingColumns", "columns_of_parameters"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WorkingColumns:
    """Hold what columns f leave in the effects: those of beta, theta and further predictors.

    Attributes
    ----------
    gram : Blocks
        Z'WZ.
    sums : list of ndarray of shape (n_columns, k, n_levels)
        Z'W f of each factor.
    taken : list of ndarray of shape (n_columns, k, n_levels)
        Psi Z'V^-1 f.
    directions : list of ndarray of shape (n_theta, k, n_levels)
        v of each factor, where f = Z v for the columns of theta.
    """

    rows: EffectRows
    gram: Blocks
    sums: list[FloatArray]
    taken: list[FloatArray]
    directions: list[FloatArray]
    n_beta: int

    def scores(self, coefficients: FloatArray) -> list[FloatArray]:
        """Return Z'V^-1 f of combinations of the columns, (m, k, n_levels) of each factor.

        Parameters
        ----------
        coefficients : ndarray of shape (m, n_columns)
        """
        sums, taken = (
            [np.tensordot(coefficients, one, 1) for one in parts]
            for parts in (self.sums, self.taken)
        )
        through = self.rows.gram_times(self.gram, taken)
        return [one - two for one, two in zip(sums, through, strict=True)]

    @property
    def fixed_scores(self) -> list[FloatArray]:
        """Return Z'V^-1 X of each factor, (n_beta, k, n_levels)."""
        n_columns = len(self.sums[0]) if self.sums else 0
        return self.scores(np.eye(self.n_beta, n_columns))

    @property
    def mode_slopes(self) -> list[FloatArray]:
        """Return the derivatives of b in theta and all that follows, (n_levels, k, n_slopes)."""
        found = []
        for v, taken in zip(self.directions, self.taken, strict=True):
            slopes = -taken[self.n_beta :]
            slopes[: len(v)] += v
            found.append(np.moveaxis(slopes, (0, 2), (2, 0)))
        return found

    def information(self, X: FloatArray, weights: FloatArray) -> FloatArray:
        """Return F'V^-1 F of the columns of beta and theta."""
        p = self.n_beta
        m = p + (len(self.directions[0]) if self.directions else 0)
        gram = np.zeros((m, m))
        gram[:p, :p] = (X * weights) @ X.T
        if m > p:
            gram[:, p:] = _inner([one[:m] for one in self.sums], self.directions)
            gram[p:, :p] = gram[:p, p:].T
        for sums, taken in zip(self.sums, self.taken, strict=True):
            gram -= _inner([sums[:m]], [taken[:m]])
        return 0.5 * (gram + gram.T)


def columns_of_parameters(
    X: FloatArray,
    rows: EffectRows,
    modes: Modes,
    covariance: JointCovariance,
    theta: FloatArray,
    extra: Sequence[FloatArray] = (),
) -> WorkingColumns:
    """Return the columns of all parameters.

    Parameters
    ----------
    extra : sequence of ndarray of shape (n_columns, n)
        Columns of each further predictor, which move the scores by their mixed derivatives.
    """
    weighted = [X * -modes.rows.second]
    weighted += [own * -one.mixed for own, one in zip(extra, modes.rows.extra, strict=True)]
    of_rows = rows.columns_to_levels(np.vstack(weighted) if extra else weighted[0])
    directions = _directions(modes, covariance, theta)
    of_theta = rows.gram_times(modes.gram, directions)
    p = len(X)
    sums = [
        np.concatenate([one[:p], two, one[p:]]) for one, two in zip(of_rows, of_theta, strict=True)
    ]
    solved = modes.system.solve([L.T @ one for L, one in zip(modes.factors, sums, strict=True)])
    taken = [L @ one for L, one in zip(modes.factors, solved, strict=True)]
    return WorkingColumns(rows, modes.gram, sums, taken, directions, p)


def _directions(modes: Modes, covariance: JointCovariance, theta: FloatArray) -> list[FloatArray]:
    """Return dPsi s of each theta: of each factor, 0 for the parameters of another."""
    directions, first = [], 0
    parts = zip(covariance.factors, covariance.split(theta), modes.scores, strict=True)
    for joint, part, s in parts:
        v = np.zeros((len(theta), *s.shape))
        v[first : first + len(part)] = joint.covariance_derivative(part) @ s
        directions.append(v)
        first += len(part)
    return directions


def _inner(left: Sequence[FloatArray], right: Sequence[FloatArray]) -> FloatArray:
    """Return the inner products of effects of shape (m, k, n_levels), over all factors."""
    return sum(
        (a.reshape(len(a), -1) @ v.reshape(len(v), -1).T for a, v in zip(left, right, strict=True)),
        np.zeros((len(left[0]), len(right[0]))),
    )
