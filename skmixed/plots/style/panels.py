"""The panels that a display draws on: one Axes, some that are given, or a grid of new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.style.legends import legend_above, legend_above_grid
from skmixed.plots.style.matplotlib_support import require_pyplot
from skmixed.plots.style.text import short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Panels", "grid_shape", "make_panels", "remove_frame"]


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
        return legend_above_grid(self.root, handles, self.axes[0].get_gridspec())

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
    caller : str
        Who draws, for messages: ``"GroupFitDisplay.plot"``.
    size, single : tuple of float
        Width and height in inches of each of several panels, or of the only one.
    share : bool, default=True
        Whether several panels have the same limits, and only the outer ones their numbers.
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


def remove_frame(ax: Axes) -> None:
    """Leave of the frame the two sides with numbers."""
    ax.spines[["top", "right"]].set_visible(False)


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
