"""Results of a generalised linear mixed model under the names that statsmodels uses."""

from __future__ import annotations

from dataclasses import dataclass

from skmixed.results.generalised_predictions import GeneralisedPredictions
from skmixed.results.lmm_results import MixedLMResults

__all__ = ["MixedGLMResults"]


@dataclass(frozen=True, eq=False, repr=False)
class MixedGLMResults(GeneralisedPredictions, MixedLMResults):
    """Read estimates, tests and tables off a fitted generalised mixed model."""
