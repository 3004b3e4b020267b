"""Draw the levels of crossed factors: popular ones more often, every one at least once."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

# All combinations are listed if they are at most this many, or this many times the rows.
FEW_COMBINATIONS = 2**22
COMBINATIONS_PER_ROW = 4

SMALLEST_BATCH = 2**16
SMALLEST_YIELD = 0.01

LogWeights = list[NDArray[np.float64]]


def draw_log_weights(
    n_levels: NDArray[np.intp], popularity: NDArray[np.float64], generator: np.random.Generator
) -> LogWeights:
    """Return log (j + 1)^-popularity of every factor, its levels in a random order."""
    return [
        generator.permutation(-skew * np.log1p(np.arange(size)))
        for size, skew in zip(n_levels.tolist(), popularity.tolist(), strict=True)
    ]


def draw_levels(
    n_samples: int, log_weights: LogWeights, generator: np.random.Generator, *, at_least: int = 1
) -> NDArray[np.int32]:
    """Draw a row's level of each factor on its own, shape (n_samples, n_factors).

    Every level gets ``at_least`` rows, and the others are shared out by weight.
    """
    labels = np.empty((len(log_weights), n_samples), dtype=np.int32)
    for row, logs in zip(labels, log_weights, strict=True):
        weights = np.exp(logs)
        n_free = n_samples - at_least * logs.size
        counts = at_least + generator.multinomial(n_free, weights / weights.sum())
        row[:] = np.repeat(np.arange(logs.size, dtype=np.int32), counts)
        generator.shuffle(row)
    return labels.T


def draw_distinct_levels(
    n_samples: int, log_weights: LogWeights, generator: np.random.Generator
) -> NDArray[np.int32]:
    """Draw levels as draw_levels does, but again where a combination would be repeated."""
    shape = tuple(logs.size for logs in log_weights)
    n_listed = max(FEW_COMBINATIONS, COMBINATIONS_PER_ROW * n_samples)
    draw_more = draw_from_list if math.prod(shape) <= n_listed else draw_from_batch
    # One of the rows of a repeated combination stays, so that no level is lost.
    codes = np.sort(_encode(draw_levels(n_samples, log_weights, generator), shape))
    codes = codes[np.diff(codes, prepend=-1) > 0]
    while codes.size < n_samples:
        new = draw_more(codes, n_samples - codes.size, log_weights, generator)
        # Two sorted runs: a stable sort only merges them.
        codes = np.sort(np.concatenate([codes, np.sort(new)]), kind="stable")
    generator.shuffle(codes)
    labels = np.empty((len(shape), n_samples), dtype=np.int32)
    for row, column in zip(labels, np.unravel_index(codes, shape), strict=True):
        row[:] = column
    return labels.T


def draw_from_list(
    codes: NDArray[np.int64],
    n_more: int,
    log_weights: LogWeights,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw new combinations from the list of all that are not among the codes.

    The n smallest of exponential variables with the weights as rates are a draw without
    replacement (Efraimidis and Spirakis 2006, Information Processing Letters 97(5)).
    """
    logs = functools.reduce(np.add.outer, log_weights).ravel()
    absent = np.ones(logs.size, dtype=bool)
    absent[codes] = False
    (candidates,) = np.nonzero(absent)
    times = np.log(generator.standard_exponential(candidates.size)) - logs[candidates]
    return candidates[np.argpartition(times, n_more - 1)[:n_more]]


def draw_from_batch(
    codes: NDArray[np.int64],
    n_more: int,
    log_weights: LogWeights,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw one batch, and return its first combinations, n_more at most, that are new."""
    n_drawn = max(n_more, SMALLEST_BATCH)
    labels = draw_levels(n_drawn, log_weights, generator, at_least=0)
    drawn, first = np.unique(
        _encode(labels, tuple(logs.size for logs in log_weights)), return_index=True
    )
    beside = codes[np.minimum(np.searchsorted(codes, drawn), codes.size - 1)]
    is_new = drawn != beside
    if is_new.sum() < min(n_more, SMALLEST_YIELD * n_drawn):
        raise ValueError(
            f"n_samples is too large for unique=True with this popularity: {n_more} combinations "
            f"are missing, and only {is_new.sum()} of {n_drawn} draws are new. Lower n_samples or "
            "popularity."
        )
    return drawn[is_new][np.argsort(first[is_new])[:n_more]]


def _encode(labels: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return one number per combination of levels."""
    return np.ravel_multi_index(tuple(labels.T), shape)
