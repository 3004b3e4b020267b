"""Laplace's approximation: its value against integrals, its gradient against differences."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from skmixed.families.reading import family_from
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.laplace import Laplace
from skmixed.likelihood.modes import find_modes
from skmixed.likelihood.responses import Responses

from .test_elimination import ARRANGEMENTS, levels_of

FAMILIES = {
    "binomial": {"link": "logit"},
    "probit": {"family": "binomial", "link": "probit"},
    "cauchit": {"family": "binomial", "link": "cauchit"},
    "poisson": {},
    "negative_binomial": {},
    "negative_binomial_1": {},
    "gamma": {"link": "log"},
    "beta": {},
    "gaussian": {},
}
STEP = 1e-5


class Case:
    """A small model whose parameters can be moved one by one."""

    def __init__(self, arrangement, family, n=200):
        rng = np.random.default_rng(3)
        levels = levels_of(rng, n)
        codes = tuple(levels[name] for name, _ in arrangement)
        Z = tuple(np.vstack([np.ones(n), *rng.normal(size=(k - 1, n))]) for _, k in arrangement)
        self.rows = EffectRows(Z, codes, tuple(int(c.max()) + 1 for c in codes))
        self.elimination = Elimination(self.rows)
        self.fixed = 0.2 + 0.3 * rng.normal(size=n)
        self.factors = [
            np.tril(0.1 * rng.normal(size=(k, k))) + 0.5 * np.eye(k) for _, k in arrangement
        ]
        b = [
            L @ rng.normal(size=(len(L), g))
            for L, g in zip(self.factors, self.rows.n_levels, strict=True)
        ]
        eta = self.fixed + self.rows.to_rows(b, n)
        self.extra = [np.full(n, 0.5)] * len(family.extra_names)
        y = family.simulate(eta, self.extra, rng)
        if family.name == "beta":
            y = np.clip(y, 0.01, 0.99)
        self.responses = Responses(family, y, rng.random(n) + 0.5)
        self.start = [np.zeros((len(z), g)) for z, g in zip(Z, self.rows.n_levels, strict=True)]

    def at(self, fixed=None, factors=None, extra=None):
        """Return the modes, the value and its gradient with some parameters moved."""
        modes = find_modes(
            self.elimination,
            self.factors if factors is None else factors,
            self.fixed if fixed is None else fixed,
            self.responses,
            self.extra if extra is None else extra,
            self.start,
        )
        return modes, *Laplace(self.rows).differentiated(modes)


@pytest.mark.parametrize("arrangement", ["one factor", "three nested", "nested and crossed"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_gradient_is_that_of_the_value(name, arrangement):
    options = {"family": name, **FAMILIES[name]}
    case = Case(ARRANGEMENTS[arrangement], family_from(**options))
    check_gradient(case)


def test_the_gradient_with_zero_inflation():
    case = Case(ARRANGEMENTS["nested"], ZeroInflated(family_from("negative_binomial")))
    check_gradient(case)


def check_gradient(case):
    _, _, gradient = case.at()
    direction = np.random.default_rng(5).normal(size=len(case.fixed))
    change = slope(lambda h: case.at(fixed=case.fixed + h * direction))
    assert change == pytest.approx(direction @ gradient.eta, rel=2e-6, abs=1e-5)
    for i, L in enumerate(case.factors):
        for entry in np.ndindex(*L.shape):
            moved = np.zeros_like(L)
            moved[entry] = 1.0
            change = slope(lambda h, i=i, moved=moved: case.at(factors=shifted(case, i, h * moved)))
            assert change == pytest.approx(gradient.factors[i][entry], rel=2e-6, abs=1e-5)
    for j, extra in enumerate(case.extra):
        change = slope(
            lambda h, j=j, extra=extra: case.at(
                extra=[extra + h if i == j else one for i, one in enumerate(case.extra)]
            )
        )
        assert change == pytest.approx(gradient.extra[j].sum(), rel=2e-6, abs=1e-5)


def slope(at):
    """Return the central difference of the value."""
    return (at(STEP)[1] - at(-STEP)[1]) / (2.0 * STEP)


def shifted(case, position, change):
    return [L + change if i == position else L for i, L in enumerate(case.factors)]


def test_the_value_is_near_the_integral_of_large_groups():
    """The error of the approximation falls with the rows of a group (Tierney and Kadane 1986)."""
    rng = np.random.default_rng(1)
    n, sd, eta = 400, 0.8, -0.3
    y = (rng.random(n) < expit(eta + 0.5)).astype(float)
    rows = EffectRows((np.ones((1, n)),), (np.zeros(n, dtype=np.intp),), (1,))
    modes = find_modes(
        Elimination(rows),
        [np.array([[sd]])],
        np.full(n, eta),
        Responses(family_from("binomial"), y),
        [],
        [np.zeros((1, 1))],
    )
    at = sd * modes.spherical[0][0, 0]
    top = log_density(y, eta, at)
    integral, _ = quad(
        lambda b: np.exp(log_density(y, eta, b) - top - 0.5 * (b / sd) ** 2), at - 2, at + 2
    )
    exact = -2.0 * (top + np.log(integral / (sd * np.sqrt(2 * np.pi))))
    assert Laplace(rows).value(modes) == pytest.approx(exact, abs=5e-3)


def log_density(y, eta, b):
    return float(np.sum(y * (eta + b) - np.logaddexp(0.0, eta + b)))


def test_modes_do_not_depend_on_where_the_search_begins():
    case = Case(ARRANGEMENTS["crossed, with slopes"], family_from("poisson"))
    first = case.at()[0]
    rng = np.random.default_rng(2)
    case.start = [3.0 * rng.normal(size=u.shape) for u in case.start]
    second = case.at()[0]
    for one, other in zip(first.spherical, second.spherical, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_responses_far_off_do_not_stop_the_search_for_modes():
    n = 40
    rows = EffectRows((np.ones((1, n)),), (np.arange(n) // 10,), (4,))
    y = np.repeat([0.0, 1e6, 3.0, 1e4], 10)
    modes = find_modes(
        Elimination(rows),
        [np.array([[2.0]])],
        np.zeros(n),
        Responses(family_from("poisson"), y),
        [],
        [np.zeros((1, 4))],
    )
    score = y.reshape(4, 10).sum(axis=1) - 10 * np.exp(2.0 * modes.spherical[0][0])
    np.testing.assert_allclose(2.0 * score, modes.spherical[0][0], rtol=1e-6)
