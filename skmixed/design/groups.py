"""Group labels of any type to integer codes, and back for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.labels import label_values
from skmixed.exceptions import GroupDtypeWarning, warn_user
from skmixed.formula.categories import shown_labels
from skmixed.saving.fields import FieldState
from skmixed.saving.labels import PlainLabels

__all__ = [
    "GroupingFactor",
    "Levels",
    "differs_within",
    "factorise",
    "factorise_interaction",
    "in_order_of_categories",
]

_REMEDY = "Drop these rows, or give them a label of their own."
_REMEDY_AT_PREDICT = (
    "Drop these rows, or give them a label of their own; an estimator with "
    "missing_groups='population' predicts them as rows of unseen groups."
)
_REMEDY_FOR_UNSEEN = "Set unseen_groups='population' to predict the population mean for them."
# Integers up to here are floating-point numbers too.
EXACT = 2**53


@dataclass(frozen=True, eq=False)
class Levels(FieldState):
    """Hold the distinct labels of one grouping factor, in sorted order, without any rows.

    Attributes
    ----------
    name : str
        Name of the factor; ``"a:b"`` for the interaction of two columns.
    values : array or index of length n_levels, a MultiIndex for an interaction
        The labels.
    """

    name: str
    values: Any

    def __len__(self) -> int:
        return len(self.values)

    def __getstate__(self) -> dict[str, Any]:
        """Return the name, and the labels as plain arrays."""
        return {"name": self.name, "values": PlainLabels(self.labels)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the name, and the labels in the type that they had."""
        super().__setstate__({**state, "values": state["values"].index})

    @cached_property
    def labels(self) -> pd.Index:
        """Return the labels as an index; a MultiIndex for an interaction."""
        # pd.Index() would turn a MultiIndex into an index of tuples.
        return self.values if isinstance(self.values, pd.MultiIndex) else pd.Index(self.values)

    @property
    def flat_labels(self) -> pd.Index:
        """Return the labels as one index, those of an interaction joined by a colon."""
        labels = self.labels
        if not isinstance(labels, pd.MultiIndex):
            return labels.rename(None)
        parts = [labels.get_level_values(i).astype(str) for i in range(labels.nlevels)]
        return pd.Index([":".join(label) for label in zip(*parts, strict=True)], dtype=object)

    @property
    def columns(self) -> int:
        """Count the columns of labels that identify one level."""
        return self.labels.nlevels

    def encode(self, columns: Sequence[Any]) -> NDArray[np.intp]:
        """Return the code of each row's label; new labels are numbered from ``len(self)`` on.

        ``columns`` is one array of labels, or one for each column of an interaction.
        """
        values = [label_values(column) for column in columns]
        for value in values:
            _check_complete(value, self.name, _REMEDY_AT_PREDICT)
        values = [_uncategorised(value) for value in values]
        new = pd.Index(values[0]) if len(values) == 1 else pd.MultiIndex.from_arrays(values)
        codes = self.labels.get_indexer(new)
        unseen = codes < 0
        if unseen.any():
            if unseen.all():
                self._warn_of_another_type(new)
            codes[unseen] = len(self) + pd.factorize(new[unseen])[0]
        return codes

    def extended(
        self, columns: Sequence[Any], codes: NDArray[np.intp]
    ) -> tuple[Levels, NDArray[np.intp], NDArray[np.intp]]:
        """Add the new labels of some rows, so that all labels are sorted.

        ``codes`` is what ``encode`` returned for these rows, or for more. Returned beside the
        levels are the places of this factor's among them, and the new code of each row.
        """
        new, first = np.unique(codes, return_index=True)
        first, new = first[new >= len(self)], new[new >= len(self)]
        places = np.arange(len(self))
        if not len(new):
            return self, places, codes
        joined = [
            _joined(self.labels.get_level_values(j), pd.Index(_uncategorised(values[first])))
            for j, values in enumerate(map(label_values, columns))
        ]
        factor = factorise_interaction(joined, [str(name) for name in self.labels.names])
        levels = Levels(self.name, factor.levels.values)
        places, added = np.split(factor.codes, [len(self)])
        old = codes < len(self)
        moved = np.empty_like(codes)
        moved[old] = places[codes[old]]
        moved[~old] = added[np.searchsorted(new, codes[~old])]
        return levels, places, moved

    def check_seen(
        self, codes: NDArray[np.intp], columns: Sequence[Any], remedy: str = _REMEDY_FOR_UNSEEN
    ) -> None:
        """Raise ValueError naming the labels that are not among the levels, if there are any."""
        unseen = codes >= len(self)
        if not unseen.any():
            return
        rows = [np.asarray(label_values(column), dtype=object)[unseen] for column in columns]
        found = list(dict.fromkeys(rows[0] if len(rows) == 1 else zip(*rows, strict=True)))
        raise ValueError(
            f"Found unknown groups {shown_labels(found)} ({unseen.sum()} of {len(codes)} rows) in "
            f"'{self.name}'. {remedy}"
        )

    def _warn_of_another_type(self, new: pd.Index) -> None:
        """Warn when every label is new and its type is not the one that was fitted."""
        fitted, given = (_kind(index) for index in (self.labels, new))
        if fitted != given:
            known, example = self.labels[:1].tolist()[0], new[:1].tolist()[0]
            warn_user(
                f"None of the {len(new)} labels in '{self.name}' was seen in fit, and their type "
                f"has changed: fit saw {fitted} labels such as {known!r}, now {given} ones such as "
                f"{example!r}. Convert the labels to the fitted type.",
                GroupDtypeWarning,
            )


@dataclass(frozen=True, slots=True, eq=False)
class GroupingFactor:
    """Hold the levels of one grouping factor and each row's level.

    ``codes`` of shape (n,): position of each row's label in ``levels``.
    """

    levels: Levels
    codes: NDArray[np.intp]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Count the rows of each level."""
        return np.bincount(self.codes, minlength=len(self.levels))

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> GroupingFactor:
        """Return the factor of some rows, with the levels that still occur."""
        kept, codes = np.unique(self.codes[rows], return_inverse=True)
        return GroupingFactor(Levels(self.levels.name, self.levels.values[kept]), codes)


def factorise(labels: Any, name: str) -> GroupingFactor:
    """Turn labels of any type into sorted levels and codes."""
    values = label_values(labels)
    codes, uniques = _factorised(values, name)
    if codes.min(initial=0) < 0 or _may_be_infinite(values):
        _check_complete(values, name)
    order = _order(uniques)
    ranks = np.empty(len(order), dtype=np.intp)
    ranks[order] = np.arange(len(order))
    return GroupingFactor(Levels(name, uniques[order]), ranks[codes])


def factorise_interaction(columns: Sequence[Any], names: Sequence[str]) -> GroupingFactor:
    """Turn the combinations of several label columns that occur into levels and codes."""
    parts = [factorise(column, name) for column, name in zip(columns, names, strict=True)]
    if len(parts) == 1:
        return parts[0]
    cells = np.zeros(len(parts[0].codes), dtype=np.intp)
    for part in parts:
        _, cells = np.unique(cells * len(part.levels) + part.codes, return_inverse=True)
    first = np.zeros(int(cells.max(initial=-1)) + 1, dtype=np.intp)
    first[cells[::-1]] = np.arange(len(cells))[::-1]
    labels = pd.MultiIndex.from_arrays(
        [part.levels.labels[part.codes[first]] for part in parts], names=list(names)
    )
    return GroupingFactor(Levels(":".join(names), labels), cells)


def differs_within(values: NDArray[Any], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell where rows differ from the last row of their group."""
    last = np.zeros(codes.max(initial=-1) + 1, dtype=np.intp)
    last[codes] = np.arange(len(codes))
    return np.asarray(values != values[last[codes]])


def in_order_of_categories(levels: Levels, labels: pd.Categorical) -> Levels:
    """Return levels in the order of the categories of their labels, rather than sorted."""
    return Levels(levels.name, pd.Index(labels.categories[np.unique(labels.codes)]))


def _joined(old: pd.Index, new: pd.Index) -> pd.Index:
    """Join labels of two indexes, none of them rounded."""
    integers = [index.to_numpy() for index in (old, new) if index.dtype.kind in "iu"]
    joined = old.append(new)
    if joined.dtype.kind == "f" and any((np.abs(one) > EXACT).any() for one in integers):
        return old.astype(object).append(new.astype(object))
    return joined


def _uncategorised(values: Any) -> Any:
    """Return labels themselves where they come as categories."""
    return values.categories.take(values.codes) if isinstance(values, pd.Categorical) else values


def _kind(labels: pd.Index) -> str:
    """Name the type of labels; 1 and 1.0 are labels of one type."""
    kind = labels.inferred_type
    return "number" if kind in ("integer", "floating", "mixed-integer-float") else kind


def _may_be_infinite(values: Any) -> bool:
    """Tell whether labels are of a type that has infinity."""
    return isinstance(values, np.ndarray) and values.dtype.kind == "f"


def _check_complete(values: Any, name: str, remedy: str = _REMEDY) -> None:
    """Raise ValueError if a label is missing or infinite."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iubUS":
        return
    missing = np.asarray(pd.isna(values))
    if missing.any():
        raise ValueError(
            f"groups contains NaN in '{name}' ({missing.sum()} of {len(missing)} rows). {remedy}"
        )
    if _may_be_infinite(values) and not np.isfinite(values).all():
        raise ValueError(f"groups contains infinity in '{name}'. Give each row a finite label.")


def _factorised(values: Any, name: str) -> tuple[NDArray[np.intp], Any]:
    """Return codes, -1 for a missing label, and the distinct labels."""
    if isinstance(values, pd.Categorical):
        used, codes = np.unique(values.codes, return_inverse=True)
        missing = int(len(used) > 0 and used[0] < 0)
        return codes - missing, values.categories[used[missing:]].array
    try:
        return pd.factorize(values)
    except TypeError as error:
        raise TypeError(
            f"groups in '{name}' cannot be labels ({error}): the argument must be made of values "
            "such as a string, a date or a number."
        ) from error


def _order(labels: Any) -> NDArray[np.intp]:
    """Return the sorting order of distinct labels; labels of mixed types sort within each type."""
    objects = isinstance(labels, np.ndarray) and labels.dtype == object
    if objects and pd.api.types.infer_dtype(labels, skipna=False) == "string":
        # Fixed-width text sorts without calling Python for each comparison.
        return labels.astype(np.str_).argsort()
    try:
        return labels.argsort()
    except TypeError:
        keys = [(type(label).__name__, label) for label in labels]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)
