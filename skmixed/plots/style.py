"""What all displays share: colours, grids of panels, legends outside the data, thinned labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.matplotlib_support import require_pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "GREY",
    "LIGHT_GREY",
    "ORANGE",
    "PALETTE",
    "PURPLE",
    "SKY_BLUE",
    "VERMILLION",
    "YELLOW",
    "Panels",
    "alpha_for",
    "grid_shape",
    "integer_ticks",
    "label_ticks",
    "legend_above",
    "make_panels",
    "remove_frame",
    "short_label",
]

# Okabe and Ito's palette, which readers who confuse colours can tell apart; its yellow is too pale
# for lines on white and comes last.
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY_BLUE, PURPLE, BLACK, YELLOW = "#56B4E9", "#CC79A7", "#000000", "#F0E442"
PALETTE = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY_BLUE, BLACK, YELLOW)
GREY, LIGHT_GREY = "#8C8C8C", "#D0D0D0"

_POINTS_PER_INCH = 72.0
_LETTER_WIDTH = 0.62
_LINE_HEIGHT = 1.3
_SMALLEST_TEXT = 5.0
_LEGEND = {
    "frameon": False,
    "fontsize": "small",
    "handlelength": 1.6,
    "columnspacing": 1.4,
    "borderaxespad": 0.2,
    "borderpad": 0.2,
}


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """Hold the axes of a display.

    Attributes
    ----------
    axes : ndarray of shape (n_panels,)
        Of matplotlib Axes.
    root : Figure, SubFigure or None
        What they fill alone; None where the axes were given one by one.
    """

    axes: NDArray[Any]
    root: Any

    @property
    def figure(self) -> Any:
        """Return the figure of the panels."""
        return self.axes[0].get_figure(root=True)

    @property
    def ax(self) -> Any:
        """Return the Axes if there is one, else the array of them."""
        return self.axes[0] if len(self.axes) == 1 else self.axes

    def label(self, x: str, y: str) -> None:
        """Name the axes: once for a grid, else on each panel."""
        x, y = short_label(x, 60), short_label(y, 60)
        if self.root is not None:
            self.root.supxlabel(x, fontsize="medium")
            self.root.supylabel(y, fontsize="medium")
            return
        for panel in self.axes:
            panel.set(xlabel=x, ylabel=y)

    def legend(self, handles: Sequence[Any]) -> Any:
        """Explain artists, which have labels, above the panels; return the Legend or None."""
        if not handles:
            return None
        if self.root is None:
            return legend_above(self.axes[0], handles, width=self._row_width)
        legend = _fitted_legend(
            lambda n: self.root.legend(
                handles=list(handles), loc="outside upper left", ncols=n, **_LEGEND
            ),
            len(handles),
            0.9 * self.root.bbox.width,
        )
        if self.root.get_layout_engine() is None:
            room = legend.get_window_extent().height + 0.25 * self.root.dpi
            self.axes[0].get_gridspec().update(top=1.0 - room / self.root.bbox.height)
        return legend

    @property
    def _row_width(self) -> float:
        """Return the width in pixels of the panels beside the first one, gaps included."""
        boxes = [panel.get_window_extent() for panel in self.axes]
        row = [box for box in boxes if abs(box.y0 - boxes[0].y0) < 1.0]
        return float(max(box.x1 for box in row) - boxes[0].x0)


def make_panels(
    ax: Any,
    n_panels: int,
    *,
    caller: str,
    size: tuple[float, float] = (2.0, 1.8),
    single: tuple[float, float] = (5.6, 4.2),
    share: bool = True,
) -> Panels:
    """Return the axes to draw on.

    Parameters
    ----------
    ax : matplotlib Axes, array of Axes, or None
        One Axes for several panels is hidden, and its place divided; None makes a figure.
    n_panels : int
    caller : str
        Who draws, for messages: ``"GroupFitDisplay.plot"``.
    size, single : tuple of float
        Width and height in inches of each of several panels, or of the only one.
    share : bool, default=True
        Whether several panels have the same limits, and only the outer ones their numbers.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If ax holds another number of Axes.
    """
    plt = require_pyplot(caller)
    if n_panels == 1 and ax is None:
        _, ax = plt.subplots(figsize=single, layout="constrained")
    given = None if ax is None else np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if given is not None and given.size == n_panels:
        for panel in given:
            remove_frame(panel)
        return Panels(given, None)
    if given is not None and given.size != 1:
        raise ValueError(
            f"{caller} draws {n_panels} panels, but ax holds {given.size} Axes. Pass one Axes, "
            f"whose place is divided, or {n_panels} of them."
        )
    rows, columns = grid_shape(n_panels)
    if given is None:
        extent = (size[0] * columns + 0.5, size[1] * rows + 0.7)
        root: Any = plt.figure(figsize=extent, layout="constrained")
    else:
        root = _in_place_of(given[0])
    return Panels(_grid(root, n_panels, rows, columns, share=share), root)


def grid_shape(n_panels: int) -> tuple[int, int]:
    """Return rows and columns of a grid that is somewhat wider than high and has few gaps."""
    least, most = int(np.ceil(np.sqrt(n_panels))), int(1.9 * np.sqrt(n_panels))
    candidates = np.arange(least, max(least, most) + 1)
    gaps = -n_panels % candidates
    distance = np.abs(candidates - np.sqrt(1.5 * n_panels))
    columns = int(candidates[np.lexsort((distance, gaps))[0]])
    return -(-n_panels // columns), columns


def legend_above(ax: Axes, handles: Sequence[Any], *, width: float | None = None) -> Any:
    """Explain artists, which have labels, between the title of an Axes and its data.

    Parameters
    ----------
    ax : matplotlib Axes
    handles : sequence of artists
    width : float, optional
        How wide it may be, in pixels; as the Axes by default.
    """
    legend = _fitted_legend(
        lambda n: ax.legend(
            handles=list(handles), loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=n, **_LEGEND
        ),
        len(handles),
        1.1 * (ax.get_window_extent().width if width is None else width),
    )
    height = legend.get_window_extent().height * _POINTS_PER_INCH / ax.figure.dpi
    for where in ("left", "center", "right"):
        title = ax.get_title(loc=where)
        if title:
            shown = ax.set_title(title, loc=where, pad=height + 4.0)
            height += shown.get_window_extent().height * _POINTS_PER_INCH / ax.figure.dpi + 4.0
    _keep_inside(ax, height)
    return legend


def remove_frame(ax: Axes) -> None:
    """Leave of the frame the two sides with numbers."""
    ax.spines[["top", "right"]].set_visible(False)


def short_label(label: Any, longest: int = 28) -> str:
    """Return a label as text without formulas that is not too long; tuples are joined by ":"."""
    text = ":".join(map(str, label)) if isinstance(label, tuple) else str(label)
    if len(text) > longest:
        # Long names often begin alike and end with what tells them apart.
        end = (longest - 1) // 2
        text = f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"
    return text.replace("$", r"\$")


def label_ticks(ax: Axes, axis: str, places: Any, labels: Sequence[Any]) -> None:
    """Name places of an axis, as many of them as there is room for.

    Parameters
    ----------
    ax : matplotlib Axes
        With its limits set.
    axis : {"x", "y"}
    places : array-like of shape (n,)
        Evenly spaced, ascending.
    labels : sequence of n labels
    """
    texts = [short_label(label) for label in labels]
    box = ax.get_window_extent()
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    length = (box.width if axis == "x" else box.height) * _POINTS_PER_INCH / ax.figure.dpi
    n = max(len(texts), 1)
    reach = (
        np.ptp(np.asarray(places, dtype=float)) * n / max(n - 1, 1) if n > 1 else abs(high - low)
    )
    room = length * min(reach / abs(high - low), 1.0) / n
    letters = 1.0 if axis == "y" else max(map(len, texts), default=1) * _LETTER_WIDTH + 0.6
    needed = letters if axis == "x" else _LINE_HEIGHT
    size = float(np.clip(room / needed, _SMALLEST_TEXT + 1.0, 9.0))
    step = max(int(np.ceil(needed * size / room)), 1)
    ticks = np.asarray(places)[::step]
    getattr(ax, f"set_{axis}ticks")(ticks, texts[::step], fontsize=size)


def integer_ticks(ax: Axes, axis: str, values: Any) -> None:
    """Put the numbers of an axis at integers where all values are some."""
    values = np.asarray(values, dtype=float)
    if len(values) and (values == np.round(values)).all():
        getattr(ax, f"{axis}axis").get_major_locator().set_params(
            integer=True, steps=[1, 2, 3, 5, 10]
        )


def alpha_for(n: int, *, full: int = 20, least: float = 0.04) -> float:
    """Return an opacity at which n lines or points over each other remain legible."""
    return float(np.clip(np.sqrt(full / max(n, 1)), least, 0.9))


def _keep_inside(ax: Axes, above: float) -> None:
    """Lower an Axes that no layout engine places, if the points above it leave the figure."""
    figure = ax.get_figure(root=True)
    if figure is None or figure.get_layout_engine() is not None:
        return
    place = ax.get_position()
    top = place.y1 + above * figure.dpi / _POINTS_PER_INCH / figure.bbox.height
    excess = top - 1.0 + 1e-3
    if 0.0 < excess < 0.6 * place.height:
        ax.set_position((place.x0, place.y0, place.width, place.height - excess))


def _fitted_legend(make: Any, n_handles: int, width: float) -> Any:
    """Return the legend of most columns that is not wider than width, in pixels."""
    for n in range(n_handles, 0, -1):
        legend = make(n)
        if n == 1 or legend.get_window_extent().width <= width:
            return legend
        legend.remove()
    return None


def _in_place_of(ax: Axes) -> Any:
    """Return a subfigure where an Axes is, which is hidden."""
    figure = ax.figure
    ax.set_axis_off()
    specification = ax.get_subplotspec()
    if specification is None:
        box = ax.get_position()
        nearly = 1e-9
        grid = figure.add_gridspec(
            3,
            3,
            width_ratios=[max(box.x0, nearly), box.width, max(1.0 - box.x1, nearly)],
            height_ratios=[max(1.0 - box.y1, nearly), box.height, max(box.y0, nearly)],
        )
        specification = grid[1, 1]
    return figure.add_subfigure(specification)


def _grid(root: Any, n_panels: int, rows: int, columns: int, *, share: bool) -> NDArray[Any]:
    """Return n_panels new Axes in rows and columns."""
    margins = {}
    if root.get_layout_engine() is None:
        width, height = (root.bbox.size / root.dpi).tolist()
        margins = {
            "left": min(0.65 / width, 0.3),
            "right": 1.0 - min(0.1 / width, 0.1),
            "bottom": min(0.55 / height, 0.3),
            "top": 1.0 - min(0.5 / height, 0.3),
            "hspace": 0.45,
            "wspace": 0.12 if share else 0.4,
        }
    places = root.add_gridspec(rows, columns, **margins)
    axes = np.empty(n_panels, dtype=object)
    for i in range(n_panels):
        first = axes[0] if i and share else None
        panel = root.add_subplot(places[i // columns, i % columns], sharex=first, sharey=first)
        remove_frame(panel)
        if share:
            below = i + columns < n_panels
            panel.tick_params(labelbottom=not below, labelleft=i % columns == 0)
        axes[i] = panel
    return axes
