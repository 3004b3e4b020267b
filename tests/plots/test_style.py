"""Colours, grids of panels, legends and labels that displays share."""

from __future__ import annotations

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from skmixed.plots.style.colours import PALETTE, alpha_for
from skmixed.plots.style.legends import legend_above
from skmixed.plots.style.panels import grid_shape, make_panels
from skmixed.plots.style.point_labels import place_labels
from skmixed.plots.style.text import integer_ticks, short_label

from .drawn import overlapping


@pytest.mark.parametrize(
    ("n", "shape"), [(1, (1, 1)), (2, (1, 2)), (4, (2, 2)), (6, (2, 3)), (12, (3, 4)), (18, (3, 6))]
)
def test_grids_without_gaps(n, shape):
    assert grid_shape(n) == shape


@pytest.mark.parametrize("n", range(1, 60))
def test_grids_hold_all_panels_with_few_gaps(n):
    rows, columns = grid_shape(n)
    assert n <= rows * columns < n + columns
    assert rows <= columns


def test_colours_differ_in_lightness_or_hue_for_every_reader():
    # Without red-green vision (Vienot, Brettel and Mollon 1999) colours of the palette stay apart.
    linear = np.array([to_rgb(color) for color in PALETTE]) ** 2.2
    seen = linear @ np.array([[0.1121, 0.1127, 0.0045], [0.8853, 0.8897, 0.0], [0.0, 0.0, 1.0]])
    seen[:, 2] = linear[:, 2]
    for first, second in itertools.combinations(np.clip(seen, 0, 1) ** (1 / 2.2), 2):
        assert np.abs(first - second).max() > 0.08


def test_short_labels():
    assert short_label(("north", 1)) == "north:1"
    assert short_label("$x$") == r"\$x\$"
    short = short_label("a" * 30 + "b" * 30, 11)
    assert short == "aaaaa…bbbbb"


def test_a_legend_stands_between_title_and_data():
    _, ax = plt.subplots(figsize=(3.0, 2.5))
    ax.set_title("a title", loc="left")
    handles = [ax.plot([0, 1], label=f"a line of some name {i}")[0] for i in range(4)]
    legend = legend_above(ax, handles)
    ax.figure.draw_without_rendering()
    box = legend.get_window_extent()
    assert box.y0 >= ax.get_window_extent().y1 - 1.0
    assert ax._left_title.get_window_extent().y0 >= box.y1 - 1.0
    assert ax._left_title.get_window_extent().y1 <= ax.figure.bbox.y1


def test_panels_that_share_limits_have_outer_numbers_only():
    made = make_panels(None, 5, caller="Display.plot")
    made.axes[0].plot([0, 7])
    assert made.axes[4].get_xlim() == made.axes[0].get_xlim()
    made.label("a name", "another")
    made.figure.draw_without_rendering()
    numbered = [panel.xaxis.get_tick_params()["labelbottom"] for panel in made.axes]
    assert numbered == [False, False, True, True, True]
    assert made.figure.get_supxlabel() == "a name"


def test_integers_and_opacity():
    _, ax = plt.subplots(figsize=(2.0, 2.0))
    ax.plot([0, 3], [0, 1])
    integer_ticks(ax, "x", [0, 1, 3])
    assert (ax.get_xticks() % 1 == 0).all()
    assert alpha_for(5) == 0.9
    assert alpha_for(5000) < alpha_for(100) < 0.9


def test_labels_beside_points_keep_apart():
    _, ax = plt.subplots(figsize=(4.0, 3.0))
    places = np.random.default_rng(0).uniform(size=(30, 2))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    texts = place_labels(ax, [f"name {i}" for i in range(30)], places)
    assert len(texts) > 8
    assert overlapping(texts) == []
    points = ax.transData.transform(places)
    assert not any(text.get_window_extent().count_contains(points) for text in texts)
    frame = ax.get_window_extent()
    assert all(frame.x0 <= text.get_window_extent().x0 for text in texts)
    assert place_labels(ax, range(500), np.zeros((500, 2))) == []
