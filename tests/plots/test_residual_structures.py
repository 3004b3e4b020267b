"""Displays of residual structures store what they draw, and existing ones know of them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from inference.diagnostics.residual_models import residual_model, visits
from inference.diagnostics.written_out import written_out
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import MixedLM
from skmixed.inference import autocorrelation, residual_spread, residuals, semivariogram
from skmixed.plots import (
    AutocorrelationDisplay,
    MarginalCovarianceDisplay,
    ResidualsDisplay,
    SemivariogramDisplay,
    SpreadByStratumDisplay,
)
from skmixed.residual import AR1

from .drawn import assert_tidy, texts_of


@pytest.fixture(scope="module")
def ar1():
    return residual_model("ar1_heterogeneous")


@pytest.fixture(scope="module")
def estimator():
    data = visits()
    X, y = data[["x", "visit", "person"]], data["y"]
    return MixedLM(groups="person", residual=AR1(time="visit")).fit(X, y), X, y


class TestAutocorrelation:
    """Bars, limits and the expected line of both kinds of residuals."""

    def test_what_is_drawn(self, ar1):
        display = AutocorrelationDisplay.from_results(ar1, max_lag=3)
        assert list(display.artists_) == ["pearson", "normalised"]
        for kind, artists in display.artists_.items():
            table = autocorrelation(ar1, kind=kind, max_lag=3).iloc[1:]
            ends = [segment[1] for segment in artists["bars"].get_segments()]
            assert_allclose(ends, table[["lag", "autocorrelation"]])
            assert_allclose(artists["expected"].get_ydata(), table["expected"])
            above, below = (line.get_ydata() for line in artists["limits"])
            assert_allclose(above, table["limit"])
            assert_allclose(below, -above)
        assert texts_of(display.legend_) == ["residuals", "expected", "95% limits"]
        assert_tidy(display)

    def test_one_kind(self, ar1):
        display = AutocorrelationDisplay.from_results(ar1, kind="normalised", level=0.9)
        assert list(display.artists_) == ["normalised"]
        assert texts_of(display.legend_)[-1] == "90% limits"

    def test_without_a_residual_structure_there_is_one_kind(self, sleep):
        display = AutocorrelationDisplay.from_results(sleep, time="Days")
        assert list(display.artists_) == ["pearson"]

    def test_estimator(self, estimator):
        display = AutocorrelationDisplay.from_estimator(*estimator, max_lag=2)
        expected = autocorrelation(*estimator, max_lag=2)
        pd.testing.assert_frame_equal(display.autocorrelations["normalised"], expected)

    def test_what_is_refused(self, ar1):
        with pytest.raises(ValueError, match="kind must be one of"):
            AutocorrelationDisplay.from_results(ar1, kind="marginal")
        with pytest.raises(ValueError, match=r"lacks the columns \['autocorrelation'"):
            AutocorrelationDisplay(autocorrelations={"pearson": pd.DataFrame({"lag": [1]})})
        with pytest.raises(ValueError, match="level"):
            AutocorrelationDisplay(autocorrelations={}, level=2.0)


class TestSemivariogram:
    """Points and the lines of the model."""

    def test_what_is_drawn(self, ar1):
        display = SemivariogramDisplay.from_results(ar1)
        table = semivariogram(ar1)
        assert_allclose(display.points_.get_offsets(), table[["distance", "semivariance"]])
        assert_allclose(display.expected_.get_ydata(), table["expected"])
        assert_allclose(display.fitted_.get_ydata(), table["fitted"])
        assert display.ax_.get_xlabel() == "Distance in visit"
        assert texts_of(display.legend_) == ["pairs of rows", "expected", "residual structure"]
        assert_tidy(display)

    def test_without_a_residual_structure(self, sleep):
        display = SemivariogramDisplay.from_results(sleep, residual_kind="normalised")
        assert display.fitted_ is None
        assert display.ax_.get_xlabel() == "Distance in rows"
        times = load_days(sleep)
        assert SemivariogramDisplay.from_results(sleep, time=times).ax_.get_xlabel() == (
            "Distance in time"
        )

    def test_estimator(self, estimator):
        display = SemivariogramDisplay.from_estimator(*estimator, max_distance=2)
        assert_allclose(display.semivariance, semivariogram(*estimator)["semivariance"][:2])

    def test_what_is_refused(self, ar1):
        with pytest.raises(ValueError, match="kind must be one of"):
            SemivariogramDisplay.from_results(ar1, residual_kind="marginal")
        with pytest.raises(ValueError, match="shape"):
            SemivariogramDisplay(distance=[1.0], semivariance=[1.0, 2.0])


def load_days(results):
    return results.data["Days"].to_numpy()


class TestSpread:
    """Standard deviations of strata, observed and fitted."""

    def test_what_is_drawn(self, ar1):
        display = SpreadByStratumDisplay.from_results(ar1)
        table = residual_spread(ar1)
        points, _, (bars,) = display.observed_
        assert_allclose(points.get_ydata(), table["observed"])
        limits = [segment[:, 1] for segment in bars.get_segments()]
        assert_allclose(limits, table[["lower", "upper"]])
        assert_allclose([s[0, 1] for s in display.fitted_.get_segments()], table["fitted"])
        assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["no", "yes"]
        assert display.ax_.get_xlabel() == "late"
        assert_tidy(display)

    def test_many_intervals_in_a_small_panel(self):
        _, axes = plt.subplots(1, 2, figsize=(7, 3.0), layout="constrained")
        display = SpreadByStratumDisplay.from_results(residual_model("power_weights"), ax=axes[0])
        assert display.strata[0].startswith("1.")
        assert len(display.ax_.get_xticklabels()) == 8
        assert_tidy(display)

    def test_estimator(self, estimator):
        display = SpreadByStratumDisplay.from_estimator(*estimator, by="visit")
        assert_allclose(display.observed, residual_spread(*estimator, by="visit")["observed"])
        assert display.by == "visit"

    def test_what_is_refused(self, sleep):
        with pytest.raises(ValueError, match="no strata"):
            SpreadByStratumDisplay.from_results(sleep)
        with pytest.raises(ValueError, match="shape"):
            SpreadByStratumDisplay(strata=["a"], observed=[1.0], limits=[1.0])


def test_residuals_are_normalised_ones(ar1, sleep):
    display = ResidualsDisplay.from_results(ar1)
    assert display.residual_kind == "normalised"
    assert_allclose(display.residuals, residuals(ar1, kind="normalised"))
    assert_allclose(display.fitted, ar1.data["y"] - residuals(ar1), rtol=1e-9)
    assert ResidualsDisplay.from_results(sleep).residual_kind == "standardised"


def test_without_random_effects_groups_are_those_of_the_residual_structure():
    results = residual_model("us")
    display = ResidualsDisplay.from_results(results, kind="groups")
    assert_array_equal(display.groups, results.data["person"])


@pytest.mark.parametrize("name", ["ar1_heterogeneous", "us_weights", "power_weights"])
def test_marginal_covariance_has_that_of_the_errors(name):
    results = residual_model(name)
    display = MarginalCovarianceDisplay.from_results(results, rows=slice(20))
    full = written_out(results)
    assert_allclose(display.covariance, results.sigma**2 * full.V[:20, :20], atol=1e-9)


def test_pearson_residuals_of_results():
    results = residual_model("power_weights")
    data = results.data
    spread = data["age"] ** results.residual_parameters["power"] / np.sqrt(data["w"])
    assert_allclose(results.resid_pearson, results.resid / (results.sigma * spread), rtol=1e-9)
