"""Legends outside the data: above a panel or a grid, as narrow as these are, and their entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from skmixed.plots.style.matplotlib_support import require_pyplot
from skmixed.plots.style.text import LABEL_SIZE, POINTS_PER_INCH, TITLE_SIZE, text_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "dot_entry",
    "explain",
    "legend_above",
    "legend_above_grid",
    "line_entry",
    "note",
    "patch_entry",
]

_STYLE = {
    "frameon": False,
    "fontsize": "small",
    "handlelength": 1.6,
    "columnspacing": 1.4,
    "borderaxespad": 0.2,
    "borderpad": 0.2,
}


def line_entry(color: Any, label: str, **style: Any) -> Any:
    """Return an entry of a legend with a line."""
    plt = require_pyplot("A legend")
    return plt.Line2D([], [], color=color, label=label, **style)


def dot_entry(
    color: Any, label: str, *, marker: str = "o", markersize: float = 5, **style: Any
) -> Any:
    """Return an entry of a legend with a point."""
    return line_entry(color, label, linestyle="none", marker=marker, markersize=markersize, **style)


def patch_entry(color: Any, label: str, **style: Any) -> Any:
    """Return an entry of a legend with an area."""
    plt = require_pyplot("A legend")
    return plt.matplotlib.patches.Patch(color=color, label=label, linewidth=0, **style)


def note(text: str) -> Any:
    """Return an entry of a legend that is text alone."""
    return line_entry("none", text, linestyle="none")


def legend_above(ax: Axes, handles: Sequence[Any], *, width: float | None = None) -> Any:
    """Explain artists, which have labels, between the title of an Axes and its data.

    The legend is no wider than a width in pixels, or by default than the Axes.
    """
    legend = _fitted_legend(
        lambda n: ax.legend(
            handles=list(handles), loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=n, **_STYLE
        ),
        len(handles),
        1.1 * (ax.get_window_extent().width if width is None else width),
    )
    height = legend.get_window_extent().height * POINTS_PER_INCH / ax.figure.dpi
    for where in ("left", "center", "right"):
        title = ax.get_title(loc=where)
        if title:
            shown = ax.set_title(title, loc=where, pad=height + 4.0)
            height += shown.get_window_extent().height * POINTS_PER_INCH / ax.figure.dpi + 4.0
    _keep_inside(ax, height)
    return legend


def legend_above_grid(root: Any, handles: Sequence[Any], grid: Any) -> Any:
    """Explain artists, which have labels, above the panels of a figure or subfigure.

    Their GridSpec makes room where no layout engine does.
    """
    legend = _fitted_legend(
        lambda n: root.legend(handles=list(handles), loc="outside upper left", ncols=n, **_STYLE),
        len(handles),
        0.9 * root.bbox.width,
    )
    if root.get_layout_engine() is None:
        room = legend.get_window_extent().height + 0.25 * root.dpi
        grid.update(top=1.0 - room / root.bbox.height)
    return legend


def explain(ax: Axes, handles: Sequence[Any]) -> Any:
    """Explain artists, which have labels, under the title that an Axes has; return the Legend."""
    from matplotlib.text import Text

    legend = legend_above(ax, handles)
    scale = text_scale(ax)
    title = ax.get_title(loc="left")
    for text in ax.get_children():
        # Lifting the title has given it the default size.
        if title and isinstance(text, Text) and text.get_text() == title:
            text.set_fontsize(TITLE_SIZE * scale)
    for text in legend.get_texts():
        text.set_fontsize(0.85 * LABEL_SIZE * scale)
    return legend


def _keep_inside(ax: Axes, above: float) -> None:
    """Lower an Axes that no layout engine places, if the points above it leave the figure."""
    figure = ax.get_figure(root=True)
    if figure is None or figure.get_layout_engine() is not None:
        return
    place = ax.get_position()
    top = place.y1 + above * figure.dpi / POINTS_PER_INCH / figure.bbox.height
    excess = top - 1.0 + 1e-3
    if 0.0 < excess < 0.6 * place.height:
        ax.set_position((place.x0, place.y0, place.width, place.height - excess))


def _fitted_legend(make: Callable[[int], Any], n_handles: int, width: float) -> Any:
    """Return the legend of most columns that is not wider than width, in pixels."""
    for n in range(n_handles, 0, -1):
        legend = make(n)
        if n == 1 or legend.get_window_extent().width <= width:
            return legend
        legend.remove()
    return None
