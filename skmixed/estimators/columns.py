"""Columns of X that a user names, finds by position, or picks by a callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing

from skmixed.formula.tables import require_different_names, require_table

__all__ = [
    "column_name",
    "column_names",
    "framed",
    "has_columns",
    "label_column",
    "require_readable",
    "resolve_columns",
]


def has_columns(X: Any) -> bool:
    """Tell whether X is a data frame."""
    return hasattr(X, "columns")


def require_readable(X: Any, argument: str = "X") -> None:
    """Raise unless X is an array, or a table whose rows are there under different names."""
    require_table(X, argument)
    require_different_names(X, argument)


def framed(X: Any) -> Any:
    """Return a mapping of columns as a data frame, and anything else as it is."""
    require_readable(X)
    # One of SciPy's sparse matrices is a dictionary.
    return pd.DataFrame(X) if isinstance(X, Mapping) and not issparse(X) else X


def column_names(X: Any) -> list[str] | None:
    """Return the names of the columns, None for an array."""
    return [str(name) for name in X.columns] if has_columns(X) else None


def column_name(X: Any, position: int) -> str:
    """Return the name of one column, as scikit-learn makes it up for arrays."""
    names = column_names(X)
    return names[position] if names is not None else f"x{position}"


def label_column(X: Any, position: int) -> Any:
    """Return one column with the type that it has in X."""
    if not has_columns(X):
        return X[:, position]
    if hasattr(X, "iloc"):
        return X.iloc[:, position]
    return X[X.columns[position]]


def fixed_columns(X: Any, without: Sequence[int]) -> Any:
    """Return X without some columns."""
    n_columns = X.shape[1]
    kept = [j for j in range(n_columns) if j not in set(without)]
    if len(kept) == n_columns:
        return X
    if not has_columns(X):
        return X[:, kept]
    return _safe_indexing(X, kept, axis=1)


def resolve_columns(specification: Any, X: Any, argument: str) -> list[int]:
    """Return the positions of the columns that a constructor argument asks for.

    A name must be that of a column, or else the end of exactly one, behind ``"__"``: so
    ``"subject"`` finds the ``"remainder__subject"`` of a ColumnTransformer. A callable gets X.
    """
    if callable(specification):
        return resolve_columns(_chosen(specification, X), X, argument)
    if isinstance(specification, (list, tuple)):
        return [_position(one, X, argument) for one in specification]
    return [_position(specification, X, argument)]


def _chosen(choose: Callable[[Any], Any], X: Any) -> list[Any]:
    """Return what a callable picks, as a list."""
    chosen = choose(X)
    return [chosen] if isinstance(chosen, (str, int, np.integer)) else list(chosen)


def _position(one: Any, X: Any, argument: str) -> int:
    """Return the position of one column."""
    if isinstance(one, str):
        return _named_position(one, X, argument)
    if isinstance(one, (int, np.integer)) and not isinstance(one, bool):
        n_columns = X.shape[1]
        if not -n_columns <= one < n_columns:
            raise ValueError(
                f"{argument}={one} is no column of X, which has {n_columns} columns: "
                f"{_listed(X)}. Give a position between {-n_columns} and {n_columns - 1}."
            )
        return int(one) % n_columns
    raise ValueError(
        f"{argument} must be the name or position of columns of X, a list of these, or a callable; "
        f"got {type(one).__name__ if not np.isscalar(one) else repr(one)}. Pass an array of labels "
        "to fit(X, y, groups=...) instead."
    )


def _named_position(name: str, X: Any, argument: str) -> int:
    """Return the position of the column of that name."""
    names = column_names(X)
    if names is None:
        raise ValueError(
            f"{argument}={name!r} names a column, but X is an array without column names. In a "
            "pipeline "
            'call set_output(transform="pandas") on the transformers, or give the position of the '
            "column."
        )
    if name in names:
        return names.index(name)
    found = [j for j, column in enumerate(names) if column.endswith(f"__{name}")]
    if len(found) == 1:
        return found[0]
    problem = "is no column" if not found else f"fits {[names[j] for j in found]}, several columns,"
    raise ValueError(f"{argument}={name!r} {problem} of X. The columns are {_listed(X)}.")


def _listed(X: Any) -> str:
    """List the columns of X, the first and last of very many."""
    names = column_names(X) or [f"x{j}" for j in range(X.shape[1])]
    return str(names) if len(names) <= 30 else f"{str(names[:20])[:-1]}, ..., {names[-1]!r}]"
