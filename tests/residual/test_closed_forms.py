"""Residual correlations by their formulas, by each other, and by nlme."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from statsmodels.tsa.arima_process import arma_acf

from skmixed.residual import (
    AR1,
    ARMA,
    CAR1,
    AnteDependence,
    Axis,
    CompoundSymmetry,
    Exponential,
    Gaussian,
    Toeplitz,
    UnstructuredCorrelation,
)

EVERY = np.arange(5)[None]
SOME = np.array([[0, 1, 3, 6]])


def below(matrix: np.ndarray) -> np.ndarray:
    """Return the lower triangle column by column, as R has it."""
    return matrix.T[np.triu_indices(len(matrix), 1)]


@pytest.mark.parametrize("phi", [0.7, 0.05, -0.6])
def test_autoregression_in_all_its_forms(phi):
    expected = AR1().correlations(np.array([phi]), EVERY)
    by_lag = phi ** np.arange(1, 5)
    others = [
        ARMA(1, 0).correlations(np.array([phi]), EVERY),
        ARMA(1, 1).correlations(np.array([phi, 0.0]), EVERY),
        ARMA(2, 0).correlations(np.array([phi, 0.0]), EVERY),
        Toeplitz().correlations(by_lag, EVERY),
        AnteDependence().correlations(np.full(4, phi), EVERY),
        UnstructuredCorrelation().correlations(expected[0][np.tril_indices(5, -1)], EVERY),
    ]
    if phi > 0:
        others += [
            CAR1("t").correlations(np.array([-1 / np.log(phi)]), EVERY.astype(float)),
            Exponential("t").correlations(np.array([-1 / np.log(phi)]), EVERY[..., None]),
        ]
    for one in others:
        assert_allclose(one, expected, rtol=1e-12, atol=1e-14)


def test_moving_average_of_order_one():
    theta = 0.4
    found = ARMA(0, 1).correlations(np.array([theta]), EVERY)[0]
    assert_allclose(found[0], [1, theta / (1 + theta**2), 0, 0, 0], atol=1e-15)


@pytest.mark.parametrize(
    ("phi", "theta"),
    [([0.5], [0.3]), ([0.6, -0.3], []), ([], [0.4, 0.3]), ([0.6, -0.3], [0.4, 0.2, -0.1])],
)
def test_autocorrelations_are_those_of_statsmodels(phi, theta):
    found = ARMA(len(phi), len(theta)).correlations(np.array(phi + theta), np.arange(12)[None])
    expected = arma_acf(np.array([1.0, *(-np.array(phi))]), np.array([1.0, *theta]), lags=12)
    assert_allclose(found[0, 0], expected, atol=1e-13)


@pytest.mark.parametrize(
    ("structure", "natural", "expected"),
    [
        (
            ARMA(1, 1),
            [0.5, 0.3],
            [
                *(0.661870503597122406, 0.165467625899280657, 0.020683453237410093),
                *(0.330935251798561259, 0.041366906474820178, 0.165467625899280657),
            ],
        ),
        (
            ARMA(2, 1),
            [0.6, -0.3, 0.4],
            [
                *(0.605633802816901379, -0.143661971830985891, 0.019546478873239431),
                *(0.063380281690140844, -0.020028169014084496, -0.143661971830985891),
            ],
        ),
        (
            ARMA(3, 2),
            [0.6, -0.3, 0.2, 0.4, -0.25],
            [
                *(0.5166352793471439275, 0.0395480225988702125, 0.0074858757062147736),
                *(-0.0091023226616443204, 0.0641870684243566192, 0.0395480225988702125),
            ],
        ),
        (CompoundSymmetry(), [-0.2], [-0.2] * 6),
    ],
)
def test_correlations_of_nlme_at_integer_times(structure, natural, expected):
    found = structure.correlations(np.array(natural), SOME)[0]
    assert_allclose(below(found), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("structure", "natural", "expected"),
    [
        (
            Exponential(("u", "v")),
            1.7,
            [
                *(0.29739973822102694, 0.38998932295582983, 0.08844660429393536),
                *(0.16218507010065736, 0.11751270883313109, 0.13530601997198111),
            ],
        ),
        (
            Gaussian(("u", "v")),
            1.7,
            [
                *(0.22979027467301677, 0.4120221369182057725, 0.0027882170400494186),
                *(0.0365591592387780537, 0.0102060450068769525, 0.0182998017614128781),
            ],
        ),
    ],
)
def test_correlations_of_nlme_in_the_plane(structure, natural, expected):
    points = np.array([[[0.0, 1.0], [0.5, -1.0], [1.25, 2.0], [4.0, 0.0]]])
    found = structure.correlations(np.array([natural]), points)[0]
    assert_allclose(below(found), expected, rtol=1e-12)


def test_continuous_autoregression_of_nlme():
    reach = np.array([-1 / np.log(0.3)])
    found = CAR1("u").correlations(reach, np.array([[0.0, 0.5, 1.25, 4.0]]))[0]
    expected = [
        *(0.5477225575051660744, 0.2220248413476855753, 0.0081),
        *(0.4053600464421103222, 0.0147885090526394831, 0.0364824041797899221),
    ]
    assert_allclose(below(found), expected, rtol=1e-12)


def test_parameters_of_the_search_are_those_of_nlme():
    # Half of coef(Initialize(corARMA(...)), unconstrained = TRUE), which is log((1+r)/(1-r)).
    axis = Axis()
    found = ARMA(2, 1).natural(
        np.array([0.49926441505556346, -0.30951960420311175, 0.42364893019360184]), axis
    )
    assert_allclose(found, [0.6, -0.3, 0.4], rtol=1e-12)
    found = ARMA(0, 2).natural(np.array([0.31799438335999841, 0.30951960420311181]), axis)
    assert_allclose(found, [0.4, 0.3], rtol=1e-12)
    # corCompSymm's is log((rho + 1/(m - 1)) / (1 - rho)): less by log(m - 1).
    rho = np.array([-2.1972245773362196 + np.log(3.0)])
    assert_allclose(CompoundSymmetry().natural(rho, Axis(largest=4)), [-0.2], rtol=1e-12)


@pytest.mark.parametrize("largest", [1, 2, 3, 10])
def test_compound_symmetry_reaches_both_its_bounds(largest):
    structure, axis = CompoundSymmetry(), Axis(largest=largest)
    bounds = [structure.natural(np.array([far]), axis)[0] for far in (-800.0, 0.0, 800.0)]
    assert_allclose(bounds, [-1 / (max(largest, 2) - 1), 0.0, 1.0], rtol=1e-14)


def test_partial_autocorrelations_of_toeplitz_are_arbitrary():
    axis = Axis(occasions=tuple("abcd"))
    rho = np.array([-1.0, 2.0, -0.3])
    lags = Toeplitz().natural(rho, axis)
    C = Toeplitz().correlations(lags, np.arange(4)[None])[0]
    # The partial correlation of the first and the last of k + 1 occasions, given those between.
    for k in (1, 2, 3):
        precision = np.linalg.inv(C[: k + 1, : k + 1])
        partial = -precision[0, k] / np.sqrt(precision[0, 0] * precision[k, k])
        assert_allclose(partial, np.tanh(rho[k - 1]), rtol=1e-12)
    assert lags.min() < 0


def test_a_missed_visit_multiplies_the_correlations_across_it():
    r = np.array([0.9, -0.5, 0.3, 0.0])
    found = AnteDependence("visit").correlations(r, np.array([[0, 2, 3, 4]]))[0]
    assert_allclose(found[0], [1, 0.9 * -0.5, 0.9 * -0.5 * 0.3, 0.0], rtol=1e-15)
    assert AnteDependence("visit").names(Axis(occasions=tuple("abc"))) == ["cor a.b", "cor b.c"]


def test_ranges_are_those_of_sas():
    """SAS's SP(POW) reports exp(-1/range)."""
    reach = 2.5
    distance = np.array([[[0.0], [3.0]]])
    exponential = Exponential("t").correlations(np.array([reach]), distance)[0, 0, 1]
    gaussian = Gaussian("t").correlations(np.array([reach]), distance)[0, 0, 1]
    assert_allclose(exponential, np.exp(-1 / reach) ** 3.0, rtol=1e-14)
    assert_allclose(gaussian, np.exp(-1 / reach**2) ** 9.0, rtol=1e-14)


def test_autocorrelations_over_a_long_gap():
    found = ARMA(1, 1).correlations(np.array([0.999, -0.2]), np.array([[0, 1, 5000]]))[0]
    assert_allclose(found[0, 2], found[0, 1] * 0.999**4999, rtol=1e-10)


def test_arma_starts_where_its_parameters_can_be_told_apart():
    structure, axis = ARMA(1, 1), Axis()
    natural = structure.natural(structure.start(axis), axis)
    slopes = structure.correlation_derivative(natural, EVERY).reshape(2, -1)
    assert np.linalg.cond(slopes) < 10


@pytest.mark.parametrize("orders", [(0, 0), (-1, 2), (1.0, 1), ("1", 1)])
def test_orders_of_arma_that_are_none(orders):
    with pytest.raises(ValueError, match=r"p = .* expected integers .* ARMA\(1, 1, time='visit'\)"):
        ARMA(*orders)
