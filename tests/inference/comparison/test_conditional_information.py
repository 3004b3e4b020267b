"""The conditional AIC: cAIC4's figures by its convention, and differences of refits by ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.reference import fit_case, shared_case

from inference.comparison.comparison_cases import COMPARISON, comparison_fit
from skmixed import mixedlm
from skmixed.datasets import load_dyestuff2, load_pastes
from skmixed.inference import compare, conditional_aic
from skmixed.residual import AR1, KnownVariance
from skmixed.results import MixedLMResults

SHARED = (
    "pigs_ri",
    "pigs_rs",
    "gpa_ri",
    "gpa_rs",
    "sleep_rs",
    "sleep_indep",
    "sleep_ri",
    "dyestuff",
    "machines_nested",
)


@pytest.mark.parametrize("name", SHARED)
def test_figures_of_caic4(name: str, shared: Path) -> None:
    case = shared_case(shared, name)
    figures = case.figures["cAIC"]
    found = conditional_aic(fit_case(case).results, convention="cAIC4")
    assert_allclose(found.log_likelihood, figures["cond_loglik"], rtol=1e-9)
    assert_allclose(found.df, figures["df"], rtol=1e-7)
    assert_allclose(found.caic, figures["caic"], rtol=1e-9)


@pytest.mark.parametrize("name", COMPARISON["models"])
def test_figures_of_caic4_on_bundled_data(name: str) -> None:
    figures = COMPARISON["models"][name]  # Of lme4's own optimum.
    found = conditional_aic(comparison_fit(name), convention="cAIC4")
    assert_allclose(found.log_likelihood, figures["cond_loglik"], rtol=1e-6)
    assert_allclose(found.df, figures["caic_df"], rtol=1e-5)
    assert_allclose(found.caic, figures["caic"], rtol=1e-6)


def grouped_rows() -> pd.DataFrame:
    """Return rows whose slopes are too equal for a covariance of full rank."""
    rng = np.random.default_rng(0)
    n = 120
    g, x = np.repeat(np.arange(12), 10), rng.normal(size=n)
    effects, w = rng.normal(size=12), rng.uniform(0.5, 2.0, n)
    y = x + effects[g] * (1.0 + 0.5 * x) + 1.5 * rng.normal(size=n) / np.sqrt(w)
    return pd.DataFrame({"y": y, "x": x, "g": g, "w": w, "h": rng.integers(0, 8, n)})


def fitted_values(results: MixedLMResults, response: np.ndarray) -> np.ndarray:
    """Return X beta + Z b of a refit to another response."""
    model = replace(results.model, tol=1e-12).with_response(response)
    fit = model.fit()
    X = np.column_stack([np.ones(len(response)), model.design.fixed])
    values = X @ fit.fixed.coefficients
    for effects, block in zip(fit.random, model.design.blocks, strict=True):
        values += (effects.modes[block.factor.codes] * block.columns).sum(axis=1)
    return values


def studies() -> pd.DataFrame:
    """Return effects of studies, two for each of some labs, with known variances."""
    rng = np.random.default_rng(2)
    lab = np.repeat(np.arange(10), 3)
    v = rng.uniform(0.5, 2.0, 30)
    y = 1.0 + 1.5 * rng.normal(size=10)[lab] + np.sqrt(v) * rng.normal(size=30)
    return pd.DataFrame({"y": y, "lab": lab, "v": v})


MODELS = {
    "known variances": lambda: mixedlm("y ~ 1 + (1 | lab)", studies(), residual=KnownVariance("v")),
    "nested": lambda: mixedlm("strength ~ 1 + (1 | batch/cask)", load_pastes()),
    "nested, ML": lambda: mixedlm("strength ~ 1 + (1 | batch/cask)", load_pastes(), method="ml"),
    "variance 0": lambda: mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2()),
    "singular slopes": lambda: mixedlm("y ~ x + (x | g)", grouped_rows()),
    "weights": lambda: mixedlm("y ~ x + (x | g)", grouped_rows(), weights="w"),
    "crossed, ML, weights, variance 0": lambda: mixedlm(
        "y ~ x + (x | g) + (1 | h)", grouped_rows(), weights="w", method="ml"
    ),
}


@pytest.mark.parametrize(
    "name",
    [
        *list(MODELS)[:-1],
        pytest.param("crossed, ML, weights, variance 0", marks=pytest.mark.slow),
    ],
)
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
@pytest.mark.exhaustive(5)
def test_degrees_of_freedom_are_the_derivative_of_the_fitted_values(name: str) -> None:
    results = MODELS[name]()
    y = results.model.design.response
    step = 1e-2 * results.sigma
    trace = 0.0
    for i in range(len(y)):
        moved = np.zeros(len(y))
        moved[i] = step
        difference = fitted_values(results, y + moved) - fitted_values(results, y - moved)
        trace += difference[i] / (2.0 * step)
    n_sigma = 0.0 if name == "known variances" else 1.0
    assert_allclose(conditional_aic(results).df, trace + n_sigma, rtol=1e-6)
    if "singular" in name or "variance 0" in name:
        assert results.fit.singular


@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_log_likelihood_given_the_modes() -> None:
    data = grouped_rows()
    results = mixedlm("y ~ x + (x | g)", data, weights="w")
    sd = results.sigma / np.sqrt(data["w"])
    terms = -0.5 * np.log(2.0 * np.pi * sd**2) - 0.5 * (results.resid / sd) ** 2
    assert_allclose(conditional_aic(results).log_likelihood, terms.sum(), rtol=1e-10)


@pytest.mark.filterwarnings("ignore::skmixed.NoGroupsWarning")
def test_without_random_effects_it_counts_coefficients() -> None:
    data = grouped_rows()
    results = mixedlm("y ~ x", data, method="ml")
    found = conditional_aic(results)
    assert_allclose([found.caic, found.df], [results.aic, 3.0], rtol=1e-12)
    assert compare([results])["caic"][0] == found.caic


def test_conventions() -> None:
    with pytest.raises(ValueError, match="convention must be one of"):
        conditional_aic(comparison_fit("pastes"), convention="marginal")


def test_estimated_residual_structures_have_none() -> None:
    data = grouped_rows()
    ar1 = mixedlm("y ~ x + (1 | g)", data, residual=AR1())
    with pytest.raises(ValueError, match="no such count is established"):
        conditional_aic(ar1)
    table = compare([mixedlm("y ~ x + (1 | g)", data), ar1], sort_by=None)
    assert table["caic"].isna().tolist() == [False, True]
