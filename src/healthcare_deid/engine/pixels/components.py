"""Connected components of a mask, by runs: no image library needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.pixels.geometry import Box

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Floats, Mask

    Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Component:
    """Pixels of a mask that touch, corners included.

    Attributes:
        box: The smallest box around them.
        count: How many.
        mean: Mean weight over them.
    """

    box: Box
    count: int
    mean: float


@dataclass(frozen=True, slots=True)
class Components:
    """The components of a mask, as arrays: there may be very many, of which few are wanted.

    Attributes:
        left, top, right, bottom: Of the smallest box around each.
        count: Pixels of each.
        mean: Mean weight of each.
    """

    left: Ints
    top: Ints
    right: Ints
    bottom: Ints
    count: Ints
    mean: np.ndarray

    def those(self, chosen: Mask) -> list[Component]:
        """Return some of them, of each the same entry of ``chosen`` says whether."""
        columns = (self.left, self.top, self.right, self.bottom, self.count, self.mean)
        return [
            Component(Box(left, top, right, bottom), count, mean)
            for left, top, right, bottom, count, mean in zip(
                *(column[chosen].tolist() for column in columns), strict=True
            )
        ]


def component_boxes(mask: Mask, weights: Floats | None = None) -> list[Component]:
    """Return the components of ``mask``, as `components` does."""
    found = components(mask, weights)
    return found.those(np.ones(found.count.size, bool))


def components(mask: Mask, weights: Floats | None = None) -> Components:
    """Return the components of ``mask``, 8-connected, in the order their first run is met.

    Args:
        mask: (rows, columns).
        weights: (rows, columns); its mean over each component is reported.
    """
    rows, columns = mask.shape
    edged = np.zeros((rows, columns + 2), np.int8)
    edged[:, 1:-1] = mask
    change = np.diff(edged, axis=1)
    row, start = np.nonzero(change == 1)
    _, end = np.nonzero(change == -1)  # row by row, a run starts and ends the same number of times
    labels, index = np.unique(_joined(row, start, end, columns), return_inverse=True)
    length = end - start
    count = np.bincount(index, weights=length).astype(np.int64)
    total = _weight_of_runs(weights, row, start, end) if weights is not None else length.astype(np.float64)
    mean = np.bincount(index, weights=total) / count
    low = np.iinfo(np.int64).max
    left, top = np.full(labels.size, low), np.full(labels.size, low)
    right, bottom = np.zeros(labels.size, np.int64), np.zeros(labels.size, np.int64)
    np.minimum.at(left, index, start)
    np.minimum.at(top, index, row)
    np.maximum.at(right, index, end)
    np.maximum.at(bottom, index, row + 1)
    return Components(left, top, right, bottom, count, mean)


def _joined(row: Ints, start: Ints, end: Ints, columns: int) -> Ints:
    """Return, for every run, the first run of its component.

    Runs that touch across neighbouring rows are pairs; each run takes the least label of its pairs, again and again,
    and labels are followed to their own labels in between, so that a few rounds do for any shape.
    """
    stride = columns + 3  # a run may touch one that begins a column after its end, and no run of another row
    first = np.searchsorted(row * stride + end, (row - 1) * stride + start, "left")
    after = np.searchsorted(row * stride + start, (row - 1) * stride + end, "right")
    pairs = np.maximum(after - first, 0)
    here = np.repeat(np.arange(row.size), pairs)
    above = np.arange(here.size) - np.repeat(np.cumsum(pairs) - pairs, pairs) + np.repeat(first, pairs)
    labels = np.arange(row.size)
    while True:
        least = np.minimum(labels[here], labels[above])
        new = labels.copy()
        np.minimum.at(new, labels[here], least)
        np.minimum.at(new, labels[above], least)
        while not np.array_equal(followed := new[new], new):
            new = followed
        if np.array_equal(new, labels):
            return labels
        labels = new


def _weight_of_runs(weights: Floats, row: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1), np.float64)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    difference: np.ndarray = sums[row, end] - sums[row, start]
    return difference
