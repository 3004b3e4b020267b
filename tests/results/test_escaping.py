"""Names and labels of the data are text wherever they are shown."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from skmixed import MixedLM, mixedlm
from skmixed.inference import marginal_means
from skmixed.results import MixedLMResults
from skmixed.results.words.phrases import unquoted

SCRIPT = "<script>alert('1')</script>"
TEX = r"$\input{x}$ %&#~^_ \$ \\"


def named(piece: str) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    group, kind = np.arange(60) // 6, np.arange(60) % 3
    return pd.DataFrame(
        {
            f"y {piece}": rng.normal(size=60) + rng.normal(size=10)[group],
            f"x {piece}": rng.normal(size=60),
            f"f {piece}": np.array([f"{piece}{k}" for k in "abc"])[kind],
            f"g {piece}": np.array([f"{piece}{k}" for k in range(10)])[group],
        }
    )


def formula(piece: str) -> str:
    return f"`y {piece}` ~ `x {piece}` * `f {piece}` + (1 | `g {piece}`)"


@pytest.fixture(scope="module")
def scripted() -> MixedLMResults:
    return mixedlm(formula(SCRIPT), named(SCRIPT), environment={})


def test_html_of_results(scripted: MixedLMResults) -> None:
    means = marginal_means(scripted, f"f {SCRIPT}")
    shown = [
        scripted._repr_html_(),
        scripted.summary(correlation=True).as_html(),
        means._repr_html_(),
        scripted.tidy().to_html(),
    ]
    for html in shown:
        assert "alert" in html
        assert "<script" not in html


def test_html_of_estimators() -> None:
    data = named(SCRIPT)
    models = [
        MixedLM(formula=formula(SCRIPT)).fit(data),
        MixedLM(f"g {SCRIPT}").fit(data[[f"x {SCRIPT}", f"g {SCRIPT}"]], data[f"y {SCRIPT}"]),
    ]
    for model in models:
        assert SCRIPT not in model._repr_html_()


@pytest.mark.parametrize("form", ["conditional", "marginal", "hierarchical"])
def test_latex_of_equations(form: str) -> None:
    latex = str(mixedlm(formula(TEX), named(TEX), environment={}).equation(form))
    assert r"\input" not in latex
    # No sign of mathematics or comment is left that has no backslash before it.
    assert not re.search(r"(?<!\\)[$%#~]", latex)
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")


def test_lines_of_names_do_not_end_the_mathematics() -> None:
    data = named("").rename(columns={"x ": "one\n\ntwo\x00"})
    results = mixedlm('`y ` ~ Q("one\\n\\ntwo\\0") + (1 | `g `)', data, environment={})
    assert r"\mathrm{one\ \ two\ }" in str(results.equation())


@pytest.mark.parametrize("name", ['a "b"', "a 'b'", r"a \ b", "two\nlines"])
def test_quoted_names_are_shown_as_they_are(name: str) -> None:
    data = named("").rename(columns={"x ": name})
    results = mixedlm(f"`y ` ~ `{name}` + (1 | `g `)", data, environment={})
    assert unquoted(results.params.index[1]) == name
