"""Bytes of one compressed frame, and the ranges blanked in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.sidedata.splices import Splice
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from healthcare_deid.engine.dicom.fragments import Fragment
    from healthcare_deid.engine.dicom.long_values import Storage

# Bytes read at once while headers are parsed; most headers fit.
_WINDOW = 1 << 10
# First bytes of a JPEG, JPEG-LS or JPEG 2000 image.
_BEGINNINGS = (b"\xff\xd8\xff", b"\xff\x4f\xff")
# Bytes read at once while a marker is searched.
_CHUNK = 1 << 18


def unreadable() -> UnsupportedPixelsError:
    """Return the error for a frame whose markers cannot be followed."""
    return UnsupportedPixelsError("the markers of a compressed frame are broken, so it may hold text besides pixels")


class FrameBytes:
    """One frame: its fragments, concatenated.

    Args:
        storage: The value that contains the frame.
        places: Ranges of its fragments.

    Attributes:
        splices: Blanked ranges of the value.
        has_second_image: Whether a second image follows the frame.
    """

    def __init__(self, storage: Storage, places: Sequence[Fragment]) -> None:
        self._storage = storage
        self._places = places
        self._length = sum(stop - start for start, stop in places)
        self._window = b""
        self._window_at = 0
        self.splices: list[Splice] = []
        self.has_second_image = False

    def __len__(self) -> int:
        return self._length

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes of the frame, fewer at its end."""
        parts = [self._storage.read_at(first, last) for first, last in self._stretches(start, stop)]
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)

    def peek(self, start: int, count: int) -> bytes:
        """Return a few bytes of a header.

        Raises:
            UnsupportedPixelsError: The frame ends before.
        """
        offset = start - self._window_at
        if offset < 0 or offset + count > len(self._window):
            self._window, self._window_at, offset = self.read(start, start + max(count, _WINDOW)), start, 0
        found = self._window[offset : offset + count]
        if len(found) < count:
            raise unreadable()
        return found

    def number(self, start: int, count: int) -> int:
        """Return a big-endian number of ``count`` bytes."""
        return int.from_bytes(self.peek(start, count), "big")

    def find(self, pattern: re.Pattern[bytes], start: int) -> int | None:
        """Return the first position of a 2-byte pattern, or None."""
        while start < self._length:
            # Chunks overlap by one byte, because a marker may lie across their border.
            found = pattern.search(self.read(start, start + _CHUNK + 1))
            if found:
                return start + found.start()
            start += _CHUNK
        return None

    def blank(self, start: int, stop: int, fill: bytes = b"\0") -> None:
        """Overwrite a range, unless it is already blank."""
        for first in range(start, min(stop, self._length), _CHUNK):
            last = min(first + _CHUNK, stop, self._length)
            if self.read(first, last).strip(fill):
                self.replace(first, fill * (last - first))

    def blank_after_end(self, start: int, stop: int) -> None:
        """Blank everything after the end marker, and note a second image there."""
        self.has_second_image = self.read(start, start + 3).startswith(_BEGINNINGS)
        self.blank(start, stop)

    def replace(self, start: int, new: bytes) -> None:
        """Overwrite bytes at a position."""
        for first, last in self._stretches(start, start + len(new)):
            self.splices.append(Splice(first, last, new[: last - first]))
            new = new[last - first :]

    def _stretches(self, start: int, stop: int) -> list[Fragment]:
        """Map a range of the frame to ranges of the value."""
        found: list[Fragment] = []
        for first, last in self._places:
            size = last - first
            if start < size and stop > 0:
                found.append((first + max(start, 0), first + min(stop, size)))
            start -= size
            stop -= size
        return found
