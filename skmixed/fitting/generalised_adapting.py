"""New rows for a finished generalised fit: better effects of its groups, effects of new groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.families.base import ExtraDerivatives, RowDerivatives
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.modes import Modes, find_modes
from skmixed.likelihood.penalised_errors import PenalisedErrors
from skmixed.likelihood.responses import Responses
from skmixed.likelihood.working_columns import columns_of_parameters
from skmixed.likelihood.working_sums import WorkingRows, WorkingSums

__all__ = ["adapted_modes"]

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _JoinedResponses:
    """Hold earlier rows to second order, and new ones with their log densities."""

    before: WorkingRows
    new: Responses

    @property
    def family(self) -> Any:
        """Return the family of the new rows: the earlier ones are as concave as it is."""
        return self.new.family

    def at(
        self,
        eta: FloatArray,
        extra: Sequence[FloatArray],
        *,
        full: bool,
        normalised: bool = True,
    ) -> RowDerivatives:
        """Return the log densities and their derivatives, those of the earlier rows first."""
        before = self.before
        new = self.new.at(eta[self._n :], extra, full=full, normalised=normalised)
        left = before.response - eta[: self._n]
        none = np.zeros(self._n)
        joined = RowDerivatives(
            np.append(-0.5 * before.signs * left**2, new.value),
            np.append(before.signs * left, new.first),
            np.append(-before.signs, new.second),
        )
        if not full:
            return joined
        return replace(
            joined,
            third=None if new.third is None else np.append(none, new.third),
            extra=tuple(
                ExtraDerivatives(
                    np.append(none, one.first),
                    np.append(before.signs, one.mixed),
                    np.append(none, one.twice_mixed),
                )
                for one in new.extra
            ),
        )

    def expected_weights(self, eta: FloatArray, extra: Sequence[FloatArray]) -> FloatArray:
        """Return what minus the second derivatives are on average, at least 0."""
        expected = self.new.expected_weights(eta[self._n :], extra)
        return np.append(np.maximum(self.before.signs, 0.0), expected)

    @property
    def _n(self) -> int:
        """Count the rows that stand for the earlier ones."""
        return len(self.before.signs)


def adapted_modes(
    fit: GLMMFit,
    rows: Design,
    places: Sequence[Places],
    extra: Sequence[FloatArray | None] = (),
) -> GLMMFit:
    """Add rows to a fit at its parameters: their log densities are exact.

    Of the earlier rows a fit keeps their log density to second order in the effects around the
    modes, which then move. All parameters and the likelihood stay as they are.

    Parameters
    ----------
    rows : Design
        The new rows alone; their factors have all levels, those of the fit among them. Their
        weights multiply the log densities.
    places : sequence of ndarray of shape (n_levels,)
        Of each factor: where the levels of the fit are among those.
    extra : sequence of (ndarray of shape (n, q) or None)
        Columns of each further predictor but for the intercept, as in ``NewRows``.

    Raises
    ------
    ValueError
        If the fit has not kept the sums, or the new rows have no modes.
    """
    if not fit.random:
        return fit
    if fit.working is None:
        raise ValueError(
            "adapt needs sums over the rows that share their levels of all grouping factors. Here "
            "there are about as many of them as rows, and the fit has not kept them. Fit all rows "
            "together."
        )
    before = fit.working.rows([len(one.standardised_factor) for one in fit.random])
    X, predictors, columns = _new_columns(fit, rows, extra)
    joined = _joined_rows(fit, rows, before, places)
    fixed = fit.working_coefficients @ X + (0.0 if rows.offset is None else rows.offset)
    fixed = np.append(np.zeros(len(before.signs)), fixed)
    responses = _JoinedResponses(before, Responses(fit.family, rows.response, rows.weights.values))
    modes = _modes(fit, joined, fixed, responses, predictors)
    everything = np.hstack([before.columns, np.vstack([X, *columns])])
    return _described(fit, rows, places, _Joined(joined, modes, everything))


def _modes(
    fit: GLMMFit,
    joined: EffectRows,
    fixed: FloatArray,
    responses: Any,
    predictors: Sequence[FloatArray],
) -> Modes:
    """Find the modes of all rows at the covariances of a fit."""
    factors = [one.standardised_factor for one in fit.random]
    start = [np.zeros((len(L), n)) for L, n in zip(factors, joined.n_levels, strict=True)]
    try:
        return find_modes(Elimination(joined), factors, fixed, responses, predictors, start)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "The effects have no most likely value given the new rows too. Look at the responses "
            "of the new rows, or fit all rows together."
        ) from error


@dataclass(frozen=True, slots=True, eq=False)
class _Joined:
    """Hold all rows with their modes; columns are X, then those of further predictors."""

    rows: EffectRows
    modes: Modes
    columns: FloatArray


def _new_columns(
    fit: GLMMFit, rows: Design, extra: Sequence[FloatArray | None]
) -> tuple[FloatArray, list[FloatArray], list[FloatArray]]:
    """Return X, further predictors and their columns of the new rows, standardised."""
    n = rows.n_rows
    predictors = list(fit.extra_of_rows(extra, n))
    given = extra or (None,) * len(fit.extra)
    columns = [
        one.coordinates.transform(np.empty((n, 0)) if own is None else own)
        for one, own in zip(fit.extra, given, strict=True)
    ]
    return fit.coordinates.fixed.transform(rows.fixed), predictors, columns


def _joined_rows(
    fit: GLMMFit, rows: Design, before: WorkingRows, places: Sequence[Places]
) -> EffectRows:
    """Put the new rows after those that stand for the earlier ones."""
    Z, codes = [], []
    for i, (effects, block, place) in enumerate(zip(fit.random, rows.blocks, places, strict=True)):
        Z.append(np.hstack([before.Z[i], effects.coordinates.transform(block.columns)]))
        codes.append(np.append(place[before.codes[i]], block.factor.codes))
    return EffectRows(tuple(Z), tuple(codes), tuple(len(factor.levels) for factor in rows.factors))


def _described(fit: GLMMFit, rows: Design, places: Sequence[Places], joined: _Joined) -> GLMMFit:
    """Return the fit with other effects."""
    modes, n_beta = joined.modes, fit.joint.n_beta
    X = joined.columns[:n_beta]
    ends = np.cumsum([len(one.coefficients) for one in fit.extra])
    extra = np.split(joined.columns[n_beta:], ends[:-1]) if fit.extra else []
    errors = PenalisedErrors.of(modes.system, modes.factors)
    covariance = JointCovariance(tuple(effects.covariance for effects in fit.random))
    theta = fit.joint.parameters[fit.joint.theta]
    columns = columns_of_parameters(X, joined.rows, modes, covariance, theta, extra)
    scores = columns.fixed_scores
    random = tuple(
        _effects(effects, rows, i, places[i], modes, scores[i], errors)
        for i, effects in enumerate(fit.random)
    )
    weighted = np.vstack(
        [
            -modes.rows.second * X,
            *(one.mixed * own for one, own in zip(modes.rows.extra, extra, strict=True)),
        ]
    )
    return replace(
        fit,
        random=random,
        errors=errors,
        mode_slopes=tuple(columns.mode_slopes),
        working=WorkingSums.of(joined.rows, modes, weighted),
    )


def _effects(
    effects: RandomEffects,
    rows: Design,
    i: int,
    place: Places,
    modes: Modes,
    scores: FloatArray,
    errors: PenalisedErrors,
) -> RandomEffects:
    """Describe the effects of one factor with the rows that are added."""
    factor = rows.factors[i]
    sizes = factor.sizes
    precision = np.bincount(factor.codes, rows.weights.values, len(factor.levels)).astype(float)
    sizes[place] += effects.sizes
    precision[place] += effects.precision
    return replace(
        effects,
        levels=factor.levels,
        sizes=sizes,
        precision=precision,
        standardised_modes=modes.effects[i].T,
        standardised_scores=scores,
        errors=errors,
    )
