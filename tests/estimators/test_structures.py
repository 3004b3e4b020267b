"""Structured random effects from formulas and arrays to results."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, mixedlm
from skmixed.covariance import AR1, CompoundSymmetry

TIMES = ["t1", "t2", "t3", "t4"]


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    """Simulate patients whose effects of four visits have the correlation 0.8 of neighbours."""
    rng = np.random.default_rng(0)
    correlation = 0.8 ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    effects = 2.0 * rng.multivariate_normal(np.zeros(4), correlation, size=60, method="cholesky")
    patient, visit = np.repeat(np.arange(60), 8), np.tile(np.arange(4), 120)
    columns = pd.DataFrame(np.eye(4)[visit], columns=TIMES)
    return columns.assign(
        patient=patient,
        ward=rng.integers(5, size=480),
        visit=pd.Categorical.from_codes(visit, TIMES),
        hours=24.0 * visit,
        y=1.0 + effects[patient, visit] + rng.normal(size=480),
    )


def fitted(visits: pd.DataFrame, random: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return mixedlm(f"y ~ 1 + {random}", visits)


def sdcor(results) -> pd.Series:
    table = results.variance_components
    return table.set_index(table["name1"].str[6:8] + table["name2"].str[6:8].fillna(""))["sdcor"]


def test_ar1_over_the_levels_of_a_factor(visits):
    results = fitted(visits, "ar1(0 + visit | patient)")
    assert results.fit.random[0].covariance.structures == (AR1(),)
    found = sdcor(results)
    rho = found["t1t2"]
    assert 0.6 < rho < 0.95
    assert_allclose(found[["t1t3", "t2t4", "t1t4"]], rho ** np.array([2, 2, 3]), rtol=1e-12)
    assert_allclose(found[TIMES[1:]], found["t1"], rtol=1e-12)
    assert_allclose(results.theta, [found["t1"] / results.sigma, np.arcsin(rho)], rtol=1e-9)
    lines = [line for line in str(results.summary()).splitlines() if "visit[t" in line]
    assert f"{rho:.3f}" in lines[1]
    assert f"{rho**3:.3f}" in lines[3]


def test_cs_over_the_levels_of_a_factor(visits):
    results = fitted(visits, "cs(0 + visit | patient)")
    found = sdcor(results)
    correlations = found[["t1t2", "t1t3", "t2t3", "t1t4", "t2t4", "t3t4"]]
    assert_allclose(correlations, correlations.iloc[0], rtol=1e-12)
    assert found[TIMES].nunique() == 4
    assert_allclose(results.theta[:4] * results.sigma, found[TIMES], rtol=1e-9)
    assert results.fit.n_parameters == 1 + 5 + 1


def test_models_that_contain_each_other_have_ordered_likelihoods(visits):
    """Free covariances contain all; equal variances and correlations are a part of unequal ones."""
    columns = [*TIMES, "patient"]
    likelihoods = [
        MixedLM(
            "patient",
            random_slopes=TIMES,
            random_intercept=False,
            fit_intercept=False,
            covariance=covariance,
            method="ml",
        )
        .fit(visits[columns], visits["y"])
        .log_likelihood_
        for covariance in ("unstructured", "cs", CompoundSymmetry(equal_variances=True), "identity")
    ]
    assert (np.diff(likelihoods) < 1e-8).all()


def test_two_effects_have_one_correlation_under_every_name(visits):
    """For two effects cs is any covariance, and ar1 the compound symmetry of equal variances."""
    some = visits[visits["visit"].isin(["t1", "t2"])].assign(
        visit=lambda rows: rows["visit"].cat.remove_unused_categories()
    )
    free, cs, ar1 = (
        fitted(some, f"{name}(0 + visit | patient)").llf for name in ("us", "cs", "ar1")
    )
    equal = MixedLM(
        random_slopes=["t1", "t2"],
        random_intercept=False,
        fit_intercept=False,
        covariance=CompoundSymmetry(equal_variances=True),
    )
    other = MixedLM(**{**equal.get_params(), "covariance": "ar1"})
    for model in (equal, other):
        model.fit(some[["t1", "t2"]], some["y"], groups=some["patient"])
    assert_allclose(cs, free, rtol=1e-11)
    assert_allclose(other.log_likelihood_, equal.log_likelihood_, rtol=1e-11)
    assert ar1 <= cs + 1e-9


def test_an_occasion_without_rows_keeps_its_place_if_it_is_listed(visits):
    """Visit t3 is missing for all: t2 and t4 are two steps apart."""
    some = visits[visits["visit"] != "t3"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        formula = "y ~ 1 + ar1(0 + C(visit, levels=times) | patient)"
        listed = mixedlm(formula, some, environment={"times": TIMES})
    close = fitted(some, "ar1(0 + visit | patient)")
    table = listed.random_effects["patient"]
    assert table.shape == (60, 4)
    correlation = listed.variance_components.set_index(["name1", "name2"])["sdcor"]
    first, second, _, fourth = table.columns
    rho = correlation[first, second]
    assert_allclose(correlation[second, fourth], rho**2, rtol=1e-12)
    assert close.random_effects["patient"].shape == (60, 3)
    assert abs(listed.llf - close.llf) > 1e-3


@pytest.mark.parametrize(
    "random",
    [
        "ar1(0 + visit | patient) + (1 | ward)",
        "(1 | patient) + cs(0 + visit | patient)",
        "cs(1 + hours | patient)",
    ],
)
def test_structures_beside_other_terms(visits, random):
    """No warning says that columns which add up to the intercept are superfluous."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*boundary")
        results = mixedlm(f"y ~ 1 + {random}", visits)
    assert results.converged
    assert results.fit.convergence.n_iter <= 20


@pytest.mark.parametrize(
    ("random", "message"),
    [
        ("ar1(visit | patient)", r"'patient' is over \['Intercept', .*and no intercept"),
        ("ar1(0 + hours | patient)", r"one effect, \['hours'\].*ar1\(0 \+ C\(time\)"),
        ("ar1(1 | patient)", r"one effect, \['Intercept'\]"),
    ],
)
def test_ar1_needs_an_effect_for_each_occasion(visits, random, message):
    with pytest.raises(ValueError, match=message):
        mixedlm(f"y ~ 1 + {random}", visits)


def test_ar1_of_columns_takes_no_intercept(visits):
    model = MixedLM("patient", random_slopes=TIMES[:3], covariance="ar1")
    with pytest.raises(ValueError, match="random_intercept=False"):
        model.fit(visits[[*TIMES[:3], "patient"]], visits["y"])
    with pytest.raises(ValueError, match="has one effect"):
        MixedLM("patient", covariance="ar1").fit(visits[["hours", "patient"]], visits["y"])
