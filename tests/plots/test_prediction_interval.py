"""What PredictionIntervalDisplay stores and draws."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import MixedLM, mixedlm
from skmixed.datasets import make_mixed_regression
from skmixed.plots import PredictionIntervalDisplay

from .drawn import assert_tidy, texts_of


def display_of(**changes):
    arguments = {
        "names": ["rows"],
        "x": [[0, 1, 2]],
        "mean": [[1.0, 2.0, 3.0]],
        "lower": [[0.0, 1.0, 2.0]],
        "upper": [[2.0, 3.0, 4.0]],
        "observed_x": [0, 1, 2],
        "observed_y": [1.5, 3.5, 2.5],
        "kind": "rows",
    }
    return PredictionIntervalDisplay(**(arguments | changes))


@pytest.fixture(scope="module")
def sleep_model(sleep_data):
    return MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(sleep_data)


def test_bands(sleep_model, sleep_data):
    display = PredictionIntervalDisplay.from_estimator(
        sleep_model, sleep_data, levels=["335", "308"], coverage=0.8
    )
    assert display.names == ["335", "308", "new group", "population"]
    assert_array_equal(display.x[:, [0, -1]], np.tile([0.0, 9.0], (4, 1)))
    for i, label in enumerate(["335", "308", "nobody"]):
        rows = pd.DataFrame({"Days": display.x[i], "Subject": label})
        limits = sleep_model.predict_interval(rows, coverage=0.8)
        assert_allclose(np.column_stack([display.lower[i], display.upper[i]]), limits)
        assert_allclose(display.mean[i], sleep_model.predict(rows))
    mine = display.observed_series == 1
    expected = sleep_data.loc[sleep_data["Subject"] == "308", "Reaction"]
    assert_array_equal(display.observed_y[mine], expected)


def test_the_band_of_the_population(sleep, sleep_model, sleep_data):
    display = PredictionIntervalDisplay.from_estimator(sleep_model, sleep_data, coverage=0.95)
    design = np.column_stack([np.ones(40), display.x[-1]])
    deviation = np.sqrt(np.einsum("ni,ij,nj->n", design, sleep.cov_params(), design))
    # Student's t with 180 - 2 degrees of freedom.
    assert_allclose(display.upper[-1] - display.mean[-1], 1.9733808 * deviation, rtol=1e-6)
    widths = display.upper - display.lower
    assert (widths[-1] < widths[:-2]).all()
    assert (widths[-2] > widths[:-2]).all()


def test_drawn_bands(sleep):
    display = PredictionIntervalDisplay.from_results(sleep)
    assert display.ax_.shape == (6,)
    assert len(display.bands_) == len(display.lines_) == len(display.points_) == 6
    assert_allclose(display.lines_[2].get_ydata(), display.mean[2])
    vertices = display.bands_[2].get_paths()[0].vertices
    assert_allclose(vertices[:, 1].max(), display.upper[2].max())
    assert texts_of(display.legend_)[0] == "Subject: 95 % of new observations"
    assert_tidy(display)


def test_rows(sleep_model, sleep_data):
    display = PredictionIntervalDisplay.from_estimator(
        sleep_model, sleep_data, kind="rows", coverage=0.5
    )
    limits = sleep_model.predict_interval(sleep_data, coverage=0.5)
    predicted = sleep_model.predict(sleep_data)
    order = np.argsort(predicted, kind="stable")
    assert_allclose(display.mean[0], predicted[order])
    assert_allclose(display.lower[0], limits[order, 0])
    y = sleep_data["Reaction"].to_numpy()
    inside = (limits[:, 0] <= y) & (y <= limits[:, 1])
    assert_array_equal(display.inside, inside[order])
    assert display.empirical_coverage == pytest.approx(inside.mean())
    share = f"inside ({inside.sum()} of 180, {100 * inside.mean():.1f} %)"
    assert share in texts_of(display.legend_)
    outside = display.points_[1].get_offsets()
    assert_allclose(outside[:, 1], y[order][~inside[order]])
    assert len(display.bands_[0].get_segments()) == 180
    assert_tidy(display)


def test_rows_of_new_groups_are_covered():
    make = {"beta": (2.0, 1.0), "re_cov": [[1.0, 0.3], [0.3, 0.5]], "as_frame": True}
    model = MixedLM(formula="y ~ x1 + (x1 | group)")
    model.fit(make_mixed_regression(100, 8, random_state=0, **make))
    new = make_mixed_regression(400, 5, random_state=1, **make)
    new["group"] += 1000
    display = PredictionIntervalDisplay.from_estimator(model, new, kind="rows")
    # Five rows of a group do not vary alone: the standard error allows for it.
    by_group = np.add.reduceat(
        display.inside[np.argsort(new["group"], kind="stable")], range(0, 2000, 5)
    )
    error = by_group.std() / 5 / 20
    assert abs(display.empirical_coverage - 0.95) < 4 * max(error, 0.005)


def test_population_without_covariates_of_the_groups(sleep_data):
    """Where no variance is left between groups, its band is that of least squares."""
    rng = np.random.default_rng(0)
    data = sleep_data.assign(Reaction=rng.permutation(sleep_data["Reaction"]))
    with pytest.warns(UserWarning, match="boundary"):
        results = mixedlm("Reaction ~ Days + (1 | Subject)", data)
    display = PredictionIntervalDisplay.from_results(results)
    design = sm.add_constant(data["Days"])
    fitted = sm.OLS(data["Reaction"], design).fit()
    expected = fitted.get_prediction(sm.add_constant(display.x[-1])).conf_int()
    assert_allclose(np.column_stack([display.lower[-1], display.upper[-1]]), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["bands", "rows"])
def test_5000_groups(many_results, kind):
    display = PredictionIntervalDisplay.from_results(many_results, kind=kind)
    assert len(display.names) == (6 if kind == "bands" else 1)
    assert_tidy(display)


@pytest.mark.parametrize("kind", ["bands", "rows"])
def test_any_axes(sleep, kind):
    _, axes = plt.subplots(1, 2, figsize=(9.0, 4.0), layout="constrained")
    display = PredictionIntervalDisplay.from_results(sleep, kind=kind, ax=axes[0])
    assert display.figure_ is axes[0].figure
    assert_tidy(display)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "bars"}, "kind must be one of .*got 'bars'"),
        ({"coverage": 95}, "coverage must be between 0 and 1, got 95. Use 0.95"),
        ({"lower": [[0.0]]}, r"lower must have the shape \(1, 3\) of x, got \(1, 1\)"),
        ({"observed_y": [0.0]}, r"observed_y must have the shape \(3,\)"),
        ({"x": [0.0]}, "x must have a row for each of the 1 series"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        display_of(**changes)


def test_rows_are_one_series():
    two = np.zeros((2, 3))
    with pytest.raises(ValueError, match="kind='rows' shows one series, got 2"):
        display_of(names=["a", "b"], x=two, mean=two, lower=two, upper=two)


def test_no_such_kind_is_said_first(sleep, sleep_model, sleep_data):
    with pytest.raises(ValueError, match="kind must be one of"):
        PredictionIntervalDisplay.from_results(sleep, kind="bar")
    with pytest.raises(ValueError, match="kind must be one of"):
        PredictionIntervalDisplay.from_estimator(sleep_model, sleep_data, kind="bar")
