"""Results of generalised models: numbers, tables and words."""

from __future__ import annotations

import numpy as np
import pytest
from behaviour.generalised_fits import MODELS, fit, fitted
from numpy.testing import assert_allclose

from skmixed.likelihood.penalties import Penalty
from skmixed.results import MixedGLMResults


def test_numbers_of_the_family():
    results = fitted("negative binomial")
    assert (results.family, results.link, results.method) == (
        "negative_binomial",
        "log",
        "ML (Laplace)",
    )
    [omega] = results.dispersion_params
    assert results.dispersion == pytest.approx(np.exp(-omega))
    assert list(results.dispersion_bse.index) == ["Intercept"]
    assert results.zero_inflation_params is None
    assert results.zero_inflation_bse is None
    assert results.scale == results.sigma == 1.0
    assert results.df_resid == 120 - 7
    assert_allclose(results.aic, -2.0 * results.llf + 2.0 * 7)
    assert_allclose(results.zvalues, results.params / results.bse)


def test_a_dispersion_that_depends_on_the_row_is_no_number():
    results = fitted("dispersion")
    assert results.dispersion is None
    assert list(results.dispersion_params.index) == ["Intercept", "x"]
    assert fitted("poisson").dispersion is None
    gaussian = fit("amount ~ x + (1 | g)", family="gaussian")
    assert gaussian.scale == gaussian.dispersion == pytest.approx(gaussian.sigma**2)


def test_tidy_returns_ratios():
    results = fitted("binomial")
    plain, ratios = results.tidy(), results.tidy(exponentiate=True)
    for column in ("estimate", "lower", "upper"):
        assert_allclose(ratios[column], np.exp(plain[column]))
    assert_allclose(ratios["se"], plain["se"] * ratios["estimate"])
    assert_allclose(ratios["p_value"], plain["p_value"])
    with pytest.raises(ValueError, match="link='probit'"):
        fitted("probit, slopes").tidy(exponentiate=True)


def test_tidy_has_components():
    results = fitted("zero inflation")
    table = results.tidy(component="all")
    assert list(table["component"].unique()) == ["conditional", "zero_inflation"]
    [row] = results.tidy(component="zero_inflation").to_dict("records")
    assert row["statistic"] == pytest.approx(row["estimate"] / row["se"])
    with pytest.raises(ValueError, match=r"no 'dispersion' part, only \['conditional'"):
        results.tidy(component="dispersion")
    with pytest.raises(ValueError, match="component must be one of"):
        results.tidy(component="mean")


def test_a_copy_with_another_rule_is_of_the_same_kind():
    changed = fitted("poisson").with_df_method("residual")
    assert isinstance(changed, MixedGLMResults)
    assert (changed.tidy()["df"] == 115.0).all()
    assert repr(changed) == (
        "<MixedGLMResults: count ~ x + f + k + (1 | g), poisson (log), ML (Laplace), "
        "120 observations>"
    )


def test_a_summary_names_the_family_and_has_no_residual():
    text = str(fitted("negative binomial").summary())
    assert text.startswith(
        "Generalised linear mixed model, fitted by maximum likelihood (Laplace approximation)"
    )
    for words in (
        "Family:        negative binomial, log link",
        "Dispersion:    alpha = ",
        "(variance mu + alpha mu^2)",
        "Pearson residuals",
        "Fixed effects on the log of the mean (tests and limits from the normal distribution)",
        "P>|z|",
    ):
        assert words in text
    assert "Residual " not in text.partition("Random effects")[2]


def test_a_summary_has_a_table_for_each_part_as_glmmtmb():
    inflated = str(fitted("zero inflation").summary())
    assert "Zero inflation (logit of the probability of an extra zero)" in inflated
    dispersed = str(fitted("dispersion").summary())
    assert "Dispersion (coefficients of log 1/alpha)" in dispersed
    assert "Dispersion:" not in dispersed
    quadrature = fit("yes ~ x + (1 | g)", family="binomial", n_quadrature=5)
    assert "adaptive Gauss-Hermite quadrature, 5 points" in str(quadrature.summary())
    assert quadrature.method == "ML (AGQ, 5 points)"
    penalised = fit("count ~ x + (1 | g)", family="poisson", penalty=Penalty(ridge=1.0))
    assert "Penalty:" in str(penalised.summary())


def test_variances_are_those_of_the_linear_predictor():
    table = fitted("poisson, crossed").variance_components
    assert list(table["group"]) == ["g", "h"]
    assert "share" not in table


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("binomial", "Per unit of x, the odds of yes are multiplied by"),
        ("binomial", "the probability of yes in a typical group is"),
        ("probit, slopes", "the probit of the probability of yes changes by"),
        ("poisson", "Per unit of x, the mean of count is multiplied by"),
        ("poisson", "For f b, compared with a, the mean of count is multiplied by"),
        ("poisson", "times that of a typical group"),
        ("negative binomial", "The dispersion is alpha ="),
        ("dispersion", "The dispersion differs between rows."),
        ("zero inflation", "there are extra zeros with a probability of"),
        ("variance 0", "estimated not to vary between groups of g"),
        ("aliased", "cannot be told from those before it"),
    ],
)
def test_words(name, words):
    text = fitted(name).describe()
    assert words in text
    assert "residual" not in text


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        (
            "binomial",
            r"\mathrm{yes}_i &\sim \operatorname{Bernoulli}(p_i)",
            r"\operatorname{logit}(p_i) &= \beta_{0}",
        ),
        (
            "trials",
            r"n_i \, \mathrm{share}_i &\sim \operatorname{Binomial}(n_i, p_i)",
            r"\operatorname{logit}(p_i) &= \beta_{0}",
        ),
        (
            "probit, slopes",
            r"\mathrm{yes}_i &\sim \operatorname{Bernoulli}(p_i)",
            r"\Phi^{-1}(p_i) &= \beta_{0}",
        ),
        (
            "negative binomial",
            (
                r"\mathrm{count}_i &\sim \operatorname{NegBinomial}(\mu_i, \alpha), "
                r"\quad V(\mu_i) = \mu_i + \alpha \mu_i^2"
            ),
            r"\log(\mu_i) &= \beta_{0}",
        ),
        (
            "zero inflation",
            (
                r"\mathrm{count}_i &\sim \pi_i \, \delta_0 + (1 - \pi_i) \, "
                r"\operatorname{Poisson}(\mu_i)"
            ),
            r"\log(\mu_i) &= \beta_{0}",
        ),
    ],
)
def test_equations_begin_with_the_distribution(name, first, second):
    lines = str(fitted(name).equation()).split("\n")
    assert lines[1] == first + r" \\"
    assert lines[2].startswith(second)
    assert r"\varepsilon" not in "".join(lines)


def test_equations_of_further_predictors():
    assert r"\log(1 / \alpha_i) &= \xi_{0} + \xi_{1} \, \mathrm{x}_i" in str(
        fitted("dispersion").equation()
    )
    assert r"\operatorname{logit}(\pi_i) &= \zeta_{0}" in str(fitted("zero inflation").equation())


@pytest.mark.parametrize("name", MODELS)
def test_html_is_escaped_text(name):
    html = fitted(name)._repr_html_()
    assert "Generalised linear mixed model" in html
    assert "P&gt;|z|" in html
