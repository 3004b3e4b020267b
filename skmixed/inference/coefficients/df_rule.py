"""What a rule for the reference distribution of tests of the fixed effects offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import FixedEffects, LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.inference.coefficients.marginal_information import Information

__all__ = ["DegreesOfFreedom", "FixedEffectsTheory", "estimated_covariance"]

FloatArray = NDArray[np.float64]


class FixedEffectsTheory(Protocol):
    """What one rule says of the coefficients of one fit."""

    @property
    def covariance(self) -> FloatArray:
        """Return the covariance of the coefficients, shape (p, p); 0 for aliased ones."""
        ...

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the degrees of freedom of the t test of each row of contrasts, (n, p)."""
        ...

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return denominator degrees and scale of the F statistic of independent contrasts."""
        ...


@dataclass(frozen=True, slots=True)
class DegreesOfFreedom:
    """A rule for the reference distribution, which ``description`` names as a summary does.

    The rows of the model may be unknown. ``information`` is that whose inverse is the covariance of
    the variance parameters; None for the usual one.
    """

    model: LMMModel | None = None
    information: Information | None = None
    description: ClassVar[str]

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        raise NotImplementedError

    def rows(self, what: str) -> LMMModel:
        """Return the model with its rows, which something needs."""
        if self.model is None:
            raise ValueError(
                f"{what} needs the rows of the data, which the fit does not keep. Fit with "
                "mixedlm, or use df_method='satterthwaite'."
            )
        return self.model


def estimated_covariance(fixed: FixedEffects) -> FloatArray:
    """Return the covariance of the coefficients, 0 for those that are aliased."""
    out = fixed.aliased[:, None] | fixed.aliased
    return np.where(out, 0.0, fixed.covariance)
