from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.engine.dicom.long_values import BytesStorage
from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.cover.fill import covered
from healthcare_deid.engine.pixels.frames.layout import PixelLayout
from healthcare_deid.engine.pixels.frames.native import NativeFrames
from healthcare_deid.engine.pixels.frames.value_pieces import NewValue
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@st.composite
def stored_frames(draw: st.DrawFn) -> tuple[PixelLayout, bytes, bool, bool]:
    allocated = draw(st.sampled_from((1, 8, 16, 32)))
    samples = 1 if allocated == 1 else draw(st.sampled_from((1, 3)))
    shared_chroma = samples == 3 and draw(st.booleans())
    columns = draw(st.integers(1, 9))
    layout = PixelLayout(
        rows=draw(st.integers(1, 7)),
        columns=columns * 2 if shared_chroma else columns,
        frames=draw(st.integers(1, 4)),
        samples=samples,
        photometric="YBR_FULL_422" if shared_chroma else "RGB" if samples == 3 else "MONOCHROME2",
        planar=samples == 3 and not shared_chroma and draw(st.booleans()),
        bits_allocated=allocated,
        bits_stored=allocated,
        high_bit=allocated - 1,
    )
    length = -(-layout.frame_bits * layout.frames // 8)
    data = draw(st.binary(min_size=length + length % 2, max_size=length + length % 2))
    big = draw(st.booleans())
    return layout, data, big, big and allocated <= 8 and draw(st.booleans())


@given(stored_frames(), st.data())
def test_writing_a_frame_back_changes_no_byte(
    stored: tuple[PixelLayout, bytes, bool, bool], data: st.DataObject
) -> None:
    layout, value, big, swapped = stored
    frames = NativeFrames(layout, BytesStorage(value), big_endian=big, byte_swapped=swapped)
    copy = NewValue(BytesStorage(value))
    frames.rewrite(copy, [data.draw(st.integers(0, layout.frames - 1))], frames.words)
    assert copy.value() == value


@given(stored_frames(), st.data())
def test_covering_a_box_of_one_frame_changes_nothing_else(
    stored: tuple[PixelLayout, bytes, bool, bool], data: st.DataObject
) -> None:
    layout, value, big, swapped = stored
    frames = NativeFrames(layout, BytesStorage(value), big_endian=big, byte_swapped=swapped)
    index = data.draw(st.integers(0, layout.frames - 1))
    left = data.draw(st.integers(0, layout.columns - 1))
    top = data.draw(st.integers(0, layout.rows - 1))
    box = layout.aligned(Box(left, top, data.draw(st.integers(left + 1, layout.columns)), layout.rows))
    copy = NewValue(BytesStorage(value))
    frames.rewrite(copy, [index], lambda index: covered(layout, frames.words(index), [box]))
    after = NativeFrames(layout, copy, big_endian=big, byte_swapped=swapped)
    for number in range(layout.frames):
        before_words, after_words = frames.words(number), after.words(number)
        step = layout.columns // before_words.shape[1]
        outside = np.ones(before_words.shape[:2], bool)
        if number == index:
            outside[box.top : box.bottom, box.left // step : box.right // step] = False
            inside = after_words[~outside]
            assert (inside == inside[0]).all()
        assert np.array_equal(before_words[outside], after_words[outside])


def test_too_short_a_value_is_refused() -> None:
    with pytest.raises(UnsupportedPixelsError, match="shorter"):
        NativeFrames(PixelLayout(10, 10), BytesStorage(bytes(99)))


@pytest.mark.parametrize(
    ("layout", "stored", "values"),
    [
        (PixelLayout(1, 2, bits_allocated=16, bits_stored=12, high_bit=11), [0xF123, 0x0FFF], [0x123, 0xFFF]),
        (PixelLayout(1, 2, bits_allocated=16, bits_stored=12, high_bit=15), [0x1234, 0xFFF0], [0x123, 0xFFF]),
        (PixelLayout(1, 2, bits_allocated=16, bits_stored=12, high_bit=11, signed=True), [0x0FFF, 0x07FF], [-1, 2047]),
        (PixelLayout(1, 2, bits_allocated=16, bits_stored=12, high_bit=12, signed=True), [0x1FFF, 0x0FFE], [-1, 2047]),
        (PixelLayout(1, 2, bits_allocated=8, bits_stored=8, high_bit=7, signed=True), [0xFF, 0x7F], [-1, 127]),
    ],
)
def test_values_are_cut_out_of_words_and_signed(layout: PixelLayout, stored: list[int], values: list[int]) -> None:
    words = np.array([stored], layout.dtype)
    assert layout.values(words).tolist() == [values]


def _dark(layout: PixelLayout, words: NDArray[Any]) -> Any:
    return covered(layout, words, [Box(0, 0, layout.columns, layout.rows)])[0, 0]


@pytest.mark.parametrize(
    ("photometric", "dark"),
    [("RGB", [0, 0, 0]), ("YBR_FULL", [0, 128, 128]), ("YBR_PARTIAL_420", [16, 128, 128])],
)
def test_colour_boxes_are_black_in_their_colour_space(photometric: str, dark: list[int]) -> None:
    layout = PixelLayout(2, 2, samples=3, photometric=photometric)
    assert _dark(layout, np.full((2, 2, 3), 200, np.uint8)).tolist() == dark


def test_inverted_gray_boxes_are_as_dark_as_eight_bits_get_and_no_darker_than_deep_images_are() -> None:
    assert _dark(PixelLayout(2, 2, photometric="MONOCHROME1"), np.full((2, 2), 9, np.uint8)) == 255
    deep = PixelLayout(1, 2, photometric="MONOCHROME1", bits_allocated=16, bits_stored=15, high_bit=14)
    assert _dark(deep, np.array([[100, 700]], np.uint16)) == 700


def test_signed_boxes_take_the_smallest_value_of_the_frame() -> None:
    layout = PixelLayout(1, 2, bits_allocated=16, bits_stored=16, high_bit=15, signed=True)
    words = np.array([[-1024, 3000]], np.int16).view(np.uint16)
    assert _dark(layout, words).view(np.int16) == -1024


def test_boxes_leave_nothing_in_unused_bits() -> None:
    layout = PixelLayout(1, 2, bits_allocated=16, bits_stored=12, high_bit=11)
    assert _dark(layout, np.array([[0xF00F, 0x8001]], np.uint16)) == 0


def test_floating_boxes_take_the_smallest_finite_value() -> None:
    layout = PixelLayout(1, 3, bits_allocated=32, bits_stored=32, high_bit=31, floating=True)
    assert _dark(layout, np.array([[np.nan, -2.5, np.inf]], np.float32)) == -2.5
