import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.find.components import component_boxes

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


def _flooded(mask: NDArray[np.bool_]) -> set[tuple[Box, int]]:
    """The same by flood fill, the obvious way."""
    left = {(int(row), int(column)) for row, column in zip(*np.nonzero(mask), strict=True)}
    found: set[tuple[Box, int]] = set()
    while left:
        pending, part = [left.pop()], set[tuple[int, int]]()
        while pending:
            row, column = pending.pop()
            part.add((row, column))
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= near
            pending += near
        rows, columns = [row for row, _ in part], [column for _, column in part]
        found.add((Box(min(columns), min(rows), max(columns) + 1, max(rows) + 1), len(part)))
    return found


@given(masks)
def test_components_are_those_of_a_flood_fill(mask: NDArray[np.bool_]) -> None:
    components = component_boxes(mask)
    assert {(component.box, component.count) for component in components} == _flooded(mask)
    assert sum(component.count for component in components) == np.count_nonzero(mask)


@given(masks, st.integers(0, 2**32 - 1))
def test_the_mean_weight_is_that_of_the_components_own_pixels(mask: NDArray[np.bool_], seed: int) -> None:
    weights = np.random.default_rng(seed).random(mask.shape, np.float32)
    components = component_boxes(mask, weights)
    total = sum(component.mean * component.count for component in components)
    assert np.isclose(total, weights[mask].sum(), rtol=1e-4)
