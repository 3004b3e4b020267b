"""Derivatives by complex steps, exact to rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["central_differences", "complex_step"]

STEP = 1e-40
# Of central differences of an exact derivative, relative to a parameter or to 1.
DIFFERENCE = float(np.finfo(float).eps) ** (1.0 / 3.0)


def complex_step(
    function: Callable[[NDArray[Any]], NDArray[Any]], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the derivatives of an analytic function, its parameters on the first axis.

    The imaginary part of f(x + i h) is h f'(x) without any difference, for h as small as one likes
    (Squire and Trapp 1998, SIAM Review 40, equation 1.5).
    """
    if not len(at):
        return np.empty((0, *np.shape(function(at))))
    steps = np.eye(len(at)) * (1j * STEP)
    return np.stack([np.imag(function(at + step)) / STEP for step in steps])


def central_differences(
    derivative: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    at: NDArray[np.float64],
    step: float | None = None,
) -> NDArray[np.float64]:
    """Return the differences of an exact derivative, its parameters on the first axis.

    By default the step is relative to each parameter, or to 1 where that is more.
    """
    if not len(at):
        return np.empty((0, *np.shape(derivative(at))))
    sizes = DIFFERENCE * np.maximum(np.abs(at), 1.0) if step is None else np.full(len(at), step)
    return np.stack(
        [
            (derivative(at + move) - derivative(at - move)) / (2.0 * size)
            for move, size in zip(np.diag(sizes), sizes, strict=True)
        ]
    )
