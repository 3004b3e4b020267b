"""Residual structures as text."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.residual import (
    AR1,
    CAR1,
    AnteDependence,
    CompoundSymmetry,
    Exponential,
    Gaussian,
    Heterogeneous,
    Toeplitz,
    Unstructured,
    parse_residual,
)

BY_VISIT = Heterogeneous("v")
BY_ARM = Heterogeneous("arm")
BY_BOTH = Heterogeneous(("arm", "v"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("us(v | id)", Unstructured("v", "id")),
        ("diag(v | id)", BY_VISIT),
        ("cs(v | id)", CompoundSymmetry("v", "id")),
        ("csh(v | id)", CompoundSymmetry("v", "id") * BY_VISIT),
        ("ar1(v | id)", AR1("v", "id")),
        ("ar1h(v | id)", AR1("v", "id") * BY_VISIT),
        ("toep(v | id)", Toeplitz("v", "id")),
        ("toeph(v | id)", Toeplitz("v", "id") * BY_VISIT),
        ("ad(v | id)", AnteDependence("v", "id")),
        ("adh(v | id)", AnteDependence("v", "id") * BY_VISIT),
        ("ou(v | id)", CAR1("v", "id")),
        ("sp_exp(x, y | id)", Exponential(("x", "y"), "id")),
        ("sp_gau(x | id)", Gaussian(("x",), "id")),
    ],
)
def test_every_name(text, expected):
    assert parse_residual(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("us(v | arm/id)", Unstructured("v", "id", "arm")),
        ("diag(v | arm/id)", BY_BOTH),
        ("cs(v | arm/id)", CompoundSymmetry("v", "id", "arm") * BY_ARM),
        ("csh(v | arm / id)", CompoundSymmetry("v", "id", "arm") * BY_BOTH),
        ("ar1(v | arm/id)", AR1("v", "id", "arm") * BY_ARM),
        ("ar1h(v | arm/id)", AR1("v", "id", "arm") * BY_BOTH),
        ("toep(v | arm/id)", Toeplitz("v", "id", "arm") * BY_ARM),
        ("ad(v | arm/id)", AnteDependence("v", "id", "arm") * BY_ARM),
        ("adh(v | arm/id)", AnteDependence("v", "id", "arm") * BY_BOTH),
        ("ou(v | arm/id)", CAR1("v", "id", "arm") * BY_ARM),
        ("sp_exp(x, y | arm/id)", Exponential(("x", "y"), "id", "arm") * BY_ARM),
        ("sp_gau(x | arm/id)", Gaussian(("x",), "id", "arm") * BY_ARM),
    ],
)
def test_each_arm_has_parameters_and_variances_of_its_own(text, expected):
    assert parse_residual(text) == expected


def test_strata_of_several_columns_are_one_list():
    strata = parse_residual("ar1h(v | arm:sex/id)").factors[1]
    assert strata == Heterogeneous(("arm", "sex", "v"))
    assert parse_residual("us(v | arm:sex/id)").factors[1] == strata


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ar1(study.day | patient.id)", AR1("study.day", "patient.id")),
        ("ar1(`study day` | `patient | id`)", AR1("study day", "patient | id")),
        ("  us ( v|id )\n", Unstructured("v", "id")),
        ("ar1(v + 0 | id)", AR1("v", "id")),
        ("ou(0 + v | id)", CAR1("v", "id")),
        ("cs(v | site:id)", CompoundSymmetry("v", ("site", "id"))),
    ],
)
def test_names_of_columns(text, expected):
    assert parse_residual(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("un(v | id)", r"Unknown .* 'un' in .*one of \['us', 'diag', .*Did you mean 'us'\?"),
        ("AR1(v | id)", r"Unknown .* 'AR1' .*Did you mean 'ar1'\?"),
        ("quux(v | id)", r"Unknown .* 'quux' .*'sp_gau'\]\.$"),
        ("ar1", r"'ar1' is not a residual structure: expected name\(time \| group\)\. Write"),
        ("(v | id)", r"is not a residual structure: expected"),
        ("ar1(v | id) + 1", r"is not a residual structure: expected"),
        ("ar1(v)", r"wrong number of bars .* expected ar1\(time \| group\) or ar1\(time \| by/"),
        ("ar1(v | id | x)", r"wrong number of bars"),
        ("ar1(v || id)", r"wrong number of bars"),
        ("us(v | a/b/id)", r"wrong number of bars or slashes"),
        ("us(v, w | id)", r"2 columns before the bar: expected one, .* Only sp_exp and sp_gau"),
        ("us(log(v) | id)", r"'log\(v\)' in .* is not the name of a column: expected a word"),
        ("us(1 | id)", r"'1' in .* is not the name"),
        ("us( | id)", r"'' in .* is not the name"),
        ("us(v | )", r"'' in .* is not the name"),
        ("us(v | id", r"never closed"),
    ],
)
def test_texts_that_are_none(text, message):
    with pytest.raises(ValueError, match=message):
        parse_residual(text)


def test_what_is_no_text():
    with pytest.raises(TypeError, match=r"must be a str, got AR1\. Write"):
        parse_residual(AR1())


CSH = [104.61267670980806, 38.613655919935674, 31.314509765495387, 178.9141364221813]
AR1H = [92.31634058566401, 38.518828282535665, 35.21375679394716, 176.3707538888468]
TOEPH = [90.40410870032815, 38.59267448604211, 36.1518157218239, 175.78007064045926]
VARIANCE = {"ad": 93.93865767869192, "sp_exp": 88.98650444545397}


@pytest.mark.parametrize(
    ("text", "natural", "variances", "expected"),
    [
        (
            "csh(v | id)",
            [0.15823028805247916],
            CSH,
            [10.0566245603906, 9.056378906263523, 21.6473183593313, 11.843627931471117],
        ),
        (
            "ar1h(v | id)",
            [0.4130251716751393],
            AR1H,
            [24.629315644803388, 9.726319046508262, 8.990464638170579, 32.54962475724828],
        ),
        (
            "toeph(v | id)",
            [0.4295320158575525, 0.04570355196506368, -0.3115522125502737],
            TOEPH,
            [25.37126157137287, 2.6128176152250964, -39.27441651093626, 34.24091920028914],
        ),
        (
            "ad(v | id)",
            [0.6760423144447512, 0.5897969299830818, 0.1884678623873143],
            [VARIANCE["ad"]] * 4,
            [63.506507552936085, 37.455943188669096, 7.05924154646915, 17.704418008236736],
        ),
        (
            "sp_exp(v | id)",
            [1.1756713361317306],
            [VARIANCE["sp_exp"]] * 4,
            [38.01218896663383, 16.237591520642034, 6.936179829650431, 38.01218896663383],
        ),
    ],
)
def test_covariances_of_mmrm(text, natural, variances, expected):
    """Between the visits 1 and 2, 1 and 3, 1 and 4, 3 and 4 of its data on FEV."""
    correlation, *heterogeneous = parse_residual(text).factors
    visits = np.arange(4)
    positions = visits[None, :, None] if text.startswith("sp") else visits[None]
    sd = np.full(4, np.sqrt(variances[0]))
    if heterogeneous:
        learned = heterogeneous[0].learn({"v": visits})
        rho = np.log(np.sqrt(np.array(variances[1:]) / variances[0]))
        sd *= np.exp(learned.rows({"v": visits}).logarithms(rho))
    found = sd[:, None] * correlation.correlations(np.array(natural), positions)[0] * sd
    assert_allclose(found[[0, 0, 0, 2], [1, 2, 3, 3]], expected, rtol=1e-12)
    assert_allclose(np.diag(found), variances, rtol=1e-12)
