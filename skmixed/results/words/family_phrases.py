"""A family, its link and its dispersion in words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.results.words.phrases import rounded

__all__ = [
    "approximation",
    "dispersion_scale",
    "dispersion_text",
    "family_text",
    "plain",
    "scale_of_effects",
]

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
    text = f"{plain(family.dispersion_name)} = {rounded(value)}"
    if family.name == "gaussian":
        return f"{text} (residual variance)"
    return f"{text} (variance {plain(family.variance_text)})"


def dispersion_scale(fit: GLMMFit) -> str:
    """Say what the predictor of the dispersion is the logarithm of."""
    family: Any = fit.family
    name = plain(family.dispersion_name)
    power = float(np.log(family.dispersion_of(np.ones(1)))[0])
    return f"log {name}" if power == 1.0 else f"log 1/{name}"


def plain(tex: str) -> str:
    r"""Return a formula in TeX as plain text."""
    return re.sub(r"\\([a-z]+)", r"\1", tex)
