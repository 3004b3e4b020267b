"""What the summary of a generalised mixed model says."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmixed.fitting.glmm_fit import ExtraPredictor, GLMMFit
from skmixed.inference.coefficients.wald import TTests
from skmixed.results.summary import (
    Summary,
    coefficient_table,
    criteria_table,
    facts_of,
    residual_quantile_table,
    summary_of,
    variance_rows,
)
from skmixed.results.words.phrases import (
    approximation,
    dispersion_scale,
    dispersion_text,
    family_text,
    scale_of_effects,
)

__all__ = ["extra_tests", "summarise_generalised"]


def extra_tests(predictor: ExtraPredictor) -> TTests:
    """Test each coefficient against 0 with the normal distribution; NaN for aliased ones."""
    return TTests.of(predictor.coefficients, np.sqrt(predictor.covariance.diagonal()))


def summarise_generalised(results: Any, *, level: float, correlation: bool) -> Summary:
    """Collect what is worth reading of a fit, as ``summarise``."""
    fit: GLMMFit = results.fit
    tables = [criteria_table(fit), *residual_quantile_table(fit, "Pearson residuals")]
    if fit.random:
        tables.append(variance_rows(fit, residual=False))
    if fit.fixed.names:
        title = (
            f"Fixed effects on the {scale_of_effects(fit)} (tests and limits from the "
            f"{results._degrees_of_freedom.description})"
        )
        tables.append(coefficient_table(fit.fixed.names, results._tests, title, level))
    tables += [
        coefficient_table(one.names, extra_tests(one), _title(fit, one), level)
        for one in reversed(fit.extra)
        # A constant dispersion is one number.
        if one.name != "dispersion" or not one.is_constant
    ]
    kind = "mixed model" if fit.random else "model without random effects"
    how = f" ({approximation(fit)})" if fit.random else ""
    title = f"Generalised linear {kind}, fitted by maximum likelihood{how}"
    return summary_of(fit, title, _facts(results), tables, correlation=correlation)


def _facts(results: Any) -> tuple[tuple[str, str], ...]:
    """Name the model and its family, count its rows and groups, and give a constant dispersion."""
    fit: GLMMFit = results.fit
    model, *counts = facts_of(results)
    facts = [model, ("Family", family_text(fit)), *counts]
    if fit.dispersion is not None:
        facts.append(("Dispersion", dispersion_text(fit, fit.dispersion)))
    if fit.penalty is not None:
        facts.append(("Penalty", repr(fit.penalty)))
    return tuple(facts)


def _title(fit: GLMMFit, predictor: ExtraPredictor) -> str:
    """Name the table of a further predictor."""
    if predictor.name == "zero_inflation":
        return "Zero inflation (logit of the probability of an extra zero)"
    return f"Dispersion (coefficients of {dispersion_scale(fit)})"
