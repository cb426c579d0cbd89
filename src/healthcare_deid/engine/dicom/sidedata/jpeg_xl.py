"""Side data in JPEG XL frames (ISO/IEC 18181-1, 18181-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.bits import NotFollowedError
from healthcare_deid.engine.dicom.jpeg_xl import CONTAINER_START, START, end_of_codestream, image_header
from healthcare_deid.engine.dicom.sidedata.boxes import boxes_of, free
from healthcare_deid.engine.dicom.sidedata.frame import unreadable
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from healthcare_deid.engine.dicom.fragments import Fragment
    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

_FILE_TYPE, _LEVEL = b"ftyp", b"jxll"
_WHOLE, _PART = b"jxlc", b"jxlp"
_BRAND = b"jxl \0\0\0\0jxl "
# Size of the part number that begins a partial codestream, in bytes.
_INDEX = 4
_LAST = 1 << 31


def blank_jpeg_xl(frame: FrameBytes, pixels: int) -> None:
    """Blank unneeded boxes and the bytes after the codestream.

    Boxes may have EXIF, XML or data to reconstruct a JPEG file.

    Args:
        frame: The frame.
        pixels: Number of pixels in a frame, from the attributes.

    Raises:
        UnsupportedPixelsError: The frame cannot be parsed, or has data that a viewer would not show.
    """
    places = codestream_places(frame)
    data = b"".join(frame.read(*place) for place in places)
    try:
        header = image_header(data)
        if header.rows * header.columns != pixels:
            raise unreadable()
        end = end_of_codestream(data)
    except NotFollowedError as error:
        raise UnsupportedPixelsError(f"a compressed frame may hold text besides pixels: {error}") from None
    for start, stop in places:
        frame.blank(min(start + end, stop), stop)
        end = max(0, end - (stop - start))


def codestream_places(frame: FrameBytes) -> list[Fragment]:
    """Blank unneeded boxes and return the ranges of the codestream.

    Raises:
        UnsupportedPixelsError: The boxes are broken.
    """
    if frame.read(0, len(START)) == START:
        return [(0, len(frame))]
    if frame.read(0, len(CONTAINER_START)) != CONTAINER_START:
        raise unreadable()
    places: list[Fragment] = []
    parts: list[int] = []
    for kind, at, start, stop in boxes_of(frame, len(CONTAINER_START), len(frame)):
        if kind == _WHOLE:
            places.append((start, stop))
            parts.append(_LAST)
        elif kind == _PART:
            parts.append(frame.number(start, _INDEX))
            places.append((start + _INDEX, stop))
        elif kind == _FILE_TYPE:
            if frame.read(start, start + len(_BRAND)) != _BRAND:
                raise unreadable()
            frame.blank(start + len(_BRAND), stop)
        elif kind != _LEVEL or stop - start != 1:
            free(frame, kind, at, start, stop)
    if not parts or parts != [*range(len(parts) - 1), _LAST | len(parts) - 1]:
        raise unreadable()
    return places
