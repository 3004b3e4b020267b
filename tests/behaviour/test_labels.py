"""Rows of BEHAVIOUR.md on group labels: types, order, unseen ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import GroupDtypeWarning, MixedLM, RandomInterceptRegressor, mixedlm

CATEGORIES = [f"s{i}" for i in (7, 3, 9, 0, 1, 2, 4, 5, 6, 8)]
CONVERSIONS: dict[str, Any] = {
    "str": lambda codes: np.array([f"s{c}" for c in codes]),
    "object": lambda codes: np.array([f"s{c}" for c in codes], dtype=object),
    "string": lambda codes: pd.array([f"s{c}" for c in codes], dtype="string"),
    "int": lambda codes: codes,
    "negative int": lambda codes: -codes,
    "int8": lambda codes: codes.astype(np.int8),
    "float": lambda codes: codes / 2,
    "float32": lambda codes: codes.astype(np.float32),
    "mixed": lambda codes: np.array([c if c % 2 else f"s{c}" for c in codes], dtype=object),
    "tuple": lambda codes: pd.Series([(int(c), "a") for c in codes]).array,
    "category": lambda codes: pd.Categorical([f"s{c}" for c in codes]),
    "ordered category": lambda codes: pd.Categorical(
        [f"s{c}" for c in codes], categories=CATEGORIES, ordered=True
    ),
    "unused levels": lambda codes: pd.Categorical(
        [f"s{c}" for c in codes], categories=["unused", *CATEGORIES, "none"]
    ),
    "datetime": lambda codes: pd.Timestamp("2020-02-29") + pd.to_timedelta(codes, "D"),
    "datetime64": lambda codes: np.datetime64("2020-02-29") + codes.astype("timedelta64[D]"),
    "zoned datetime": lambda codes: (
        pd.Timestamp("2020-02-29", tz="Europe/Vienna") + pd.to_timedelta(codes, "D")
    ),
    "period": lambda codes: pd.PeriodIndex.from_ordinals(600 + codes, freq="M"),
    "Int64": lambda codes: pd.array(codes, dtype="Int64"),
    "1e15": lambda codes: 10**15 + codes,
    "near 2**63": lambda codes: 2**63 - 10 + codes,
    "Int64 near 2**63": lambda codes: pd.array(2**63 - 11 + codes, dtype="Int64"),
    "uint64": lambda codes: np.uint64(2**64 - 10) + codes.astype(np.uint64),
    "list": lambda codes: [f"s{c}" for c in codes],
    "big-endian int": lambda codes: codes.astype(">i8"),
    "big-endian float": lambda codes: codes.astype(">f8"),
    "big-endian str": lambda codes: np.array([f"s{c}" for c in codes], dtype=">U3"),
    "masked, none of them": np.ma.array,
}


@pytest.fixture
def codes(data):
    return data["school"].str[1:].astype(int).to_numpy()


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_every_type_of_label_gives_the_same_fit(X, y, codes, kind):
    base = RandomInterceptRegressor().fit(X[["x1", "x2"]], y, groups=codes)
    labels = CONVERSIONS[kind](codes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        as_array = RandomInterceptRegressor().fit(X[["x1", "x2"]], y, groups=labels)
        frame = X.assign(school=pd.Series(labels, index=X.index) if kind == "tuple" else labels)
        as_column = RandomInterceptRegressor("school").fit(frame, y)
    assert_allclose(as_array.log_likelihood_, base.log_likelihood_, rtol=1e-12)
    expected = base.predict(X[["x1", "x2"]], groups=codes)
    assert_allclose(as_array.predict(X[["x1", "x2"]], groups=labels), expected, rtol=1e-10)
    assert_allclose(as_column.predict(frame), expected, rtol=1e-10)
    assert len(as_column.groups_["school"]) == 10
    assert "unused" not in set(as_column.groups_["school"])


@pytest.mark.parametrize("kind", [k for k in CONVERSIONS if k not in ("tuple", "mixed")])
def test_every_type_of_label_in_a_formula(data, codes, kind):
    base = mixedlm("y ~ x1 + x2 + (1 | school)", data)
    changed = mixedlm("y ~ x1 + x2 + (1 | school)", data.assign(school=CONVERSIONS[kind](codes)))
    assert_allclose(changed.llf, base.llf, rtol=1e-12)


def test_bool_labels(X, y, codes):
    flags = codes < 5
    base = RandomInterceptRegressor().fit(X[["x1", "x2"]], y + 3 * flags, groups=flags.astype(int))
    model = RandomInterceptRegressor("school").fit(X.assign(school=flags), y + 3 * flags)
    assert_allclose(model.log_likelihood_, base.log_likelihood_, rtol=1e-12)
    assert list(model.groups_["school"]) == [False, True]


def test_large_ids_in_a_float_array_of_x_keep_apart(y, codes):
    """Ids of 1e15 are exact in float64, which an array of numbers has."""
    X = np.column_stack([np.arange(120.0), 1e15 + codes])
    assert len(RandomInterceptRegressor(-1).fit(X, y).groups_["x1"]) == 10


def test_large_ids_in_an_object_array_are_never_floats(y, codes):
    X = np.empty((120, 2), dtype=object)
    X[:, 0] = np.random.default_rng(0).normal(size=120)
    X[:, 1] = [2**63 - 10 + int(c) for c in codes]
    model = RandomInterceptRegressor(1).fit(X, y)
    assert [int(label) for label in model.groups_["x1"]] == [2**63 - 10 + c for c in range(10)]


def test_order_of_categories_never_matters(X, y):
    plain = X.assign(school=X["school"].astype("category"))
    turned = X.assign(school=pd.Categorical(X["school"], categories=CATEGORIES[::-1], ordered=True))
    one, other = (RandomInterceptRegressor("school").fit(t, y) for t in (plain, turned))
    assert list(one.groups_["school"]) == list(other.groups_["school"])
    assert np.array_equal(one.predict(turned), other.predict(plain))


def test_1_equals_1_0(X, y, codes):
    model = RandomInterceptRegressor().fit(X[["x1", "x2"]], y, groups=codes + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        as_float = model.predict(X[["x1", "x2"]], groups=codes + 1.0)
    assert np.array_equal(as_float, model.predict(X[["x1", "x2"]], groups=codes + 1))


def test_another_type_of_labels_warns_and_names_both(X, y, codes):
    model = RandomInterceptRegressor("school").fit(X.assign(school=codes), y)
    text = X.assign(school=codes.astype(str))
    with pytest.warns(
        GroupDtypeWarning, match=r"'school'.*(integer|number).* 0, .*string.* '\d'\. Convert"
    ):
        predicted = model.predict(text)
    population = model.predict(X.assign(school=codes), include_random_effects=False)
    assert_allclose(predicted, population)


def test_new_labels_of_the_same_type_do_not_warn(X, y, codes):
    model = RandomInterceptRegressor("school").fit(X.assign(school=codes), y)
    new = X.assign(school=codes + 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted = model.predict(new)
    assert_allclose(predicted, model.predict(new, include_random_effects=False))


def test_one_known_label_among_them_does_not_warn(X, y, codes):
    model = RandomInterceptRegressor().fit(X[["x1", "x2"]], y, groups=codes.astype(object))
    labels = codes.astype(str).astype(object)
    labels[0] = codes[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted = model.predict(X[["x1", "x2"]], groups=labels)
    known = model.predict(X[["x1", "x2"]], groups=codes.astype(object))
    population = model.predict(X[["x1", "x2"]], include_random_effects=False)
    assert_allclose(predicted, np.where(np.arange(len(X)) == 0, known, population))


def test_unseen_groups_get_the_population_mean(X, y):
    model = MixedLM("school", random_slopes="x1").fit(X, y)
    mixed = X.copy()
    mixed.loc[:2, "school"] = ["NEW", "OTHER", "NEW"]
    predicted = model.predict(mixed)
    assert predicted.shape == (120,)
    assert_allclose(predicted[:3], model.predict(X, include_random_effects=False)[:3])
    assert_allclose(predicted[3:], model.predict(X)[3:])


def test_unseen_groups_can_be_an_error(X, y):
    model = RandomInterceptRegressor("school", unseen_groups="error").fit(X, y)
    mixed = X.copy()
    mixed.loc[:2, "school"] = ["NEW", "OTHER", "NEW"]
    message = r"unknown groups \['NEW', 'OTHER'\] \(3 of 120 rows\) in 'school'.*'population'"
    with pytest.raises(ValueError, match=message):
        model.predict(mixed)
    mixed["school"] = [f"n{i}" for i in range(120)]
    with pytest.raises(ValueError, match=r"'n4', \.\.\.\] \(120 of 120 rows\)"):
        model.predict(mixed)
    assert model.predict(mixed, include_random_effects=False).shape == (120,)


def test_unseen_groups_can_be_an_error_in_a_formula(data):
    model = MixedLM(formula="y ~ x1 + (1 | school)", unseen_groups="error").fit(data)
    data.loc[:2, "school"] = "NEW"
    with pytest.raises(ValueError, match=r"unknown groups \['NEW'\] \(3 of 120 rows\)"):
        model.predict(data)
