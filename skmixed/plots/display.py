"""What all displays share: arrays that are checked when they are stored, and panels to draw on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.plots.style.panels import Panels, make_panels

__all__ = ["Display", "check_choice", "check_shape", "label_array", "number_array"]


class Display:
    """Store arrays, then draw them; ``ax_`` and ``figure_`` are where."""

    ax_: Any
    figure_: Any

    def _panels(self, ax: Any, n_panels: int = 1, **options: Any) -> Panels:
        """Return the axes to draw on, and keep them; options are those of ``make_panels``."""
        made = make_panels(ax, n_panels, caller=f"{type(self).__name__}.plot", **options)
        self.ax_, self.figure_ = made.ax, made.figure
        return made

    def _check_shape(self, expected: tuple[int, ...], names: Iterable[str], why: str) -> None:
        """Raise ValueError unless the arrays of these names have a shape, or are None."""
        for name in names:
            array = getattr(self, name)
            if array is not None:
                check_shape(name, array, expected, why)


def check_shape(name: str, array: NDArray[Any], expected: tuple[int, ...], why: str) -> None:
    """Raise ValueError unless an array has a shape; why says of what it is the shape."""
    if array.shape != expected:
        raise ValueError(f"{name} must have the shape {expected} {why}, got {array.shape}.")


def check_choice(argument: str, value: Any, choices: Iterable[str]) -> None:
    """Raise ValueError unless an argument has one of its values."""
    if value not in choices:
        raise ValueError(f"{argument} must be one of {list(choices)}, got {value!r}.")


@overload
def number_array(values: None) -> None: ...
@overload
def number_array(values: ArrayLike) -> NDArray[np.float64]: ...
def number_array(values: ArrayLike | None) -> NDArray[np.float64] | None:
    """Return values as an array of numbers, None as it is."""
    return None if values is None else np.asarray(values, dtype=float)


def label_array(labels: Any) -> NDArray[np.object_]:
    """Return labels as a one-dimensional array of objects, tuples of an interaction as they are."""
    found = list(labels)
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array
