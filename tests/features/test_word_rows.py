"""Rows 22, 55, 56 and 57 of the promised features: the model in symbols, tables and words."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.results import (
    describe,
    equation,
    group_coefficients_table,
    random_effects_table,
)


@pytest.fixture(scope="module")
def results():
    return mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())


def test_row_22_hierarchical_and_marginal_formulation():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 6)
    w = rng.normal(size=20)
    x = rng.normal(size=120)
    slope = 1.0 + 0.5 * w + rng.normal(size=20)
    y = slope[group] * x + rng.normal(size=20)[group] + rng.normal(size=120)
    data = pd.DataFrame({"y": y, "x": x, "w": w[group], "g": group})
    results = mixedlm("y ~ x * w + (x | g)", data)
    latex = equation(results, "hierarchical").latex
    assert r"\mathrm{y}_i &= \alpha_{0,j[i]} + \alpha_{1,j[i]} \, \mathrm{x}_i" in latex
    assert r"\alpha_{0,j} &= \beta_{0} + \beta_{2} \, \mathrm{w}_j + b_{0,j}" in latex
    assert r"\alpha_{1,j} &= \beta_{1} + \beta_{3} \, \mathrm{w}_j + b_{1,j}" in latex
    marginal = equation(results, "marginal").latex
    assert r"\mathbf{Z} \mathbf{G} \mathbf{Z}^\top + \sigma^2 \mathbf{I}" in marginal
    assert r"\tau_{0}^2 + 2 \rho \tau_{0} \tau_{1} \, \mathrm{x}_i" in marginal


def test_row_55_equation_in_latex(results):
    found = equation(results)
    assert found._repr_latex_().startswith("$$")
    assert r"b_{1,j[i]} \, \mathrm{Days}_i" in found.latex
    assert r"10.47 \, \mathrm{Days}_i" in equation(results, values=True).latex


def test_row_56_publication_tables(results):
    """Every number of every table stands in its HTML."""
    tables = {
        "tidy": results.tidy(),
        "variances": results.variance_components,
        "effects": random_effects_table(results),
        "coefficients": group_coefficients_table(results),
    }
    for table in tables.values():
        html = table.to_html(index=False, float_format="{:.12g}".format, na_rep="")
        cells = re.findall(r"<td>(.*?)</td>", html)
        shown = np.array(cells).reshape(table.shape)
        for column, texts in zip(table.columns, shown.T, strict=True):
            if table[column].dtype.kind == "f":
                numbers = [float(text) for text in texts if text]
                assert_allclose(table[column].dropna(), numbers)
            else:
                assert texts[table[column].notna()].tolist() == [
                    str(value) for value in table[column].dropna()
                ]
    assert results._repr_html_().count("<table") > 3


def test_row_57_interpretation(results):
    text = describe(results)
    assert "Per unit of Days, Reaction changes by 10.5 (95% interval 7.2 to 13.7)" in text
    assert "the central 95% of group slopes lies between -1.1 and 22.1, which includes 0" in text
