"""The errors of beta_hat and b_hat from Henderson's mixed-model equations, written out densely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from skmixed import mixedlm
from skmixed.results import MixedLMResults

FloatArray = NDArray[np.float64]


def three_factors() -> MixedLMResults:
    """Fit slopes of classes in schools, and raters who meet several schools."""
    rng = np.random.default_rng(1)
    n = 400
    classroom, rater = rng.integers(0, 24, n), rng.integers(0, 7, n)
    school = classroom // 4
    x = rng.normal(size=n)
    y = 1.0 + x * (1.0 + rng.normal(size=24)[classroom] + 0.6 * rng.normal(size=6)[school])
    y += rng.normal(size=24)[classroom] + rng.normal(size=6)[school] + rng.normal(size=7)[rater]
    y += rng.normal(size=n)
    data = {"y": y, "x": x, "school": school, "classroom": classroom, "rater": rater}
    return mixedlm("y ~ x + (x | school / classroom) + (1 | rater)", data)


@dataclass(frozen=True)
class Errors:
    """Hold the covariance of all errors, and the positions of the effects (n_levels, k)."""

    covariance: FloatArray
    positions: dict[str, NDArray[np.intp]]
    n_fixed: int

    @property
    def given_beta(self) -> FloatArray:
        """Return the covariance of the random effects' errors alone where beta is known."""
        information = np.linalg.inv(self.covariance)
        return np.linalg.inv(information[self.n_fixed :, self.n_fixed :])


def henderson(results: MixedLMResults) -> Errors:
    """Invert [X Z]'R^-1[X Z] with G^-1 added for the effects (Henderson 1975)."""
    design, fit = results.model.design, results.fit
    X = (
        np.column_stack([np.ones(design.n_rows), design.fixed])
        if design.intercept
        else design.fixed
    )
    columns, inverses, positions, start = [X], [np.zeros((X.shape[1],) * 2)], {}, X.shape[1]
    for effects, block in zip(fit.random, design.blocks, strict=True):
        n_levels, k = effects.modes.shape
        indicators = np.equal.outer(block.factor.codes, np.arange(n_levels)).astype(float)
        columns.append(np.einsum("ng,nq->ngq", indicators, block.columns).reshape(len(X), -1))
        inverses.append(np.kron(np.eye(n_levels), np.linalg.inv(effects.effect_covariance)))
        positions[effects.name] = start + np.arange(n_levels * k).reshape(n_levels, k)
        start += n_levels * k
    W = np.hstack(columns)
    weights = np.ones(len(W)) if design.weights.values is None else design.weights.values
    information = (W.T * weights) @ W / fit.sigma**2 + block_diag(*inverses)
    return Errors(np.linalg.inv(information), positions, X.shape[1])
