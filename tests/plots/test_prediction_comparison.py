"""What PredictionComparisonDisplay stores and draws."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error

from skmixed import MixedLM
from skmixed.plots import PredictionComparisonDisplay

from .drawn import assert_tidy, texts_of


def test_predictions_of_the_sleep_study(sleep, sleep_data):
    display = PredictionComparisonDisplay.from_results(sleep)
    X, y = sleep_data[["Days"]], sleep_data["Reaction"]
    pooled = LinearRegression().fit(X, y).predict(X)
    assert_allclose(display.first, pooled)
    assert_allclose(display.second, sleep.fittedvalues)
    assert_array_equal(display.second_nearer, np.abs(sleep.resid) < np.abs(y - pooled))
    errors = [root_mean_squared_error(y, one) for one in (pooled, sleep.fittedvalues)]
    assert_allclose(display.rmse, errors)
    n_second = int(display.second_nearer.sum())
    assert texts_of(display.legend_)[1].startswith(f"mixed model nearer ({n_second})")
    nearer = display.points_[1].get_offsets()
    expected = np.column_stack([pooled, sleep.fittedvalues])[display.second_nearer]
    assert_allclose(nearer, expected)
    assert_tidy(display)


def test_rows_of_new_groups(sleep_data):
    known, new = sleep_data[:150], sleep_data[150:]
    model = MixedLM(formula="Reaction ~ Days + (1 | Subject)").fit(known)
    display = PredictionComparisonDisplay.from_estimator(model, new)
    assert_allclose(display.second, model.predict(new, include_random_effects=False))
    least_squares = LinearRegression().fit(known[["Days"]], known["Reaction"])
    assert_allclose(display.first, least_squares.predict(new[["Days"]]))


def test_without_observations():
    display = PredictionComparisonDisplay(first=[1.0, 2.0], second=[2.0, 3.0]).plot()
    assert display.second_nearer is None
    assert texts_of(display.legend_) == ["equal"]
    assert display.identity_.get_slope() == 1.0


def test_5000_groups(many_results):
    assert_tidy(PredictionComparisonDisplay.from_results(many_results))


def test_arguments_are_checked():
    with pytest.raises(ValueError, match=r"second must have the shape \(2,\) of first, got \(1,\)"):
        PredictionComparisonDisplay(first=[1.0, 2.0], second=[2.0])
