"""A fitted model with the rows that it was fitted to: what displays of both read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmixed.design.design import NewRows
from skmixed.estimators.base import LinearMixedModel
from skmixed.estimators.formula_api import FormulaPredictor
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.plots.table import Table, as_table, first_rows
from skmixed.results import MixedLMResults

__all__ = ["FittedRows", "read_estimator", "read_results"]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class FittedRows:
    """Hold a fitted model, its rows, and the grouping factor that is looked at.

    Attributes
    ----------
    model : LinearMixedModel
    transformer : Pipeline or None
        The steps before the model.
    table : Table
        The rows as the user knows them.
    design : NewRows
        The same as arrays.
    response : ndarray of shape (n,)
    response_name : str
    position : int
        Of the grouping factor in the fit.
    """

    model: LinearMixedModel
    transformer: Pipeline | None
    table: Table
    design: NewRows
    response: FloatArray
    response_name: str
    position: int

    @property
    def fit(self) -> LMMFit:
        """Return the fit."""
        return self.model.lmm_fit_

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
        return rows.X if self.transformer is None else self.transformer.transform(rows.X)

    def predict(self, rows: Table, *, include: Sequence[str] | bool) -> FloatArray:
        """Return the predictions of rows."""
        return self.model.predict(
            self.columns(rows), groups=rows.groups, include_random_effects=include
        )

    def fixed_rows(self, rows: Table) -> tuple[FloatArray, FloatArray]:
        """Return standardised columns of X, shape (rank, n), and the offsets of rows."""
        made, _ = self.model._new_rows(self.columns(rows), None, False)
        offset = np.zeros(len(rows)) if made.offset is None else made.offset
        return self.fit.coordinates.fixed.transform(made.fixed), offset

    def feature(self, name: Any) -> str:
        """Return the column to put on an axis: the one that is named, or a random slope's.

        Without a name and without a random slope it is the first column of several numbers that
        labels no group.
        """
        frame = self.table.frame
        names = list(frame.columns)
        if name is not None:
            position = isinstance(name, (int, np.integer)) and name not in names
            found = names[name] if position and -len(names) <= name < len(names) else name
            if found not in names or not self.table.is_number(found):
                problem = "holds no numbers" if found in names else "is not among the columns"
                numeric = [column for column in names if self.table.is_number(column)]
                raise ValueError(
                    f"feature={name!r} {problem}. Choose one of the columns of numbers: {numeric}."
                )
            return found
        labels = {part for effects in self.fit.random for part in effects.name.split(":")}
        usable = [c for c in self._predictors() if self.table.is_number(c) and c not in labels]
        usable = [column for column in usable if np.ptp(self.table.numbers(column)) > 0.0]
        if not usable:
            raise ValueError(
                "The model has no column of numbers to put on the x axis. Name one with feature=, "
                "or show the groups' means with ShrinkageDisplay or RandomEffectsDisplay."
            )
        slopes = [str(effect).rpartition("__")[2] for effect in self.effects.effect_names]
        return next((column for column in usable if column in slopes), usable[0])

    def chosen(self, groups: Any) -> Codes:
        """Return the codes of labels.

        Raises
        ------
        ValueError
            If a label was not fitted.
        """
        wanted = (
            list(groups) if isinstance(groups, (list, tuple, np.ndarray, pd.Index)) else [groups]
        )
        known = {label: code for code, label in enumerate(self.labels)}
        unknown = [label for label in wanted if label not in known]
        if unknown:
            shown = ", ".join(repr(label) for label in self.labels[:5])
            raise ValueError(
                f"groups names {unknown[:5]}, which are no levels of {self.factor!r}. Choose among "
                f"its {len(known):,} levels, such as {shown}."
            )
        return np.array([known[label] for label in wanted], dtype=np.intp)

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

    def _predictors(self) -> list[Any]:
        """Name the columns that the model reads."""
        names = list(self.table.frame.columns)
        if getattr(self.model, "formula", None) is None or self.transformer is not None:
            return names
        read = set(self.model.predictor_columns)  # type: ignore[attr-defined]
        return [name for name in names if name in read]


def read_estimator(
    estimator: Any, X: Any, y: Any, *, groups: Any = None, factor: str | None = None
) -> FittedRows:
    """Read a fitted estimator, or a pipeline that ends with one, and rows that it knows.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
    X, y, groups
        As given to its fit.
    factor : str, optional
        Grouping factor; the one of most levels by default.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is none of skmixed's.
    ValueError
        If the model has no groups or no such factor, or X has rows of groups that it does not know.
    """
    model, transformer = estimator, None
    if isinstance(estimator, Pipeline):
        model, transformer = estimator[-1], estimator[:-1] if len(estimator) > 1 else None
    if not isinstance(model, LinearMixedModel):
        raise TypeError(
            f"This display shows linear mixed models, got {type(model).__name__}. Pass a fitted "
            "MixedLM or RandomInterceptRegressor, or a Pipeline that ends with one."
        )
    check_is_fitted(model)
    position = _position(factor, [effects.name for effects in model.lmm_fit_.random])
    table = as_table(X, groups)
    columns = table.X if transformer is None else transformer.transform(table.X)
    design, _ = model._new_rows(columns, groups, True, labels_needed=True)
    response = np.asarray(model._observed(columns, y), dtype=np.float64).ravel()
    if len(response) != len(table):
        raise ValueError(
            f"X has {len(table):,} rows, but y has {len(response):,}. Pass the rows of fit."
        )
    codes = design.blocks[position].codes
    n_levels = len(model.lmm_fit_.random[position].levels)
    if codes is None or len(np.unique(codes)) != n_levels or codes.max() >= n_levels:
        raise ValueError(
            "X must hold rows of every group that was fitted and of no other: pass the X, y and "
            f"groups of fit. The model knows {n_levels:,} levels of "
            f"{model.lmm_fit_.random[position].name!r}, these rows have "
            f"{0 if codes is None else len(np.unique(codes)):,}."
        )
    name = model.results_.response_name
    return FittedRows(model, transformer, table, design, response, name, position)


def read_results(results: MixedLMResults, *, factor: str | None = None) -> FittedRows:
    """Read the results of ``mixedlm``, which keep their rows.

    Parameters
    ----------
    results : MixedLMResults
    factor : str, optional
        Grouping factor; the one of most levels by default.

    Raises
    ------
    TypeError
        If the results keep no rows.
    ValueError
        If the model has no groups, or no such factor.
    """
    if not isinstance(results.predictor, FormulaPredictor) or results.data is None:
        raise TypeError(
            "These results keep no rows of the data. Fit with mixedlm, which keeps them, or use "
            "from_estimator(estimator, X, y)."
        )
    return read_estimator(results.predictor.model, results.data, None, factor=factor)


def _position(factor: str | None, names: list[str]) -> int:
    """Return the position of a factor."""
    if not names:
        raise ValueError("The model has no groups to show: it was fitted without any.")
    if factor is not None and factor not in names:
        raise ValueError(f"The model has no factor {factor!r}. Choose one of {names}.")
    return 0 if factor is None else names.index(factor)
