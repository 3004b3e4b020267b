"""What summaries, descriptions and equations say about residual structures."""

from __future__ import annotations

import numpy as np
import pytest
from behaviour.residual_fits import MODELS, fitted, rows
from numpy.testing import assert_allclose

from skmixed import inference, mixedlm
from skmixed.residual import AR1, KnownVariance
from skmixed.results import equation


def test_the_summary_shows_the_structure_and_its_parameters():
    text = str(fitted("ar1, unequal").summary())
    assert "a first-order autoregression along t within g; a variance for each level of half" in (
        " ".join(text.split())
    )
    lines = text[text.index("Residual structure") :].splitlines()
    shown = [" ".join(line.split()[:-4]) for line in lines[2:6]]
    assert shown == ["phi", "ratio late", "sd early", "sd late"]


def test_the_summary_shows_correlations_of_occasions_as_a_matrix():
    summary = fitted("unstructured").summary()
    text = str(summary)
    matrix = text[text.index("Correlation of residuals") :].splitlines()[:5]
    values = fitted("unstructured").residual_parameters
    assert matrix[4].split() == ["2", f"{values['cor 0.2']:.3f}", f"{values['cor 1.2']:.3f}"]
    assert "cor 0.1" not in text
    assert "Correlation of residuals" in summary.as_html()


@pytest.mark.parametrize("name", MODELS)
def test_the_residual_variance_is_the_mean_over_the_rows(name):
    results, data = fitted(name), rows()
    fitted_residual = results.fit.residual
    columns = {one: data[one] for one in ("t", "half", "v", "g")}
    variances = results.scale * fitted_residual.deviations(columns) ** 2
    mean = float(np.mean(variances))
    assert_allclose(results.fit.residual_variance, mean, rtol=1e-12)
    assert_allclose(results.variance_components.iloc[-1]["vcov"], mean, rtol=1e-12)
    between = results.variance_components.iloc[0]["vcov"] if results.fit.random else 0.0
    icc = inference.icc(results).iloc[-1]["adjusted"]
    assert_allclose(icc, between / (between + mean), rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ar1, unequal", "a first-order autoregression along t within g and a variance for each"),
        ("power", "a standard deviation proportional to a power of v: power "),
        ("known", "The residuals have known variances (v)."),
        ("unstructured", "(5 parameters, which the summary lists)."),
    ],
)
def test_the_description_has_a_sentence_on_the_residuals(name, sentence):
    assert sentence in fitted(name).describe()


@pytest.mark.parametrize(
    ("name", "conditional", "marginal"),
    [
        ("ar1", r"(\mathbf{R}_g)_{ii'} = \phi^{|t_i - t_{i'}|}", r"\sigma^2 \phi^{|t_i - t_{i'}|}"),
        ("ar1, unequal", r"d_i &= \delta_{s[i]}", r"\sigma^2 d_i d_{i'} \phi"),
        ("power", r"\mathcal{N}(0,\; \sigma^2 d_i^2)", r"d_i &= |v_i|^{\delta}"),
        ("compound symmetry", r"= \rho,\; i \ne i'", r"\sigma^2 \mathbf{R}"),
        ("unstructured", r"d_i d_{i'} r_{t_i t_{i'}}", r"\sigma^2 \mathbf{R}"),
        ("known", r"\mathcal{N}(0,\; d_i^2)", r"d_i &= \sqrt{v_i}"),
    ],
)
def test_the_equations_have_the_covariance_of_the_residuals(name, conditional, marginal):
    assert conditional in equation(fitted(name)).latex
    assert marginal in equation(fitted(name), "marginal").latex


def test_an_equation_with_values_has_those_of_the_structure():
    latex = equation(fitted("ar1"), values=True).latex
    phi = fitted("ar1").residual_parameters["phi"]
    assert rf"\phi = {phi:.4f}"[:-1] in latex


def test_a_structure_of_a_user_has_words_and_equations():
    class Own(AR1):
        symbol = r"\alpha"
        equation = r"\alpha^{\star}"
        words = "a structure of one's own"

    results = mixedlm("y ~ x", rows(), residual=Own("t", group="g"))
    assert "a structure of one's own" in str(results.summary())
    assert r"\alpha^{\star}" in equation(results).latex
    assert r"\alpha = " in equation(results, values=True).latex


def test_known_variances_alone_are_a_fixed_effect_meta_analysis():
    data = rows()
    results = mixedlm("y ~ 1", data, residual=KnownVariance("v"))
    weights = 1.0 / data["v"]
    assert_allclose(results.params["Intercept"], np.average(data["y"], weights=weights))
    assert_allclose(results.bse["Intercept"], weights.sum() ** -0.5)
