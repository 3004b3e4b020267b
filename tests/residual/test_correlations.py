"""What every structure of residual correlations promises."""

from __future__ import annotations

import copy
import itertools
import pickle
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, clone

from skmixed.residual import ARMA, CORRELATIONS, VARIANCES, Axis, Correlation, Exponential
from skmixed.residual.correlation import MarkovCorrelation, product_of_steps
from skmixed.residual.differentiation import complex_step
from skmixed.residual.learning import learn_residual

AXES = {
    "none": Axis(largest=5),
    "integer": Axis(largest=4),
    "real": Axis(unit=0.8, largest=4),
    "occasion": Axis(occasions=("a", "b", "c", "d", "e"), largest=4),
    "coordinates": Axis(unit=1.5, largest=4),
}
MARKOV = [name for name, one in CORRELATIONS.items() if isinstance(one, MarkovCorrelation)]
MEASURED = [name for name, one in CORRELATIONS.items() if one.axis_kind in ("real", "coordinates")]


def some_positions(structure: Correlation) -> np.ndarray:
    """Return patterns of four rows, whose positions ascend where they are on a line."""
    rng = np.random.default_rng(1)
    return {
        "none": np.zeros((2, 4), dtype=np.intp),
        "integer": np.array([[0, 1, 2, 3], [2, 3, 5, 11]]),
        "real": np.cumsum(rng.uniform(0.1, 2.0, (3, 4)), axis=1),
        "occasion": np.array([[0, 1, 2, 3], [0, 2, 3, 4], [0, 1, 2, 4]]),
        "coordinates": rng.uniform(0.0, 4.0, (3, 4, 2)),
    }[structure.axis_kind]


def some_rho(structure: Correlation, axis: Axis, seed: int) -> np.ndarray:
    """Return parameters that are neither small nor near the boundary."""
    return np.random.default_rng(seed).uniform(-1.2, 1.2, structure.n_parameters(axis))


def differences(function, at: np.ndarray) -> np.ndarray:
    """Return central differences, the parameters on the first axis."""
    steps = 1e-6 * np.eye(len(at))
    return np.array([(function(at + h) - function(at - h)) / 2e-6 for h in steps])


@pytest.fixture(params=CORRELATIONS)
def structure(request) -> Correlation:
    return CORRELATIONS[request.param]


@pytest.fixture
def axis(structure) -> Axis:
    return AXES[structure.axis_kind]


@pytest.mark.parametrize("occasions", [(), ("a",), ("a", "b"), ("a", "b", "c", "d")])
def test_names_scales_and_start_have_the_length_of_the_parameters(structure, axis, occasions):
    axis = replace(axis, occasions=occasions, largest=max(len(occasions), 1))
    n = structure.n_parameters(axis)
    assert len(structure.names(axis)) == len(set(structure.names(axis))) == n
    assert len(structure.scales(axis)) == n
    start = structure.start(axis)
    assert start.shape == (n,)
    assert structure.natural(start, axis).shape == (n,)
    assert structure.natural_derivative(start, axis).size == n * n


@pytest.mark.parametrize("seed", range(3))
def test_derivative_of_the_natural_parameters(structure, axis, seed):
    rho = some_rho(structure, axis, seed)
    found = structure.natural_derivative(rho, axis)
    expected = differences(lambda free: structure.natural(free, axis), rho).T
    assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_curvature_of_the_natural_parameters(structure, axis, seed):
    rho = some_rho(structure, axis, seed)
    weights = np.random.default_rng(seed).normal(size=len(rho))
    found = structure.natural_curvature(weights, rho, axis)
    expected = Correlation.natural_curvature(structure, weights, rho, axis)
    assert_allclose(found, expected, atol=1e-7 * max(np.abs(expected).max(), 1.0))


@pytest.mark.parametrize("seed", range(3))
def test_derivative_of_the_correlations(structure, axis, seed):
    positions = some_positions(structure)
    natural = structure.natural(some_rho(structure, axis, seed), axis)
    found = structure.correlation_derivative(natural, positions)
    expected = differences(lambda value: structure.correlations(value, positions), natural)
    assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_correlations_are_functions_of_complex_numbers_too(structure, axis, seed):
    positions = some_positions(structure)
    natural = structure.natural(some_rho(structure, axis, seed), axis)
    found = complex_step(lambda value: structure.correlations(value, positions), natural)
    expected = structure.correlation_derivative(natural, positions)
    assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_correlations_are_symmetric_and_positive_definite(structure, axis, seed):
    natural = structure.natural(some_rho(structure, axis, seed), axis)
    found = structure.correlations(natural, some_positions(structure))
    assert_allclose(found, found.swapaxes(1, 2), rtol=1e-15)
    assert_allclose(np.diagonal(found, axis1=1, axis2=2), 1.0, rtol=1e-14)
    assert np.linalg.eigvalsh(found).min() > 1e-6


def test_correlations_are_those_of_the_rows_in_any_order(structure, axis):
    positions, order = some_positions(structure), np.array([2, 0, 3, 1])
    natural = structure.natural(some_rho(structure, axis, 0), axis)
    found = structure.correlations(natural, positions[:, order])
    expected = structure.correlations(natural, positions)[:, order[:, None], order]
    assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.filterwarnings("error")
def test_boundaries_can_be_reached(structure, axis):
    positions = some_positions(structure)
    n = structure.n_parameters(axis)
    for far in itertools.islice(itertools.product([-40.0, 40.0], repeat=n), 16):
        natural = structure.natural(np.array(far), axis)
        assert np.isfinite(natural).all()
        assert np.isfinite(structure.natural_derivative(np.array(far), axis)).all()
        assert np.isfinite(structure.reported(np.array(far), axis)).all()
        try:
            found = structure.correlations(natural, positions)
            slopes = structure.correlation_derivative(natural, positions)
        except np.linalg.LinAlgError:
            # A series with a unit root has no autocorrelations.
            assert isinstance(structure, ARMA)
            continue
        assert np.isfinite(slopes).all()
        assert np.linalg.eigvalsh(found).min() > -1e-10


@pytest.mark.parametrize("name", MARKOV)
def test_correlations_of_a_chain_are_products_of_its_steps(name):
    structure = CORRELATIONS[name]
    axis, positions = AXES[structure.axis_kind], some_positions(structure)
    natural = structure.natural(some_rho(structure, axis, 0), axis)
    before, after = positions[:, :-1], positions[:, 1:]
    steps = structure.steps(natural, before, after)
    assert_allclose(structure.correlations(natural, positions), product_of_steps(steps), rtol=1e-13)
    found = structure.step_derivative(natural, before, after)
    expected = differences(lambda value: structure.steps(value, before, after), natural)
    assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("unit", [1e-9, 7.0, 1e9])
def test_units_of_time_and_space_do_not_matter(name, unit):
    structure = CORRELATIONS[name]
    axis, positions = AXES[structure.axis_kind], some_positions(structure)
    rho = some_rho(structure, axis, 0)
    natural = structure.natural(rho, axis)
    scaled = structure.natural(rho, replace(axis, unit=axis.unit * unit))
    assert_allclose(
        structure.correlations(scaled, positions * unit),
        structure.correlations(natural, positions),
        rtol=1e-12,
    )
    assert_allclose(scaled, natural * unit, rtol=1e-12)


@pytest.mark.parametrize("name", MEASURED)
def test_correlations_are_continuous_in_the_positions(name):
    structure = CORRELATIONS[name]
    axis, positions = AXES[structure.axis_kind], some_positions(structure)
    natural = structure.natural(some_rho(structure, axis, 0), axis)
    near = structure.correlations(natural, positions * (1.0 + 1e-7))
    assert_allclose(near, structure.correlations(natural, positions), atol=1e-6)


def test_phi_is_reported_per_unit_of_time():
    structure, rho = CORRELATIONS["car1"], np.array([0.3])
    per_hour, per_minute = (structure.reported(rho, Axis(unit=unit)) for unit in (1.0, 60.0))
    assert_allclose(per_hour, per_minute**60, rtol=1e-12)
    assert_allclose(per_hour, np.exp(-np.exp(-0.3)), rtol=1e-12)
    slope = complex_step(lambda free: structure.reported(free, Axis()), rho)
    assert_allclose(slope[0], per_hour * np.exp(-0.3), rtol=1e-12)


def test_a_learned_structure_reports_phi():
    columns = {"time": np.array([0.0, 0.5, 2.0])}
    learned = learn_residual(CORRELATIONS["car1"], columns, np.zeros(3, dtype=np.intp))
    assert learned.names == ["phi"]
    assert_allclose(learned.reported(np.zeros(1)), np.exp(-1 / learned.axis.unit), rtol=1e-12)


@dataclass(frozen=True)
class Damped(Correlation):
    """A user's own structure: a share of the correlation stays, the rest falls with the lag."""

    time: str
    group: str | None = None
    by: str | None = None
    axis_kind: ClassVar = "real"

    def n_parameters(self, axis):
        return 2

    def names(self, axis):
        return ["share", "range"]

    def natural(self, rho, axis):
        return np.stack([1 / (1 + np.exp(-rho[0])), np.exp(rho[1])])

    def correlations(self, natural, positions):
        lags = np.abs(positions[:, :, None] - positions[:, None, :])
        return natural[0] + (1 - natural[0]) * np.exp(-lags / natural[1])


def test_a_structure_of_ones_own_has_exact_derivatives():
    positions = np.array([[0.0, 0.5, 2.0]])
    rho = np.array([0.3, -0.2])
    structure, axis = Damped("time"), Axis()
    share, reach = natural = structure.natural(rho, axis)
    lags = np.abs(positions[:, :, None] - positions[:, None, :])
    fall = np.exp(-lags / reach)
    assert_allclose(
        structure.correlation_derivative(natural, positions),
        [1 - fall, (1 - share) * fall * lags / reach**2],
        rtol=1e-14,
    )
    assert_allclose(
        structure.natural_derivative(rho, axis), np.diag([share * (1 - share), reach]), rtol=1e-14
    )
    assert structure.scales(axis) == ["fisher", "fisher"]
    assert_allclose(structure.start(axis), 0.0)


class Holder(BaseEstimator):
    """Stand for an estimator with a residual structure."""

    def __init__(self, residual=None):
        self.residual = residual


@pytest.mark.parametrize("name", CORRELATIONS | VARIANCES)
def test_structures_are_values(name):
    structure = (CORRELATIONS | VARIANCES)[name]
    copies = [
        copy.deepcopy(structure),
        pickle.loads(pickle.dumps(structure)),
        clone(Holder(structure)).residual,
        replace(structure),
    ]
    for one in copies:
        assert one == structure
        assert hash(one) == hash(structure)
        assert repr(one) == repr(structure)
    assert set(copies) == {structure}
    others = [one for key, one in (CORRELATIONS | VARIANCES).items() if key != name]
    assert structure not in others
    assert structure * others[0] == copies[0] * others[0]


def test_lists_of_columns_are_as_good_as_tuples():
    listed = Exponential(["x", "y"], group=["site", "plot"])
    assert listed == Exponential(("x", "y"), group=("site", "plot"))
    assert len({listed, Exponential(("x", "y"), group=("site", "plot"))}) == 1
