"""Tables, tests and summaries of a finished fit, under the names that statsmodels uses."""

from __future__ import annotations

from skmixed.results.group_intervals import group_coefficients_table, random_effects_table
from skmixed.results.lmm_results import MixedLMResults
from skmixed.results.random_effects_draws import RandomEffectsDraws, sample_random_effects
from skmixed.results.summary import Summary
from skmixed.results.words.description import describe
from skmixed.results.words.equation import Equation, equation

__all__ = [
    "Equation",
    "MixedLMResults",
    "RandomEffectsDraws",
    "Summary",
    "describe",
    "equation",
    "group_coefficients_table",
    "random_effects_table",
    "sample_random_effects",
]
