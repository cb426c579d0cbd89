"""Connected components of a mask, by runs: no image library needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from healthcare_deid.engine.geometry import Box

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Floats, Mask

    Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


class Spread(NamedTuple):
    """Distribution of a component's pixels: their middle, and the variances and covariance of their places."""

    x: float
    y: float
    xx: float
    yy: float
    xy: float


@dataclass(frozen=True, slots=True)
class Component:
    """Pixels of a mask that touch, corners included.

    Attributes:
        box: The smallest box around them.
        count: How many.
        mean: Mean weight over them.
        spread: How they lie; None where it was not asked for.
    """

    box: Box
    count: int
    mean: float
    spread: Spread | None = None


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


def spread_components(mask: Mask, weights: Floats) -> list[Component]:
    """Return the components of ``mask`` with their `Spread`."""
    runs = _Runs.of(mask)
    found = _measured(runs, weights)
    moments = np.stack(_spreads(runs), axis=1).tolist()
    return [
        replace(component, spread=Spread(*values))
        for component, values in zip(found.those(np.ones(found.count.size, bool)), moments, strict=True)
    ]


def components(mask: Mask, weights: Floats | None = None) -> Components:
    """Return the components of ``mask``, 8-connected, in the order their first run is met.

    Args:
        mask: (rows, columns).
        weights: (rows, columns); its mean over each component is reported.
    """
    return _measured(_Runs.of(mask), weights)


class _Runs(NamedTuple):
    """Stretches of a mask's rows, each with the index of the component it is in."""

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
        # What is set begins and ends by turns, because every row ends with a pixel that is not.
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
    """Return the columns of `Spread` for every component, from sums over its runs."""
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
    """Return, for every run, the first run of its component.

    Runs that touch across neighboring rows are pairs; each run takes the least label of its pairs, again and again,
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
