"""Tables that cannot be read as they are: one sentence says what came and what to pass instead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from skmixed import (
    GroupConformalRegressor,
    MixedLM,
    RandomInterceptRegressor,
    cross_validate_groups,
    mixedlm,
)
from skmixed.plots import ResidualsDisplay

FORMULA = "y ~ x1 + (1 | school)"


class DaskFrame:
    """Stand in for a data frame of dask, which has columns and a graph of how to compute them."""

    __module__ = "dask.dataframe.dask_expr._collection"

    def __init__(self, frame):
        self.frame = frame

    @property
    def columns(self):
        return self.frame.columns

    def __dask_graph__(self):
        return {}


def arrow(frame):
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


def lazy(frame):
    return pytest.importorskip("polars").from_pandas(frame).lazy()


TABLES = {
    "dask": (DaskFrame, r"got DaskFrame of dask\. Pass {}\.compute\(\)"),
    "pyarrow": (arrow, r"got Table of pyarrow\. Pass {}\.to_pandas\(\)"),
    "polars": (lazy, r"got LazyFrame of polars\. Pass {}\.collect\(\)"),
}
WAYS = {
    "columns": ("X", lambda table, y: MixedLM("school").fit(table, y)),
    "formula": ("X", lambda table, _: MixedLM(formula=FORMULA).fit(table)),
    "mixedlm": ("data", lambda table, _: mixedlm(FORMULA, table)),
    "conformal": ("X", lambda table, y: GroupConformalRegressor(MixedLM("school")).fit(table, y)),
    "validation": ("X", lambda table, y: cross_validate_groups(MixedLM("school"), table, y)),
    "groups": (
        "groups",
        lambda table, y: MixedLM().fit(np.arange(120.0)[:, None], y, groups=table),
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TABLES)
def test_a_table_whose_rows_cannot_be_read_is_told_what_to_become(data, kind, way):
    make, message = TABLES[kind]
    name, fit = WAYS[way]
    with pytest.raises(TypeError, match=message.format(name)):
        fit(make(data), data["y"])


def test_a_plot_says_so_too(X, y):
    model = MixedLM("school").fit(X, y)
    with pytest.raises(TypeError, match=r"got DaskFrame of dask\. Pass X\.compute\(\)"):
        ResidualsDisplay.from_estimator(model, DaskFrame(X), y)


def test_new_rows_are_told_so_too(data, X, y):
    for model in (MixedLM("school").fit(X, y), MixedLM(formula=FORMULA).fit(data)):
        with pytest.raises(TypeError, match=r"got DaskFrame of dask\. Pass X\.compute\(\)"):
            model.predict(DaskFrame(X))


def test_columns_of_a_frame_may_have_the_names_of_its_methods(data):
    renamed = data.rename(columns={"x1": "collect", "x2": "column_names"})
    results = mixedlm("y ~ collect + column_names + (1 | school)", renamed)
    assert results.llf == mixedlm("y ~ x1 + x2 + (1 | school)", data).llf


@pytest.mark.parametrize("way", ["columns", "formula", "mixedlm", "conformal"])
def test_several_levels_of_names_are_refused(data, way):
    data.columns = pd.MultiIndex.from_product([["a"], data.columns])
    name, fit = WAYS[way]
    message = rf"{name} has columns with 2 names each.*\('a', 'x1'\).*{name}\.columns = "
    with pytest.raises(ValueError, match=message):
        fit(data, data[("a", "y")])


@pytest.mark.parametrize("doubled", ["x1", "school"])
def test_a_name_given_twice_is_refused(data, X, y, doubled):
    twice = pd.concat([X, X[[doubled]]], axis=1)
    for model in (MixedLM("school"), GroupConformalRegressor(LinearRegression(), "school")):
        with pytest.raises(ValueError, match=f"X has 2 columns named '{doubled}'.*Rename"):
            model.fit(twice, y)
    with pytest.raises(ValueError, match=f"data have 2 columns named '{doubled}': expected one"):
        mixedlm(FORMULA, pd.concat([data, data[[doubled]]], axis=1))


def test_a_name_given_twice_that_the_formula_does_not_use_does_no_harm(data):
    more = pd.concat([data, data[["x2", "x2"]]], axis=1)
    assert mixedlm(FORMULA, more).llf == mixedlm(FORMULA, data).llf
    with pytest.raises(ValueError, match="X has 3 columns named 'x2'"):
        MixedLM(formula=FORMULA).fit(more)


WHEN = pd.Timestamp("2020-02-29") + pd.to_timedelta(np.arange(120), "D")
TIMES = {
    "datetime": WHEN,
    "zoned": WHEN.tz_localize("Europe/Vienna"),
    "timedelta": WHEN - WHEN[0],
    "period": WHEN.to_period("D"),
    "objects": WHEN.astype(object),
}


@pytest.mark.parametrize("kind", TIMES)
def test_dates_are_no_response(X, kind):
    for y in (pd.Series(TIMES[kind]), TIMES[kind].to_numpy()):
        with pytest.raises(ValueError, match=r"y holds dates or times.*pandas\.Timedelta"):
            RandomInterceptRegressor("school").fit(X, y)


@pytest.mark.parametrize("kind", TIMES)
def test_dates_are_no_predictors(X, y, kind):
    for columns in (X.assign(when=TIMES[kind]), X[["school"]].assign(when=TIMES[kind])):
        with pytest.raises(ValueError, match=r"columns \['when'\] of X hold dates or times"):
            RandomInterceptRegressor("school").fit(columns, y)
    for array in (TIMES[kind].to_numpy()[:, None], X.assign(x1=TIMES[kind]).to_numpy()[:, :2]):
        with pytest.raises(ValueError, match=r"X holds dates or times.*expected numbers"):
            RandomInterceptRegressor().fit(array, y, groups=X["school"])


def test_dates_of_polars_are_no_predictors(X, y):
    polars = pytest.importorskip("polars")
    columns = polars.from_pandas(X).with_columns(when=polars.Series(WHEN.to_numpy()))
    with pytest.raises(ValueError, match=r"columns \['when'\] of X hold dates or times"):
        RandomInterceptRegressor("school").fit(columns, y)
