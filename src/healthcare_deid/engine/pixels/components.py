"""Connected components of a mask, by runs: no image library needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.pixels.geometry import Box

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Floats, Mask


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


def component_boxes(mask: Mask, weights: Floats | None = None) -> list[Component]:
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
    if not row.size:
        return []
    root = _join(row, start, end)
    labels, index = np.unique(root, return_inverse=True)
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
    return [
        Component(Box(int(left[i]), int(top[i]), int(right[i]), int(bottom[i])), int(count[i]), float(mean[i]))
        for i in range(labels.size)
    ]


def _join(row: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return, for every run, the first run of its component: union-find over runs of neighbouring rows."""
    parent = list(range(row.size))

    def find(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    rows, starts, ends = row.tolist(), start.tolist(), end.tolist()
    above = 0
    for run in range(len(rows)):
        # Both lists of runs are sorted: one pointer walks along the row above.
        while above < run and (
            rows[above] < rows[run] - 1 or (rows[above] == rows[run] - 1 and ends[above] < starts[run])
        ):
            above += 1
        other = above
        while other < run and rows[other] == rows[run] - 1 and starts[other] <= ends[run]:
            first, second = find(other), find(run)
            if first != second:
                parent[max(first, second)] = min(first, second)
            other += 1
    return np.array([find(item) for item in range(len(rows))])


def _weight_of_runs(weights: Floats, row: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1), np.float64)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    difference: np.ndarray = sums[row, end] - sums[row, start]
    return difference
