"""Side data of a whole encapsulated value.

It may be in frames, offset tables and surplus fragments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import pack
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.fragments import (
    ITEM_HEADER,
    ITEM_TAG,
    fragments_of,
    group_by_basic_table,
    group_by_extended_table,
    group_fragments,
)
from healthcare_deid.engine.dicom.jpeg_xl import CONTAINER_START
from healthcare_deid.engine.dicom.long_values import BytesStorage
from healthcare_deid.engine.dicom.sidedata import jpeg, jpeg2000, jpeg_xl
from healthcare_deid.engine.dicom.sidedata.deflated import blank_after_pixels, blank_deflated
from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes, unreadable
from healthcare_deid.engine.dicom.sidedata.rle import blank_rle
from healthcare_deid.engine.dicom.sidedata.splices import Splice, pieces_of
from healthcare_deid.engine.dicom.transfer_syntaxes import Coding, frames_are_followed, transfer_syntax
from healthcare_deid.engine.results import Change, ChangeAction
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.dicom.fragments import Fragment, Fragments
    from healthcare_deid.engine.dicom.long_values import Storage

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, Double Float and Pixel Data."""
_CONTAINER = CONTAINER_START[:8]
_DELIMITER = ITEM_HEADER.pack(0xE0DDFFFE, 0)


@dataclass(slots=True)
class SideData:
    """Replacements that remove side data from an encapsulated value.

    Attributes:
        splices: Ranges to replace; usually empty.
        unread: The frames are in a format that this package cannot parse.
        second_image: A second image follows that of a frame.
        excess: Number of splices that concern fragments outside any frame.
        extended_is_wrong: The Extended Offset Table does not match the frames.
    """

    splices: list[Splice] = field(default_factory=list[Splice])
    unread: bool = False
    second_image: bool = False
    excess: int = 0
    extended_is_wrong: bool = False


RULE = "side-data"
"""Rule of a change that blanks side data in frames."""
EXCESS_RULE = "after-last-frame"
"""Rule of a change that removes data after the last frame."""
EXCESS = "data after the last frame was removed, because no attribute describes it"
UNREAD = "the frames of this transfer syntax cannot be parsed: metadata inside them was not removed"
CONTRADICTION = "the length of the pixel data contradicts its attributes: it was left as it is"
UNEXAMINED = frozenset({UNREAD, CONTRADICTION})
"""Warnings of pixel data that may hold anything, so that the result does not claim that the identity was removed."""


def find_side_data(
    storage: Storage,
    syntax: str,
    *,
    frames: int,
    pixels: int,
    size: int = 0,
    extended: tuple[bytes, bytes] | None = None,
) -> SideData:
    """Find everything in a value that decoding does not need.

    Args:
        storage: The value, from the item of its Basic Offset Table on, without its delimiter.
        syntax: Its transfer syntax. The first bytes of a frame override it, because some files name the wrong one.
        frames: NumberOfFrames of the instance.
        pixels: Number of pixels in a frame.
        size: Size of an uncompressed frame in bytes.
        extended: Extended Offset Table and Extended Offset Table Lengths, if present.

    Raises:
        UnsupportedPixelsError: Fragments or frames are broken, so they may hold anything.
    """
    result = SideData()
    known = transfer_syntax(syntax)
    coding = known.coding if known is not None else None
    try:
        found = fragments_of(storage)
    except UnsupportedPixelsError:
        if coding not in (Coding.VIDEO, Coding.REFERENCED):
            raise
        result.unread = True
        return result
    if not frames_are_followed(syntax) and not _is_image(storage, found.filled[0]):
        result.unread = True
        return result
    groups = _groups(storage, found, coding, frames, extended)
    _excess(storage, found, groups, result)
    _tables(storage, found, groups, frames, extended, result)
    for places in groups:
        frame = FrameBytes(storage, places)
        _blank(frame, coding, pixels, size)
        result.splices += frame.splices
        result.second_image = result.second_image or frame.has_second_image
    return result


def without_side_data(codestream: bytes, coding: Coding, pixels: int) -> bytes:
    """Return a frame that was just encoded without what its encoder wrote about itself, such as its version.

    Args:
        codestream: The frame.
        coding: Its coding, other than those that store native frames.
        pixels: Number of pixels in it.

    Raises:
        UnsupportedPixelsError: The frame cannot be parsed.
    """
    storage = BytesStorage(codestream)
    frame = FrameBytes(storage, [(0, len(codestream))])
    _blank(frame, coding, pixels, 0)
    pieces = pieces_of(len(codestream), frame.splices)
    return b"".join(piece if isinstance(piece, bytes) else storage.read_at(*piece) for piece in pieces)


def changes_of(found: SideData, path: str, vr: str, length: int) -> tuple[list[Change], list[str]]:
    """Return the changes of an element, and warnings about them."""
    rules = [EXCESS_RULE] if found.excess else []
    if len(found.splices) > found.excess:
        rules.append(RULE)
    changes = [Change(path, "PixelData", vr, ChangeAction.TRANSFORMED, rule, length) for rule in rules]
    return changes, [EXCESS] if found.excess or found.second_image else []


def _blank(frame: FrameBytes, coding: Coding | None, pixels: int, size: int) -> None:
    begins = frame.read(0, 8)
    if coding is Coding.DEFLATED_FRAMES:
        blank_deflated(frame, size)
    elif coding is Coding.UNCOMPRESSED_FRAMES:
        blank_after_pixels(frame, size)
    elif begins.startswith(jpeg.START):
        jpeg.blank_jpeg(frame)
    elif begins.startswith(jpeg2000.START):
        jpeg2000.blank_codestream(frame)
    elif begins == jpeg2000.JP2_START:
        jpeg2000.blank_jp2(frame)
    elif coding is Coding.JPEG_XL or begins == _CONTAINER:
        jpeg_xl.blank_jpeg_xl(frame, pixels)
    elif coding is Coding.RLE and pixels:
        blank_rle(frame, pixels)
    else:
        raise unreadable()


def _is_image(storage: Storage, fragment: Fragment) -> bool:
    begins = bytes(storage.read_at(fragment[0], min(fragment[0] + 8, fragment[1])))
    return begins.startswith((jpeg.START, jpeg2000.START, jpeg2000.JP2_START, _CONTAINER))


def _groups(
    storage: Storage,
    found: Fragments,
    coding: Coding | None,
    frames: int,
    extended: tuple[bytes, bytes] | None,
) -> list[list[Fragment]]:
    if coding is Coding.RLE:  # without a table, a frame is one fragment (PS3.5 annex G.2)
        by_table = group_by_extended_table(extended, found, frames) if extended else None
        by_table = by_table or group_by_basic_table(found, frames)
        return (by_table or [[place] for place in found.filled])[:frames]
    try:
        return group_fragments(storage, found, frames, extended, coding)
    except UnsupportedPixelsError:
        if coding in (Coding.JPEG_XL, Coding.DEFLATED_FRAMES, Coding.UNCOMPRESSED_FRAMES):
            raise
        # Fewer frames than NumberOfFrames: every start of an image is a frame.
        groups: list[list[Fragment]] = []
        for fragment in found.filled:
            if not groups or _is_image(storage, fragment):
                groups.append([])
            groups[-1].append(fragment)
        return groups


def _excess(storage: Storage, found: Fragments, groups: list[list[Fragment]], result: SideData) -> None:
    """Remove fragments outside any frame.

    Those after the last frame are cut off, others blanked.
    """
    taken = {start: stop for places in groups for start, stop in places}
    last = max(taken)
    end = next(stop for start, stop in found.places if start == last)
    tail = found.end
    # A value of defined length includes the delimiter.
    if bytes(storage.read_at(tail, tail + len(_DELIMITER))) == _DELIMITER:
        tail += len(_DELIMITER)
    if _holds_something(storage, [*(place for place in found.filled if place[0] > last), (tail, len(storage))]):
        result.splices.append(Splice(end, len(storage), b""))
        result.excess += 1
    for start, stop in found.filled:
        rest = taken.get(start, start), stop
        if start <= last and _holds_something(storage, [rest]):
            result.splices.append(Splice(*rest, bytes(rest[1] - rest[0])))
            result.excess += start not in taken


def _holds_something(storage: Storage, places: Iterable[Fragment]) -> bool:
    return any(bytes(storage.read_at(*place)).strip(b"\0") for place in places if place[0] < place[1])


def _tables(
    storage: Storage,
    found: Fragments,
    groups: list[list[Fragment]],
    frames: int,
    extended: tuple[bytes, bytes] | None,
    result: SideData,
) -> None:
    """Correct a wrong Basic Offset Table."""
    if extended is not None:
        exact = all(len(table) == 8 * frames for table in extended)
        result.extended_is_wrong = not exact or group_by_extended_table(extended, found, frames) is None
    start, stop = found.table_at
    if start == stop or (stop - start == 4 * frames and group_by_basic_table(found, frames) is not None):
        return
    # An empty table is valid and sufficient if every frame is one fragment (PS3.5 annex A.4).
    table = b""
    if len(groups) > 1 and any(len(places) > 1 for places in groups):
        first = found.places[0][0]
        table = pack(f"<{len(groups)}I", *(places[0][0] - first for places in groups))
    header = ITEM_HEADER.pack(ITEM_TAG, len(table))
    old = bytes(storage.read_at(start - ITEM_HEADER.size, stop))
    if old != header + table:
        result.splices.append(Splice(start - ITEM_HEADER.size, stop, header + table))
