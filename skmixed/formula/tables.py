"""Tables that cannot be read as they are, and what makes them readable."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["require_different_names", "require_table"]

# Found by a method or attribute of their class: tables of Spark, dask, polars (lazy) and pyarrow.
REMEDIES = {
    "toPandas": "toPandas()",
    "__dask_graph__": "compute()",
    "collect": "collect()",
    "column_names": "to_pandas()",
}


def require_table(data: Any, argument: str) -> None:
    """Raise unless a table holds its rows, in columns that have one name each."""
    # A column of a data frame may have any of these names: its class tells what it is.
    kind = type(data)
    if not hasattr(kind, "columns"):
        return
    for attribute, remedy in REMEDIES.items():
        if hasattr(kind, attribute):
            raise TypeError(
                f"{argument} must be a data frame of pandas or polars, or plain arrays; got "
                f"{kind.__name__} of {kind.__module__.partition('.')[0]}. Pass {argument}.{remedy}."
            )
    if isinstance(data.columns, pd.MultiIndex):
        raise ValueError(
            f"{argument} has columns with {data.columns.nlevels} names each (a MultiIndex), such "
            f"as {data.columns[0]!r}: expected one name for each column. Join them, for instance "
            f"{argument}.columns = ['_'.join(map(str, names)) for names in {argument}.columns]."
        )


def require_different_names(data: Any, argument: str) -> None:
    """Raise ValueError if two columns of a table have the same name."""
    names = list(getattr(data, "columns", ()))
    if len(set(names)) < len(names):
        name = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"{argument} has {names.count(name)} columns named {name!r}: expected different names. "
            "Rename them, or leave out those that are not meant."
        )
