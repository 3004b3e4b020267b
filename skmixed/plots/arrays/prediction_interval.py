"""Predictions and intervals that PredictionIntervalDisplay shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmixed.plots.reading.fitted_rows import FittedRows
from skmixed.plots.reading.table import Table

__all__ = ["NEW", "POPULATION", "band_arrays", "row_arrays"]

FloatArray = NDArray[np.float64]
NEW, POPULATION = "new group", "population"
_FEW = 4
_PLACES = 40


def row_arrays(source: FittedRows, coverage: float) -> dict[str, Any]:
    """Return the arguments for the rows, sorted by prediction."""
    mean = source.predict(source.table, include=True)
    limits = source.interval(source.table, include=True, coverage=coverage)
    order = np.argsort(mean, kind="stable")
    ranks = np.arange(len(mean))
    return {
        "names": ["rows"],
        "x": [ranks],
        "mean": [mean[order]],
        "lower": [limits[order, 0]],
        "upper": [limits[order, 1]],
        "observed_x": ranks,
        "observed_y": source.response[order],
        "coverage": coverage,
        "kind": "rows",
        "response": source.response_name,
        "factor": source.factor,
    }


def band_arrays(source: FittedRows, feature: Any, levels: Any, coverage: float) -> dict[str, Any]:
    """Return the arguments for bands of groups, of a new group and of the population."""
    feature = source.feature(feature)
    chosen = source.spread(_FEW) if levels is None else source.chosen(levels)
    x = source.table.numbers(feature)
    places = np.linspace(float(x.min()), float(x.max()), _PLACES)
    groups = source.table.typical(source.codes, chosen)
    everyone = source.table.typical(np.zeros_like(source.codes), np.array([0]))
    known = groups.along(feature, np.tile(places, (len(chosen), 1)))
    new = everyone.along(feature, places[None])
    bands = [
        *source.interval(known, include=source.included, coverage=coverage).reshape(
            len(chosen), _PLACES, 2
        ),
        source.interval(new, include=False, coverage=coverage),
        _line_interval(source, new, coverage),
    ]
    means = source.predict(known, include=source.included).reshape(len(chosen), _PLACES)
    line = source.predict(new, include=False)
    shown, series = source.rows_of(chosen)
    return {
        "names": [*source.labels[chosen], NEW, POPULATION],
        "x": np.tile(places, (len(bands), 1)),
        "mean": [*means, line, line],
        "lower": [one[:, 0] for one in bands],
        "upper": [one[:, 1] for one in bands],
        "observed_x": x[shown],
        "observed_y": source.response[shown],
        "observed_series": series,
        "coverage": coverage,
        "feature": feature,
        "response": source.response_name,
        "factor": source.factor,
    }


def _line_interval(source: FittedRows, rows: Table, coverage: float) -> FloatArray:
    """Return confidence limits of the population's mean, with Student's t, shape (n, 2)."""
    fit = source.fit
    if not fit.is_linear:
        return source.interval(rows, include=False, coverage=coverage, kind="population")
    columns, _ = source.fixed_rows(rows)
    variance = np.einsum("in,ij,jn->n", columns, fit.fixed.error_covariance, columns)
    deviation = fit.working_sigma * np.sqrt(variance)
    degrees = max(fit.n_rows - len(fit.fixed.standardised), 1.0)
    reach = deviation * stats.t.isf(0.5 * (1.0 - coverage), degrees)
    line = source.predict(rows, include=False)
    return np.column_stack([line - reach, line + reach])
