"""Summaries say what there is to say, legibly."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from skmixed import mixedlm
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.kept_rows import KeptRows
from skmixed.results import MixedLMResults


class Cells(HTMLParser):
    """Collect the cells of all tables, and check that elements are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.cells = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def parse(html):
    parser = Cells()
    parser.feed(html)
    assert parser.open == []
    return [cell.strip("\u2007\u2008 ") for cell in parser.cells]


def test_text_holds_every_number(slopes):
    text = slopes.summary().as_text()
    for value in (slopes.llf, slopes.criterion, slopes.aic, slopes.bic):
        assert f"{value:.3f}" in text
    assert "fitted by REML" in text
    assert "REML criterion" in text
    assert "Reaction ~ Days + (Days | Subject)" in text
    assert re.search(r"Observations: +180\b", text)
    assert re.search(r"Groups: +Subject 18\b", text)
    fixed = text.partition("Fixed effects")[2]
    row = next(line for line in fixed.splitlines() if line.split()[:1] == ["Days"])
    numbers = row.split()[1:]
    expected = slopes.tidy().set_index("term").loc["Days"]
    assert numbers[:2] == [f"{expected[key]:.3f}" for key in ("estimate", "se")]
    assert numbers[2:4] == [f"{expected['df']:.1f}", f"{expected['statistic']:.3f}"]
    assert numbers[5:] == [f"{expected[key]:.3f}" for key in ("lower", "upper")]


@pytest.mark.parametrize(
    ("df_method", "words"),
    [
        ("satterthwaite", "Satterthwaite's degrees of freedom"),
        ("kenward-roger", "Kenward and Roger's degrees of freedom"),
        ("residual", "residual degrees of freedom"),
        ("normal", "normal distribution"),
    ],
)
def test_header_names_the_distribution(slopes, df_method, words):
    assert words in str(slopes.summary(df_method=df_method))


def test_variances_and_correlation(slopes):
    table = slopes.variance_components
    lines = str(slopes.summary()).splitlines()
    row = next(line for line in lines if line.split()[:2] == ["Subject", "Intercept"])
    assert [float(x) for x in row.split()[2:]] == pytest.approx(
        list(table.loc[0, ["vcov", "sdcor"]]), rel=1e-4
    )
    row = lines[lines.index(row) + 1].split()
    assert row[0] == "Days"
    assert float(row[-1]) == pytest.approx(table["sdcor"][2], abs=5e-4)


def test_maximum_likelihood(sleepstudy):
    text = str(mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy, method="ml").summary())
    assert "fitted by ML" in text
    assert "-2 log-likelihood" in text
    assert "REML" not in text


def test_correlation_on_request(slopes):
    covariance = slopes.cov_params().to_numpy()
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert "Correlation of fixed effects" not in str(slopes.summary())
    text = str(slopes.summary(correlation=True))
    assert f"{correlation:.3f}" in text.partition("Correlation of fixed effects")[2]


def test_confidence_level(slopes):
    text = str(slopes.summary(conf_level=0.9))
    assert " 5 % " in text
    assert "95 %" in text
    assert f"{slopes.conf_int(0.1).loc['Days', 0]:.3f}" in text


def test_dropped_rows_and_response(slopes):
    rows = KeptRows(slopes.model, slopes.data, pd.concat([slopes.data, slopes.data.head(7)]))
    results = MixedLMResults(FittedModel(slopes.fit, rows=rows, response_name="speed"))
    text = str(results.summary())
    assert "7 dropped" in text
    assert re.search(r"Response: +speed", text)


def test_notices_are_notes(slopes):
    message = "The fit did not converge: too few iterations."
    notice = type("Notice", (), {"message": message})()
    results = MixedLMResults(FittedModel(replace(slopes.fit, notices=(notice,))))
    assert f"Note: {message}" in str(results.summary())
    assert message in results.summary().as_html()


def test_intercept_only(one_way):
    text = str(one_way.summary(correlation=True))
    assert "1527.5" in text
    assert "Correlation of fixed effects" not in text


@pytest.fixture(scope="module")
def awkward(sleepstudy):
    """Many columns of very different sizes, some with long names."""
    rng = np.random.default_rng(0)
    long = "the_concentration_of_the_second_reagent_in_the_first_run"
    columns = {f"x{i}": rng.normal(size=180) for i in range(14)}
    data = sleepstudy.assign(tiny=sleepstudy["Days"] * 1e9, **columns)
    data[long] = rng.normal(size=180) * 1e-7
    fixed = " + ".join(["tiny", long, *columns])
    return mixedlm(f"Reaction ~ {fixed} + (1 | Subject)", data), long


def test_wide_tables_fit_the_page(awkward):
    results, long = awkward
    lines = str(results.summary(correlation=True)).splitlines()
    assert max(map(len, lines)) <= 100
    assert f"  {long}" in lines
    after = lines[lines.index(f"  {long}") + 1].split()
    assert float(after[0]) == pytest.approx(results.params[long], rel=1e-3)


def test_small_and_large_numbers_keep_their_digits(awkward):
    results, _ = awkward
    row = next(line for line in str(results.summary()).splitlines() if line.split()[:1] == ["tiny"])
    assert float(row.split()[1]) == pytest.approx(results.params["tiny"], rel=1e-4)
    assert float(row.split()[2]) == pytest.approx(results.bse["tiny"], rel=1e-4)


def test_html_holds_the_cells_of_the_text(slopes):
    summary = slopes.summary(correlation=True)
    cells = parse(summary.as_html())
    for word in str(summary).partition("Random effects")[2].split("\n\n")[0].split():
        assert word in cells or word in {"Group", "Effect"}
    assert "36.838" in cells
    assert slopes._repr_html_() == slopes.summary()._repr_html_()


def test_html_escapes_names(slopes):
    results = MixedLMResults(FittedModel(slopes.fit, formula="y ~ I(x < 1) + <script>"))
    html = results.summary().as_html()
    assert "<script>" not in html
    assert "y ~ I(x < 1) + <script>" in parse(html)
