"""Results of a generalised linear mixed model under the names that statsmodels uses."""

from __future__ import annotations

from dataclasses import dataclass

from skmixed.results.family_numbers import FamilyNumbers
from skmixed.results.generalised_predictions import GeneralisedPredictions
from skmixed.results.glmm_summary import summarise_generalised
from skmixed.results.lmm_results import MixedLMResults
from skmixed.results.numbers import count_text
from skmixed.results.summary import ModelDescription, Summary

__all__ = ["MixedGLMResults"]


@dataclass(frozen=True, eq=False, repr=False)
class MixedGLMResults(GeneralisedPredictions, FamilyNumbers, MixedLMResults):
    """Read estimates, tests and tables off a fitted generalised mixed model.

    The coefficients are those of the linear predictor: logarithms of odds ratios with the logit
    link, of rate ratios with the log link. They compare rows of the same groups. What needs normal
    residuals (REML, degrees of freedom, exact tests, leave-out formulas) raises a ValueError that
    names the alternative.

    Parameters
    ----------
    fitted_model : FittedModel
        As for ``MixedLMResults``, of a generalised model; degrees of freedom are infinite by
        default.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skmixed import mixedglm
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame({"x": rng.normal(size=600), "g": np.arange(600) % 30})
    >>> rate = np.exp(0.5 * data["x"] + 0.7 * rng.normal(size=30)[data["g"]])
    >>> data["events"] = rng.poisson(rate)
    >>> results = mixedglm("events ~ x + (1 | g)", data, family="poisson")
    >>> results
    <MixedGLMResults: events ~ x + (1 | g), poisson (log), ML (Laplace), 600 observations>
    >>> results.conf_int().round(2)
                  0     1
    Intercept -0.35  0.16
    x          0.44  0.60
    >>> results.variance_components[["group", "name1", "sdcor"]].round(2)
      group      name1  sdcor
    0     g  Intercept   0.66
    """

    def _summary(
        self, description: ModelDescription, conf_level: float, *, correlation: bool
    ) -> Summary:
        """Collect what is worth reading of the fit."""
        return summarise_generalised(
            self._generalised, self._tests, description, level=conf_level, correlation=correlation
        )

    def __repr__(self) -> str:
        words = (
            self.formula or self.response_name,
            f"{self.family.replace('_', ' ')} ({self.link})",
            self.method,
            f"{count_text(self.nobs)} observations",
        )
        return f"<{type(self).__name__}: {', '.join(words)}>"
