"""What ShrinkageDisplay stores and draws."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skmixed import MixedLM, RandomInterceptRegressor, mixedlm
from skmixed.datasets import load_dyestuff, load_penicillin
from skmixed.plots import ShrinkageDisplay

from .drawn import assert_tidy, overlapping, texts_of

KINDS = ("arrow", "density", "lines", "scatter")


def display_of(n=30, effects=("Intercept", "x"), **changes):
    rng = np.random.default_rng(0)
    separate = rng.normal(size=(n, len(effects)))
    arguments = {
        "groups": [f"group {i}" for i in range(n)],
        "effect_names": effects,
        "separate": separate,
        "mixed": 0.6 * separate,
        "population": np.zeros(len(effects)),
    }
    return ShrinkageDisplay(**(arguments | changes))


def separate_lines(data, group, x, y):
    """Return each group's intercept and slope, by numpy alone."""
    return np.array([np.polyfit(rows[x], rows[y], 1)[::-1] for _, rows in data.groupby(group)])


def test_estimates_of_the_sleep_study(sleep_data, sleep):
    display = ShrinkageDisplay.from_results(sleep)
    assert display.effect_names == ("Intercept", "Days")
    expected = separate_lines(sleep_data.astype({"Subject": str}), "Subject", "Days", "Reaction")
    assert_allclose(display.separate, expected, rtol=1e-9)
    assert_allclose(display.mixed, sleep.group_coefficients["Subject"], rtol=1e-12)
    assert_allclose(display.population, sleep.params)
    assert_allclose(display.differences, display.mixed - expected)
    assert_array_equal(display.sizes, np.full(18, 10))


def test_arrows(sleep):
    display = ShrinkageDisplay.from_results(sleep)
    artists = display.artists_
    assert_allclose(artists["separate"].get_offsets(), display.separate)
    assert_allclose(artists["mixed"].get_offsets(), display.mixed)
    arrows = artists["arrows"]
    assert_allclose(arrows.XY, display.separate)
    assert_allclose(np.column_stack([arrows.U, arrows.V]), display.differences)
    assert_allclose(artists["population"].get_offsets(), display.population[None])
    assert display.ax_.get_xlabel() == "Intercept"
    assert display.ax_.get_ylabel() == "Days"
    names = [text.get_text() for text in artists["labels"]]
    assert len(names) > 12
    assert set(names) <= set(map(str, display.groups))
    assert_tidy(display)
    assert overlapping(artists["labels"]) == []


def test_raw_means_against_mixed_estimates(dyestuff_results):
    data = load_dyestuff()
    means = data.groupby("Batch", observed=True)["Yield"].mean()
    display = ShrinkageDisplay.from_results(dyestuff_results)
    assert_allclose(display.separate[:, 0], means, rtol=1e-12)
    modes = dyestuff_results.random_effects["Batch"]["Intercept"]
    assert_allclose(display.mixed[:, 0], dyestuff_results.params["Intercept"] + modes)
    arrows = display.artists_["arrows"]
    assert_allclose(arrows.XY, np.column_stack([means, means]))
    assert_allclose(arrows.U, 0.0, atol=1e-9)
    assert_allclose(arrows.V, display.differences[:, 0])
    assert display.artists_["identity"].get_slope() == 1.0
    assert "no shrinkage" in texts_of(display.legend_)
    assert_tidy(display)


def test_line_differences(sleep_data, sleep):
    display = ShrinkageDisplay.from_results(sleep, kind="lines")
    assert_array_equal(display.line_x, [0.0, 9.0])
    separate = separate_lines(sleep_data.astype({"Subject": str}), "Subject", "Days", "Reaction")
    mixed = sleep.group_coefficients["Subject"].to_numpy()
    expected = (mixed - separate) @ np.array([[1.0, 1.0], [0.0, 9.0]])
    assert_allclose(display.line_differences, expected, atol=1e-8)
    segments = np.array(display.artists_["lines"].get_segments())
    assert_allclose(segments[:, :, 1], expected, atol=1e-8)
    assert display.ax_.get_xlabel() == "Days"
    assert_tidy(display)


def test_densities(sleep):
    display = ShrinkageDisplay.from_results(sleep, kind="density")
    assert display.ax_.shape == (2,)
    for j, x in enumerate(display.density_x):
        for name in ("separate", "mixed"):
            values = getattr(display, name)[:, j]
            spread = min(np.std(values, ddof=1), stats.iqr(values) / 1.34)
            factor = 0.9 * spread * 18**-0.2 / np.std(values, ddof=1)
            expected = stats.gaussian_kde(values, bw_method=factor)(x)
            assert_allclose(display.densities[name][j], expected)
            assert_allclose(np.trapezoid(expected, x), 1.0, atol=0.01)
            assert_allclose(display.artists_[name][j].get_ydata(), expected)
    assert_tidy(display)


def test_scatter(sleep):
    display = ShrinkageDisplay.from_results(sleep, kind="scatter", effects="Days")
    offsets = display.artists_["points"][0].get_offsets()
    assert_allclose(offsets, np.column_stack([display.separate[:, 1], display.mixed[:, 1]]))
    assert display.ax_.get_xlim() == display.ax_.get_ylim()
    assert display.ax_.get_xlabel() == "Days: separate least squares"
    assert_tidy(display)
    both = ShrinkageDisplay.from_results(sleep, kind="scatter")
    assert [panel.get_title(loc="left") for panel in both.ax_] == ["Intercept", "Days"]
    assert_tidy(both)


def test_other_columns_and_factors_are_taken_off():
    data = load_penicillin()
    results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", data)
    display = ShrinkageDisplay.from_results(results, factor="plate")
    samples = results.random_effects["sample"]["Intercept"]
    rest = data["diameter"] - samples[data["sample"].astype(str)].to_numpy()
    expected = rest.groupby(data["plate"].astype(str)).mean()
    assert_allclose(display.separate[:, 0], expected[list(display.groups)])


def test_a_covariate_is_taken_off(sleep_data):
    X, y = sleep_data[["Days", "Subject"]], sleep_data["Reaction"]
    model = RandomInterceptRegressor(groups="Subject").fit(X, y)
    display = ShrinkageDisplay.from_estimator(model, X, y)
    adjusted = y - model.coef_[0] * X["Days"]
    expected = adjusted.groupby(X["Subject"].astype(str)).mean()
    assert_allclose(display.separate[:, 0], expected)
    moved = model.shrinkage_.to_numpy() * (expected.to_numpy() - display.population)
    assert_allclose(display.mixed[:, 0], display.population + moved)


def test_groups_without_estimates_of_their_own(uneven_results):
    display = ShrinkageDisplay.from_results(uneven_results)
    assert_array_equal(np.isnan(display.separate).any(axis=1), np.arange(15) < 2)
    assert len(display.artists_["mixed"].get_offsets()) == 13
    assert "2 of 15 groups: too few rows" in texts_of(display.legend_)
    # The mean of a group needs no more than one row.
    display.plot(kind="scatter", effects="x")
    assert_tidy(display)


@pytest.mark.parametrize("kind", KINDS)
def test_5000_groups(many_results, kind):
    display = ShrinkageDisplay.from_results(many_results, kind=kind)
    assert_tidy(display)
    assert not display.artists_.get("labels")


def test_wild_estimates_do_not_set_the_limits():
    separate = np.random.default_rng(0).normal(size=(300, 2))
    separate[0] = 1e3
    display = display_of(300, separate=separate, mixed=0.5 * np.clip(separate, -4, 4)).plot()
    assert max(display.ax_.get_xlim()) < 5.0
    low, high = display.ax_.get_xlim()
    bottom, top = display.ax_.get_ylim()
    x, y = separate.T
    beyond = int(((x < low) | (x > high) | (y < bottom) | (y > top)).sum())
    assert 1 <= beyond <= 12
    assert f"{beyond} beyond the axes" in texts_of(display.legend_)
    display.plot(kind="scatter")
    assert max(display.ax_[0].get_xlim()) < 5.0


@pytest.mark.parametrize("kind", KINDS)
def test_any_axes(kind):
    _, ax = plt.subplots(figsize=(4.0, 3.2), layout="constrained")
    display = display_of(
        5, groups=["a municipality whose name is long " + str(i) for i in range(5)]
    )
    display.plot(ax, kind=kind)
    assert display.figure_ is ax.figure
    assert_tidy(display)


def test_many_effects():
    display = display_of(effects=("Intercept", "x", "z"), reach=[[1, 0, 2], [1, 4, 8]])
    display.plot(kind="lines", effects=["Intercept", "z"])
    assert_array_equal(display.line_x, [2.0, 8.0])
    expected = display.differences[:, [0]] + display.differences[:, [2]] * np.array([2.0, 8.0])
    assert_allclose(display.line_differences, expected)
    assert display.plot(kind="density").ax_.shape == (3,)


def test_zero_variance():
    display = display_of(4, mixed=np.zeros((4, 2)))
    for kind in KINDS:
        display.plot(kind=kind)
        display.figure_.draw_without_rendering()
        for axes in display.figure_.axes:
            for low, high in (axes.get_xlim(), axes.get_ylim()):
                assert np.isfinite([low, high]).all(), kind
                assert low != high, kind


def test_what_cannot_be_shown(sleep, dyestuff_results, sleep_data):
    with pytest.raises(ValueError, match=r"kind must be one of .*got 'bar'"):
        ShrinkageDisplay.from_results(sleep, kind="bar")
    with pytest.raises(ValueError, match=r"effects must name some of \['Intercept', 'Days'\]"):
        ShrinkageDisplay.from_results(sleep, effects=["Hours"])
    with pytest.raises(ValueError, match=r"needs two effects.*kind='scatter'"):
        ShrinkageDisplay.from_results(dyestuff_results, kind="lines")
    with pytest.raises(ValueError, match="No group of 'group' has rows enough"):
        display_of(separate=np.full((30, 2), np.nan)).plot()
    with pytest.raises(ValueError, match=r"mixed must have the shape \(30, 2\).*got \(1, 1\)"):
        display_of(mixed=[[1.0]])
    with pytest.raises(ValueError, match=r"reach must have the shape \(2, 2\)"):
        display_of(reach=[[0.0], [1.0]])
    model = MixedLM(groups="Subject").fit(sleep_data[["Days", "Subject"]], sleep_data["Reaction"])
    with pytest.raises(ValueError, match="no factor 'School'"):
        ShrinkageDisplay.from_estimator(
            model, sleep_data[["Days", "Subject"]], sleep_data["Reaction"], factor="School"
        )
