"""Rows 65, 70 to 72, 74 to 76 and 78 of the promised features: plots of groups and their lines."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression

from skmixed import RandomInterceptRegressor, mixedlm
from skmixed.datasets import load_dyestuff, load_sleepstudy, make_mixed_regression
from skmixed.plots import (
    GroupFitDisplay,
    PredictionComparisonDisplay,
    ShrinkageDisplay,
    TrajectoriesDisplay,
)


@pytest.fixture(scope="module")
def sleep():
    return load_sleepstudy().astype({"Subject": str})


@pytest.fixture(scope="module")
def results(sleep):
    return mixedlm("Reaction ~ Days + (Days | Subject)", sleep)


@pytest.fixture(scope="module")
def separate(sleep):
    """Return intercept and slope of each subject's own regression, by numpy alone."""
    lines = [np.polyfit(rows["Days"], rows["Reaction"], 1) for _, rows in sleep.groupby("Subject")]
    return np.array(lines)[:, ::-1]


def test_row_65_predictions_of_least_squares_and_of_the_mixed_model(sleep, results):
    display = PredictionComparisonDisplay.from_results(results)
    pooled = LinearRegression().fit(sleep[["Days"]], sleep["Reaction"])
    assert_allclose(display.first, pooled.predict(sleep[["Days"]]))
    assert_allclose(display.second, results.fittedvalues)
    assert display.rmse[1] < display.rmse[0]


def test_row_70_raw_trajectories_with_the_overall_line(sleep, results):
    display = TrajectoriesDisplay.from_results(results)
    segments = display.trajectories_.get_segments()
    for segment, (_, rows) in zip(segments, sleep.groupby("Subject"), strict=True):
        assert_allclose(segment, rows[["Days", "Reaction"]])
    (line,) = display.population_.get_segments()
    intercept, slope = results.params
    assert_allclose(line[:, 1], intercept + slope * line[:, 0])


def test_row_71_group_lines_true_mixed_separate_and_pooled():
    data, truth = make_mixed_regression(
        12, 15, re_cov=[[2.0, 0.5], [0.5, 1.0]], as_frame=True, coef=True, random_state=4
    )
    results = mixedlm("y ~ x1 + (x1 | group)", data)
    display = GroupFitDisplay.from_results(results, true=truth.group_coef)
    pooled = np.polyfit(data["x1"], data["y"], 1)
    for i, (_, rows) in enumerate(data.groupby("group")):
        x = display.line_x[i]
        intercept, slope = truth.group_coef[i]
        assert_allclose(display.lines["true"][i], intercept + slope * x)
        intercept, slope = results.group_coefficients["group"].iloc[i]
        assert_allclose(display.lines["mixed"][i], intercept + slope * x)
        own = np.polyfit(rows["x1"], rows["y"], 1)
        assert_allclose(display.lines["separate"][i], np.polyval(own, x))
        assert_allclose(display.lines["pooled"][i], np.polyval(pooled, x))
    drawn = {name: len(lines) for name, lines in display.lines_.items()}
    assert drawn == dict.fromkeys(["true", "separate", "mixed", "pooled"], 12)


def test_row_71_one_group(results):
    display = GroupFitDisplay.from_results(results, levels=["308"], show=("points", "mixed"))
    assert isinstance(display.ax_, plt.Axes)
    assert display.points_[0].get_offsets().shape == (10, 2)


def test_row_72_differences_of_the_lines(results, separate):
    display = ShrinkageDisplay.from_results(results, kind="lines")
    mixed = results.group_coefficients["Subject"].to_numpy()
    for segment, line in zip(
        display.artists_["lines"].get_segments(), mixed - separate, strict=True
    ):
        assert_allclose(segment[:, 1], line[0] + line[1] * segment[:, 0], atol=1e-8)


def test_row_74_densities_of_intercepts_and_slopes(results, separate):
    display = ShrinkageDisplay.from_results(results, kind="density")
    mixed = results.group_coefficients["Subject"].to_numpy()
    for j, x in enumerate(display.density_x):
        for name, values in (("separate", separate), ("mixed", mixed)):
            density = display.densities[name][j]
            # The mean of a kernel estimate is that of the values.
            assert_allclose(np.trapezoid(x * density, x), values[:, j].mean(), rtol=0.02)
        assert display.densities["mixed"][j].max() > display.densities["separate"][j].max()


def test_row_75_raw_means_against_modes():
    data = load_dyestuff()
    model = RandomInterceptRegressor(groups="Batch").fit(data[["Batch"]], data["Yield"])
    display = ShrinkageDisplay.from_estimator(model, data[["Batch"]], data["Yield"], kind="arrow")
    means = data.groupby("Batch", observed=True)["Yield"].mean().to_numpy()
    points = display.artists_["mixed"].get_offsets()
    assert_allclose(points[:, 0], means)
    # Bates et al.: each mode is the deviation of the mean, shrunk by the same factor here.
    tau2, sigma2 = model.group_variance_, model.residual_variance_
    shrunk = tau2 / (tau2 + sigma2 / 5) * (means - model.intercept_)
    assert_allclose(points[:, 1] - model.intercept_, shrunk)


def test_row_76_true_against_estimated_slopes():
    data, truth = make_mixed_regression(
        60, 20, re_cov=[[1.0, 0.2], [0.2, 0.5]], as_frame=True, coef=True, random_state=0
    )
    results = mixedlm("y ~ x1 + (x1 | group)", data)
    estimated = results.group_coefficients["group"]["x1"]
    _, ax = plt.subplots()
    points = ax.scatter(truth.group_coef[:, 1], estimated)
    ax.axline((1.0, 1.0), slope=1.0)
    true, found = points.get_offsets().T
    assert np.corrcoef(true, found)[0, 1] > 0.9
    own = [np.polyfit(rows["x1"], rows["y"], 1)[0] for _, rows in data.groupby("group")]
    assert np.mean((found - true) ** 2) < np.mean((own - true) ** 2)


@pytest.mark.slow
def test_row_78_two_subjects_and_all_subjects(results):
    two = GroupFitDisplay.from_results(results, levels=["308", "335"])
    assert [panel.get_title(loc="left") for panel in two.ax_] == ["308", "335"]
    every = GroupFitDisplay.from_results(results)
    assert len(every.ax_) == 18
    together = GroupFitDisplay.from_results(results, panels=False)
    assert len(together.lines_["mixed"][0].get_segments()) == 18
