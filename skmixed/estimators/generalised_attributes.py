"""The fitted attributes of generalised models alone: the family and its dispersion."""

from __future__ import annotations

import numpy as np

from skmixed.families.base import Family
from skmixed.fitting.glmm_fit import GLMMFit

__all__ = ["FamilyAttributes"]


class FamilyAttributes:
    """Offer what a generalised fit found of the family."""

    lmm_fit_: GLMMFit

    @property
    def family_(self) -> Family:
        """The family of the response, with its link."""
        return self.lmm_fit_.family

    @property
    def dispersion_(self) -> float:
        """The family's parameter beside the mean; 1 for families without.

        Raises
        ------
        AttributeError
            If it is modelled, so that each row has its own.
        """
        if self.lmm_fit_.extra_named("dispersion") is None:
            return 1.0
        if self.lmm_fit_.dispersion is None:
            raise AttributeError(
                "The dispersion differs from row to row, as dispersion= says: see "
                "results_.summary() for its coefficients."
            )
        return self.lmm_fit_.dispersion

    @property
    def sigma_(self) -> float:
        """Residual standard deviation; only a gaussian family has one."""
        return float(np.sqrt(self.residual_variance_))

    @property
    def residual_variance_(self) -> float:
        """Residual variance; only a gaussian family has one."""
        if self.family_.name != "gaussian":
            raise AttributeError(
                f"A {self.family_.name} response has no residual variance: see dispersion_."
            )
        return self.dispersion_

    @property
    def icc_(self) -> float:
        """Share of the groups in the variance of the latent response of a yes or no.

        Raises
        ------
        AttributeError
            If the family has none: see ``skmixed.inference.icc``.
        """
        return self.lmm_fit_.icc
