"""Structures of residual variances: what each promises, and what they refuse."""

from __future__ import annotations

import pickle
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed.residual import (
    VARIANCES,
    Heterogeneous,
    KnownVariance,
    VarianceExponential,
    VariancePower,
)
from skmixed.residual.differentiation import complex_step

COLUMNS = {
    "stratum": np.array(["a", "b", "a", "c", "b", "c"]),
    "covariate": np.array([8.0, -10.0, 12.5, 3.0, 0.1, 1.0]),
    "variance": np.array([0.04, 1.0, 0.25, 9.0, 1e-8, 1e8]),
}


@pytest.fixture(params=VARIANCES)
def structure(request):
    return VARIANCES[request.param]


def some_rho(learned) -> np.ndarray:
    return np.random.default_rng(0).normal(size=learned.n_parameters)


def test_names_and_scales_have_the_length_of_the_parameters(structure):
    learned = structure.learn(COLUMNS)
    assert len(set(learned.names)) == len(learned.scales) == learned.n_parameters
    assert learned.natural(some_rho(learned)).shape == (learned.n_parameters,)


def test_derivative_of_the_logarithms(structure):
    learned = structure.learn(COLUMNS)
    rows, rho = learned.rows(COLUMNS), some_rho(learned)
    found = rows.derivative()
    assert found.shape == (learned.n_parameters, 6)
    zero = rows.logarithms(np.zeros(learned.n_parameters))
    assert_allclose(rho @ found, rows.logarithms(rho) - zero, atol=1e-12)
    weights = np.arange(6.0)
    assert_allclose(rows.summed(weights), found @ weights, rtol=1e-14)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [-40.0, 40.0])
def test_natural_parameters_are_finite_far_out(structure, far):
    learned = structure.learn(COLUMNS)
    rho = np.full(learned.n_parameters, far)
    assert np.isfinite(learned.natural(rho)).all()
    assert np.isfinite(complex_step(learned.natural, rho)).all()
    assert np.isfinite(np.exp(learned.rows(COLUMNS).logarithms(rho))).all()


def test_new_rows_have_the_deviations_of_the_same_training_rows(structure):
    learned = pickle.loads(pickle.dumps(structure.learn(COLUMNS)))
    new = {name: values[[4, 2]] for name, values in COLUMNS.items()}
    rho = some_rho(learned)
    expected = learned.rows(COLUMNS).logarithms(rho)[[4, 2]]
    assert_allclose(learned.rows(new).logarithms(rho), expected, rtol=1e-14)


def test_only_known_variances_fix_sigma(structure):
    assert structure.learn(COLUMNS).fixes_sigma == isinstance(structure, KnownVariance)


@pytest.mark.parametrize(
    ("structure", "value", "expected"),
    [
        # 1 / varWeights(Initialize(varPower(0.7, form = ~ age), ...)) of nlme, and varExp(0.02).
        (VariancePower("age"), 0.7, [4.2870938501451725, 5.0118723362727229, 5.8591822789802483]),
        (
            VarianceExponential("age"),
            0.02,
            [1.17351087099181028, 1.22140275816016985, 1.28402541668774139],
        ),
    ],
)
def test_deviations_of_nlme(structure, value, expected):
    columns = {"age": [8.0, 10.0, 12.5]}
    learned = structure.learn(columns)
    rho = value / learned.natural(np.ones(1))
    assert_allclose(learned.natural(rho), value, rtol=1e-14)
    assert_allclose(np.exp(learned.rows(columns).logarithms(rho)), expected, rtol=1e-14)


def test_powers_of_negative_covariates_are_those_of_their_size():
    learned = VariancePower("v").learn({"v": [-2.0, 2.0, 3.0]})
    logs = learned.rows({"v": [-2.0, 2.0]}).logarithms(np.array([1.0]))
    assert logs[0] == logs[1] != 0.0


def test_strata_have_parameters_of_their_own():
    structure = VariancePower("covariate", by="stratum")
    learned = structure.learn(COLUMNS)
    assert learned.names == ["power a", "power b", "power c"]
    rho = np.array([1.0, -2.0, 0.5])
    power = learned.natural(rho)[np.array([0, 1, 0, 2, 1, 2])]
    expected = power * np.log(np.abs(COLUMNS["covariate"]))
    assert_allclose(learned.rows(COLUMNS).logarithms(rho), expected, rtol=1e-13, atol=1e-15)


def test_a_free_parameter_changes_the_logarithms_by_at_most_itself():
    for unit in (1e-6, 1.0, 1e6):
        columns = {"v": unit * np.array([1.0, -4.0, 2.0])}
        rows = VarianceExponential("v").learn(columns).rows(columns)
        assert_allclose(rows.logarithms(np.ones(1)), [0.25, -1.0, 0.5], rtol=1e-14)


def test_a_covariate_that_says_nothing_has_a_parameter_all_the_same():
    columns = {"v": np.zeros(3)}
    learned = VarianceExponential("v").learn(columns)
    assert_allclose(learned.rows(columns).logarithms(np.ones(1)), 0.0)
    assert_allclose(learned.natural(np.ones(1)), 1.0)


@pytest.mark.parametrize("kind", [VariancePower, VarianceExponential])
def test_fitted_values_are_no_column_of_the_data(kind):
    structure = kind("fitted", by="stratum")
    assert structure.of_fitted
    assert structure.columns == structure.label_columns == ("stratum",)
    assert kind("age", by=["arm", "sex"]).columns == ("age", "arm", "sex")
    assert not kind("age").of_fitted
    learned = structure.learn({"fitted": np.array([1.0, 4.0]), "stratum": ["a", "b"]})
    later = learned.rows({"fitted": np.array([2.0, 8.0]), "stratum": ["a", "b"]})
    first = learned.natural(np.ones(2)) * structure.predictor([2.0, 8.0])
    assert_allclose(later.logarithms(np.ones(2)), first, rtol=1e-14)


def test_known_variances():
    learned = KnownVariance("variance").learn(COLUMNS)
    found = np.exp(2 * learned.rows(COLUMNS).logarithms(np.empty(0)))
    assert_allclose(found, COLUMNS["variance"], rtol=1e-14)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 0.0, -2.0], r"'vi' of KnownVariance must be positive, got \[0, -2\] in 2 of 3 rows"),
        ([1.0, np.nan, 2.0], r"'vi' of KnownVariance must be finite, got \[nan\] in 1 of 3 rows"),
        ([1.0, np.inf, 2.0], r"must be finite, got \[inf\] in 1 of 3 rows"),
        (["a", "b", "c"], r"'vi' of KnownVariance must be numbers, got values such as 'a'"),
        ([datetime(2020, 1, 1)], r"must be numbers, got values such as .*Convert them"),
        ([0.0] * 9, r"got \[0, 0, 0, 0, 0, \.\.\.\] in 9 of 9 rows\. Give these rows"),
    ],
)
def test_variances_that_are_none(values, message):
    columns = {"vi": values}
    with pytest.raises(ValueError, match=message):
        KnownVariance("vi").learn(columns).rows(columns)


@pytest.mark.parametrize("values", [[2.0, 0.0, 1.0], pd.Series([0, 1], dtype="Int64")])
def test_powers_of_zero_are_refused_with_the_remedy(values):
    message = r"'age' of VariancePower must not be 0.* got \[0\] .* VarianceExponential\('age'\)"
    with pytest.raises(ValueError, match=message):
        VariancePower("age").learn({"age": values})


@pytest.mark.parametrize("structure", [Heterogeneous("arm"), VariancePower("v", by="arm")])
def test_rows_of_a_new_stratum_have_no_known_variance(structure):
    learned = structure.learn({"arm": ["a", "b"], "v": [1.0, 2.0]})
    message = r"unknown groups \['c'\] \(1 of 2 rows\) in 'arm'\. Their residual variance was not"
    with pytest.raises(ValueError, match=message):
        learned.rows({"arm": ["c", "b"], "v": [1.0, 2.0]})
