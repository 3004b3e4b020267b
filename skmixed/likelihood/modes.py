"""The modes of the random effects given the data, by penalised iteratively reweighted steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.families.base import RowDerivatives
from skmixed.likelihood.effect_rows import Blocks
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.penalised_factor import PenalisedFactor, factored
from skmixed.likelihood.responses import Responses
from skmixed.likelihood.stochastic import Probes

__all__ = ["Modes", "find_modes", "scaled"]

FloatArray = NDArray[np.float64]

# Squared length of a Newton step in standard errors of the modes: after it, they are exact.
NEAR = 1e-11
# The same for a step that need not be taken.
EXACT = 1e-24
# The same for a step that is no shorter than half of the last one.
ROUNDED = 1e-6
MAX_STEPS = 200
# The shortest part of a step that is tried, and how often steps are halved in all.
SHORTEST, MOST_HALVED = 1e-10, 300
ROUNDING = 64.0 * float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """Hold the modes at given parameters, and what belongs to them.

    Attributes
    ----------
    spherical : list of ndarray of shape (k, n_levels)
        u of each factor, with b = Lambda u and u ~ N(0, I).
    factors : list of ndarray of shape (k, k)
        Lambda.
    extra : sequence of ndarray of shape (n,)
        Further predictors of the family.
    rows : RowDerivatives
        All derivatives of the log densities there.
    scores : list of ndarray of shape (k, n_levels)
        Z'g of each factor, g the first derivatives: b = Psi Z'g.
    gram : Blocks
        Z'WZ with the observed weights.
    system : PenalisedFactor
        Of M = Lambda'Z'WZ Lambda + I.
    """

    spherical: list[FloatArray]
    factors: list[FloatArray]
    eta: FloatArray
    extra: Sequence[FloatArray]
    rows: RowDerivatives
    scores: list[FloatArray]
    gram: Blocks
    system: PenalisedFactor

    @property
    def penalised(self) -> float:
        """Return -2 log p(y | b) + |u|^2."""
        return -2.0 * float(self.rows.value.sum()) + _square(self.spherical)

    @property
    def effects(self) -> list[FloatArray]:
        """Return b of each factor, (k, n_levels)."""
        return scaled(self.factors, self.spherical)


def find_modes(
    elimination: Elimination,
    factors: list[FloatArray],
    fixed: FloatArray,
    responses: Responses,
    extra: Sequence[FloatArray],
    start: list[FloatArray],
    probes: Probes | None = None,
) -> Modes:
    """Maximise log p(y | b) + log p(b) by Newton steps, none of which lowers it.

    Where the observed weights make M indefinite, the expected ones give the step (Fisher scoring).

    Parameters
    ----------
    factors : list of ndarray of shape (k, k)
        Lambda of each grouping factor.
    fixed : ndarray of shape (n,)
        X beta and the offset.
    extra : sequence of ndarray of shape (n,)
        Further predictors of the family.
    start : list of ndarray of shape (k, n_levels)
        Spherical effects to begin with.
    probes : Probes or None
        From which log|M| and the inverse of M at the modes are estimated; None for exact ones.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the density is not finite, no step leads on, or M is indefinite at the end.
    """
    n = len(fixed)
    target = _Target(elimination, factors, responses, extra)
    point = target.at(start, fixed + target.on_rows(start, n))
    if not np.isfinite(point.value):
        point = target.at([np.zeros_like(one) for one in start], fixed.copy())
    before, n_left = np.inf, MOST_HALVED
    for _ in range(MAX_STEPS):
        slope = target.slope(point)
        gram, system = target.system(point)
        step = [one[0] for one in system.solve([one[None] for one in slope])]
        squared = sum(float(np.vdot(a, b)) for a, b in zip(slope, step, strict=True))
        if not np.isfinite(squared):
            raise np.linalg.LinAlgError("The density of the response is not finite.")
        if squared <= EXACT:
            known = responses.family.log_concave and probes is None
            return target.modes(point.u, point.eta, probes, (gram, system) if known else None)
        moved = target.on_rows(step, n)
        # Where the rows are all but exact, rounding ends the steps before.
        if squared <= NEAR or (squared <= ROUNDED and squared >= 0.5 * before):
            u = [a + b for a, b in zip(point.u, step, strict=True)]
            return target.modes(u, point.eta + moved, probes)
        before = squared
        point, n_left = target.along(point, step, moved, n_left)
    raise np.linalg.LinAlgError("The modes were not found.")


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """Spherical effects, their linear predictor, the log densities, and the target there."""

    u: list[FloatArray]
    eta: FloatArray
    rows: RowDerivatives
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """The function that the modes minimise: -log p(y | b) - log p(b), without constants."""

    elimination: Elimination
    factors: list[FloatArray]
    responses: Responses
    extra: Sequence[FloatArray]

    def on_rows(self, u: Sequence[FloatArray], n: int) -> FloatArray:
        """Return Z Lambda u of the n rows."""
        return self.elimination.rows.to_rows(scaled(self.factors, u), n)

    def at(self, u: list[FloatArray], eta: FloatArray) -> _Point:
        """Evaluate it; infinite where the density is not finite."""
        rows = self.responses.at(eta, self.extra, full=False, normalised=False)
        value = 0.5 * _square(u) - float(rows.value.sum())
        return _Point(u, eta, rows, value if np.isfinite(value) else float("inf"))

    def slope(self, point: _Point) -> list[FloatArray]:
        """Return minus its derivative in u."""
        scores = self.elimination.rows.to_levels(point.rows.first)
        scores = scaled([L.T for L in self.factors], scores)
        return [score - u for score, u in zip(scores, point.u, strict=True)]

    def system(self, point: _Point) -> tuple[Blocks, PenalisedFactor]:
        """Return Z'WZ and the factor of M with the observed weights, or with the expected ones."""
        gram = self.elimination.rows.gram(-point.rows.second)
        try:
            return gram, factored(self.elimination, gram, self.factors)
        except np.linalg.LinAlgError:
            if self.responses.family.log_concave:
                raise
        expected = self.responses.expected_weights(point.eta, self.extra)
        gram = self.elimination.rows.gram(expected)
        return gram, factored(self.elimination, gram, self.factors)

    def modes(
        self,
        u: list[FloatArray],
        eta: FloatArray,
        probes: Probes | None,
        known: tuple[Blocks, PenalisedFactor] | None = None,
    ) -> Modes:
        """Return what belongs to the modes; Z'WZ and the factor of M may be known."""
        rows = self.responses.at(eta, self.extra, full=True)
        if known is None:
            gram = self.elimination.rows.gram(-rows.second)
            known = gram, factored(self.elimination, gram, self.factors, probes)
        scores = self.elimination.rows.to_levels(rows.first)
        return Modes(u, self.factors, eta, self.extra, rows, scores, *known)

    def along(
        self, point: _Point, step: list[FloatArray], moved: FloatArray, n_left: int
    ) -> tuple[_Point, int]:
        """Take as much of a step as does not raise it; return how many halvings are left."""
        part, rounding = 1.0, ROUNDING * (abs(point.value) + len(moved))
        while True:
            u = [a + part * b for a, b in zip(point.u, step, strict=True)]
            tried = self.at(u, point.eta + part * moved)
            if tried.value <= point.value + rounding:
                return tried, n_left
            part, n_left = 0.5 * part, n_left - 1
            if part < SHORTEST or n_left < 0:
                raise np.linalg.LinAlgError("No step leads to the modes.")


def scaled(matrices: Sequence[FloatArray], effects: Sequence[FloatArray]) -> list[FloatArray]:
    """Multiply the effects of every level of each factor with a small matrix.

    Parameters
    ----------
    matrices : sequence of ndarray of shape (k, k)
    effects : sequence of ndarray of shape (k, n_levels)
    """
    return [matrix @ one for matrix, one in zip(matrices, effects, strict=True)]


def _square(u: list[FloatArray]) -> float:
    """Return |u|^2."""
    return sum(float(np.vdot(one, one)) for one in u)
