"""Connected components of a mask, computed from runs without an image library."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from healthcare_deid.engine.geometry import Box

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Floats, Mask

    Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


class Spread(NamedTuple):
    """Centroid of a component's pixels, and the variances and covariance of their coordinates."""

    x: float
    y: float
    xx: float
    yy: float
    xy: float


@dataclass(frozen=True, slots=True)
class Component:
    """An 8-connected component of a mask.

    Attributes:
        box: Bounding box.
        count: Number of pixels.
        mean: Mean weight of the pixels; 1 without weights.
        spread: Distribution of the pixels; None unless `spread_components` computed it.
    """

    box: Box
    count: int
    mean: float
    spread: Spread | None = None


@dataclass(frozen=True, slots=True)
class Components:
    """The components of a mask as arrays, because often few of very many are needed.

    Attributes:
        left, top, right, bottom: Sides of the bounding boxes.
        count: Pixels of each component.
        mean: Mean weight of each component.
    """

    left: Ints
    top: Ints
    right: Ints
    bottom: Ints
    count: Ints
    mean: np.ndarray

    def those(self, chosen: Mask) -> list[Component]:
        """Return the components whose entry in *chosen* is True."""
        columns = (self.left, self.top, self.right, self.bottom, self.count, self.mean)
        return [
            Component(Box(left, top, right, bottom), count, mean)
            for left, top, right, bottom, count, mean in zip(
                *(column[chosen].tolist() for column in columns), strict=True
            )
        ]


def component_boxes(mask: Mask, weights: Floats | None = None) -> list[Component]:
    """Return all components of *mask* as a list."""
    found = components(mask, weights)
    return found.those(np.ones(found.count.size, bool))


def spread_components(mask: Mask, weights: Floats) -> list[Component]:
    """Return all components of *mask* with their `Spread`."""
    runs = _Runs.of(mask)
    found = _measured(runs, weights)
    moments = np.stack(_spreads(runs), axis=1).tolist()
    return [
        replace(component, spread=Spread(*values))
        for component, values in zip(found.those(np.ones(found.count.size, bool)), moments, strict=True)
    ]


def components(mask: Mask, weights: Floats | None = None) -> Components:
    """Return the 8-connected components of *mask*, ordered by their first run.

    Args:
        mask: Shape (rows, columns).
        weights: Shape (rows, columns); averaged over each component.
    """
    return _measured(_Runs.of(mask), weights)


class _Runs(NamedTuple):
    """Runs of set pixels in the rows of a mask, each with the index of its component."""

    row: Ints
    start: Ints
    end: Ints
    component: Ints

    @classmethod
    def of(cls, mask: Mask) -> _Runs:
        rows, columns = mask.shape
        edged = np.zeros((rows, columns + 1), bool)
        edged[:, :-1] = mask
        flat = edged.reshape(-1)
        # The extra column is never set, so starts and ends of runs alternate and no run crosses rows.
        change = np.flatnonzero(np.diff(flat, prepend=False))
        row, start = np.divmod(change[::2], columns + 1)
        end = change[1::2] - row * (columns + 1)
        _, index = np.unique(_joined(row, start, end, columns), return_inverse=True)
        return cls(row, start, end, index)


def _measured(runs: _Runs, weights: Floats | None) -> Components:
    row, start, end, index = runs
    length = end - start
    count = np.bincount(index, weights=length).astype(np.int64)
    total = _weight_of_runs(weights, row, start, end) if weights is not None else length.astype(np.float64)
    mean = np.bincount(index, weights=total) / count
    low = np.iinfo(np.int64).max
    left, top = np.full(count.size, low), np.full(count.size, low)
    right, bottom = np.zeros(count.size, np.int64), np.zeros(count.size, np.int64)
    np.minimum.at(left, index, start)
    np.minimum.at(top, index, row)
    np.maximum.at(right, index, end)
    np.maximum.at(bottom, index, row + 1)
    return Components(left, top, right, bottom, count, mean)


def _spreads(runs: _Runs) -> tuple[np.ndarray, ...]:
    """Return the fields of `Spread` for every component, summed over its runs."""
    row, start, end, index = runs
    length = (end - start).astype(np.float64)
    middle = (start + end) / 2
    count = np.bincount(index, weights=length)
    x = np.bincount(index, weights=length * middle) / count
    y = np.bincount(index, weights=length * (row + 0.5)) / count
    across, down = middle - x[index], row + 0.5 - y[index]
    xx = np.bincount(index, weights=length * (across**2 + length**2 / 12)) / count
    yy = np.bincount(index, weights=length * (down**2 + 1 / 12)) / count
    xy = np.bincount(index, weights=length * across * down) / count
    return x, y, xx, yy, xy


def _joined(row: Ints, start: Ints, end: Ints, columns: int) -> Ints:
    """Return the index of the first run of the component of every run.

    Touching runs of neighboring rows form pairs. Each run repeatedly takes the lowest label of its pairs. Between
    rounds labels are resolved to their own labels, so that few rounds are needed for any shape.
    """
    stride = columns + 3  # wide enough that runs touch diagonally, but never across more than one row
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
