"""Recipes survive pickle, deepcopy and joblib, and hold no rows."""

from __future__ import annotations

import copy
import io
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import patsy
import pytest

import skmixed.formula
from skmixed.formula import FormulaRecipe, parse_formula, train_formula

FORMULAS = [
    "y ~ x + (x | g)",
    "y ~ 1 + (1 | g)",
    "scale(y) ~ center(x) * f + offset(log(z)) + (scale(x) + f | g)",
    "y ~ poly(x, 3) + standardize(z) + C(k) + (1 | g)",
    "y ~ bs(x, df=5) + cr(z, df=4) + (1 | g)",
    "y ~ cc(x, df=5) + te(cr(x, df=3), cr(z, df=3)) + (1 | g)",
    "y ~ bs(center(x), knots=[0.0]) + (1 | g)",
    "y ~ C(f, Treatment('b')) + C(k, Poly) + C(f, Sum):x + (0 + f || g)",
    "y ~ np.log(x) + I(z^2) + np.where(x > 5, 'a', 'b') + (1 | g)",
]


def rows(n: int) -> dict[str, Any]:
    generator = np.random.default_rng(11)
    x, z, y = generator.uniform(1, 9, size=(3, n))
    return {"x": x, "z": z, "y": y, "f": np.array(list("abc"))[np.arange(n) % 3], "k": x // 3}


def by_pickle(recipe: FormulaRecipe) -> FormulaRecipe:
    return pickle.loads(pickle.dumps(recipe))


def by_oldest_pickle(recipe: FormulaRecipe) -> FormulaRecipe:
    return pickle.loads(pickle.dumps(recipe, protocol=2))


def by_joblib(recipe: FormulaRecipe) -> FormulaRecipe:
    buffer = io.BytesIO()
    joblib.dump(recipe, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


def twice(recipe: FormulaRecipe) -> FormulaRecipe:
    return by_pickle(copy.deepcopy(by_pickle(recipe)))


@pytest.mark.parametrize(
    "copied", [by_pickle, by_oldest_pickle, copy.copy, copy.deepcopy, by_joblib, twice]
)
@pytest.mark.parametrize("text", FORMULAS)
def test_copy_gives_the_same_arrays(
    text: str, copied: Callable[[FormulaRecipe], FormulaRecipe]
) -> None:
    data = rows(60)
    new = {name: values[10:20] for name, values in data.items()}
    recipe, _ = train_formula(parse_formula(text), data)
    other = copied(recipe)
    expected, got = recipe.evaluate(new), other.evaluate(new)
    np.testing.assert_array_equal(got.fixed, expected.fixed)
    np.testing.assert_array_equal(got.effects, expected.effects)
    np.testing.assert_array_equal(other.evaluate_response(new), recipe.evaluate_response(new))
    assert other.parsed == recipe.parsed
    assert (other.fixed_names, other.effect_names) == (recipe.fixed_names, recipe.effect_names)
    if recipe.parsed.offsets:
        np.testing.assert_array_equal(got.offset, expected.offset)


@pytest.mark.parametrize("text", FORMULAS)
def test_pickle_does_not_grow_with_rows(text: str) -> None:
    parsed = parse_formula(text)
    few, many = (len(pickle.dumps(train_formula(parsed, rows(n))[0])) for n in (60, 6000))
    assert many <= few + 64
    assert many < 12_000


def test_function_of_a_module_is_pickled_by_name() -> None:
    data, environment = rows(30), {"nth_root": np.emath.power, "unused": list(range(10_000))}
    recipe, _ = train_formula(parse_formula("y ~ nth_root(x, 1/3)"), data, environment=environment)
    pickled = pickle.dumps(recipe)
    assert len(pickled) < 4000
    fixed = pickle.loads(pickled).evaluate(data).fixed
    np.testing.assert_allclose(fixed[:, 1], np.cbrt(data["x"]))


def test_transforms_that_formulas_do_not_know_are_pickled_by_class() -> None:
    data, environment = rows(30), {"centred": patsy.center}
    recipe, _ = train_formula(parse_formula("y ~ centred(x)"), data, environment=environment)
    new = {"x": data["x"][:5]}
    expected = recipe.evaluate(new).fixed
    np.testing.assert_array_equal(by_pickle(recipe).evaluate(new).fixed, expected)
    np.testing.assert_allclose(expected[:, 1], new["x"] - data["x"].mean())


def test_lambda_can_be_copied_but_not_pickled() -> None:
    data = rows(30)
    recipe, _ = train_formula(parse_formula("y ~ f(x)"), data, environment={"f": lambda x: 2 * x})
    np.testing.assert_array_equal(copy.deepcopy(recipe).evaluate(data).fixed[:, 1], 2 * data["x"])
    with pytest.raises(pickle.PicklingError, match=r"<lambda>.*Define it with 'def' at the top"):
        pickle.dumps(recipe)


def test_pickle_is_read_in_a_fresh_process(tmp_path: Path) -> None:
    data = rows(30)
    recipe, _ = train_formula(parse_formula("y ~ center(x) + bs(z, df=4) + f + (x | g)"), data)
    file = tmp_path / "recipe.pickle"
    file.write_bytes(pickle.dumps((recipe, data)))
    code = (
        "import pickle, sys; "
        "recipe, data = pickle.load(open(sys.argv[1], 'rb')); "
        "print(repr(recipe.evaluate(data).fixed.sum().item()))"
    )
    root = Path(skmixed.formula.__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code, str(file)],
        capture_output=True,
        text=True,
        cwd=root,
        check=True,
    )
    assert float(run.stdout) == recipe.evaluate(data).fixed.sum()


def test_function_of_a_script_reaches_the_workers_of_joblib(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        """
import joblib
from skmixed.formula import parse_formula, train_formula

def double(x):
    return 2 * x

if __name__ == "__main__":
    data = {"x": [1.0, 2.0], "y": [1.0, 2.0]}
    parsed = parse_formula("y ~ double(x)")
    recipe, _ = train_formula(parsed, data, environment={"double": double})
    (matrices,) = joblib.Parallel(n_jobs=2)([joblib.delayed(recipe.evaluate)(data)])
    print(matrices.fixed.tolist())
"""
    )
    root = Path(skmixed.formula.__file__).parents[2]
    command = [sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert run.stdout.strip() == "[[1.0, 2.0], [1.0, 4.0]]"


def test_what_imports_patsy() -> None:
    package = Path(skmixed.formula.__file__).parents[1]
    importing = {
        file.name
        for file in package.rglob("*.py")
        if re.search(r"^\s*(import|from) patsy", file.read_text(), re.MULTILINE)
    }
    assert importing == {"algebra.py", "expansion.py", "functions.py", "saved_terms.py"}
