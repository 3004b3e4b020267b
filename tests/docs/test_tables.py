"""Every call and every formula in a table of the documentation does what its row says."""

from __future__ import annotations

import re
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, mixedlm, residual

from .tables import code, names, tables

FORMULAS = "guide/formulas.md"
FORMS, EQUATIONS, ARGUMENTS = tables(FORMULAS)
PAGES = (
    "coming-from-r.md",
    "coming-from-statsmodels.md",
    "coming-from-merf-and-gpboost.md",
    "guide/plots.md",
)
NOT_CALLS = re.compile(r"\w+=?|n=1000")
"""Names of columns and of arguments, which stand beside a call."""
CALLS = [
    (page, expression)
    for page in PAGES
    for table in tables(page)
    for row in table[1:]
    for expression in code(row[1])
    if table[0][1] in {"here", "plot"} and not NOT_CALLS.fullmatch(expression)
]


@cache
def scope(page: str) -> dict[str, Any]:
    """Run the examples of a page, once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return names(page)


def test_tables_are_read_whole():
    assert (len(FORMS), len(EQUATIONS), len(ARGUMENTS)) == (15, 8, 10)
    assert len(CALLS) > 120


class TestRow11TableOfForms:
    """Each row of the tables of formulas is one model, in each of its spellings."""

    @pytest.mark.parametrize("row", FORMS[1:], ids=lambda row: row[0])
    def test_row_11_formula_and_its_other_spellings(self, row):
        data = scope(FORMULAS)["data"]
        first, *others = (
            mixedlm(f"y ~ x + x1 + x2 + {terms}", data) for terms in code(row[0]) + code(row[1])
        )
        assert first.random_effects
        for other in others:
            assert_allclose(other.llf, first.llf, rtol=1e-10)

    @pytest.mark.parametrize("row", EQUATIONS[1:], ids=lambda row: row[1])
    def test_row_11_formula_of_an_equation(self, row):
        words = scope(FORMULAS)["words"]
        formula = code(row[1])[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = mixedlm(formula, words)
        letters = {
            "S_{0": ("Subj", "Intercept"),
            "S_{1": ("Subj", "X"),
            "I_{0": ("Item", "Intercept"),
        }
        equation = EQUATIONS[4][0] if row[0].startswith("the same") else row[0]
        expected = {effect for letter, effect in letters.items() if letter in equation}
        found = {
            (factor, name) for factor, table in results.random_effects.items() for name in table
        }
        assert found == expected

    @pytest.mark.parametrize("row", ARGUMENTS[1:], ids=lambda row: row[0])
    def test_row_11_arguments_of_a_formula(self, row):
        data = scope(FORMULAS)["data"]
        (terms,), (arguments,) = code(row[0]), code(row[1])
        model = eval(f"MixedLM({arguments})", {"MixedLM": MixedLM})
        factors = [name for name in ("site", "block", "item") if name in terms]
        model.fit(data[["x", "x1", "x2", *factors]], data["y"])
        results = mixedlm(f"y ~ x + x1 + x2 + {terms}", data)
        assert_allclose(model.log_likelihood_, results.llf, rtol=1e-10)


@pytest.mark.parametrize(("page", "expression"), CALLS)
@pytest.mark.exhaustive(3)
def test_call_of_ours(page, expression):
    """What stands in the column "here" can be run, beside the examples of its page."""
    if "plots." in expression:
        pytest.importorskip("matplotlib.pyplot").close("all")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert eval(expression, dict(scope(page))) is not None


RESIDUALS = tables("guide/correlated-rows.md")


@pytest.mark.parametrize("row", [row for row in RESIDUALS[2][1:] if row[1]], ids=lambda row: row[1])
def test_residual_structure_as_text(row):
    """The text stands for the object beside it, with a column of groups."""
    written = eval(code(row[0])[0], {name: getattr(residual, name) for name in residual.__all__})
    parsed = residual.parse_residual(code(row[1])[0])
    assert repr(parsed).replace("group='g'", "group=None") == repr(written)


def test_every_residual_structure_is_in_the_guide():
    described = {name for table in RESIDUALS[:2] for row in table[1:] for name in code(row[0])}
    registered = {*residual.CORRELATIONS.values(), *residual.VARIANCES.values()}
    assert {type(one).__name__ for one in registered} == {re.sub(r"\(.*", "", n) for n in described}


STATSMODELS = "coming-from-statsmodels.md"
MODELS, RESULTS, _ = tables(STATSMODELS)


@pytest.fixture(scope="module")
def theirs():
    """Return the names of the page's examples, and the fit of statsmodels beside them."""
    formula_api = pytest.importorskip("statsmodels.formula.api")
    both = dict(scope(STATSMODELS), smf=formula_api, np=np)
    both["s"] = formula_api.mixedlm(
        "Reaction ~ Days", both["d"], groups="Subject", re_formula="~Days"
    ).fit()
    return both


def both_sides(row: list[str], scope: dict[str, Any]) -> list[Any]:
    """Evaluate the calls of a row, theirs and ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [eval(code(cell)[0], dict(scope)) for cell in row[:2]]


@pytest.mark.parametrize("row", MODELS[1:], ids=lambda row: row[1])
def test_models_of_statsmodels(row, theirs):
    their, our = both_sides(row, theirs)
    assert_allclose(their.llf, our.llf, rtol=1e-6)
    assert_allclose(their.fe_params, our.params, rtol=1e-4)
    assert_allclose(their.bse_fe, our.bse, rtol=1e-3)
    assert_allclose(their.scale, our.scale, rtol=1e-3)


@pytest.mark.parametrize("row", RESULTS[1:], ids=lambda row: row[0])
def test_results_of_statsmodels(row, theirs):
    """Both calls work, and what is a table of the same shape is the same."""
    their, our = both_sides(row, theirs)
    compared = {
        "fe_params",
        "bse_fe",
        "cov_re",
        "scale",
        "llf",
        "fittedvalues",
        "resid",
        "predict",
        "nobs",
    }
    fixed_only = {"conf_int", "pvalues", "cov_params"}
    name = re.match(r"`s\.(\w+)", row[0])[1]
    if name in compared:
        assert_allclose(np.asarray(their), np.asarray(our), rtol=1e-4, atol=1e-3)
    elif name in fixed_only:
        wanted = np.asarray(their)[:2, :2] if name == "cov_params" else np.asarray(their)[:2]
        assert_allclose(wanted, np.asarray(our), rtol=1e-4, atol=1e-30)
    else:
        assert their is not None
        assert our is not None
