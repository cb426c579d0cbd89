from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.engine.geometry import Box, merged, without_contained


def _box(left: int, top: int, width: int, height: int) -> Box:
    return Box(left, top, left + width, top + height)


boxes = st.builds(_box, st.integers(0, 40), st.integers(0, 40), st.integers(1, 20), st.integers(1, 20))


def _pixels(found: list[Box]) -> set[tuple[int, int]]:
    return {(x, y) for box in found for x in range(box.left, box.right) for y in range(box.top, box.bottom)}


@given(st.lists(boxes, max_size=8))
def test_merged_boxes_hold_every_pixel_of_the_given_ones_and_never_overlap(given_boxes: list[Box]) -> None:
    result = merged(given_boxes)
    assert _pixels(given_boxes) <= _pixels(result)
    assert sum(box.area for box in result) == len(_pixels(result))


@given(st.lists(boxes, max_size=8))
def test_dropping_contained_boxes_drops_no_pixel(given_boxes: list[Box]) -> None:
    assert _pixels(without_contained(given_boxes)) == _pixels(given_boxes)


@given(boxes, st.floats(0.1, 5), st.floats(0.1, 5))
def test_a_scaled_box_is_rounded_outwards(box: Box, across: float, down: float) -> None:
    scaled = box.scaled(across, down)
    assert scaled.left <= box.left * across
    assert scaled.right >= box.right * across
    assert scaled.top <= box.top * down
    assert scaled.bottom >= box.bottom * down


def test_a_box_clipped_to_an_image_it_does_not_touch_has_no_area() -> None:
    assert Box(10, 10, 20, 20).clipped(5, 5).area == 0


def test_touching_boxes_do_not_overlap() -> None:
    assert not Box(0, 0, 4, 4).overlaps(Box(4, 0, 8, 4))
