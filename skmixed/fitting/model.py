"""A linear mixed model with its data, ready to be fitted, and to be fitted again with a change."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.fitting.fit import fit_lmm
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.likelihood.choose import Solver

__all__ = ["LMMModel"]


@dataclass(frozen=True, slots=True, eq=False)
class LMMModel:
    """Hold the rows, the structures and how to search.

    Attributes
    ----------
    design : Design
    covariance : JointCovariance
        Structures of the terms of each block.
    reml : bool
    tol : float
        Distance from the optimum at which to stop, in standard errors of theta.
    max_iter : int
        Largest number of evaluations of the objective.
    solver : {"auto", "direct", "iterative"}
        Of several grouping factors.
    verbose : int
        0 shows nothing, 1 a line for each evaluation.
    """

    design: Design
    covariance: JointCovariance
    reml: bool
    tol: float
    max_iter: int
    solver: Solver = "auto"
    verbose: int = 0

    def fit(self) -> LMMFit:
        """Fit the model."""
        return fit_lmm(
            self.design,
            self.covariance,
            reml=self.reml,
            tol=self.tol,
            max_iter=self.max_iter,
            solver=self.solver,
            verbose=self.verbose,
        )

    def with_criterion(self, *, reml: bool) -> LMMModel:
        """Return the model with REML or maximum likelihood."""
        return replace(self, reml=reml)

    def with_response(self, response: NDArray[np.float64]) -> LMMModel:
        """Return the model of another response, of shape (n,)."""
        return replace(self, design=replace(self.design, response=response))
