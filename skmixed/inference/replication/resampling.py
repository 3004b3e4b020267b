"""Resampled residuals, random effects and groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor, factorise
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.model import LMMModel
from skmixed.inference.replication.simulation import ResponseModel
from skmixed.likelihood.batched import cholesky_over_groups, solve_lower_over_groups
from skmixed.residual.model import residual_groups

__all__ = ["ResidualPool", "check_whole_groups", "counted_groups", "whole_groups"]

FloatArray = NDArray[np.float64]


class ResidualPool:
    """Residuals and random effects to draw from, of the moments that the model estimates.

    Modes and residuals vary less than the effects and errors that they predict. Both are centred,
    and reflated: with S = L_S L_S' the covariance of the modes and Psi = L L' the estimate, the
    modes are multiplied with L L_S^-1 (Carpenter, Goldstein and Rasbash 2003, section 3).
    """

    def __init__(self, source: ResponseModel) -> None:
        self._source = source
        residuals = source.residuals - source.residuals.mean()
        size = np.sqrt(np.mean(residuals**2))
        self.residuals = residuals / size if size > 0 else residuals
        self.effects = [_reflated(block.modes, block.turned) for block in source.predictor.blocks]

    def responses(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw m responses with replacement: residuals by rows, effects by levels."""
        sizes = [len(effects) for effects in self.effects]
        n = len(self.residuals)
        # All numbers of one response are drawn before those of the next.
        places = np.split(rng.random((m, sum(sizes) + n)), np.cumsum(sizes), axis=1)
        effects = [
            pool[(u * len(pool)).astype(np.intp)]
            for u, pool in zip(places[:-1], self.effects, strict=True)
        ]
        return self._source.assembled(effects, self.residuals[(places[-1] * n).astype(np.intp)])


def _reflated(modes: FloatArray, root: FloatArray) -> FloatArray:
    """Return centred modes whose covariance over the levels is root root'."""
    # In the units of the spherical effects u, b = Lambda u, a variance of 0 does no harm.
    u = (modes - modes.mean(axis=0)) @ np.linalg.pinv(root).T
    covariance = (u.T @ u / len(u))[:, :, None]
    lower = cholesky_over_groups(covariance, semidefinite=True)
    whitened = solve_lower_over_groups(lower, u[:, :, None].copy(), semidefinite=True)[:, :, 0]
    return np.asarray(whitened @ root.T)


def check_whole_groups(model: LMMModel, purpose: str) -> None:
    """Raise ValueError if a model has no groups that can be drawn or left out as a whole."""
    design = model.design
    if not _has_whole_groups(model):
        names = [factor.levels.name for factor in design.factors]
        reason = (
            f"the rows of a level of one of the factors {names} share levels of the others with "
            "rows elsewhere, so that no set of groups is independent of the rest"
            if names
            else "the model has no groups"
        )
        raise ValueError(
            f"{purpose} needs a model with one grouping factor: {reason}. Use kind='parametric' or "
            "'residual', with percentile or basic intervals."
        )
    counts = design.weights.groups
    if counts is not None and (counts != 1.0).any():
        raise ValueError(
            f"{purpose} draws groups, and with group_weight it is not known how many there are. "
            "Repeat the groups in the data under labels of their own."
        )


def whole_groups(model: LMMModel | GLMMModel) -> GroupingFactor:
    """Return the groups that are independent: of the only factor, or of correlated residuals."""
    if model.design.factors or model.residual is None:
        return model.design.factors[0]
    factor = residual_groups(model.residual.learned.structure, model.design)
    assert factor is not None
    return factor


def counted_groups(model: LMMModel | GLMMModel, counts: NDArray[np.intp]) -> LMMModel | GLMMModel:
    """Return the model of some of the groups, each as often as it counts."""
    factor = whole_groups(model)
    if isinstance(model, GLMMModel):
        return _written_out(model, factor, counts)
    rows = counts[factor.codes] > 0
    chosen = model.design.select(rows)
    weights = replace(
        chosen.weights,
        groups=counts[counts > 0].astype(np.float64),
        codes=factor.select(rows).codes,
    )
    return model.with_design(replace(chosen, weights=weights))


def _written_out(model: GLMMModel, factor: GroupingFactor, counts: NDArray[np.intp]) -> GLMMModel:
    """Return the model of some of the groups, with rows and a level for each time they count."""
    order = np.argsort(factor.codes, kind="stable")
    of_level = np.split(order, np.cumsum(factor.sizes)[:-1])
    copies = np.repeat(np.arange(len(counts)), counts)
    positions = np.concatenate([of_level[level] for level in copies])
    labels = np.repeat(np.arange(len(copies)), factor.sizes[copies])
    chosen = model.select(positions)
    [block] = chosen.design.blocks
    block = replace(block, factor=factorise(labels, factor.levels.name))
    return replace(chosen, design=replace(chosen.design, blocks=(block,)))


def _has_whole_groups(model: LMMModel) -> bool:
    """Tell whether there are groups that are independent of each other."""
    n_factors = len(model.design.factors)
    if n_factors or model.residual is None:
        return n_factors == 1
    return model.residual.rows.grouped is not None
