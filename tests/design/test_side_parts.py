"""One-sided formulas of further predictors: fixed columns, made again for new rows."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.design.side_parts import train_side_part

DATA = {"x": [1.0, 2.0, 6.0], "f": ["a", "b", "b"], "g": [1, 1, 2]}


@pytest.mark.parametrize(
    ("text", "names", "matrix", "new"),
    [
        ("~ 1", ("Intercept",), [[1], [1], [1]], [[1]]),
        ("~ x", ("Intercept", "x"), [[1, 1], [1, 2], [1, 6]], [[1, 9]]),
        ("~ 0 + center(x)", ("center(x)",), [[-2], [-1], [3]], [[6]]),
        ("~ f", ("Intercept", "f[T.b]"), [[1, 0], [1, 1], [1, 1]], [[1, 1]]),
        ("~ twice(x)", ("Intercept", "twice(x)"), [[1, 2], [1, 4], [1, 12]], [[1, 18]]),
    ],
)
def test_columns_of_training_and_of_new_rows(text, names, matrix, new):
    environment = {"twice": lambda x: 2 * x}
    part, found = train_side_part(text, "dispersion", DATA, environment=environment)
    assert part.names == names
    assert_allclose(found, matrix)
    assert_allclose(part.matrix({"x": [9.0], "f": ["b"]}), new)


def test_it_survives_pickling():
    part, _ = train_side_part("~ scale(x) + f", "dispersion", DATA)
    assert_allclose(pickle.loads(pickle.dumps(part)).matrix(DATA), part.matrix(DATA))
    assert part.variables == ("x", "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("~ x + (1 | g)", "random effects are not available here. Leave out those of 'g'"),
        ("y ~ x", "got a response too. Leave out 'y'"),
        ("~ x + offset(x)", r"offsets are not available here. Leave out offset\(x\)"),
        ("~ 0", "got no term at all. Leave out zero_inflation= for none"),
        ("x", "has no '~'.*'~ x'"),
        ("~ (x", "never closed"),
    ],
)
def test_it_has_fixed_effects_alone(text, message):
    with pytest.raises(ValueError, match="zero_inflation='.*: expected fixed effects.*" + message):
        train_side_part(text, "zero_inflation", DATA)


@pytest.mark.parametrize("given", [True, 1, ["x"]])
def test_it_is_a_text(given):
    with pytest.raises(TypeError, match=r"zero_inflation=.*such as '~ 1 \+ x'; got"):
        train_side_part(given, "zero_inflation", DATA)


def test_no_value_is_missing_or_new():
    with pytest.raises(ValueError, match="Input dispersion contains NaN"):
        train_side_part("~ x", "dispersion", {"x": [1.0, np.nan]})
    part, _ = train_side_part("~ x + f", "dispersion", DATA)
    with pytest.raises(ValueError, match="Input dispersion contains NaN"):
        part.matrix({"x": [np.nan], "f": ["a"]})
    with pytest.raises(ValueError, match=r"unknown categories.*'c'"):
        part.matrix({"x": [1.0], "f": ["c"]})


@pytest.mark.parametrize("attack", ["x.__class__", "log.__globals__", "np.save('canary', x)"])
def test_it_evaluates_what_formulas_do(attack):
    with pytest.raises(ValueError, match=r"formulas do not allow|np has no attribute 'save'"):
        train_side_part(f"~ {attack}", "dispersion", DATA)
