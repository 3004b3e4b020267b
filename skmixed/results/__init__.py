"""Tables, tests and summaries of a finished fit, under the names that statsmodels uses."""

from __future__ import annotations

from skmixed.results.lmm_results import MixedLMResults
from skmixed.results.summary import Summary

__all__ = ["MixedLMResults", "Summary"]
