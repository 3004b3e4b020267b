"""The comparison itself: it sees a deviation, and it matches names that mean the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from .comparison import QUANTITIES, Difference
from .names import matching
from .reference import bundled_case, python_formula


@pytest.fixture(scope="module")
def case():
    return bundled_case("sleep_slopes")


def scaled(figures, factor):
    """Return figures with every number that is not a count multiplied."""
    if isinstance(figures, dict):
        return {key: scaled(value, factor) for key, value in figures.items()}
    if isinstance(figures, list):
        return [scaled(value, factor) for value in figures]
    return figures * factor if isinstance(figures, float) else figures


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.name)
def test_deviations_are_seen(case, fitted, quantity):
    off = replace(case, figures=scaled(case.figures, 1.0 + 10.0 * quantity.tolerance))
    assert quantity.difference(off, fitted) > quantity.tolerance
    assert quantity.difference(case, fitted) <= quantity.tolerance


@pytest.mark.parametrize(
    ("actual", "expected", "relative"),
    [
        ([1.0, 2.2], [1.0, 2.0], 0.1),
        ([0.0], [0.0], 0.0),
        ([1e-300], [0.0], np.inf),
        ([1.0, 1.0], [1.0], np.inf),
        ([np.nan], [1.0], np.nan),
    ],
)
def test_relative_difference(actual, expected, relative):
    np.testing.assert_allclose(Difference(actual, expected).relative, relative)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Intercept", "(Intercept)"),
        ("sex[T.female]", "sexfemale"),
        ("Machine[B]", "MachineB"),
        ("Sector[T.Catholic]:cses", "cses:SectorCatholic"),
        ("C(dose, Poly).Quadratic", "dose.Q"),
        ("recipe[T.B]:C(dose, Poly)^4", "recipeB:dose^4"),
        ("poly(x, 2)[0]", "poly(x, 2)1"),
        ("sin(2 * np.pi * x)", "sin(2 * pi * x)"),
        ("I(x ** 2)", "I(x^2)"),
        ("scale(x, scale=False)", "scale(x, scale = FALSE)"),
    ],
)
def test_names(ours, theirs):
    assert matching(["x", ours], [theirs]) == [1]
    with pytest.raises(ValueError, match="not in list"):
        matching([ours], ["x"])


def test_only_ordered_factors_and_pi_are_translated(case):
    data = case.data.assign(dose=case.data["Days"].astype("category").cat.as_ordered())
    assert python_formula(case.formula, data) == case.formula
    assert python_formula("y ~ dose * sin(pi * x)", data) == ("y ~ C(dose, Poly) * sin(np.pi * x)")
