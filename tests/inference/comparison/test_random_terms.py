"""The names of random terms."""

from __future__ import annotations

import pandas as pd
import pytest

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference.comparison.random_terms import named_terms


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("(1 | Subject)", ["(1 | Subject)"]),
        ("(Days | Subject)", ["(1 + Days | Subject)"]),
        ("(Days || Subject)", ["(1 | Subject)", "(0 + Days | Subject)"]),
        ("(0 + part | Subject)", ["(0 + part | Subject)"]),
        ("(part + Days | Subject)", ["(1 + part + Days | Subject)"]),
        ("(1 | Subject/part)", ["(1 | Subject:part)", "(1 | Subject)"]),
    ],
)
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_terms_of_a_formula(written: str, labels: list[str]) -> None:
    data = load_sleepstudy()
    data["part"] = pd.Categorical.from_codes(data["Days"] // 4, ["a", "b", "c"])
    results = mixedlm(f"Reaction ~ Days + {written}", data)
    found = named_terms(results.model.design.blocks, results.recipe)
    assert [term.label for term in found] == labels
    assert [t.label for t in named_terms(results.fit.random, results.recipe)] == labels


def test_terms_of_columns() -> None:
    data = load_sleepstudy()
    model = MixedLM(groups="Subject", random_slopes="Days")
    model.fit(data[["Days", "Subject"]], data["Reaction"])
    assert [t.label for t in named_terms(model.lmm_fit_.random)] == ["(1 + Days | Subject)"]
