"""Rows 14 to 16, 53, 54 and 80 to 83 of the promised features: correlated and unequal residuals.

The figures for the children are those of nlme (gls and lme), for the students those of the shared
references, for the trial those that mmrm and SAS print.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_fev, load_orthodont
from skmixed.inference import marginal_means
from skmixed.residual import (
    AR1,
    CompoundSymmetry,
    Heterogeneous,
    KnownVariance,
    UnstructuredCorrelation,
)

GROWTH = "distance ~ age * Sex"
BOYS_OVER_GIRLS = 1 / 0.467894
"""The ratio of residual standard deviations; nlme's is relative to the boys."""

# Cases and others among the vaccinated, then among the controls (Colditz and others 1994).
VACCINE = np.array(
    [
        [4, 119, 11, 128],
        [6, 300, 29, 274],
        [3, 228, 11, 209],
        [62, 13536, 248, 12619],
        [33, 5036, 47, 5761],
        [180, 1361, 372, 1079],
        [8, 2537, 10, 619],
        [505, 87886, 499, 87892],
        [29, 7470, 45, 7232],
        [17, 1699, 65, 1600],
        [186, 50448, 141, 27197],
        [5, 2493, 3, 2338],
        [27, 16886, 29, 17825],
    ]
)


@pytest.fixture(scope="module")
def children() -> pd.DataFrame:
    frame = load_orthodont()
    frame["visit"] = frame["age"] // 2 - 3
    return frame


@pytest.fixture
def students(shared):
    """Return the students of the course, and a function for the figures of R."""
    cases = json.loads((shared / "reference" / "reference.json").read_text("utf-8"))["cases"]
    return pd.read_csv(shared / "data" / "gpa.csv"), cases.__getitem__


def test_row_14_unequal_variances_of_the_sexes(children):
    """lme(random = ~1 | Subject, weights = varIdent(form = ~1 | Sex)), and as an estimator."""
    results = mixedlm(f"{GROWTH} + (1 | Subject)", children, residual=Heterogeneous("Sex"))
    assert_allclose(results.llf, -207.610239786312, rtol=1e-9)
    assert_allclose(results.residual_parameters["ratio Male"], BOYS_OVER_GIRLS, rtol=1e-4)
    model = MixedLM(formula=f"{GROWTH} + (1 | Subject)", residual="diag(Sex | Subject)")
    assert_allclose(model.fit(children).log_likelihood_, results.llf, rtol=1e-10)


def test_row_14_unequal_variances_of_occasions(students):
    data, figures = students
    expected = figures("gpa_varident")
    results = mixedlm("gpa ~ occasion + (1 | student)", data, residual=Heterogeneous("occasion"))
    assert_allclose(results.llf, expected["loglik"], rtol=1e-9)
    assert_allclose(results.bse, list(expected["se"].values()), rtol=1e-5)


def test_row_15_autocorrelation(children):
    """As lme and gls fit corAR1(form = ~visit | Subject)."""
    with_intercepts = mixedlm(f"{GROWTH} + (1 | Subject)", children, residual=AR1("visit"))
    assert_allclose(with_intercepts.llf, -216.854056158838, rtol=1e-9)
    alone = mixedlm(GROWTH, children, residual="ar1(visit | Subject)")
    assert_allclose(alone.llf, -222.293724287844, rtol=1e-9)


def test_row_15_autocorrelation_of_students(students):
    data, figures = students
    expected = figures("gpa_ar1")
    results = mixedlm("gpa ~ occasion + (1 | student)", data, residual=AR1("occasion"))
    assert_allclose(results.llf, expected["loglik"], rtol=1e-9)
    assert_allclose(results.bse, list(expected["se"].values()), rtol=1e-5)


@pytest.mark.parametrize(
    ("residual", "log_likelihood"),
    [
        (CompoundSymmetry(group="Subject"), -216.878624600568),
        (UnstructuredCorrelation("age", group="Subject"), -213.085316782199),
        ("us(age | Subject)", -212.27340009721),
    ],
    ids=["corCompSymm", "corSymm", "corSymm and varIdent"],
)
def test_row_16_covariances_as_matrices(children, residual, log_likelihood):
    """As gls fits them; the covariance of a child's visits is a matrix with their labels."""
    results = mixedlm(GROWTH, children, residual=residual)
    assert_allclose(results.llf, log_likelihood, rtol=1e-9)
    matrix = results.residual_covariance([8, 10, 12, 14])
    assert list(matrix.index) == list(matrix.columns) == [8, 10, 12, 14]
    assert_allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_row_53_table_of_residual_variances(children):
    """As mixedup's extract_het_var: the variance of each level."""
    results = mixedlm(f"{GROWTH} + (1 | Subject)", children, residual=Heterogeneous("Sex"))
    assert list(results.residual_variances.index) == ["Female", "Male"]
    ratio = results.residual_variances["Male"] / results.residual_variances["Female"]
    assert_allclose(ratio, BOYS_OVER_GIRLS**2, rtol=1e-4)


def test_row_53_table_of_residual_variances_of_occasions(students):
    data, figures = students
    expected = figures("gpa_varident")
    results = mixedlm("gpa ~ occasion + (1 | student)", data, residual=Heterogeneous("occasion"))
    deviations = expected["sigma"] * np.array(list(expected["var_par"].values()))
    assert_allclose(results.residual_variances, deviations**2, rtol=1e-5)


def test_row_54_autocorrelation_parameter(children):
    results = mixedlm(GROWTH, children, residual=AR1("visit", group="Subject"))
    assert_allclose(results.residual_parameters["phi"], 0.6244888, rtol=1e-5)


def test_row_54_autocorrelation_parameter_of_students(students):
    data, figures = students
    results = mixedlm("gpa ~ occasion + (1 | student)", data, residual=AR1("occasion"))
    phi = figures("gpa_ar1")["cor_par"]["Phi"]
    assert_allclose(results.residual_parameters["phi"], phi, rtol=1e-5)


def test_row_80_products_and_parameters_of_each_arm(children):
    """A phi and a variance for each sex are two models of one sex each, put together."""
    both = mixedlm("distance ~ C(Sex) / age", children, residual="ar1(visit | Sex/Subject)")
    for sex, rows in children.groupby("Sex", observed=True):
        one = mixedlm("distance ~ age", rows, residual="ar1(visit | Subject)", method="reml")
        phi = both.residual_parameters[f"phi {sex}"]
        assert_allclose(phi, one.residual_parameters["phi"], rtol=1e-4)
        assert_allclose(both.residual_variances[sex], one.scale, rtol=1e-4)


def test_row_81_trial_with_means_by_visit():
    """The example of mmrm; the means are those that SAS prints."""
    results = mixedlm(
        "FEV1 ~ RACE + SEX + ARMCD * AVISIT",
        load_fev(),
        residual="us(AVISIT | USUBJID)",
        missing="drop",
    )
    table = results.tidy().set_index("term")
    found = table.loc["ARMCD[T.TRT]", ["estimate", "se", "df"]].astype(float)
    assert_allclose(found, [3.77423, 1.07415, 145.55], rtol=1e-4)
    means = marginal_means(results, ["ARMCD", "AVISIT"]).tidy().set_index(["ARMCD", "AVISIT"])
    assert_allclose(means.loc[("TRT", "VIS4"), ["estimate", "se"]], [52.7841, 1.1877], rtol=2e-4)
    adjusted = results.with_df_method("kenward-roger").tidy().set_index("term")
    assert_allclose(adjusted.loc["ARMCD[T.TRT]", "se"], 1.0817777909206363, rtol=1e-5)


def test_row_82_forecast_of_a_known_child(children):
    """Without random effects, the next visit is the conditional mean given the last one."""
    past, future = children[children["age"] < 12], children[children["age"] == 12]
    results = mixedlm("distance ~ C(age)", children, residual=AR1("visit", group="Subject"))
    seen = (past, past["distance"])
    found = results.predict(future, residual_memory=seen)
    before = past.loc[past["age"] == 10, "distance"].to_numpy()
    phi, mean = results.residual_parameters["phi"], results.predict(future)
    left = before - results.predict(past[past["age"] == 10])
    assert_allclose(found, mean + phi * left, rtol=1e-8)


def test_row_83_meta_analysis():
    """Thirteen trials of a vaccine, as metafor's rma(yi, vi) combines them."""
    events, persons = VACCINE[:, ::2], VACCINE[:, ::2] + VACCINE[:, 1::2]
    log_risk, variance = np.log(events / persons), 1 / events - 1 / persons
    rows = pd.DataFrame(
        {"yi": log_risk[:, 0] - log_risk[:, 1], "vi": variance.sum(axis=1), "trial": range(13)}
    )
    results = mixedlm("yi ~ 1 + (1 | trial)", rows, residual=KnownVariance("vi"))
    assert_allclose(results.params["Intercept"], -0.7145323, rtol=1e-6)
    assert_allclose(results.bse["Intercept"], 0.1797815, rtol=1e-6)
    assert_allclose(results.variance_components["vcov"].iloc[0], 0.3132433, rtol=1e-6)
    # metafor adds half of log |X'X|.
    assert_allclose(results.llf + np.log(13) / 2, -12.20237, rtol=1e-6)
    assert results.sigma == 1.0
