"""Quantiles of several weighted samples together, each of them shifted and scaled for every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["shifted_quantiles"]

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]

# So few values are left between the ends of a bracket before they are looked at one by one.
FEW = 12
# Every third step halves the bracket, which is then as narrow as rounding allows.
MOST_STEPS = 150


def shifted_quantiles(
    samples: Sequence[FloatArray],
    cumulative_weights: Sequence[FloatArray],
    shifts: FloatArray,
    scales: FloatArray,
    level: float,
) -> FloatArray:
    """Return the smallest of the values shift + scale * x up to which they weigh ``level``.

    Parameters
    ----------
    samples : sequence of ndarray
        Numbers x in ascending order.
    cumulative_weights : sequence of ndarray
        Sums of their weights; those of all samples reach ``level``.
    """
    last = [np.append(sample[1:] > sample[:-1], True) for sample in samples]
    search = _Search(
        [sample[kept] for sample, kept in zip(samples, last, strict=True)],
        [np.append(0.0, sums[kept]) for sums, kept in zip(cumulative_weights, last, strict=True)],
        level,
    )
    return search.quantiles(shifts, scales)


@dataclass(frozen=True, slots=True)
class _Search:
    """Search quantiles in samples of distinct values, with the weights up to each place."""

    samples: list[FloatArray]
    weights: list[FloatArray]
    level: float

    def quantiles(self, shifts: FloatArray, scales: FloatArray) -> FloatArray:
        """Narrow the bracket of each row until few values are left, and choose among them."""
        low, high = self._bracket(shifts, scales)
        sizes = np.array([[len(sample)] for sample in self.samples])
        # The ends are values themselves, which rounding may put on their other side.
        first = np.maximum(self._places((low - shifts) / scales) - 1, 0)
        last = np.minimum(self._places((high - shifts) / scales) + 1, sizes)
        wide = np.arange(len(low))
        for step in range(MOST_STEPS):
            wide = wide[(last[:, wide] - first[:, wide]).sum(axis=0) > FEW]
            if not len(wide):
                break
            share = self._share(first[:, wide], last[:, wide], step)
            pivot = low[wide] + share * (high[wide] - low[wide])
            places = self._places((pivot - shifts[:, wide]) / scales[:, wide])
            enough = self._weight(places) >= self.level
            high[wide[enough]], low[wide[~enough]] = pivot[enough], pivot[~enough]
            last[:, wide[enough]], first[:, wide[~enough]] = places[:, enough], places[:, ~enough]
        few = np.delete(np.arange(len(low)), wide)
        high[few] = self._among_few(first[:, few], last[:, few], shifts[:, few], scales[:, few])
        return high

    def _bracket(self, shifts: FloatArray, scales: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the smallest and the largest of the samples' own quantiles.

        Below the one no sample has its share of the weight, at the other every sample has.
        """
        total = sum(sums[-1] for sums in self.weights)
        places = [
            min(np.searchsorted(sums[1:], self.level * sums[-1] / total), len(sums) - 2)
            for sums in self.weights
        ]
        own = np.array([sample[i] for sample, i in zip(self.samples, places, strict=True)])
        values = shifts + scales * own[:, None]
        return values.min(axis=0), values.max(axis=0)

    def _share(self, first: Positions, last: Positions, step: int) -> FloatArray | float:
        """Return where between the ends to look next.

        Looking a little beside the quantile, on either side in turn, drops the values of both sides
        (Floyd and Rivest 1975).
        """
        if step % 3 == 2:
            return 0.5
        below, up_to = self._weight(first), self._weight(last)
        margin = 1.0 / np.sqrt((last - first).sum(axis=0))
        share = (self.level - below) / (up_to - below) + (margin if step % 3 else -margin)
        return np.clip(share, 0.5 * margin, 1.0 - 0.5 * margin)

    def _places(self, values: FloatArray) -> Positions:
        """Return how many numbers of each sample are at most as large as its values."""
        found = [
            np.searchsorted(sample, value, side="right")
            for sample, value in zip(self.samples, values, strict=True)
        ]
        return np.array(found)

    def _weight(self, places: Positions) -> FloatArray:
        """Return the weight of the values up to some places, shape (n,)."""
        weight = np.zeros(places.shape[1])
        for sums, place in zip(self.weights, places, strict=True):
            weight += sums[place]
        return weight

    def _among_few(
        self, first: Positions, last: Positions, shifts: FloatArray, scales: FloatArray
    ) -> FloatArray:
        """Return the quantiles where they are among the values from first to last."""
        rows, values, weights = [], [], []
        for m, (sample, sums) in enumerate(zip(self.samples, self.weights, strict=True)):
            counts = last[m] - first[m]
            row = np.repeat(np.arange(len(counts)), counts)
            place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts - first[m], counts)
            rows.append(row)
            values.append(shifts[m, row] + scales[m, row] * sample[place])
            weights.append(np.diff(sums)[place])
        row, value = np.concatenate(rows), np.concatenate(values)
        order = np.lexsort((value, row))
        row, value, sums = row[order], value[order], np.cumsum(np.concatenate(weights)[order])
        ends = np.cumsum(np.bincount(row, minlength=first.shape[1]))
        starts = np.append(0, ends[:-1])
        before = np.append(0.0, sums)[starts] - self._weight(first)
        n_short = np.bincount(row[sums - before[row] < self.level], minlength=first.shape[1])
        return value[np.minimum(starts + n_short, ends - 1)]
