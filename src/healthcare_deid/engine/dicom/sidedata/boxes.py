"""Boxes of JP2 and JPEG XL files (ITU-T T.800 annex I, ISO/IEC 18181-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

_FREE = b"free"


def boxes_of(
    frame: FrameBytes, position: int, limit: int, *, last: bytes | None = None
) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the boxes in a range, and blank the bytes after them.

    Args:
        frame: The frame.
        position: Start of the range.
        limit: End of the range.
        last: Type of a box whose length may exceed the range.

    Yields:
        Type, position of the type, start and end of the content.
    """
    while limit - position >= 8:
        length, kind, start = frame.number(position, 4), frame.peek(position + 4, 4), position + 8
        if length == 0 and not kind.strip(b"\0"):
            break  # padding
        if length == 1:
            length, start = frame.number(position + 8, 8), position + 16
        stop = limit if length == 0 else position + length
        if stop < start or (stop > limit and kind != last):
            break  # not a box
        yield kind, position + 4, start, min(stop, limit)
        position = stop
    frame.blank(position, limit)


def free(frame: FrameBytes, kind: bytes, at: int, start: int, stop: int) -> None:
    """Turn a box into a ``free`` box, which readers skip."""
    if kind != _FREE:
        frame.replace(at, _FREE)
    frame.blank(start, stop)
