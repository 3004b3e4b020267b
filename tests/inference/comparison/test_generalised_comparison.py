"""Generalised models side by side."""

from __future__ import annotations

import numpy as np
import pytest
from behaviour.generalised_fits import fit, fitted, rows
from numpy.testing import assert_allclose
from scipy.stats import chi2

from skmixed import inference, mixedglm, mixedlm
from skmixed.likelihood.penalties import Penalty

FIXED = "count ~ x + f + k"


def ratio_of(small, large, **options):
    """Return the row of the larger model."""
    return inference.likelihood_ratio_test(small, large, bootstrap=0, **options).iloc[1]


def test_a_dispersion_is_tested_on_its_boundary():
    small, large = fitted("poisson"), fitted("negative binomial")
    test = ratio_of(small, large)
    assert test["statistic"] == pytest.approx(2.0 * (large.llf - small.llf))
    assert test["reference"] == "1/2 chi2(0) + 1/2 chi2(1)"
    assert test["p_value"] == pytest.approx(chi2.sf(test["statistic"], 1))
    assert test["p_value_mixture"] == pytest.approx(0.5 * test["p_value"])


def test_a_probability_of_zero_and_columns_of_a_dispersion():
    inflated = ratio_of(fitted("poisson"), fitted("zero inflation"))
    assert (inflated["df"], inflated["reference"]) == (1, "1/2 chi2(0) + 1/2 chi2(1)")
    columns = ratio_of(fitted("negative binomial"), fitted("dispersion"))
    assert (columns["df"], columns["reference"]) == (1, "chi2(1)")
    # What the columns do is not identified where there is no dispersion.
    unknown = ratio_of(fitted("poisson"), fitted("dispersion"))
    assert unknown["df"] == 2
    assert unknown["reference"] is None


def test_two_boundaries_at_once_have_no_known_reference():
    fixed = fit(FIXED, family="poisson")
    assert ratio_of(fixed, fitted("poisson"))["reference"] == "1/2 chi2(0) + 1/2 chi2(1)"
    assert ratio_of(fixed, fitted("negative binomial"))["reference"] is None


@pytest.mark.parametrize(
    ("small", "large", "message"),
    [
        ({"family": "negative_binomial_1"}, "negative binomial", "not a special case"),
        ({"family": "poisson", "link": "sqrt"}, "poisson", "not a special case"),
        ({"family": "poisson", "zero_inflation": "~ 1"}, "negative binomial", "not a special case"),
        ({"family": "poisson", "offset": "noise"}, "poisson", "not nested"),
    ],
)
def test_what_is_no_case_of_a_model_is_not_tested_but_compared(small, large, message):
    smaller = fit("count ~ x + (1 | g)", **small)
    with pytest.raises(ValueError, match=message):
        ratio_of(smaller, fitted(large))
    table = inference.compare({"a": smaller, "b": fitted(large)})
    assert table["weight"].sum() == pytest.approx(1.0)
    assert table["caic"].isna().all()


def test_an_offset_may_be_what_the_larger_model_estimates():
    smaller = fit("count ~ f + k + (1 | g)", family="poisson", offset=0.5 * rows()["x"])
    assert ratio_of(smaller, fitted("poisson"))["df"] == 1


def test_probabilities_of_counts_are_not_compared_with_densities():
    table = rows().assign(count=1.0 + rows()["count"])
    counts = mixedglm("count ~ x + (1 | g)", table, family="poisson")
    for density in (
        mixedglm("count ~ x + (1 | g)", table, family="gamma", link="log"),
        mixedlm("count ~ x + (1 | g)", table, method="ml"),
    ):
        with pytest.raises(ValueError, match="probabilities of counts, the other a density"):
            inference.compare({"a": counts, "b": density}, conditional=False)


def test_a_gaussian_model_is_comparable_with_linear_ones():
    formula = "amount ~ x + (1 | g)"
    small = mixedlm("amount ~ 1 + (1 | g)", rows(), method="ml")
    ours = ratio_of(small, fit(formula, family="gaussian"))
    theirs = ratio_of(small, mixedlm(formula, rows(), method="ml"))
    assert ours["statistic"] == pytest.approx(theirs["statistic"], abs=1e-5)
    assert ours["df"] == theirs["df"] == 1


def test_reml_and_penalties_are_refused():
    with pytest.raises(ValueError, match="REML needs a linear mixed model"):
        inference.likelihood_ratio_test(
            fit("count ~ x + f + k", family="poisson"), fitted("poisson"), refit="reml"
        )
    penalised = fit("count ~ x + (1 | g)", family="poisson", penalty=Penalty(ridge=1.0))
    with pytest.raises(ValueError, match="not at the maximum of the likelihood"):
        inference.compare([penalised, fitted("poisson")])


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_terms_are_dropped_as_by_hand(kind):
    table = inference.drop_terms(fitted("poisson"), type=kind).set_index("term")
    assert table.loc["<none>", "log_likelihood"] == pytest.approx(fitted("poisson").llf)
    assert list(table.index[1:]) == ["x", "f", "k"] if kind != 1 else len(table) == 4
    last = table.index[-1]
    rest = " + ".join(term for term in ("x", "f", "k") if term != last)
    by_hand = fit(f"count ~ {rest} + (1 | g)", family="poisson")
    assert table.loc[last, "log_likelihood"] == pytest.approx(by_hand.llf, abs=1e-7)
    assert table.loc[last, "aic"] == pytest.approx(by_hand.aic, abs=1e-6)
    ratio = 2.0 * (fitted("poisson").llf - by_hand.llf)
    assert table.loc[last, "statistic"] == pytest.approx(ratio, abs=1e-6)


def test_a_term_of_an_interaction_is_dropped_from_the_model_without_it():
    whole = fit("count ~ x * f + (1 | g)", family="poisson")
    table = inference.anova(whole, test="lr").set_index("term")
    main = fit("count ~ x + f + (1 | g)", family="poisson")
    without = fit("count ~ f + (1 | g)", family="poisson")
    assert table.loc["x", "statistic"] == pytest.approx(2.0 * (main.llf - without.llf), abs=1e-6)
    assert table.loc["x:f", "statistic"] == pytest.approx(2.0 * (whole.llf - main.llf), abs=1e-6)
    with pytest.raises(ValueError, match="test must be one of"):
        inference.anova(whole, test="score")


def test_terms_of_a_linear_model_are_dropped_by_maximum_likelihood():
    whole = mixedlm("amount ~ x + f + (1 | g)", rows())
    table = inference.drop_terms(whole).set_index("term")
    small, large = (
        mixedlm(formula, rows(), method="ml")
        for formula in ("amount ~ x + (1 | g)", "amount ~ x + f + (1 | g)")
    )
    assert table.loc["f", "statistic"] == pytest.approx(2.0 * (large.llf - small.llf), abs=1e-8)
    assert table.loc["<none>", "n_parameters"] == 5


def test_random_terms_are_dropped_one_by_one():
    table = inference.ranova(fitted("poisson, crossed")).set_index("term")
    without = fitted("poisson")
    assert table.loc["(1 | h)", "log_likelihood"] == pytest.approx(without.llf, abs=1e-7)
    assert table.loc["(1 | h)", "reference"] == "1/2 chi2(0) + 1/2 chi2(1)"
    slopes = inference.ranova(fitted("probit, slopes"))
    assert slopes["reference"].iloc[1] == "1/2 chi2(1) + 1/2 chi2(2)"


def test_a_ratio_is_simulated_on_request():
    small = fit("count ~ x + f + (1 | g)", family="poisson")
    test = inference.likelihood_ratio_test(
        small, fitted("poisson"), bootstrap=9, random_state=0
    ).iloc[1]
    assert 0.1 <= test["p_value_bootstrap"] <= 1.0
    assert np.isclose(test["p_value_bootstrap"] * 10, round(test["p_value_bootstrap"] * 10))


def test_types_one_and_two_of_walds_tests_take_the_information_of_the_estimates():
    """As car::Anova: the term is uncorrelated with the estimates of what is left out."""
    results = fit("count ~ x * f + (1 | g)", family="poisson")
    table = inference.anova_terms(results, type=2).set_index("term")
    assert list(table.columns) == ["chi2", "df_num", "df_denom", "statistic", "p_value"]
    names = list(results.params.index)
    V = results.cov_params().to_numpy()
    for term, other in (("x", "f"), ("f", "x")):
        own = [j for j, name in enumerate(names) if term in name and other not in name]
        both = [j for j, name in enumerate(names) if "x" in name and "f" in name]
        slope = V[np.ix_(own, both)] @ np.linalg.inv(V[np.ix_(both, both)])
        b = results.params.to_numpy()
        left = b[own] - slope @ b[both]
        spread = V[np.ix_(own, own)] - slope @ V[np.ix_(both, own)]
        assert_allclose(table.loc[term, "chi2"], left @ np.linalg.solve(spread, left), rtol=1e-7)
    assert table.loc["x:f", "chi2"] == pytest.approx(results.tvalues.iloc[-1] ** 2)
    assert_allclose(table["p_value"], chi2.sf(table["chi2"], table["df_num"]), rtol=1e-9)
