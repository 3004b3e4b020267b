"""Numbers, lists and families in plain words."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.results.numbers import format_column, format_estimates

__all__ = [
    "approximation",
    "by_error",
    "dispersion_scale",
    "dispersion_text",
    "family_text",
    "level_text",
    "listed",
    "percent",
    "range_text",
    "rounded",
    "scale_of_effects",
    "unquoted",
]

QUOTED = re.compile(r"""\bQ\(("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\)""")

# What a linear predictor is, by link; of a binomial family, and of others.
OF_PROBABILITIES = {
    "logit": "log odds",
    "log": "log of the probability",
    "identity": "probability",
    "probit": "probit scale",
    "cloglog": "complementary log-log scale",
    "loglog": "log-log scale",
    "cauchit": "cauchit scale",
}
OF_MEANS = {
    "log": "log of the mean",
    "identity": "mean",
    "logit": "logit of the mean",
    "inverse": "inverse of the mean",
    "sqrt": "square root of the mean",
}


def unquoted(text: str) -> str:
    """Return text with the columns that a formula had to quote under their own names."""
    return QUOTED.sub(lambda found: str(ast.literal_eval(found[1])), text)


def rounded(value: float) -> str:
    """Return a number with three significant digits."""
    return format_column([value], 3)[0].strip()


def by_error(values: Sequence[float], error: float) -> list[str]:
    """Return numbers with the decimals of two significant digits of their standard error."""
    columns = format_estimates(np.array([values], dtype=float), np.array([error]), digits=2)
    return [column[0].strip() for column in columns]


def range_text(lower: float, upper: float) -> str:
    """Return "lower and upper" with the decimals that their distance needs."""
    low, high = by_error([lower, upper], (upper - lower) / 4.0)
    return f"{low} and {high}"


def level_text(level: float) -> str:
    """Return a probability such as 0.95 in percent, as it was given."""
    return f"{100.0 * level:g}%"


def percent(share: float) -> str:
    """Return a share in percent, one decimal where it is small."""
    value = 100.0 * share
    if value == 0.0:
        return "0%"
    if value < 0.1:
        return "less than 0.1%"
    return f"{value:.1f}%" if value < 10.0 else f"{value:.0f}%"


def listed(items: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def approximation(fit: GLMMFit) -> str:
    """Say how the random effects were integrated out of the likelihood."""
    if fit.n_quadrature == 1:
        return "Laplace approximation"
    return f"adaptive Gauss-Hermite quadrature, {fit.n_quadrature} points"


def family_text(fit: GLMMFit) -> str:
    """Name the family with its link."""
    names = fit.family.name, fit.family.link.name
    family, link = (one.replace("_", " ") for one in names)
    return f"{family}, {link} link"


def scale_of_effects(fit: GLMMFit) -> str:
    """Say what the linear predictor is."""
    family = fit.family
    named = OF_PROBABILITIES if family.name == "binomial" else OF_MEANS
    return named.get(family.link.name, f"{family.link.name.replace('_', ' ')} scale")


def dispersion_text(fit: GLMMFit, value: float) -> str:
    """Give a constant dispersion and what it does to the variance."""
    family: Any = fit.family
    text = f"{_plain(family.dispersion_name)} = {rounded(value)}"
    if family.name == "gaussian":
        return f"{text} (residual variance)"
    return f"{text} (variance {_plain(family.variance_text)})"


def dispersion_scale(fit: GLMMFit) -> str:
    """Say what the predictor of the dispersion is the logarithm of."""
    family: Any = fit.family
    name = _plain(family.dispersion_name)
    power = float(np.log(family.dispersion_of(np.ones(1)))[0])
    return f"log {name}" if power == 1.0 else f"log 1/{name}"


def _plain(tex: str) -> str:
    r"""Return a formula in TeX as plain text."""
    return re.sub(r"\\([a-z]+)", r"\1", tex)
