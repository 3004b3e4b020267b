"""New responses from a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import RandomBlock
from skmixed.fitting.fitted_covariate import settled_residual
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.random_effects import RandomEffects
from skmixed.inference.inputs import fit_of, model_of
from skmixed.residual.whitening import ResidualAt

__all__ = ["ResponseModel", "response_model", "simulate"]

FloatArray = NDArray[np.float64]


def simulate(
    fitted: Any, n: int = 1, *, random_effects: str = "new", random_state: Any = None
) -> FloatArray:
    """Draw responses from a fitted linear mixed model.

    Parameters
    ----------
    fitted : MixedLMResults or LMMModel
        A fitted model that keeps its rows.
    n : int, default=1
        Number of responses.
    random_effects : {"new", "conditional"}, default="new"
        Whether every response has random effects of its own, b ~ N(0, sigma^2 Psi), or all have
        the conditional modes of the data.
    random_state : int, numpy.random.Generator or None, default=None
        The same seed gives the same responses, and the first of many are the same as a few.

    Returns
    -------
    ndarray of shape (n_rows, n)
        y = X beta + Z b + e, with Var(e) = sigma^2 R, the variances divided by precision weights;
        R is the identity without a residual structure.

    Raises
    ------
    ValueError
        If an argument cannot be used, or rows or groups count several times by their weights.
    TypeError
        If ``fitted`` keeps no rows.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import simulate
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> responses = simulate(results, n=1000, random_state=0)
    >>> responses.shape
    (180, 1000)
    >>> round(float(responses.mean()))
    299
    """
    if random_effects not in ("new", "conditional"):
        raise ValueError(f"random_effects must be 'new' or 'conditional', got {random_effects!r}.")
    if n < 1:
        raise ValueError(f"n, the number of responses, must be at least 1, got {n!r}.")
    model, fit = model_of(fitted), fit_of(fitted)
    source = response_model(fit, model)
    rng = np.random.default_rng(random_state)
    draw = source.with_new_effects if random_effects == "new" else source.with_modes
    return np.ascontiguousarray(draw(int(n), rng).T)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Hold one grouping factor in standardised columns, its effects in units of y.

    ``turned`` is the root of the same covariance that is a lower triangle in the user's columns.
    """

    Z: FloatArray
    codes: NDArray[np.intp]
    root: FloatArray
    turned: FloatArray
    modes: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ResponseModel:
    """Hold what responses are made of.

    Attributes
    ----------
    mean : ndarray of shape (n_rows,)
        X beta and the offset.
    noise : ndarray of shape (n_rows,)
        sigma over the roots of precision weights.
    residuals : ndarray of shape (n_rows,)
        Observations less conditional means, independent and of variance 1 if the model is true.
    blocks : tuple
        One for each grouping factor.
    structure : ResidualAt or None
        R of a residual structure.
    """

    mean: FloatArray
    noise: FloatArray
    residuals: FloatArray
    blocks: tuple[_Block, ...]
    structure: ResidualAt | None = None

    def with_new_effects(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw responses of new random effects, shape (m, n_rows)."""
        sizes = [block.modes.size for block in self.blocks]
        # All numbers of one response are drawn before those of the next.
        normals = rng.standard_normal((m, sum(sizes) + len(self.mean)))
        parts = np.split(normals, np.cumsum(sizes), axis=1)
        effects = [
            u.reshape(m, *block.modes.shape) @ block.root.T
            for u, block in zip(parts[:-1], self.blocks, strict=True)
        ]
        return self.assembled(effects, parts[-1])

    def with_modes(self, m: int, rng: np.random.Generator) -> FloatArray:
        """Draw responses of the conditional modes, shape (m, n_rows)."""
        normals = rng.standard_normal((m, len(self.mean)))
        return self.assembled([block.modes[None] for block in self.blocks], normals)

    def assembled(self, effects: Sequence[FloatArray], residuals: FloatArray) -> FloatArray:
        """Return X beta + Z b + e.

        Parameters
        ----------
        effects : sequence of ndarray of shape (m, n_levels, k)
            For each grouping factor, standardised columns.
        residuals : ndarray of shape (m, n_rows)
            Independent, of standard deviation 1.
        """
        if self.structure is not None:
            residuals = self.structure.undo(residuals)
        y = self.mean + self.noise * residuals
        for b, block in zip(effects, self.blocks, strict=True):
            for j, column in enumerate(block.Z):
                y += np.take(b[:, :, j], block.codes, axis=1) * column
        return y


def response_model(fit: LMMFit, model: LMMModel) -> ResponseModel:
    """Return what the responses of a fitted model are made of.

    Parameters
    ----------
    fit : LMMFit
    model : LMMModel

    Raises
    ------
    ValueError
        If rows or groups count several times: such a row has no single response.
    """
    design = model.design
    counts = design.weights.row_multiplicity
    if counts is not None and (counts != 1.0).any():
        raise ValueError(
            "Rows that count several times (weight_type='frequency' or 'sampling', group_weight) "
            "stand for several responses, which would differ. Repeat rows of frequency weights in "
            "the data; there is no simulation of a weighted sample."
        )
    mean = fit.working_coefficients @ fit.coordinates.fixed.transform(design.fixed)
    if design.offset is not None:
        mean = mean + design.offset
    precision = design.weights.precision
    weights = np.ones(len(mean)) if precision is None else precision
    blocks = tuple(
        _block(block, effects) for block, effects in zip(design.blocks, fit.random, strict=True)
    )
    residual, structure = settled_residual(model, fit), None
    if residual is not None and fit.residual is not None:
        structure = residual.at(fit.residual.rho, None)
    noise = fit.sigma / np.sqrt(weights)
    source = ResponseModel(mean, noise, np.zeros_like(mean), blocks, structure)
    conditional = source.assembled([block.modes[None] for block in blocks], 0.0 * mean[None])
    left = design.response - conditional.reshape(-1)
    residuals = np.divide(left, noise, out=np.zeros_like(left), where=noise > 0)
    if structure is not None:
        residuals = structure.apply(residuals[None])[0]
    return replace(source, residuals=residuals)


def _block(block: RandomBlock, effects: RandomEffects) -> _Block:
    """Return what one grouping factor contributes."""
    root = effects.working_sigma * effects.standardised_factor
    rotation, _ = np.linalg.qr((effects.coordinates.matrix @ root).T)
    return _Block(
        effects.coordinates.transform(block.columns),
        block.factor.codes,
        root,
        root @ rotation,
        effects.standardised_modes * effects.response_scale,
    )
