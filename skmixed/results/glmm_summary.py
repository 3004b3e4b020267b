"""What the summary of a generalised mixed model says."""

from __future__ import annotations

import numpy as np

from skmixed.fitting.glmm_fit import ExtraPredictor, GLMMFit
from skmixed.inference.coefficients.wald import TTests
from skmixed.results.extra_tests import extra_tests
from skmixed.results.few_groups import few_groups_notes
from skmixed.results.report import Report
from skmixed.results.summary import (
    ModelDescription,
    Summary,
    coefficient_table,
    correlation_table,
    criteria_table,
    facts_of,
    residual_quantile_table,
    variance_rows,
)
from skmixed.results.words.family_phrases import (
    approximation,
    dispersion_scale,
    dispersion_text,
    family_text,
    scale_of_effects,
)

__all__ = ["summarise_generalised"]


def summarise_generalised(
    fit: GLMMFit,
    tests: TTests,
    description: ModelDescription,
    *,
    level: float,
    correlation: bool,
) -> Summary:
    """Collect what is worth reading of a fit.

    Parameters
    ----------
    tests : TTests
        Of the fixed effects.
    level : float
        Of the confidence limits.
    correlation : bool
        Whether to show the correlation of the fixed effects.
    """
    tables = [criteria_table(fit), *residual_quantile_table(fit, "Pearson residuals")]
    if fit.random:
        tables.append(variance_rows(fit, residual=False))
    if fit.fixed.names:
        title = (
            f"Fixed effects on the {scale_of_effects(fit)} (tests and limits from the "
            f"{description.reference_distribution})"
        )
        tables.append(coefficient_table(fit.fixed.names, tests, title, level))
    tables += [
        coefficient_table(one.names, extra_tests(one), _title(fit, one), level)
        for one in reversed(fit.extra)
        if _has_table(one)
    ]
    if correlation and np.sum(~fit.fixed.aliased) > 1:
        tables.append(correlation_table(fit))
    kind = "mixed model" if fit.random else "model without random effects"
    return Summary(
        Report(
            title=f"Generalised linear {kind}, fitted by maximum likelihood{_how(fit)}",
            facts=_facts(fit, description),
            tables=tuple(tables),
            notes=(*(notice.message for notice in fit.notices), *few_groups_notes(fit)),
        )
    )


def _how(fit: GLMMFit) -> str:
    """Say how the random effects were integrated out."""
    return f" ({approximation(fit)})" if fit.random else ""


def _facts(fit: GLMMFit, description: ModelDescription) -> tuple[tuple[str, str], ...]:
    """Name the model and its family, count its rows and groups, and give a constant dispersion."""
    model, *counts = facts_of(fit, description)
    facts = [model, ("Family", family_text(fit)), *counts]
    if fit.dispersion is not None:
        facts.append(("Dispersion", dispersion_text(fit, fit.dispersion)))
    if fit.penalty is not None:
        facts.append(("Penalty", repr(fit.penalty)))
    return tuple(facts)


def _has_table(predictor: ExtraPredictor) -> bool:
    """Tell whether coefficients are shown: a constant dispersion is one number."""
    return predictor.name != "dispersion" or not predictor.is_constant


def _title(fit: GLMMFit, predictor: ExtraPredictor) -> str:
    """Name the table of a further predictor."""
    if predictor.name == "zero_inflation":
        return "Zero inflation (logit of the probability of an extra zero)"
    return f"Dispersion (coefficients of {dispersion_scale(fit)})"
