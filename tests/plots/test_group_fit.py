"""What GroupFitDisplay stores and draws."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmixed import MixedLM, NoGroupsWarning, RandomInterceptRegressor, mixedlm
from skmixed.datasets import load_pastes, make_mixed_regression
from skmixed.inference.inputs import with_rows
from skmixed.plots import GroupFitDisplay
from skmixed.results import MixedLMResults

from .drawn import assert_tidy, texts_of

ALL = ("points", "separate", "mixed", "pooled", "population")


def line_of(x, y, places):
    """Return the least-squares line of some rows, by numpy alone."""
    slope, intercept = np.polyfit(x, y, 1)
    return intercept + slope * places


def display_of(**changes):
    arguments = {
        "groups": ["a", "b"],
        "x": [0.0, 1.0, 0.0, 1.0],
        "y": [1.0, 2.0, 3.0, 5.0],
        "codes": [0, 0, 1, 1],
        "line_x": [[0.0, 1.0], [0.0, 1.0]],
        "lines": {"mixed": [[1.0, 2.0], [3.0, 5.0]]},
    }
    return GroupFitDisplay(**(arguments | changes))


def test_lines_of_the_sleep_study(sleep_data, sleep):
    display = GroupFitDisplay.from_results(sleep, show=ALL)
    assert display.feature == "Days"
    assert display.response == "Reaction"
    assert list(display.groups) == sorted(sleep_data["Subject"].unique())
    x = display.line_x
    assert_array_equal(x[:, [0, -1]], np.tile([0.0, 9.0], (18, 1)))
    for i, subject in enumerate(display.groups):
        rows = sleep_data[sleep_data["Subject"] == subject]
        expected = line_of(rows["Days"], rows["Reaction"], x[i])
        assert_allclose(display.lines["separate"][i], expected, rtol=1e-9)
        mine = display.codes == i
        assert_array_equal(np.sort(display.y[mine]), np.sort(rows["Reaction"]))
        coefficients = sleep.group_coefficients["Subject"].loc[subject]
        expected = coefficients["Intercept"] + coefficients["Days"] * x[i]
        assert_allclose(display.lines["mixed"][i], expected, rtol=1e-9)
    pooled = line_of(sleep_data["Days"], sleep_data["Reaction"], x[0])
    assert_allclose(display.lines["pooled"], np.tile(pooled, (18, 1)), rtol=1e-9)
    fixed = sleep.params
    population = fixed["Intercept"] + fixed["Days"] * x
    assert_allclose(display.lines["population"], population, rtol=1e-9)


@pytest.mark.slow
def test_panels_of_the_sleep_study(sleep):
    display = GroupFitDisplay.from_results(sleep)
    assert display.ax_.shape == (18,)
    assert len(display.points_) == 18
    assert set(display.lines_) == {"separate", "mixed", "pooled"}
    assert texts_of(display.legend_) == [
        "separate least squares",
        "mixed model",
        "pooled least squares",
    ]
    drawn = display.lines_["mixed"][3].get_segments()[0]
    assert_allclose(drawn, np.column_stack([display.line_x[3], display.lines["mixed"][3]]))
    offsets = np.asarray(display.points_[3].get_offsets())
    assert_array_equal(offsets[:, 1], display.y[display.codes == 3])
    assert display.ax_[3].get_title(loc="left") == display.groups[3]
    assert_tidy(display)


def test_chosen_levels_keep_their_order(sleep):
    display = GroupFitDisplay.from_results(sleep, levels=["335", "308"])
    assert list(display.groups) == ["335", "308"]
    assert display.ax_.shape == (2,)
    assert "2 of 18 groups" in texts_of(display.legend_)


def test_a_random_intercept_in_one_panel(sleep_data):
    X, y = sleep_data[["Days", "Subject"]], sleep_data["Reaction"]
    model = RandomInterceptRegressor(groups="Subject").fit(X, y)
    display = GroupFitDisplay.from_estimator(model, X, y, panels=False)
    assert isinstance(display.ax_, plt.Axes)
    slopes = np.diff(display.lines["mixed"][:, [0, -1]])[:, 0] / 9.0
    assert_allclose(slopes, model.coef_[0])
    assert len(display.lines_["mixed"][0].get_segments()) == 18
    assert_tidy(display)


def test_other_columns_are_held_at_the_means_of_the_group(sleep_data):
    rng = np.random.default_rng(0)
    data = sleep_data.assign(
        age=rng.normal(40.0, 5.0, len(sleep_data)), sex=np.where(sleep_data.index % 3, "f", "m")
    )
    results = mixedlm("Reaction ~ Days + age + sex + (Days | Subject)", data)
    display = GroupFitDisplay.from_results(results)
    held = pd.DataFrame({"Days": display.line_x[4], "Subject": display.groups[4]})
    rows = data[data["Subject"] == display.groups[4]]
    held = held.assign(age=rows["age"].mean(), sex=rows["sex"].mode()[0])
    assert_allclose(display.lines["mixed"][4], results.predict(held))
    design = np.column_stack([data["Days"], data["age"], data["sex"] == "m"])
    least_squares = LinearRegression().fit(design, data["Reaction"])
    expected = least_squares.predict(
        np.column_stack([held["Days"], held["age"], held["sex"] == "m"])
    )
    assert_allclose(display.lines["pooled"][4], expected)
    expected = line_of(rows["Days"], rows["Reaction"], display.line_x[4])
    assert_allclose(display.lines["separate"][4], expected)


def test_a_curve(sleep_data):
    results = mixedlm("Reaction ~ poly(Days, 2) + (1 | Subject)", sleep_data)
    display = GroupFitDisplay.from_results(results)
    rows = sleep_data[sleep_data["Subject"] == display.groups[2]]
    expected = np.polyval(np.polyfit(rows["Days"], rows["Reaction"], 2), display.line_x[2])
    assert_allclose(display.lines["separate"][2], expected)


def test_groups_that_determine_no_line(uneven, uneven_results):
    display = GroupFitDisplay.from_results(uneven_results)
    undetermined = np.isnan(display.lines["separate"]).all(axis=1)
    assert_array_equal(undetermined, np.arange(15) < 2)
    assert np.isfinite(display.lines["mixed"]).all()
    # One x alone has no extent: the line then reaches over that of all rows.
    assert_allclose(display.line_x[1, [0, -1]], [uneven["x"].min(), uneven["x"].max()])
    assert [len(lines.get_segments()[0]) for lines in display.lines_["separate"][:3]] == [0, 0, 25]
    assert display.ax_[3].get_title(loc="left") == "d  n = 10"
    display.figure_.draw_without_rendering()


def test_true_lines():
    data, truth = make_mixed_regression(
        8, 9, re_cov=[[1.0, 0.0], [0.0, 1.0]], as_frame=True, coef=True, random_state=0
    )
    results = mixedlm("y ~ x1 + (x1 | group)", data)
    true = truth["group_coef"]
    display = GroupFitDisplay.from_results(results, true=true, levels=[2, 0])
    assert_allclose(display.lines["true"][0], true[2, 0] + true[2, 1] * display.line_x[0])
    assert texts_of(display.legend_)[0] == "true"
    frame = pd.DataFrame(true, index=range(8)).iloc[::-1]
    same = GroupFitDisplay.from_results(results, true=frame, levels=[2, 0])
    assert_allclose(same.lines["true"], display.lines["true"])
    with pytest.raises(ValueError, match=r"true must have shape \(8, 2\).*got \(3, 2\)"):
        GroupFitDisplay.from_results(results, true=true[:3])
    with pytest.raises(ValueError, match=r"true has no rows for \[7\]"):
        GroupFitDisplay.from_results(results, true=frame.iloc[1:])


@pytest.mark.slow
def test_a_pipeline_and_labels_given_as_an_array(sleep_data, sleep):
    X, y = sleep_data[["Days"]].to_numpy(), sleep_data["Reaction"].to_numpy()
    model = MixedLM(random_slopes=[0]).fit(X, y, groups=sleep_data["Subject"])
    plain = GroupFitDisplay.from_estimator(model, X, y, groups=sleep_data["Subject"])
    expected = GroupFitDisplay.from_results(sleep)
    assert plain.feature == "x0"
    assert_allclose(plain.lines["mixed"], expected.lines["mixed"], rtol=1e-6)
    pipeline = make_pipeline(StandardScaler(), MixedLM(random_slopes=[0]))
    pipeline.fit(X, y, mixedlm__groups=sleep_data["Subject"])
    scaled = GroupFitDisplay.from_estimator(pipeline, X, y, groups=sleep_data["Subject"])
    assert_allclose(scaled.line_x, plain.line_x)
    for name in ("mixed", "separate", "pooled"):
        assert_allclose(scaled.lines[name], plain.lines[name], rtol=1e-6)


def test_factors_that_contain_the_factor_are_included():
    results = mixedlm("strength ~ x + (1 | batch/cask)", load_pastes().assign(x=range(60)))
    display = GroupFitDisplay.from_results(results, levels=[("B", "b")])
    row = pd.DataFrame({"x": display.line_x[0], "batch": "B", "cask": "b"})
    assert_allclose(display.lines["mixed"][0], results.predict(row))
    outer = GroupFitDisplay.from_results(results, factor="batch", levels=["B"])
    assert_allclose(
        outer.lines["mixed"][0],
        results.predict(row.assign(x=outer.line_x[0]), include_random_effects=["batch"]),
    )


@pytest.mark.parametrize("panels", [True, False])
def test_some_groups_stand_for_5000(many_results, panels):
    display = GroupFitDisplay.from_results(many_results, panels=panels)
    n = 12 if panels else 40
    assert len(display.groups) == n
    assert f"{n} of 5,000 groups" in texts_of(display.legend_)
    sizes = np.bincount(display.codes)
    assert sizes.min() == 3
    assert sizes.max() == 7
    modes = many_results.random_effects["group"]["Intercept"]
    ranks = modes.rank()[display.groups]
    assert (np.diff(ranks) > 0).all()
    assert_tidy(display)


@pytest.mark.slow
def test_any_axes(sleep):
    levels = ["308", "309", "310", "330"]
    for figure in (plt.figure(), plt.figure(layout="constrained")):
        first, second = figure.subplots(1, 2)
        first.plot([0, 1])
        display = GroupFitDisplay.from_results(sleep, levels=levels, ax=second)
        assert display.figure_ is figure
        assert display.ax_.shape == (4,)
        figure.draw_without_rendering()
        right = first.get_window_extent().x1
        assert all(panel.get_window_extent().x0 > right for panel in display.ax_)
        assert not second.axison
    free = plt.figure().add_axes((0.3, 0.2, 0.6, 0.7))
    display = GroupFitDisplay.from_results(sleep, levels=levels, ax=free)
    box = free.get_window_extent()
    assert all(box.x0 <= panel.get_window_extent().x0 for panel in display.ax_)
    axes = plt.figure().subplots(2, 2)
    display = GroupFitDisplay.from_results(sleep, levels=levels, ax=axes)
    assert list(display.ax_) == list(axes.ravel())
    with pytest.raises(ValueError, match=r"draws 3 panels, but ax holds 4 Axes"):
        GroupFitDisplay.from_results(sleep, levels=levels[:3], ax=axes)


def test_a_small_axes(sleep):
    _, ax = plt.subplots(figsize=(3.0, 2.4), layout="constrained")
    assert_tidy(GroupFitDisplay.from_results(sleep, panels=False, ax=ax))


def test_only_some_is_drawn():
    display = display_of().plot(show=("points",))
    assert display.lines_ == {}
    assert display.legend_ is None
    assert len(display.points_) == 2


def test_long_labels_keep_their_ends():
    long = "a municipality whose name is long, part "
    display = display_of(groups=[long + "1", long + "2"]).plot()
    titles = [panel.get_title(loc="left") for panel in display.ax_]
    assert titles[0].endswith("part 1")
    assert titles[1].endswith("part 2")
    assert max(map(len, titles)) <= 24
    assert_tidy(display)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": [1.0]}, r"y must have the shape \(4,\) of x, got \(1,\)"),
        ({"codes": [0, 0, 1, 2]}, "codes must lie between 0 and 1.*got 0 to 2"),
        ({"line_x": [[0.0, 1.0]]}, "line_x must have a row for each of the 2 groups"),
        ({"lines": {"mixed": [[0.0]]}}, r"lines\['mixed'\] must have the shape \(2, 2\)"),
        ({"lines": {"best": [[0.0]]}}, "lines has the name 'best'. Choose among"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        display_of(**changes)


def test_what_cannot_be_shown(sleep_data, sleep, dyestuff_results):
    with pytest.raises(ValueError, match=r"feature='Reactions' is not among.*'Days'"):
        GroupFitDisplay.from_results(sleep, feature="Reactions")
    with pytest.raises(ValueError, match="feature='Subject' holds no numbers"):
        GroupFitDisplay.from_results(sleep, feature="Subject")
    with pytest.raises(ValueError, match=r"names \['999'\], which are no levels of 'Subject'"):
        GroupFitDisplay.from_results(sleep, levels=["999"])
    with pytest.raises(ValueError, match="no factor 'Class'"):
        GroupFitDisplay.from_results(sleep, factor="Class")
    with pytest.raises(ValueError, match=r"show must be .*got \['ols'\]"):
        GroupFitDisplay.from_results(sleep, show=("ols",))
    with pytest.raises(ValueError, match=r"no column of numbers.*ShrinkageDisplay"):
        GroupFitDisplay.from_results(dyestuff_results)
    with pytest.raises(TypeError, match="mixed models, got LinearRegression"):
        GroupFitDisplay.from_estimator(
            LinearRegression(), sleep_data[["Days"]], sleep_data["Reaction"]
        )
    with pytest.raises(NotFittedError):
        GroupFitDisplay.from_estimator(MixedLM(), sleep_data[["Days"]], sleep_data["Reaction"])
    X, y = sleep_data[["Days", "Subject"]], sleep_data["Reaction"]
    model = MixedLM(groups="Subject").fit(X, y)
    with pytest.raises(ValueError, match="knows 18 levels of 'Subject', these rows have 5"):
        GroupFitDisplay.from_estimator(model, X[:50], y[:50])
    with pytest.raises(ValueError, match="needs y"):
        GroupFitDisplay.from_estimator(model, X)
    with pytest.raises(TypeError, match=r"keep no rows.*from_estimator"):
        GroupFitDisplay.from_results(model.results_)
    with pytest.warns(NoGroupsWarning):
        plain = MixedLM().fit(X[["Days"]], y)
    with pytest.raises(ValueError, match="no groups to show"):
        GroupFitDisplay.from_estimator(plain, X[["Days"]], y)


def test_any_results_with_rows_are_shown(sleep_data):
    model = MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(sleep_data)
    found = GroupFitDisplay.from_results(MixedLMResults(with_rows(model, sleep_data, None)))
    expected = GroupFitDisplay.from_estimator(model, sleep_data)
    for name, lines in expected.lines.items():
        assert_allclose(found.lines[name], lines)
