"""Rows that are added to a fitted estimator: their columns, labels and places among the levels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite, check_consistent_length

from skmixed.design.arrays import Labels
from skmixed.design.design import Design, NewRows, RandomBlock
from skmixed.design.groups import GroupingFactor
from skmixed.design.labels import select_labels
from skmixed.design.weights import Weights
from skmixed.estimators.array_input import ArrayInput
from skmixed.estimators.formula_input import FormulaInput
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.new_rows import refuse_second_labels

__all__ = ["AddedRows"]

FloatArray = NDArray[np.float64]


class AddedRows:
    """Read rows for ``adapt``, and keep the fit that they make."""

    lmm_fit_: LMMFit
    _input: ArrayInput | FormulaInput

    def _rows_to_add(self, X: Any, groups: Any) -> tuple[NewRows, list[Labels]]:
        """Return the columns of rows and the labels of all factors."""
        refuse_second_labels(self._input, groups, "adapt")
        columns, labels = self._input.read(X, groups)
        self._check_labels(labels)
        return self._input.new_rows(columns, labels, "population"), labels

    def _check_labels(self, labels: list[Labels]) -> None:
        """Raise ValueError if the labels of some factor are not there."""
        absent = [
            name
            for name, known in zip(self._input.factor_names, labels, strict=True)
            if known is None
        ]
        if absent:
            raise ValueError(
                f"adapt needs the labels of {absent}, which this model was fitted with. Pass "
                "groups=, or the columns of labels, as to fit."
            )

    def _design_to_add(
        self, rows: NewRows, response: FloatArray, weights: Weights, labels: list[Labels]
    ) -> tuple[Design, list[NDArray[np.intp]], NDArray[np.intp]]:
        """Return the rows that count among the levels that are known then, and which they are."""
        check_consistent_length(rows.fixed, response)
        if not len(response):
            raise ValueError("There is no row to add: X has 0 rows. Pass one or more.")
        if rows.offset is not None:
            assert_all_finite(rows.offset, input_name="offset")
        values = weights.values
        kept = np.flatnonzero(np.ones(len(response)) if values is None else values)
        fit = self.lmm_fit_
        blocks, places = [], []
        for effects, block, columns in zip(fit.random, rows.blocks, labels, strict=True):
            levels, place, codes = effects.levels.extended(
                select_labels(columns or [], kept), np.asarray(block.codes)[kept]
            )
            factor = GroupingFactor(levels, codes)
            blocks.append(RandomBlock(factor, block.columns[kept], effects.terms))
            places.append(place)
        intercept = fit.coordinates.fixed.intercept
        design = Design(
            response[kept],
            rows.fixed[kept],
            fit.fixed.names[int(intercept) :],
            intercept,
            tuple(blocks),
            offset=None if rows.offset is None else rows.offset[kept],
            weights=Weights(None if values is None else values[kept], weights.kind),
            residual=None if rows.residual is None else rows.residual.select(kept),
        )
        return design, places, kept

    def _keep_added(self, fit: LMMFit, design: Design) -> Any:
        """Keep a fit, and the levels that it knows then."""
        self._input = self._input.with_levels([factor.levels for factor in design.factors])
        self._keep_fit(fit)  # type: ignore[attr-defined]
        return self
