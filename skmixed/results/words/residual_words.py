"""What a residual structure is and says, in words."""

from __future__ import annotations

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.intervals.residual_table import residual_table
from skmixed.residual import Correlation
from skmixed.residual.fitted import FittedResidual
from skmixed.residual.structure import named
from skmixed.results.words.phrases import by_error, level_text, listed, rounded

__all__ = ["group_of_residuals", "residual_sentences", "residual_words"]

# Most parameters that are put into words one by one.
MOST_PARAMETERS = 4


def residual_words(fit: LMMFit) -> str:
    """Say what the residual structure is, in a line."""
    assert fit.residual is not None
    return "; ".join(_phrases(fit, fit.residual))


def group_of_residuals(fit: LMMFit) -> str:
    """Name the groups within which residuals are correlated."""
    assert fit.residual is not None
    correlation = fit.residual.learned.correlation
    names = named(None if correlation is None else correlation.group)
    innermost = fit.random[0].name if fit.random else "groups"
    return "/".join(map(str, names)) or innermost


def residual_sentences(fit: LMMFit, level: float) -> list[str]:
    """Say what the residual structure is, and its parameters with their intervals."""
    if fit.residual is None:
        return []
    told = f"The residuals have {listed(_phrases(fit, fit.residual))}"
    n_parameters = fit.residual.n_parameters
    if not n_parameters:
        return [f"{told}."]
    if n_parameters > MOST_PARAMETERS:
        return [f"{told} ({n_parameters} parameters, which the summary lists)."]
    table = residual_table(fit, level).head(n_parameters)
    values = [_value(*row, level=level) for row in table.itertuples(index=False, name=None)]
    return [f"{told}: {listed(values)}."]


def _value(
    name: str, estimate: float, error: float, lower: float, upper: float, *, level: float
) -> str:
    """Return a parameter with its interval."""
    if not error > 0.0:
        return f"{name} {rounded(estimate)} (without an interval)"
    value, low, high = by_error([estimate, lower, upper], error)
    return f"{name} {value} ({level_text(level)} interval {low} to {high})"


def _phrases(fit: LMMFit, residual: FittedResidual) -> list[str]:
    """Return what each factor of the structure is."""
    return [
        _correlation(one, group_of_residuals(fit)) if isinstance(one, Correlation) else one.words
        for one in residual.learned.structure.factors
    ]


def _correlation(correlation: Correlation, group: str) -> str:
    """Return what the correlations are, along what, and in which groups."""
    axis = " and ".join(map(str, correlation.axis_columns))
    by = " and ".join(map(str, named(correlation.by)))
    along = f" along {axis}" if axis else ""
    return f"{correlation.words}{along} within {group}" + (f", for each {by}" if by else "")
