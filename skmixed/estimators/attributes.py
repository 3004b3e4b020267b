"""The fitted attributes of all estimators, read from the fit when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skmixed.results.group_intervals import GroupUncertainty
from skmixed.results.lmm_results import MixedLMResults
from skmixed.results.random_effects_draws import RandomEffectsDraws

if TYPE_CHECKING:
    from skmixed.fitting.lmm_fit import LMMFit

__all__ = ["FittedAttributes"]


class FittedAttributes:
    """Offer what a fit found, under names of scikit-learn's kind.

    Everything is read from ``lmm_fit_``, which a fitted estimator holds.
    """

    lmm_fit_: LMMFit

    @property
    def theta_(self) -> np.ndarray:
        """Relative covariance parameters, factor of most levels first; shape (n_parameters,)."""
        return self.lmm_fit_.theta

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood of the criterion, REML or ML, with all constants."""
        return self.lmm_fit_.log_likelihood

    @property
    def optimizer_message_(self) -> str:
        """How the search for the variance parameters ended."""
        return self.lmm_fit_.convergence.message

    @property
    def aic_(self) -> float:
        """Akaike's criterion."""
        return self.lmm_fit_.aic

    @property
    def bic_(self) -> float:
        """Schwarz's criterion."""
        return self.lmm_fit_.bic

    @property
    def is_singular_(self) -> bool:
        """Whether a covariance of random effects is on its boundary."""
        return self.lmm_fit_.singular

    @property
    def groups_(self) -> dict[str, np.ndarray]:
        """Labels that were fitted, by factor; each of shape (n_levels,)."""
        return {part.name: part.levels.labels.to_numpy() for part in self.lmm_fit_.random}

    @property
    def random_effects_(self) -> dict[str, pd.DataFrame]:
        """Conditional modes (BLUPs) by factor, levels x effects."""
        return self.results_.random_effects

    @property
    def random_effects_sd_(self) -> dict[str, pd.DataFrame]:
        """Conditional standard deviations of the modes by factor, levels x effects."""
        return self.results_.random_effects_sd

    @property
    def group_coef_(self) -> dict[str, pd.DataFrame]:
        """Population coefficients plus each level's deviations by factor, levels x coefficients."""
        return self.results_.group_coefficients

    @property
    def variance_components_(self) -> pd.DataFrame:
        """One row per variance or covariance; the last row is the residual."""
        return self.results_.variance_components

    def random_effects_table(
        self,
        level: float = 0.95,
        *,
        beta_known: bool = False,
        variance_uncertainty: GroupUncertainty = None,
    ) -> pd.DataFrame:
        """Return one row for each random effect of each group: value, se, limits, excludes_zero.

        Parameters
        ----------
        level, beta_known, variance_uncertainty
            As for ``skmixed.results.random_effects_table``.
        """
        check_is_fitted(self)
        return self.results_.random_effects_table(
            level, beta_known=beta_known, variance_uncertainty=variance_uncertainty
        )

    def group_coefficients_table(
        self, level: float = 0.95, *, variance_uncertainty: GroupUncertainty = None
    ) -> pd.DataFrame:
        """Return one row for each coefficient of each group, with the standard error of the sum.

        Parameters
        ----------
        level, variance_uncertainty
            As for ``skmixed.results.group_coefficients_table``.
        """
        check_is_fitted(self)
        return self.results_.group_coefficients_table(
            level, variance_uncertainty=variance_uncertainty
        )

    def sample_random_effects(
        self, n: int = 1000, *, random_state: Any = None, beta_known: bool = False
    ) -> RandomEffectsDraws:
        """Draw the effects of all groups from their distribution given the data.

        Parameters
        ----------
        n, random_state, beta_known
            As for ``skmixed.results.sample_random_effects``.
        """
        check_is_fitted(self)
        return self.results_.sample_random_effects(
            n, random_state=random_state, beta_known=beta_known
        )

    def describe(self, level: float = 0.95) -> str:
        """Describe the model in plain words.

        Parameters
        ----------
        level
            As for ``skmixed.results.describe``.
        """
        check_is_fitted(self)
        return self.results_.describe(level)

    @property
    def results_(self) -> MixedLMResults:
        """The fit under statsmodels' names."""
        raise NotImplementedError
