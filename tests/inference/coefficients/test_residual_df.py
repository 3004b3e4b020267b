"""Degrees of freedom of fits with residual structures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import anova_terms, marginal_means, t_test
from skmixed.inference.coefficients.satterthwaite import satterthwaite_of_marginal
from skmixed.residual import AR1, Heterogeneous, Unstructured, VariancePower
from skmixed.results import MixedLMResults

BUNDLED = json.loads((Path(__file__).parent / "fixtures" / "residual_df.json").read_text())
STRUCTURES = {
    "ar1": AR1("AVISIT", group="USUBJID"),
    "ar1h": AR1("AVISIT", group="USUBJID") * Heterogeneous("AVISIT"),
    "us": Unstructured("AVISIT", group="USUBJID"),
}
INTERACTION = ", ".join(f"ARMCD[T.TRT]:AVISIT[T.VIS{i}] = 0" for i in (2, 3, 4))


def results_of(kind: str) -> MixedLMResults:
    """Fit the bundled trial with a structure."""
    data = pd.DataFrame(BUNDLED["rows"])
    return mixedlm("FEV1 ~ ARMCD * AVISIT", data, residual=STRUCTURES[kind])


@pytest.mark.parametrize("kind", STRUCTURES)
def test_tables_have_the_figures_of_the_references(kind):
    results, expected = results_of(kind), BUNDLED["cases"][kind]["fixed"]
    order = [results.fit.fixed.names.index(name_of(one["name"])) for one in expected]
    methods = {
        "kenward_roger": ("kenward-roger", None),
        "kenward_roger_linear": ("kenward-roger-linear", None),
        "kenward_roger_expected_info": ("kenward-roger", "expected"),
    }
    for key, (df_method, information) in methods.items():
        table = results.with_df_method(df_method, information=information).tidy().iloc[order]
        assert_allclose(table["se"], [one[key]["se"] for one in expected], rtol=1e-6)
        assert_allclose(table["df"], [one[key]["df"] for one in expected], rtol=1e-5)
    for information, key in (("observed", "kenward_roger"), ("expected", [*methods][2])):
        table = results.with_df_method("satterthwaite", information=information).tidy()
        df = [one[key]["df"] for one in expected]
        assert_allclose(table["df"].iloc[order], df, rtol=1e-4)


@pytest.mark.parametrize("kind", STRUCTURES)
def test_joint_tests_have_the_figures_of_the_references(kind):
    expected = BUNDLED["cases"][kind]["type3_tests"][0]["kenward_roger"]
    test = results_of(kind).with_df_method("kenward-roger").wald_test(INTERACTION).iloc[0]
    assert_allclose(
        [test["statistic"], test["df_denom"]], [expected["F"], expected["den_df"]], 1e-5
    )


def name_of(term: str) -> str:
    """Return a coefficient's name as skmixed has it."""
    return "Intercept" if term == "(Intercept)" else term


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize(
    ("slopes", "structure"),
    [
        ("1", AR1("Days")),
        ("Days", Heterogeneous("late")),
        ("1", AR1("Days") * Heterogeneous("late")),
    ],
)
def test_natural_parameters_have_the_same_satterthwaite_df(method, slopes, structure):
    """The joint fit has its information in (theta, rho, log sigma), the marginal model another."""
    data = load_sleepstudy()
    data["late"] = np.where(data["Days"] > 4, "late", "early")
    formula = f"Reaction ~ Days + ({slopes} | Subject)"
    results = mixedlm(formula, data, method=method, residual=structure)
    theory = satterthwaite_of_marginal(results.fit, results.model, "observed")
    assert_allclose(theory.t_df(np.eye(2)), results.tidy()["df"], rtol=1e-4)


def test_variances_of_fitted_values_are_those_of_the_fit():
    data = load_sleepstudy()
    structure = VariancePower("fitted")
    results = mixedlm("Reaction ~ Days + (1 | Subject)", data, residual=structure)
    theory = satterthwaite_of_marginal(results.fit, results.model, "observed")
    assert_allclose(theory.t_df(np.eye(2)), results.tidy()["df"], rtol=1e-4)
    adjusted = results.with_df_method("kenward-roger").tidy()
    assert_allclose(adjusted["se"], results.tidy()["se"], rtol=0.05)


def test_means_and_terms_have_the_adjusted_errors():
    results = results_of("us")
    adjusted = results.with_df_method("kenward-roger")
    means = marginal_means(adjusted, "ARMCD", by="AVISIT").tidy()
    assert (means["se"] > marginal_means(results, "ARMCD", by="AVISIT").tidy()["se"]).all()
    given = marginal_means(results, "ARMCD", by="AVISIT", df_method="kenward-roger").tidy()
    pd.testing.assert_frame_equal(given, means)
    expected = BUNDLED["cases"]["us"]["type3_tests"][0]["kenward_roger"]
    row = anova_terms(adjusted).set_index("term").loc["ARMCD:AVISIT"]
    assert_allclose(row["df_denom"], expected["den_df"], rtol=1e-5)


def test_groups_of_the_residuals_are_those_between_which_columns_vary():
    table = results_of("us").with_df_method("between-within").tidy().set_index("term")
    n, m = len(BUNDLED["rows"]["FEV1"]), len(set(BUNDLED["rows"]["USUBJID"]))
    assert table.loc["ARMCD[T.TRT]", "df"] == m - 2
    assert (table["df"].drop("ARMCD[T.TRT]") == n - m - 6).all()


def test_without_rows_it_says_what_to_do():
    fit = results_of("ar1").fit
    with pytest.raises(ValueError, match=r"residual structure needs the rows.*mixedlm"):
        t_test(fit, "Intercept = 0", df_method="kenward-roger")


@pytest.mark.filterwarnings("ignore:The variance of")
def test_crossed_factors_leave_no_independent_clusters():
    data = pd.DataFrame(BUNDLED["rows"])
    data["rater"] = np.arange(len(data)) % 3
    results = mixedlm(
        "FEV1 ~ ARMCD + (1 | USUBJID) + (1 | rater)", data, residual=Heterogeneous("ARMCD")
    )
    with pytest.raises(ValueError, match=r"independent clusters.*crossed"):
        results.with_df_method("kenward-roger").tidy()
