"""What RandomEffectsDisplay stores and draws."""

from __future__ import annotations

import itertools
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skmixed import MixedLM, NoGroupsWarning, RandomInterceptRegressor, mixedlm
from skmixed.datasets import load_penicillin, load_sleepstudy
from skmixed.plots import RandomEffectsDisplay
from skmixed.plots.random_effects import ACCENT, NEUTRAL


@pytest.fixture(scope="module")
def results():
    return mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())


@pytest.fixture(scope="module")
def crossed():
    return mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())


def display_of(n_levels, n_effects=1, **changes):
    rng = np.random.default_rng(0)
    arguments = {
        "levels": [f"group {i}" for i in range(n_levels)],
        "modes": rng.normal(size=(n_levels, n_effects)),
        "standard_deviations": rng.uniform(0.2, 1.0, size=(n_levels, n_effects)),
        "effect_names": [f"x{j}" for j in range(n_effects)],
        "factor": "g",
    }
    return RandomEffectsDisplay(**(arguments | changes))


def test_stored_arrays(results):
    display = RandomEffectsDisplay.from_results(results, level=0.9, beta_known=True)
    modes, deviations = results.random_effects["Subject"], results.random_effects_sd["Subject"]
    assert display.factor == "Subject"
    assert display.effect_names == ("Intercept", "Days")
    assert_array_equal(display.levels, modes.index)
    assert_array_equal(display.modes, modes)
    assert_allclose(display.standard_deviations, deviations, rtol=1e-12)
    # The 95th percentile of the normal distribution.
    assert_allclose(display.upper, modes + 1.6448536269514722 * deviations)
    assert_allclose(display.lower, modes - 1.6448536269514722 * deviations)
    assert_array_equal(display.excludes_zero, display.lower * display.upper > 0)


def test_intervals_are_those_of_the_table(results):
    display = RandomEffectsDisplay.from_results(results)
    table = results.random_effects_table()
    for j, effect in enumerate(display.effect_names):
        rows = table[table["effect"] == effect]
        assert_allclose(display.lower[:, j], rows["lower"])
        assert_array_equal(display.excludes_zero[:, j], rows["excludes_zero"])


def test_intervals_with_uncertain_variances_are_those_of_the_table(crossed):
    display = RandomEffectsDisplay.from_results(crossed, level=0.9, variance_uncertainty="delta")
    table = crossed.random_effects_table(0.9, variance_uncertainty="delta")
    for factor, rows in table.groupby("factor"):
        assert_allclose(display.df[factor][:, 0], rows["df"], rtol=1e-12)
        assert_allclose(display.lower[factor][:, 0], rows["lower"], rtol=1e-12)
        assert_allclose(display.upper[factor][:, 0], rows["upper"], rtol=1e-12)
    model = MixedLM(formula="diameter ~ 1 + (1 | plate) + (1 | sample)").fit(load_penicillin())
    found = RandomEffectsDisplay.from_estimator(
        model, factor="sample", level=0.9, variance_uncertainty="delta"
    )
    assert_allclose(found.upper, display.upper["sample"], rtol=1e-6)


def test_degrees_of_freedom_widen():
    """A tenth of Cauchy's distribution lies beyond 6.31."""
    display = display_of(3, df=np.ones((3, 1)), level=0.9)
    assert_allclose(
        display.upper, display.modes + 6.313751514675043 * display.standard_deviations, rtol=1e-9
    )


def test_one_effect(results):
    display = RandomEffectsDisplay.from_results(results, effect="Days")
    assert display.effect_names == ("Days",)
    assert_array_equal(display.modes[:, 0], results.random_effects["Subject"]["Days"])
    assert isinstance(display.ax_, plt.Axes)


def test_panels(results):
    display = RandomEffectsDisplay.from_results(results)
    assert display.ax_.shape == (2,)
    assert display.figure_ is display.ax_[0].figure
    assert [panel.get_title(loc="left") for panel in display.ax_] == ["Intercept", "Days"]


def test_rows_are_sorted_and_coloured():
    display = display_of(
        3, modes=[[2.0], [-3.0], [0.1]], standard_deviations=[[0.5], [1.0], [1.0]]
    ).plot()
    (points,), (intervals,), (zero,) = display.points_, display.intervals_, display.zero_lines_
    assert_array_equal(points.get_offsets(), [[-3.0, 0], [0.1, 1], [2.0, 2]])
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == [
        "group 1",
        "group 2",
        "group 0",
    ]
    colours = [to_hex(colour).upper() for colour in intervals.get_colors()]
    assert colours == [ACCENT, NEUTRAL, ACCENT]
    ends = [segment[:, 0] for segment in intervals.get_segments()]
    order = [1, 2, 0]
    assert_allclose(ends, np.hstack([display.lower, display.upper])[order])
    assert_array_equal(zero.get_xdata(), [0.0, 0.0])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["excludes 0 (2)", "includes 0 (1)"]


def test_legend_leaves_out_what_does_not_occur():
    display = display_of(4, modes=np.zeros((4, 1))).plot()
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["includes 0 (4)"]


@pytest.mark.parametrize("n_levels", [1, 5, 18, 50])
def test_labels_do_not_overlap(n_levels):
    display = display_of(n_levels).plot()
    display.figure_.draw_without_rendering()
    boxes = [text.get_window_extent() for text in display.ax_.get_yticklabels()]
    assert len(boxes) == n_levels
    for below, above in itertools.pairwise(boxes):
        assert below.y1 <= above.y0 + 1.0


@pytest.mark.parametrize("n_levels", [400, 5000])
def test_many_groups_have_no_labels(n_levels):
    display = display_of(n_levels).plot()
    assert len(display.ax_.get_yticks()) == 0
    assert f"{n_levels:,} groups" in display.ax_.get_ylabel()


def test_nothing_hides_the_rows_or_leaves_the_figure():
    display = display_of(5, levels=["a", "b", "c", "d", "a municipality whose name is long"]).plot()
    display.figure_.draw_without_rendering()
    panel, legend = display.ax_.get_window_extent(), display.ax_.get_legend().get_window_extent()
    assert legend.y0 >= panel.y1 - 1.0
    for artist in (display.ax_.xaxis.label, display.ax_.yaxis.label):
        box = artist.get_window_extent()
        assert box.x0 >= 0.0
        assert box.x1 <= display.figure_.bbox.x1


def test_long_labels_and_interactions_are_short_texts():
    display = display_of(2, levels=[("north", 1), ("x" * 80, 2)]).plot()
    texts = {text.get_text() for text in display.ax_.get_yticklabels()}
    assert "north:1" in texts
    assert max(map(len, texts)) < 30


def test_labels_are_no_formulas():
    display = display_of(1, levels=["$x_1$ and $"]).plot()
    display.figure_.draw_without_rendering()
    assert display.ax_.get_yticklabels()[0].get_text() == r"\$x_1\$ and \$"


def test_given_axes(results):
    _, axes = plt.subplots(2, 1)
    display = RandomEffectsDisplay.from_results(results, ax=axes)
    assert list(display.ax_) == list(axes)
    _, ax = plt.subplots()
    assert RandomEffectsDisplay.from_results(results, effect="Days", ax=ax).ax_ is ax
    with pytest.raises(ValueError, match=r"2 panels.*holds 3 Axes.*Pass one Axes"):
        RandomEffectsDisplay.from_results(results, ax=plt.subplots(3)[1])


def test_the_place_of_one_axes_is_divided(results):
    _, (left, right) = plt.subplots(1, 2, layout="constrained")
    display = RandomEffectsDisplay.from_results(results, ax=right)
    display.figure_.draw_without_rendering()
    assert display.figure_ is left.figure
    assert len(display.ax_) == 2
    assert min(panel.get_window_extent().x0 for panel in display.ax_) > left.get_window_extent().x1


class TestSeveralFactors:
    """All factors are shown in one figure unless one is named."""

    def test_stored_arrays(self, crossed):
        display = RandomEffectsDisplay.from_results(crossed, beta_known=True)
        assert list(display.modes) == ["plate", "sample"]
        for factor, modes in crossed.random_effects.items():
            assert_array_equal(display.modes[factor], modes)
            assert_array_equal(display.levels[factor], modes.index)
            reach = stats.norm.ppf(0.975) * crossed.random_effects_sd[factor]
            assert_allclose(display.upper[factor] - display.modes[factor], reach, atol=1e-12)
            zero = np.abs(display.modes[factor]) <= reach
            assert_array_equal(display.excludes_zero[factor], ~zero)

    def test_panels(self, crossed):
        display = RandomEffectsDisplay.from_results(crossed)
        titles = [panel.get_title(loc="left") for panel in display.ax_]
        assert titles == ["plate: Intercept", "sample: Intercept"]
        assert [len(points.get_offsets()) for points in display.points_] == [24, 6]
        assert [panel.get_ylabel() for panel in display.ax_] == [
            "plate (24 groups)",
            "sample (6 groups)",
        ]

    def test_one_factor(self, crossed):
        display = RandomEffectsDisplay.from_results(crossed, factor="sample")
        assert display.factor == "sample"
        assert display.modes.shape == (6, 1)

    def test_factors_without_the_effect_are_left_out(self):
        rng = np.random.default_rng(0)
        data = load_sleepstudy()
        rater = rng.permutation(np.arange(len(data)) % 9)
        data = data.assign(
            rater=rater, Reaction=data["Reaction"] + 50.0 * rng.normal(size=9)[rater]
        )
        results = mixedlm("Reaction ~ Days + (Days | Subject) + (1 | rater)", data)
        assert len(RandomEffectsDisplay.from_results(results).points_) == 3
        display = RandomEffectsDisplay.from_results(results, effect="Days")
        assert display.factor == "Subject"
        assert display.effect_names == ("Days",)


def test_from_estimator():
    data = load_sleepstudy()
    model = RandomInterceptRegressor(groups="Subject")
    with pytest.raises(NotFittedError):
        RandomEffectsDisplay.from_estimator(model)
    model.fit(data[["Days", "Subject"]], data["Reaction"])
    display = RandomEffectsDisplay.from_estimator(model)
    assert display.ax_ is not None
    assert_array_equal(display.modes, model.random_effects_["Subject"])
    slopes = MixedLM(groups="Subject", random_slopes=["Days"])
    slopes.fit(data[["Days", "Subject"]], data["Reaction"])
    assert len(RandomEffectsDisplay.from_estimator(slopes, factor="Subject").ax_) == 2


def test_unknown_names(results):
    with pytest.raises(ValueError, match=r"no factor 'school'.*\['Subject'\]"):
        RandomEffectsDisplay.from_results(results, factor="school")
    with pytest.raises(ValueError, match=r"no effect 'x'.*\['Intercept', 'Days'\]"):
        RandomEffectsDisplay.from_results(results, effect="x")


def test_no_random_effects():
    with pytest.warns(NoGroupsWarning):
        results = mixedlm("Reaction ~ Days", load_sleepstudy())
    with pytest.raises(ValueError, match="no random effects"):
        RandomEffectsDisplay.from_results(results)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modes": np.zeros((2, 1))}, "modes must have shape"),
        ({"standard_deviations": np.zeros(3)}, "standard_deviations must have shape"),
        ({"df": np.ones(3)}, "df must have shape"),
        ({"level": 95}, "level must be between 0 and 1"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        display_of(3, **changes)


def test_zero_variance_is_drawn():
    display = display_of(3, modes=np.zeros((3, 1)), standard_deviations=np.zeros((3, 1))).plot()
    display.figure_.draw_without_rendering()
    assert not display.excludes_zero.any()


def test_matplotlib_is_imported_when_something_is_drawn():
    code = "import sys, skmixed.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_missing_matplotlib_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"RandomEffectsDisplay.plot.*scikit-mixed\[plot\]"):
        display_of(2).plot()


def test_pipeline():
    data = load_sleepstudy()
    model = MixedLM(groups="Subject", random_slopes=["Days"])
    steps = make_pipeline(FunctionTransformer(), model)
    with pytest.raises(NotFittedError):
        RandomEffectsDisplay.from_estimator(steps)
    steps.fit(data[["Days", "Subject"]], data["Reaction"])
    found = RandomEffectsDisplay.from_estimator(steps)
    assert_array_equal(found.modes, steps[-1].random_effects_["Subject"])
