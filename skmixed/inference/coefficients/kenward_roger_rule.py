"""Kenward and Roger's method as a rule for tests of the fixed effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.df_rule import FixedEffectsTheory, WithRows
from skmixed.inference.coefficients.kenward_roger import (
    KenwardRoger,
    kenward_roger,
    require_reml,
)
from skmixed.inference.coefficients.marginal_fit import has_residual_structure, marginal_model
from skmixed.inference.coefficients.marginal_kenward_roger import marginal_kenward_roger

__all__ = ["KenwardRogerRule"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _KenwardRoger:
    """The adjustment in standardised columns with sigma = 1, and the map to the user's."""

    adjustment: KenwardRoger
    matrix: FloatArray
    sigma: float

    @property
    def covariance(self) -> FloatArray:
        """Return the adjusted covariance."""
        root = self.sigma * self.matrix
        return root @ self.adjustment.covariance @ root.T

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the degrees of freedom of the F test of each row alone."""
        return np.array([self.f_df(row[None])[0] for row in contrasts])

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return denominator degrees and scale."""
        return self.adjustment.f_test(contrasts @ self.matrix)


@dataclass(frozen=True, slots=True)
class KenwardRogerRule(WithRows):
    """Adjust the covariance for the variances being estimated, and match two moments of F.

    With a residual structure it is the method of Kenward and Roger (1997) in natural parameters,
    with the observed information, as in SAS and mmrm. Without one V is linear in its parameters,
    and the information is the expected one, as in pbkrtest.

    Attributes
    ----------
    second_order : bool
        Whether the second derivatives of V count.
    """

    second_order: bool = True
    description: ClassVar[str] = "t distribution, Kenward and Roger's degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit.

        Raises
        ------
        ValueError
            If the fit is not by REML, or its rows are needed and not known.
        """
        fit.require_gaussian("Kenward and Roger's method", "use df_method='normal'")
        require_reml(fit)
        structured = has_residual_structure(fit)
        if not structured and self.information != "observed":
            adjustment = kenward_roger(fit)
        else:
            what = "a residual structure" if structured else "the observed information"
            rows = self.rows(f"Kenward and Roger's method with {what}")
            adjustment = marginal_kenward_roger(
                marginal_model(fit, rows),
                information=self.information or "observed",
                second_order=self.second_order,
            )
        return _KenwardRoger(adjustment, fit.coordinates.fixed.matrix, fit.working_sigma)
