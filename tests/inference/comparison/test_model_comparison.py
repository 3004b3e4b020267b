"""Models ranked by information criteria, and warned of where these are not comparable."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from parity.reference import fit_case, shared_case

from skmixed import mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import compare, conditional_aic

# The models of the course notes' table.
COURSE = {"gpa_1": "gpa_rs", "gpa_2": "gpa_rs_sex", "gpa_3": "gpa_ri"}


@pytest.fixture
def models() -> dict:
    sleepstudy = load_sleepstudy()
    formulas = {
        "slopes": "Reaction ~ Days + (Days | Subject)",
        "intercepts": "Reaction ~ Days + (1 | Subject)",
        "uncorrelated": "Reaction ~ Days + (Days || Subject)",
    }
    return {name: mixedlm(formula, sleepstudy) for name, formula in formulas.items()}


def test_row_58_the_table_of_the_course_notes(shared: Path) -> None:
    text = (shared / "reference" / "reference.json").read_text(encoding="utf-8")
    figures = json.loads(text)["cases"]["gpa_aic_table"]
    fits = {name: fit_case(shared_case(shared, case)).results for name, case in COURSE.items()}
    with pytest.warns(UserWarning, match=r"different fixed effects.*refit='ml'"):
        as_printed = compare(fits)
    comparable = compare(fits, refit="ml")
    for table, method in ((as_printed, "REML"), (comparable, "ML")):
        assert table["model"].tolist() == ["gpa_2", "gpa_1", "gpa_3"]
        expected = [figures[method][name] for name in table["model"]]
        assert_allclose(table["aic"], expected, rtol=1e-9)
        assert_allclose(table["delta_aic"], np.array(expected) - min(expected), atol=1e-6)
        assert set(table["method"]) == {method}
        assert (table["refitted"] == (method == "ML")).all()


def test_row_26_ml_beside_reml_of_one_model() -> None:
    sleepstudy = load_sleepstudy()
    formula = "Reaction ~ Days + (Days | Subject)"
    fits = {how: mixedlm(formula, sleepstudy, method=how) for how in ("reml", "ml")}
    with pytest.warns(UserWarning, match="some ML fits"):
        table = compare(fits, sort_by=None)
    assert table["method"].tolist() == ["REML", "ML"]
    assert (fits["reml"].bse > fits["ml"].bse).all()


def test_criteria(models: dict) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = compare(models).set_index("model")
    for name, results in models.items():
        row, k, n = table.loc[name], results.fit.n_parameters, 180
        assert row["n_parameters"] == k
        assert_allclose(row["log_likelihood"], results.llf)
        assert_allclose(row["aic"], -2.0 * results.llf + 2.0 * k)
        assert_allclose(row["aicc"], row["aic"] + 2.0 * k * (k + 1) / (n - k - 1))
        assert_allclose(row["bic"], -2.0 * results.llf + np.log(n) * k)
        assert_allclose(row["caic"], conditional_aic(results).caic)
    assert table["aic"].is_monotonic_increasing
    assert_allclose(table["weight"].sum(), 1.0)
    ratio = np.exp(0.5 * (table["aic"].iloc[1] - table["aic"].iloc[0]))
    assert_allclose(table["weight"].iloc[0] / table["weight"].iloc[1], ratio)


def test_order_and_columns(models: dict) -> None:
    assert compare(models, sort_by=None)["model"].tolist() == list(models)
    assert compare(models, sort_by="caic")["caic"].is_monotonic_increasing
    assert "caic" not in compare(models, conditional=False)
    listed = compare(list(models.values()), sort_by=None)
    assert listed["model"].tolist() == [one.formula for one in models.values()]


def test_what_cannot_be_compared(models: dict) -> None:
    sleepstudy = load_sleepstudy()
    fewer = mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy.iloc[10:])
    with pytest.raises(ValueError, match="180 and 170 rows"):
        compare([models["slopes"], fewer])
    with pytest.raises(ValueError, match="no model"):
        compare([])
    with pytest.raises(ValueError, match="refit must be one of"):
        compare(models, refit="REML")
