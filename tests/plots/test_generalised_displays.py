"""Displays of generalised models, those that are theirs alone and those that all models share."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from inference.generalised_models import binary_data, count_data, counts, yes_or_no
from numpy.testing import assert_allclose
from scipy import stats

from skmixed import MixedGLM, MixedLogisticRegression, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import quantile_residuals, residuals
from skmixed.plots import (
    BinnedResidualsDisplay,
    GroupFitDisplay,
    PredictionIntervalDisplay,
    ProbabilityCalibrationDisplay,
    RandomEffectsDisplay,
    ResidualsDisplay,
    RootogramDisplay,
    ShrinkageDisplay,
)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


class TestResiduals:
    """Quantile residuals take the place of standardised ones."""

    def test_quantile_residuals_are_the_default(self):
        display = ResidualsDisplay.from_results(counts(), random_state=3)
        expected = quantile_residuals(counts(), random_state=3, scale="normal")
        assert display.residual_kind == "quantile"
        assert_allclose(display.residuals, expected)
        assert_allclose(display.fitted, counts().fittedvalues)
        assert display.factor == "g"
        assert set(display.artists_) == {"fitted", "scale_location", "qq", "qq_random"}

    def test_other_kinds(self):
        display = ResidualsDisplay.from_results(counts(), residual_kind="deviance", kind="fitted")
        assert_allclose(display.residuals, residuals(counts(), kind="deviance"))
        with pytest.raises(ValueError, match="residual_kind"):
            ResidualsDisplay.from_results(counts(), residual_kind="decorrelated")

    def test_linear_models_have_none(self):
        results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        with pytest.raises(ValueError, match="residual_kind"):
            ResidualsDisplay.from_results(results, residual_kind="quantile")

    def test_from_estimator(self):
        data = count_data()
        X, y = data[["x", "g"]], data["y"]
        model = MixedGLM("g", family="poisson").fit(X, y)
        display = ResidualsDisplay.from_estimator(model, X, y, residual_kind="response")
        assert_allclose(display.fitted + display.residuals, y)


class TestBinnedResiduals:
    """Means of residuals, with the standard errors of the model."""

    def test_means(self):
        display = BinnedResidualsDisplay.from_results(yes_or_no(), n_bins=8)
        assert display.counts.sum() == 400
        left, p = residuals(yes_or_no()), yes_or_no().fittedvalues
        assert_allclose(np.sum(display.counts * display.residuals), left.sum())
        lowest = p <= np.quantile(p, 1.0 / 8.0)
        assert_allclose(display.residuals[0], left[lowest].mean())
        variance = (p * (1.0 - p))[lowest]
        assert_allclose(display.standard_errors[0], np.sqrt(variance.sum()) / lowest.sum())

    def test_by_a_covariate(self):
        display = BinnedResidualsDisplay.from_results(yes_or_no(), by="x", n_bins=5)
        assert display.ax_.get_xlabel() == "x"
        x = binary_data()["x"]
        assert_allclose(display.at[-1], x[x >= np.quantile(x, 0.8)].mean())

    def test_from_estimator(self):
        data = binary_data()
        X, y = data[["x", "g"]], data["y"]
        model = MixedLogisticRegression("g").fit(X, y)
        found = BinnedResidualsDisplay.from_estimator(model, X, y)
        again = BinnedResidualsDisplay.from_results(yes_or_no("y ~ x + (1 | g)"))
        assert_allclose(found.residuals, again.residuals, atol=1e-3)

    def test_refused(self):
        with pytest.raises(ValueError, match="not a column"):
            BinnedResidualsDisplay.from_results(yes_or_no(), by="nothing")
        with pytest.raises(ValueError, match="residuals must have the shape"):
            BinnedResidualsDisplay(at=[1.0], residuals=[1.0, 2.0], standard_errors=[1.0])


class TestCalibration:
    """Observed shares beside predicted probabilities."""

    def test_of_training_rows(self):
        results = yes_or_no()
        display = ProbabilityCalibrationDisplay.from_results(results, n_bins=4)
        p = results.predict(binary_data(), average=True)
        lowest = p < np.quantile(p, 0.25)
        assert_allclose(display.predicted["averaged"][0], p[lowest].mean())
        assert_allclose(display.observed["averaged"][0], binary_data()["y"][lowest].mean())
        assert set(display.curves_) == {"averaged", "plugged in"}

    def test_plugged_in_probabilities_of_new_groups_are_further_from_one_half(self):
        display = ProbabilityCalibrationDisplay.from_results(
            yes_or_no(), include_random_effects=False
        )
        distance = {name: np.abs(p - 0.5).max() for name, p in display.predicted.items()}
        assert distance["plugged in"] > distance["averaged"] + 0.02

    def test_of_rows_that_were_not_fitted(self):
        data = binary_data()
        data["y"] = np.where(data["y"] == 1, "yes", "no")
        train, test = data[data["g"] < 25], data[data["g"] >= 25]
        model = MixedLogisticRegression("g").fit(train[["x", "g"]], train["y"])
        display = ProbabilityCalibrationDisplay.from_estimator(
            model, test[["x", "g"]], test["y"], n_bins=1
        )
        p = model.predict_proba(test[["x", "g"]])[:, 1]
        assert_allclose(display.predicted["averaged"], [p.mean()])
        assert_allclose(display.observed["averaged"], [(test["y"] == "yes").mean()])

    def test_limits_are_exact(self):
        display = ProbabilityCalibrationDisplay(
            predicted={"a": [0.1, 0.5]}, observed={"a": [0.0, 0.4]}, counts={"a": [10, 20]}
        )
        expected = [list(stats.binomtest(k, n).proportion_ci(0.95)) for k, n in ((0, 10), (8, 20))]
        assert_allclose(display.limits()["a"], expected)

    def test_refused(self):
        with pytest.raises(ValueError, match="binomial"):
            ProbabilityCalibrationDisplay.from_results(counts())
        with pytest.raises(ValueError, match="counts must have the kinds"):
            ProbabilityCalibrationDisplay(
                predicted={"a": [0.1]}, observed={"a": [0.1]}, counts={"a": [1, 2]}
            )


class TestRootogram:
    """Observed and expected numbers of rows."""

    def test_numbers(self):
        display = RootogramDisplay.from_results(counts())
        y = count_data()["y"]
        assert_allclose(display.observed, np.bincount(y))
        mean = counts().fittedvalues.to_numpy()
        expected = stats.poisson.pmf(display.counts[:, None], mean).sum(axis=1)
        assert_allclose(display.expected, expected, rtol=1e-8)
        tops = [bar.get_y() + max(bar.get_height(), 0.0) for bar in display.bars_]
        assert_allclose(tops, np.sqrt(expected), rtol=1e-8)
        assert display.ax_.get_xlabel() == "y"

    def test_averaged_over_groups(self):
        display = RootogramDisplay.from_results(counts(), average=True, max_count=3)
        assert len(display.counts) == 4
        results = counts()
        rows = count_data().assign(g=-1)
        mean = results.predict(rows, average=True).mean()
        whole = RootogramDisplay.from_results(results, average=True, max_count=60)
        assert_allclose(whole.counts @ whole.expected / 600, mean, rtol=1e-3)

    def test_from_estimator(self):
        data = count_data()
        X, y = data[["x", "g"]], data["y"]
        model = MixedGLM("g", family="poisson").fit(X, y)
        display = RootogramDisplay.from_estimator(model, X, y)
        assert_allclose(display.expected.sum(), 600.0, rtol=0.01)

    def test_counts_only(self):
        with pytest.raises(ValueError, match="of counts"):
            RootogramDisplay.from_results(yes_or_no())


class TestSharedDisplays:
    """Displays of all models, on the scale of the response or of the link."""

    def test_lines_of_groups_are_means_without_least_squares(self):
        display = GroupFitDisplay.from_results(yes_or_no())
        assert set(display.lines) == {"mixed", "population"}
        assert all(((line > 0.0) & (line < 1.0)).all() for line in display.lines.values())
        with pytest.raises(ValueError, match="least squares"):
            GroupFitDisplay.from_results(yes_or_no(), show=("points", "separate"))
        with pytest.raises(ValueError, match="least squares"):
            ShrinkageDisplay.from_results(yes_or_no())

    def test_limits_of_the_population_are_those_of_its_mean(self):
        display = PredictionIntervalDisplay.from_results(counts(), levels=[3])
        population = list(display.names).index("population")
        assert (display.lower[population] > 0.0).all()
        assert (display.lower[population] < display.mean[population]).all()

    def test_random_effects_are_on_the_scale_of_the_link(self):
        display = RandomEffectsDisplay.from_results(yes_or_no())
        modes = yes_or_no().random_effects["g"]
        assert_allclose(np.sort(display.modes[:, 0]), np.sort(modes["Intercept"]))
