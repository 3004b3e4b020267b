"""Structures of glmmTMB on the GPA of students: what the data identify of each model."""

from __future__ import annotations

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, SingularFitWarning

from .cases import STRUCTURED
from .comparison import QUANTITIES
from .reference import Case, Fitted, fit_case, shared_case
from .structured import structured_case


@pytest.fixture(scope="module")
def cases(shared) -> dict[str, Case]:
    return {name: structured_case(shared, name) for name in STRUCTURED}


@pytest.fixture(scope="module")
def fits(cases) -> dict[str, Fitted]:
    return {name: fit_case(case) for name, case in cases.items()}


@pytest.mark.parametrize("name", STRUCTURED)
def test_figures(cases, fits, name):
    known = [quantity for quantity in QUANTITIES if quantity.known(cases[name])]
    assert len(known) >= 6
    for quantity in known:
        assert quantity.difference(cases[name], fits[name]) <= quantity.tolerance, quantity.name


@pytest.mark.parametrize("name", STRUCTURED)
def test_model(cases, fits, name):
    results, singular = fits[name].results, name != "gpa_tmb_ar1_only"
    assert results.converged
    assert results.fit.n_parameters == cases[name].figures["npar"]
    assert results.is_singular == singular
    assert fits[name].warnings == (SingularFitWarning,) * singular


def test_an_intercept_beside_ar1_has_no_variance(fits):
    table = fits["gpa_tmb_ar1"].results.variance_components
    assert table.loc[table["name1"] == "Intercept", "vcov"].tolist() == [0.0]
    alone = fits["gpa_tmb_ar1_only"].results
    assert_allclose(fits["gpa_tmb_ar1"].results.llf, alone.llf, rtol=1e-12)
    assert len(alone.variance_components) == 6 + 15 + 1


def test_sums_of_the_variances_of_single_observations(shared, fits):
    """Each student has one row an occasion: its variance adds to that of the residual."""
    figures = shared_case(shared, "gpa_tmb_diag").figures
    results = fits["gpa_tmb_diag"].results
    table = results.variance_components
    by_name = table.set_index("name1")["vcov"]
    (intercept,) = (term["cov"][0][0] for term in figures["varcorr"] if len(term["names"]) == 1)
    assert_allclose(by_name["Intercept"], intercept, rtol=1e-5)
    sums = by_name[by_name.index.str.startswith("occas", na=False)] + results.scale
    assert_allclose(sums, figures["residual_plus_diag_variance"], rtol=1e-5)


@pytest.mark.parametrize("structure", ["ar1", "cs"])
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_columns_of_occasions(shared, structure):
    """The same model from arrays: one column for each occasion, and no intercept."""
    data = shared_case(shared, "gpa_tmb_ar1_only").data
    occasions = pd.get_dummies(data["occas"], dtype=float)
    arrays = MixedLM(
        random_slopes=list(occasions),
        random_intercept=False,
        fit_intercept=False,
        covariance=structure,
        method="ml",
    ).fit(occasions, data["gpa"], groups=data["student"])
    formula = MixedLM(formula=f"gpa ~ 0 + occas + {structure}(0 + occas | student)", method="ml")
    formula.fit(data)
    assert_allclose(arrays.log_likelihood_, formula.log_likelihood_, rtol=1e-12)
    assert_allclose(arrays.theta_, formula.theta_, rtol=1e-8)
    assert_allclose(arrays.coef_, formula.coef_, rtol=1e-10)
    assert_allclose(
        arrays.predict(occasions, groups=data["student"]), formula.predict(data), rtol=1e-8
    )
