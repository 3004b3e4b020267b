"""A fitted model with the rows that it was fitted to: what displays of both read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from skmixed.design.design import NewRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.plots.reading.table import Table, first_rows, transformed
from skmixed.prediction.fitted_model import FittedModel

__all__ = ["FittedRows"]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]

_MOST_COMBINATIONS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class FittedRows:
    """Hold a fitted model, its rows, and the grouping factor that is looked at.

    Attributes
    ----------
    steps : Pipeline or None
        Those before the model.
    table : Table
        The rows as the user knows them.
    design : NewRows
        The same as arrays.
    position : int
        Of the grouping factor in the fit.
    """

    model: FittedModel
    steps: Pipeline | None
    table: Table
    design: NewRows
    response: FloatArray
    position: int

    @property
    def fit(self) -> LMMFit:
        """Return the fit."""
        return self.model.fit

    @property
    def response_name(self) -> str:
        """Name the response."""
        return self.model.response_name

    @property
    def effects(self) -> RandomEffects:
        """Return the random effects of the factor."""
        return self.fit.random[self.position]

    @property
    def factor(self) -> str:
        """Name the grouping factor."""
        return self.effects.name

    @property
    def codes(self) -> Codes:
        """Return the level of each row."""
        codes = self.design.blocks[self.position].codes
        assert codes is not None
        return codes

    @property
    def labels(self) -> pd.Index:
        """Return the labels of the levels."""
        return self.effects.levels.labels

    @property
    def included(self) -> list[str]:
        """Name the factor, and those whose levels contain its levels whole."""
        codes, n = self.codes, len(self.effects.levels)
        first = first_rows(codes, n)
        return [
            effects.name
            for effects, block in zip(self.fit.random, self.design.blocks, strict=True)
            if block.codes is not None and (block.codes == block.codes[first][codes]).all()
        ]

    def columns(self, rows: Table) -> Any:
        """Return rows as the model's own columns."""
        return transformed(self.steps, rows.columns)

    def predict(self, rows: Table, *, include: Sequence[str] | bool) -> FloatArray:
        """Return the predictions of rows."""
        return self.model.predict(
            self.columns(rows), groups=rows.groups, include_random_effects=include
        )

    def interval(
        self,
        rows: Table,
        *,
        include: Sequence[str] | bool,
        coverage: float,
        kind: str = "observation",
    ) -> FloatArray:
        """Return limits that a new observation of each row, or its mean, keeps, (n, 2)."""
        return self.model.predict_interval(
            self.columns(rows),
            groups=rows.groups,
            include_random_effects=include,
            coverage=coverage,
            kind=kind,
        )

    def fixed_rows(self, rows: Table) -> tuple[FloatArray, FloatArray]:
        """Return standardised columns of X, shape (rank, n), and the offsets of rows."""
        made, _ = self.model.read(self.columns(rows), include_random_effects=False)
        offset = np.zeros(len(rows)) if made.offset is None else made.offset
        return self.fit.coordinates.fixed.transform(made.fixed), offset

    def feature(self, name: Any) -> str:
        """Return the column to put on an axis: the one that is named, or a random slope's.

        Without a name and without a random slope it is the first column of several numbers that
        labels no group.
        """
        if name is not None:
            found = self.column(name, "feature")
            if not self.table.is_number(found):
                numeric = [c for c in self.table.frame.columns if self.table.is_number(c)]
                raise ValueError(
                    f"feature={name!r} holds no numbers. Choose one of the columns {numeric}."
                )
            return found
        usable = [column for column in self.predictors() if self.table.is_number(column)]
        usable = [column for column in usable if np.ptp(self.table.numbers(column)) > 0.0]
        if not usable:
            raise ValueError(
                "The model has no column of numbers to put on the x axis. Name one with feature=, "
                "or show the groups' means with ShrinkageDisplay or RandomEffectsDisplay."
            )
        slopes = [str(effect).rpartition("__")[2] for effect in self.effects.effect_names]
        return next((column for column in usable if column in slopes), usable[0])

    def column(self, name: Any, argument: str) -> str:
        """Return the column of that name or position."""
        names = list(self.table.frame.columns)
        position = isinstance(name, (int, np.integer)) and name not in names
        found = names[name] if position and -len(names) <= name < len(names) else name
        if found not in names:
            raise ValueError(
                f"{argument}={name!r} is not among the columns. Choose one of {names[:30]}."
            )
        return found

    def chosen(self, groups: Any) -> Codes:
        """Return the codes of labels; raise ValueError if one was not fitted."""
        several = isinstance(groups, (list, tuple, np.ndarray, pd.Index))
        wanted = list(groups) if several else [groups]
        known = {label: code for code, label in enumerate(self.labels)}
        unknown = [label for label in wanted if label not in known]
        if unknown:
            shown = ", ".join(repr(label) for label in self.labels[:5])
            raise ValueError(
                f"groups names {unknown[:5]}, which are no levels of {self.factor!r}. Choose among "
                f"its {len(known):,} levels, such as {shown}."
            )
        return np.array([known[label] for label in wanted], dtype=np.intp)

    def rows_of(self, chosen: Codes) -> tuple[Codes, Codes]:
        """Return the rows of some levels, and the position of each row's level among them."""
        position = np.full(len(self.labels), -1)
        position[chosen] = np.arange(len(chosen))
        found = position[self.codes]
        inside = np.flatnonzero(found >= 0)
        return inside, found[inside]

    def spread(self, n: int) -> Codes:
        """Return the codes of n levels that span small and large ones, low and high effects."""
        order = np.argsort(self.effects.modes[:, 0], kind="stable")
        if len(order) <= n:
            return np.arange(len(order))
        parts = np.array_split(order, n)
        picks = [
            part[(np.argmax if i % 2 else np.argmin)(self.effects.sizes[part])]
            for i, part in enumerate(parts)
        ]
        return np.array(picks, dtype=np.intp)

    def population(self, without: str | None = None) -> tuple[Table, FloatArray]:
        """Return rows that stand for all, and their weights, whose sum is 1.

        Numbers are at their means; of the other columns, ``without`` left out, there is a row for
        each combination of values that occurs, weighted by how often it does, the most frequent
        1,000.
        """
        frame = self.table.frame
        rows = self.table.typical(np.zeros(len(frame), dtype=np.intp), np.array([0]))
        columns = [c for c in self.predictors() if c != without and not self.table.is_number(c)]
        if not columns:
            return rows, np.ones(1)
        numbered = frame.groupby(columns, observed=True, dropna=False).ngroup()
        combination = np.asarray(numbered, dtype=np.intp)
        counts = np.bincount(combination)
        kept = np.argsort(-counts, kind="stable")[:_MOST_COMBINATIONS]
        first = self.table.take(first_rows(combination, len(counts))[kept])
        rows = rows.take(np.zeros(len(kept), dtype=np.intp))
        for column in columns:
            rows = rows.assign(column, first.frame[column])
        return rows, counts[kept] / counts[kept].sum()

    def predictors(self) -> list[Any]:
        """Name the columns that the model reads, those of labels left out."""
        labels = {part for effects in self.fit.random for part in effects.name.split(":")}
        names = [name for name in self.table.frame.columns if name not in labels]
        read = None if self.steps is not None else self.model.variables
        return [name for name in names if read is None or name in read]
