"""What the summary of a linear mixed model says, from its fit and the tests of its coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.inference.coefficients.wald import TTests
from skmixed.results.numbers import (
    align,
    count_text,
    format_column,
    format_estimates,
    format_fixed,
    format_p_values,
    format_statistics,
)
from skmixed.results.report import Report, Table
from skmixed.results.residual_report import residual_tables
from skmixed.results.summary_html import render_html
from skmixed.results.summary_text import render_text
from skmixed.results.tables import correlation_matrix
from skmixed.results.words.random_words import few_groups_notes
from skmixed.results.words.residual_words import residual_words

__all__ = [
    "Summary",
    "coefficient_table",
    "criteria_table",
    "facts_of",
    "residual_quantile_table",
    "summarise",
    "summary_of",
    "variance_rows",
]


@dataclass(frozen=True, slots=True)
class Summary:
    """Show a report as text, and as HTML in a notebook."""

    report: Report

    def as_text(self) -> str:
        """Return the summary as lines of text."""
        return render_text(self.report)

    def as_html(self) -> str:
        """Return the summary as an HTML element."""
        return render_html(self.report)

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()


def summarise(results: Any, *, level: float, correlation: bool) -> Summary:
    """Collect what is worth reading of a fit; ``correlation`` is that of the fixed effects."""
    fit: LMMFit = results.fit
    tables = [
        criteria_table(fit),
        *residual_quantile_table(fit),
        variance_rows(fit),
        *residual_tables(fit, level),
    ]
    if fit.fixed.names:
        title = (
            f"Fixed effects (tests and limits from the {results._degrees_of_freedom.description})"
        )
        tables.append(coefficient_table(fit.fixed.names, results._tests, title, level))
    kind = "Linear mixed model" if fit.random else "Linear model without random effects"
    criterion = "REML" if fit.reml else "ML"
    if fit.n_sampled is not None:
        criterion = "pseudo-ML, weights are inverse probabilities"
    title = f"{kind}, fitted by {criterion}"
    return summary_of(fit, title, facts_of(results), tables, correlation=correlation)


def summary_of(
    fit: LMMFit,
    title: str,
    facts: tuple[tuple[str, str], ...],
    tables: list[Table],
    *,
    correlation: bool,
) -> Summary:
    """Return a summary that ends with the correlation of fixed effects, if wished, and notes."""
    if correlation and np.sum(~fit.fixed.aliased) > 1:
        tables = [*tables, _correlation_table(fit)]
    notes = (*(notice.message for notice in fit.notices), *few_groups_notes(fit))
    return Summary(Report(title, facts, tuple(tables), notes))


def facts_of(results: Any) -> tuple[tuple[str, str], ...]:
    """Name the model and count its rows and groups."""
    fit: LMMFit = results.fit
    model = ("Response", results.response_name)
    if results.formula is not None:
        model = ("Formula", results.formula)
    rows = count_text(fit.n_rows)
    if results.n_dropped:
        rows += f" ({results.n_dropped} dropped: missing values)"
    facts = [model, ("Observations", rows)]
    if fit.random:
        groups = ", ".join(f"{effects.name} {len(effects.levels)}" for effects in fit.random)
        facts.append(("Groups", groups))
    if fit.residual is not None:
        facts.append(("Residuals", residual_words(fit)))
    if fit.monte_carlo is not None:
        error = fit.monte_carlo
        text = (
            f"log-likelihood {error.log_likelihood:.1g}, theta at most {error.relative:.1%} of its "
            "standard error"
        )
        facts.append(("Monte-Carlo error", text))
    return tuple(facts)


def criteria_table(fit: LMMFit) -> Table:
    """Return the criterion and what follows from it; AIC and BIC of a likelihood only."""
    if fit.n_sampled is not None:
        return Table(
            title="Goodness of fit",
            header=("-2 log pseudo-likelihood", "Log pseudo-likelihood"),
            rows=((f"{fit.criterion:.3f}", f"{fit.log_likelihood:.3f}"),),
        )
    values = (fit.criterion, fit.log_likelihood, fit.aic, fit.bic)
    return Table(
        title="Goodness of fit",
        header=(
            "REML criterion" if fit.reml else "-2 log-likelihood",
            "Restricted log-likelihood" if fit.reml else "Log-likelihood",
            "AIC",
            "BIC",
            "Residual df",
        ),
        rows=((*(f"{value:.3f}" for value in values), count_text(fit.n_rows - fit.n_parameters)),),
    )


def residual_quantile_table(fit: LMMFit, title: str = "Scaled residuals") -> list[Table]:
    """Return the quantiles of the scaled residuals, nothing where rows were added to the fit."""
    if np.isnan(fit.residual_quantiles).any():
        return []
    return [
        Table(
            title=title,
            header=("Min", "1Q", "Median", "3Q", "Max"),
            rows=(tuple(f"{value:.4f}" for value in fit.residual_quantiles),),
        )
    ]


def variance_rows(fit: LMMFit, *, residual: bool = True) -> Table:
    """Return variances, standard deviations and correlations, the residual variance last."""
    labels, variances, correlations = [], [], []
    for effects in fit.random:
        variances += list(np.diagonal(effects.effect_covariance))
        for i, name in enumerate(effects.effect_names):
            labels.append((effects.name if i == 0 else "", name))
        correlations += _correlation_rows(effects)
    if residual:
        unequal = fit.residual is not None and fit.residual.mean_square != 1.0
        labels.append(("Residual", "mean of the rows" if unequal else ""))
        variances.append(fit.residual_variance)
        correlations.append([])
    n_columns = max(len(row) for row in correlations)
    columns = [[row[0] for row in labels], [row[1] for row in labels]]
    columns += [format_column(variances), format_column(np.sqrt(variances))]
    for j in range(n_columns):
        columns.append([row[j] if j < len(row) else "" for row in correlations])
    header = ["Group", "Effect", "Variance", "SD", *["Corr", *[""] * n_columns][:n_columns]]
    rows = tuple(zip(*columns, strict=True))
    return Table("Random effects", tuple(header), rows, n_labels=2)


def _correlation_rows(effects: RandomEffects) -> list[list[str]]:
    """Return the lower triangle of the correlations, without the pairs a structure excludes."""
    correlation = correlation_matrix(effects.effect_covariance)
    linked = effects.covariance.linked_effects
    if not np.tril(linked, -1).any():
        return [[] for _ in effects.effect_names]
    return [
        [format_fixed([correlation[i, j]], 3)[0] if linked[i, j] else "" for j in range(i)]
        for i in range(len(linked))
    ]


def coefficient_table(names: Sequence[str], tests: TTests, title: str, level: float) -> Table:
    """Return estimates, standard errors, tests and limits of some coefficients."""
    limits = tests.limits(level)
    normal = not np.isfinite(tests.df).any()
    tail = 50.0 * (1.0 - level)
    errors = tests.standard_errors
    estimates = np.column_stack([tests.estimates, errors, limits])
    estimate, error, lower, upper = format_estimates(estimates, errors)
    columns = [
        ("Estimate", estimate),
        ("SE", error),
        *([] if normal else [("df", format_fixed(tests.df, 1))]),
        ("z" if normal else "t", format_statistics(tests.statistics)),
        ("P>|z|" if normal else "P>|t|", format_p_values(tests.p_values)),
        (f"{tail:g} %", lower),
        (f"{100.0 - tail:g} %", upper),
    ]
    return Table(
        title,
        ("", *(heading for heading, _ in columns)),
        tuple(zip(names, *(cells for _, cells in columns), strict=True)),
        n_labels=1,
    )


def _correlation_table(fit: LMMFit) -> Table:
    """Return the lower triangle of the correlation of the estimated coefficients."""
    kept = np.flatnonzero(~fit.fixed.aliased)
    correlation = correlation_matrix(fit.fixed.covariance[np.ix_(kept, kept)])
    numbers = align([f"{i + 1}" for i in range(len(kept))])
    rows = tuple(
        (
            f"{numbers[i].rjust(len(numbers[-1]))} {fit.fixed.names[kept[i]]}",
            *(
                format_fixed([correlation[i, j]], 3)[0] if j < i else ""
                for j in range(len(kept) - 1)
            ),
        )
        for i in range(len(kept))
    )
    header = ("", *(number.strip() for number in numbers[:-1]))
    return Table("Correlation of fixed effects", header, rows, n_labels=1)
