"""Quick check of the length of native pixel data.

It must match the attributes, so that nothing hides after the last frame. If the check is not sure, the exact method
decides.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.encoding import UNDEFINED
from healthcare_deid.engine.dicom.sources import Range
from healthcare_deid.engine.header.fast.encoded_file import FragmentRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthcare_deid.engine.header.fast.encoded_file import EncodedFile

# Pixel Data, Float and Double Float Pixel Data, and BitsAllocated where it is fixed.
_PIXEL_TAGS = {b"\xe0\x7f\x10\x00": 0, b"\xe0\x7f\x08\x00": 32, b"\xe0\x7f\x09\x00": 64}
_PIXEL_GROUP = b"\xe0\x7f"
_VRS = frozenset({b"OB", b"OW", b"OF", b"OD", b"UN"})
# Bytes around Rows that are searched for the other attributes of a native length.
_NEAR = 512
# Bytes before the pixel data that are searched for Rows.
_FAR = 1 << 13
_u16 = Struct("<H").unpack_from
_u32 = Struct("<I").unpack_from


class _Form:
    """Encoded form of the attributes in explicit or implicit VR."""

    def __init__(self, *, explicit: bool) -> None:
        self.header = 12 if explicit else 8
        self.length_at = 8 if explicit else 4
        number = b"US\x02\x00" if explicit else b"\x02\x00\x00\x00"
        self.samples, self.rows, self.columns, self.bits = (
            b"\x28\x00" + element + number for element in (b"\x02\x00", b"\x10\x00", b"\x11\x00", b"\x00\x01")
        )
        self.frames = b"\x28\x00\x08\x00" + (b"IS" if explicit else b"")
        self.frames_length = Struct("<H" if explicit else "<I")


_FORMS = {explicit: _Form(explicit=explicit) for explicit in (False, True)}


def native_lengths_fit(file: EncodedFile, pieces: Iterable[bytes | Range]) -> bool:
    """Return whether native pixel data is as long as its attributes say.

    A file without native pixel data fits too.
    """
    # The attributes are found by their bytes, backward from the pixel data: parsing the header a second time would cost
    # ten
    # times as much.
    form = _FORMS[file.explicit]
    large = [piece.offset for piece in pieces if isinstance(piece, Range) and not isinstance(piece, FragmentRange)]
    for at in large or _small(file, form):
        header = file.slice(at, form.header)
        if header[:4] in _PIXEL_TAGS:
            begin = max(file.meta.end, at - _FAR)
            before = file.slice(begin, at - begin)
            length = _u32(header, form.length_at)[0]
            if not _fits(before, length, _PIXEL_TAGS[header[:4]], form):
                return False
    return True


def _small(file: EncodedFile, form: _Form) -> Iterator[int]:
    """Yield the positions of pixel data in the window.

    Nested pixel data is included.
    """
    data = file.window
    at = data.find(_PIXEL_GROUP, file.meta.end)
    while 0 <= at <= len(data) - form.header:
        length = _u32(data, at + form.length_at)[0]
        after = at + form.header + length
        written = not file.explicit or data[at + 4 : at + 6] in _VRS
        if data[at : at + 4] in _PIXEL_TAGS and written and 0 < length < UNDEFINED and after <= len(data):
            yield at
            at = after - 1
        at = data.find(_PIXEL_GROUP, at + 1)


def _fits(before: bytes, length: int, bits: int, form: _Form) -> bool:
    """Return whether the attributes before it imply this length.

    The nearest attributes count, or those of an icon before them.
    """
    at = before.rfind(form.rows)
    while at >= 0:
        near = before[max(0, at - _NEAR) : at + _NEAR]
        rows = min(at, _NEAR)
        pixels = _u16(before, at + len(form.rows))[0] * _number(near, form.columns, rows, 0)
        total = pixels * _number(near, form.samples, 0, 1) * (bits or _number(near, form.bits, rows, 0))
        total *= _frames(near, rows, form)
        # Bits are rounded up to bytes, and a padding byte makes the length even.
        if total and 0 <= length - -(-total // 8) <= 1:
            return True
        at = before.rfind(form.rows, 0, at)
    return False


def _number(near: bytes, element: bytes, start: int, default: int) -> int:
    at = near.find(element, start)
    return _u16(near, at + len(element))[0] if 0 <= at <= len(near) - len(element) - 2 else default


def _frames(near: bytes, rows: int, form: _Form) -> int:
    at = near.rfind(form.frames, 0, rows)
    if at < 0:
        return 1
    begin = at + len(form.frames) + form.frames_length.size
    text = near[begin : begin + form.frames_length.unpack_from(near, at + len(form.frames))[0]].strip(b"\0 ")
    return int(text) if text.isdigit() and len(text) < 10 else 1
