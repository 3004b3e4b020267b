"""What TrajectoriesDisplay stores and draws."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import MixedLM, mixedlm
from skmixed.plots import TrajectoriesDisplay
from skmixed.plots.style.colours import PALETTE

from .drawn import assert_tidy, texts_of


def display_of(n_groups=3, n_rows=4, **changes):
    rng = np.random.default_rng(0)
    arguments = {
        "groups": [f"group {i}" for i in range(n_groups)],
        "x": np.tile(np.arange(n_rows), n_groups),
        "y": rng.normal(size=n_groups * n_rows),
        "codes": np.repeat(np.arange(n_groups), n_rows),
        "line_x": [0.0, n_rows - 1.0],
        "lines": [[0.0, 1.0]],
    }
    return TrajectoriesDisplay(**(arguments | changes))


@pytest.fixture(scope="module")
def growth():
    """Return scores of 40 pupils, whose sex and school grade are known."""
    rng = np.random.default_rng(5)
    pupil = np.repeat(np.arange(40), 5)
    grade = np.tile(np.arange(1, 6), 40)
    sex = np.where(np.arange(40) % 4 == 0, "boy", "girl")
    home = rng.normal(size=40)
    score = 10.0 + 2.0 * grade + (sex == "boy")[pupil] * grade + home[pupil]
    score = score + rng.normal(0.0, 2.0, 40)[pupil] + rng.normal(size=200)
    data = pd.DataFrame(
        {"score": score, "grade": grade, "sex": sex[pupil], "home": home[pupil], "pupil": pupil}
    )
    return data.sample(frac=1.0, random_state=0)


@pytest.fixture(scope="module")
def growth_results(growth):
    return mixedlm("score ~ grade * sex + home + (1 | pupil)", growth)


def test_trajectories_of_the_sleep_study(sleep, sleep_data):
    display = TrajectoriesDisplay.from_results(sleep)
    drawn = display.trajectories_.get_segments()
    assert len(drawn) == 18
    for i, subject in enumerate(display.groups):
        rows = sleep_data[sleep_data["Subject"] == subject].sort_values("Days")
        assert_array_equal(display.trajectory(i), rows[["Days", "Reaction"]])
        assert_array_equal(drawn[i], display.trajectory(i))
    fixed = sleep.params
    assert_allclose(display.lines, [fixed["Intercept"] + fixed["Days"] * display.line_x])
    assert_allclose(display.population_.get_segments()[0][:, 1], display.lines[0])
    assert texts_of(display.legend_) == ["Subject (18)", "population"]
    assert_tidy(display)


def test_rows_in_any_order(growth, growth_results):
    display = TrajectoriesDisplay.from_results(growth_results)
    rows = growth[growth["pupil"] == 7].sort_values("grade")
    assert_array_equal(display.trajectory(7), rows[["grade", "score"]])


def test_the_population_is_the_mean_over_other_values(growth, growth_results):
    display = TrajectoriesDisplay.from_results(growth_results)
    expected = [
        growth_results.predict(growth.assign(grade=x), include_random_effects=False).mean()
        for x in display.line_x[[0, 20, -1]]
    ]
    assert_allclose(display.lines[0, [0, 20, -1]], expected)


def test_colours_of_categories(growth, growth_results):
    display = TrajectoriesDisplay.from_results(growth_results, color="sex")
    assert display.categories == ["boy", "girl"]
    sexes = growth.drop_duplicates("pupil").set_index("pupil")["sex"].sort_index()
    assert_array_equal(display.colors, sexes)
    expected = [PALETTE[["boy", "girl"].index(sex)] for sex in sexes]
    drawn = [to_hex(color).upper() for color in display.trajectories_.get_colors()]
    assert drawn == expected
    for line, sex in zip(display.lines, display.categories, strict=True):
        row = pd.DataFrame({"grade": display.line_x, "sex": sex, "home": growth["home"].mean()})
        predicted = growth_results.predict(row, include_random_effects=False)
        assert_allclose(line, predicted)
    assert texts_of(display.legend_)[:2] == ["boy (10)", "girl (30)"]
    assert display.colorbar_ is None
    assert_tidy(display)


def test_colours_of_numbers(growth, growth_results):
    display = TrajectoriesDisplay.from_results(growth_results, color="home")
    assert display.lines.shape[0] == 1
    homes = growth.drop_duplicates("pupil").set_index("pupil")["home"].sort_index()
    assert_array_equal(display.colors, homes)
    assert display.colorbar_.ax.get_ylabel() == "home"
    assert_allclose([display.colorbar_.vmin, display.colorbar_.vmax], [homes.min(), homes.max()])


def test_highlighted_groups(sleep):
    display = TrajectoriesDisplay.from_results(sleep, highlight=["335", "308"])
    assert [display.groups[i] for i in display.highlighted] == ["335", "308"]
    drawn = display.highlights_.get_segments()
    assert_array_equal(drawn[1], display.trajectory(display.highlighted[1]))
    assert "2 of them" in texts_of(display.legend_)
    display.plot(highlight=3)
    means = [display.trajectory(i)[:, 1].mean() for i in display.highlighted]
    assert len(means) == 3
    assert means == sorted(means)
    with pytest.raises(ValueError, match=r"highlight names \['9'\].*18 levels, such as"):
        display.plot(highlight=["9"])


def test_5000_groups(many_results):
    display = TrajectoriesDisplay.from_results(many_results)
    assert len(display.trajectories_.get_segments()) == 5000
    assert display.trajectories_.get_alpha() < 0.1
    assert len(display.highlighted) == 5
    assert "group (5,000)" in texts_of(display.legend_)
    assert_tidy(display)


def test_an_estimator_with_labels_given_as_an_array(sleep, sleep_data):
    X, y = sleep_data[["Days"]], sleep_data["Reaction"]
    model = MixedLM(random_slopes="Days").fit(X, y, groups=sleep_data["Subject"])
    display = TrajectoriesDisplay.from_estimator(model, X, y, groups=sleep_data["Subject"])
    expected = TrajectoriesDisplay.from_results(sleep)
    assert_allclose(display.lines, expected.lines, rtol=1e-7)
    assert_array_equal(display.trajectory(4), expected.trajectory(4))


def test_single_rows_are_points():
    display = display_of(3, 1, x=[0.0, 1.0, 2.0], line_x=[0.0, 2.0]).plot()
    points = display.ax_.collections[1]
    assert_array_equal(points.get_offsets()[:, 0], [0.0, 1.0, 2.0])


def test_any_axes(growth_results):
    _, axes = plt.subplots(1, 2, figsize=(7.0, 3.0), layout="constrained")
    display = TrajectoriesDisplay.from_results(growth_results, color="sex", ax=axes[1])
    assert display.ax_ is axes[1]
    assert_tidy(display)
    with pytest.raises(ValueError, match="draws 1 panels, but ax holds 2 Axes"):
        TrajectoriesDisplay.from_results(growth_results, ax=axes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": [1.0]}, r"y must have the shape \(12,\) of x"),
        ({"codes": np.zeros(12, dtype=int)}, "codes must name each of the 3 groups"),
        (
            {"lines": [0.0, 1.0]},
            r"lines must have the shape \(1, 2\) .*got \(2,\)",
        ),
        ({"colors": ["a", "a"]}, r"colors must have the shape \(3,\) of groups, got \(2,\)"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        display_of(**changes)


def test_too_many_colours():
    with pytest.raises(ValueError, match=r"color='town' has 20 different values.*8 colours"):
        display_of(20, colors=[f"town {i}" for i in range(20)], color_name="town")


def test_no_such_column(growth_results):
    with pytest.raises(ValueError, match=r"color='age' is not among the columns.*'grade'"):
        TrajectoriesDisplay.from_results(growth_results, color="age")
