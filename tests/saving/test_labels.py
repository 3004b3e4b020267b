"""Indexes of labels become plain arrays, and come back in their own type."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from dateutil import tz
from pandas.testing import assert_index_equal

from skmixed.saving.labels import PlainLabels

INDEXES = {
    "int": pd.Index([3, 1]),
    "int8": pd.Index(np.array([3, 1], dtype=np.int8)),
    "bool": pd.Index([True, False]),
    "datetime": pd.DatetimeIndex(["2020-01-01", "1969-12-31"]),
    "zone": pd.DatetimeIndex(["2020-10-25 00:30", "2020-10-25 01:30"], tz="UTC").tz_convert(
        "Europe/Vienna"
    ),
    "offset": pd.DatetimeIndex(["2020-10-25 00:30"], tz="+02:00"),
    "timedelta": pd.to_timedelta([1, 2], "s"),
    "period": pd.period_range("2020-01", periods=3, freq="Q"),
    "interval": pd.interval_range(0, 3),
    "text": pd.Index(["b", "", "\u00e9\0"]),
    "text as objects": pd.Index(["b", "\ud800"], dtype=object),
    "string": pd.Index(["b", "a"], dtype="string"),
    "Int64": pd.Index([2, 1], dtype="Int64"),
    "Float32": pd.Index([2.5, 1], dtype="Float32"),
    "boolean": pd.Index([True], dtype="boolean"),
    "mixed": pd.Index([1, "a", (2, 3)], dtype=object),
    "nothing": pd.Index([], dtype="string"),
    "combinations": pd.MultiIndex.from_arrays([["b", "a"], [2, 1]], names=["x", "y"]),
    "of one part": pd.MultiIndex.from_arrays([["b", "a"]]),
}


@pytest.mark.parametrize("name", INDEXES)
def test_labels_come_back(name):
    labels = INDEXES[name]
    assert_index_equal(pickle.loads(pickle.dumps(PlainLabels(labels))).index, labels)


@pytest.mark.parametrize("name", INDEXES)
def test_the_state_has_neither_pandas_nor_arrow(name):
    assert_plain(PlainLabels(INDEXES[name]).__getstate__(), objects=name in {"mixed", "interval"})


def assert_plain(value, *, objects):
    """Check that a state is made of containers, texts and arrays that NumPy saves by itself."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            assert_plain(one, objects=objects)
    elif isinstance(value, np.ndarray):
        assert type(value) is np.ndarray
        assert objects or not value.dtype.hasobject
    else:
        assert value is None or type(value) is str


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pd.Index([2, 1], dtype="int64"), pd.Index([2, 1])),
        (pd.Index(["b", "a"]), pd.Index(["b", "a"])),
    ],
    ids=["numbers", "text"],
)
def test_columns_of_arrow_are_loaded_without_it(labels, expected):
    pyarrow = pytest.importorskip("pyarrow")
    kept = labels.astype(pd.ArrowDtype(pyarrow.array(labels.tolist()).type))
    assert_index_equal(pickle.loads(pickle.dumps(PlainLabels(kept))).index, expected)


def test_a_time_zone_without_a_name_becomes_utc():
    labels = pd.DatetimeIndex(["2020-10-25 00:30"], tz=tz.tzrange("EST", -18000))
    loaded = pickle.loads(pickle.dumps(PlainLabels(labels))).index
    assert loaded.equals(labels.tz_convert("UTC"))
    assert labels.get_indexer(loaded).tolist() == [0]


def test_long_labels_take_the_room_of_their_letters():
    labels = pd.Index([f"{i}" for i in range(1000)] + ["x" * 10_000])
    assert len(pickle.dumps(PlainLabels(labels))) < 30_000
