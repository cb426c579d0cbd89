from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames

from healthcare_deid.engine.dicom.long_values import BytesStorage
from healthcare_deid.engine.pixels.frames import codestreams as fragments_module
from healthcare_deid.engine.pixels.frames.codestreams import Codestreams, write_encapsulated
from healthcare_deid.engine.pixels.frames.value_pieces import NewValue
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Sequence

END = b"\xff\xd9"
STREAMS = [b"first" + b"." * index + END for index in range(4)]


def _even(stream: bytes) -> bytes:
    return stream + b"\0" * (len(stream) % 2)


def _item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + len(_even(data)).to_bytes(4, "little") + _even(data)


def _encapsulated(fragments: Sequence[bytes], table: Sequence[int] = ()) -> BytesStorage:
    return BytesStorage(_item(pack(f"<{len(table)}I", *table)) + b"".join(map(_item, fragments)))


def test_frames_are_told_apart_by_the_basic_offset_table() -> None:
    fragments = [b"aa", b"bb", b"cc"]
    found = Codestreams(_encapsulated(fragments, [0, 20]), 2)
    assert list(found) == [b"aabb", b"cc"]
    assert not found.excess


def test_frames_are_told_apart_by_their_number() -> None:
    assert list(Codestreams(_encapsulated([b"aa", b"bb"]), 2)) == [b"aa", b"bb"]


def test_frames_are_told_apart_by_the_ends_of_their_codestreams() -> None:
    fragments = [b"aaaa", b"aa" + END, b"bb" + END, b"cccccccccccc", b"cc" + END + b"\0\0"]
    found = Codestreams(_encapsulated(fragments), 3)
    assert list(found) == [b"aaaaaa" + END, b"bb" + END, b"cccccccccccccc" + END + b"\0\0"]


def test_a_single_frame_has_all_fragments() -> None:
    assert list(Codestreams(_encapsulated([b"aa", b"bb", b"cc"]), 1)) == [b"aabbcc"]


def test_the_extended_table_says_how_long_a_codestream_is() -> None:
    value, offsets, _ = encapsulate_extended([b"aaa", b"bb"])
    assert list(Codestreams(BytesStorage(value), 2, (offsets, pack("<2Q", 3, 2)))) == [b"aaa", b"bb"]


def test_what_an_extended_table_leaves_out_is_noticed() -> None:
    value, offsets, _ = encapsulate_extended([b"aaaa", b"hidden", b"bb"])
    first, _, last = unpack("<3Q", offsets)
    for named, lengths in (((first, last), (4, 2)), ((first, last), (1, 2))):
        found = Codestreams(BytesStorage(value), 2, (pack("<2Q", *named), pack("<2Q", *lengths)))
        assert list(found)[1] == b"bb"
        assert found.excess


def test_empty_fragments_are_no_frames() -> None:
    found = Codestreams(_encapsulated([b"aa", b"", b"bb", b""]), 2)
    assert list(found) == [b"aa", b"bb"]
    assert not found.excess
    with pytest.raises(UnsupportedPixelsError):
        Codestreams(_encapsulated([b"", b""]), 2)


@pytest.mark.parametrize("table", [[0, 7], [4, 0], [0, 0], [0]])
def test_a_table_that_is_wrong_is_not_used(table: list[int]) -> None:
    assert list(Codestreams(_encapsulated([b"aa", b"bb"], table), 2)) == [b"aa", b"bb"]


@pytest.mark.parametrize(
    ("fragments", "table", "frames"),
    [
        ([b"aa", b"bb", b"cc"], [0, 10, 20], 2),
        ([b"a" + END, b"b" + END], [], 1),
        ([b"aa" + END, b"bb" + END, b"cc"], [], 2),
    ],
)
def test_what_follows_the_last_frame_is_noticed(fragments: list[bytes], table: list[int], frames: int) -> None:
    found = Codestreams(_encapsulated(fragments, table), frames)
    assert len(found) == frames
    assert found.excess


@pytest.mark.parametrize(
    "value",
    [b"", b"no item at all", _item(b""), _item(b"") + b"\xfe\xff\x00\xe0\xff\0\0\0short", _item(b"") + b"junk" * 4],
)
def test_what_is_not_encapsulated_is_an_error(value: bytes) -> None:
    with pytest.raises(UnsupportedPixelsError):
        Codestreams(BytesStorage(value), 1)


def test_more_frames_than_can_be_told_apart_are_an_error() -> None:
    with pytest.raises(UnsupportedPixelsError, match="cannot be assigned to frames"):
        Codestreams(_encapsulated([b"aa", b"bb", b"cc"]), 2)


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=5), st.booleans())
def test_what_is_written_is_read_by_pydicom_and_here(streams: list[bytes], extended: bool) -> None:
    value = NewValue(BytesStorage(b""))
    begin, tables = write_encapsulated(value, streams, len(streams), extended=extended)
    data = value.value(begin)
    assert isinstance(data, bytes)
    even = [_even(stream) for stream in streams]
    assert list(generate_frames(data, number_of_frames=len(streams), extended_offsets=tables)) == even
    assert list(Codestreams(BytesStorage(data), len(streams), tables)) == even
    assert (tables is not None) is extended
    assert data == (encapsulate_extended(streams)[0] if extended else encapsulate(streams))
    assert tables is None or tables == encapsulate_extended(streams)[1:]


def test_offsets_that_do_not_fit_the_basic_table_go_into_the_extended_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments_module, "LONGEST_BASIC_OFFSET", 20)
    value = NewValue(BytesStorage(b""))
    begin, tables = write_encapsulated(value, iter(STREAMS), len(STREAMS), extended=False)
    assert tables is not None
    data = value.value(begin)
    assert isinstance(data, bytes)
    assert data.startswith(_item(b""))
    assert list(generate_frames(data, number_of_frames=4, extended_offsets=tables)) == [
        _even(stream) for stream in STREAMS
    ]
