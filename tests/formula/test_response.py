"""The left side of formulas of generalised models: how it is written, and what it reads."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from numpy.testing import assert_array_equal

from skmixed.formula import parse_formula
from skmixed.formula.response import ResponseRecipe, train_response_columns
from skmixed.formula.response_form import response_form

DATA: dict[str, Any] = {
    "s": [1, 2, 0, 3],
    "t": [4, 2, 3, 3],
    "f": [3, 0, 3, 0],
    "my s": [1, 2, 0, 3],
    "text": ["yes", "no", "no", "yes"],
    "flag": [True, False, False, True],
    "k": [0, 1, 1, 0],
}
CODES = [1.0, 0.0, 0.0, 1.0]


def recipe_of(response: str, data: Any = DATA, **environment: Any) -> ResponseRecipe:
    parsed = parse_formula(f"{response} ~ 1")
    return train_response_columns(parsed, data, environment=environment)[0]


@pytest.mark.parametrize(
    ("code", "kind", "parts"),
    [
        ("y", "values", ("y",)),
        ("log(y)", "values", ("log(y)",)),
        ("s / t", "quotient", ("s", "t")),
        ("I(s/t)", "quotient", ("s", "t")),
        ("((s) / (t))", "quotient", ("s", "t")),
        ('Q("my s") / t', "quotient", ('Q("my s")', "t")),
        ("µ / t", "quotient", ("µ", "t")),
        ("percent / 100", "values", ("percent / 100",)),
        ("s / t / u", "values", ("s / t / u",)),
        ("s / (s + f)", "values", ("s / (s + f)",)),
        ("s / t.max()", "values", ("s / t.max()",)),
        ("s // t", "values", ("s // t",)),
        ("s if a / b else t", "values", ("s if a / b else t",)),
        ("cbind(s, t - s)", "cbind", ("s", "t - s")),
        ('cbind( Q("my s"), f)', "cbind", ('Q("my s")', "f")),
    ],
)
def test_forms_of_a_response(code, kind, parts):
    form = response_form(code)
    assert (form.kind, form.parts) == (kind, parts)


@pytest.mark.parametrize("code", ["cbind(s)", "cbind(s, f, t)", "cbind(s, f=f)", "cbind(s, *f)"])
def test_cbind_has_successes_and_failures(code):
    with pytest.raises(ValueError, match=r"2 columns|starred"):
        response_form(code)


@pytest.mark.parametrize("attack", ["x.__class__", "().__class__", "log.__globals__", "f'{x}'"])
@pytest.mark.parametrize("form", ["cbind({}, f)", "{} / t", "I({} / t)", "cbind(s, {})"])
def test_no_form_evaluates_more_than_formulas_do(form, attack):
    with pytest.raises(ValueError, match="formulas do not allow"):
        recipe_of(form.format(attack))


def test_cbind_is_known_on_the_left_alone():
    with pytest.raises(ValueError, match="'cbind' is not a known function"):
        recipe_of("s + cbind(s, f)")


@pytest.mark.parametrize(
    ("response", "columns"),
    [
        ("s / t", (DATA["s"], DATA["t"])),
        ("`my s` / t", (DATA["s"], DATA["t"])),
        ("cbind(s, t - s)", (DATA["s"], DATA["f"])),
        ("log(t)", (np.log(DATA["t"]),)),
        ("s / n", (np.divide(DATA["s"], 2.0),)),
        ("1", (np.ones(4),)),
    ],
)
def test_numbers(response, columns):
    read = recipe_of(response, n=2.0).evaluate(DATA)
    assert read.labels is None
    assert_array_equal(read.columns, columns)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (DATA["text"], ("no", "yes")),
        (pd.Series(DATA["text"], dtype="string"), ("no", "yes")),
        (pd.Categorical(DATA["text"], ["no", "never", "yes"]), ("no", "yes")),
        (pl.Series(DATA["text"], dtype=pl.Enum(["no", "yes"])), ("no", "yes")),
        (DATA["flag"], (False, True)),
        (pd.Series(DATA["flag"], dtype="boolean"), (False, True)),
    ],
)
def test_labels_in_their_order(values, labels):
    read = recipe_of("y", {"y": values}).evaluate({"y": values})
    assert read.labels == labels
    assert_array_equal(read.columns, [CODES])


@pytest.mark.parametrize(
    ("response", "labels", "codes"),
    [
        ("C(k)", (0, 1), [0, 1, 1, 0]),
        ("C(text, levels=['yes', 'no'])", ("yes", "no"), [0, 1, 1, 0]),
        ("text == 'yes'", (False, True), CODES),
        ("np.where(s > t / 2, 'more', 'less')", ("less", "more"), [0, 1, 0, 1]),
    ],
)
def test_expressions_of_labels(response, labels, codes):
    read = recipe_of(response).evaluate(DATA)
    assert read.labels == labels
    assert_array_equal(read.columns, [codes])


def test_category_order_decides_which_label_is_the_success():
    values = pd.Categorical(DATA["text"], ["yes", "no"])
    read = recipe_of("y", {"y": values}).evaluate({"y": values})
    assert read.labels == ("yes", "no")
    assert_array_equal(read.columns, [[0, 1, 1, 0]])


@pytest.mark.parametrize("response", ["text", "np.where(s > 1, 'more', 'less')", "flag", "C(k)"])
def test_new_rows_are_coded_by_the_labels_of_training(response):
    first = {name: values[:1] for name, values in DATA.items()}
    recipe = recipe_of(response)
    assert_array_equal(recipe.evaluate(first).columns[0], recipe.evaluate(DATA).columns[0][:1])


def test_an_unknown_label_in_new_rows_is_named():
    with pytest.raises(ValueError, match=r"'text' of the data found unknown .*'maybe'"):
        recipe_of("text").evaluate({"text": ["yes", "maybe"]})


def test_the_name_is_that_of_the_column():
    assert recipe_of("`my s`").name == "my s"
    assert recipe_of("log(t)").name == "log(t)"


@pytest.mark.parametrize("response", ["text / t", "cbind(text, s)"])
def test_labels_are_no_counts(response):
    with pytest.raises(ValueError, match=r"'text' holds categories.*expected numbers"):
        recipe_of(response).evaluate(DATA)


@pytest.mark.parametrize(
    "by",
    [
        copy.deepcopy,
        lambda recipe: pickle.loads(pickle.dumps(recipe)),
        lambda recipe: skops.io.loads(
            skops.io.dumps(recipe), skops.io.get_untrusted_types(data=skops.io.dumps(recipe))
        ),
    ],
    ids=["deepcopy", "pickle", "skops"],
)
@pytest.mark.parametrize("response", ["text", "cbind(s, f)", "log(t)"])
def test_recipes_survive_saving(by, response):
    recipe = recipe_of(response)
    read, again = recipe.evaluate(DATA), by(recipe).evaluate(DATA)
    assert read.labels == again.labels
    assert_array_equal(read.columns, again.columns)


def test_a_response_is_needed():
    with pytest.raises(ValueError, match="has no response"):
        recipe_of("")
