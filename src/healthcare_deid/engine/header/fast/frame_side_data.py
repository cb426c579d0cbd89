"""Removal of side data from compressed pixel data in a rewritten file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.file_slices import FileSlice
from healthcare_deid.engine.dicom.sidedata import (
    UNREAD,
    changes_of,
    find_side_data,
    pieces_of,
)
from healthcare_deid.engine.dicom.sidedata.deflated import native_size
from healthcare_deid.engine.dicom.sources import Range
from healthcare_deid.engine.dicom.transfer_syntaxes import frames_are_followed, is_native, is_video
from healthcare_deid.engine.header.fast.encoded_file import FragmentRange
from healthcare_deid.engine.header.fast.entries import UseDatasetExecutor
from healthcare_deid.engine.header.fast.lookup import ElementFinder
from healthcare_deid.engine.header.fast.native_lengths import native_lengths_fit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.header.fast.encoded_file import EncodedFile
    from healthcare_deid.engine.results import Change

_NUMBER_OF_FRAMES, _ROWS, _COLUMNS = 0x00280008, 0x00280010, 0x00280011
_EXTENDED_TABLES = (0x7FE00001, 0x7FE00002)
_SAMPLES, _PHOTOMETRIC, _BITS = 0x00280002, 0x00280004, 0x00280100
_GEOMETRY = ElementFinder((_SAMPLES, _PHOTOMETRIC, _NUMBER_OF_FRAMES, _ROWS, _COLUMNS, _BITS, *_EXTENDED_TABLES))
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
# Size of a sequence delimitation item in bytes.
_DELIMITER = 8


def without_side_data(
    file: EncodedFile, pieces: list[bytes | Range]
) -> tuple[list[bytes | Range], list[Change], list[str]]:
    """Remove side data from the frames in a file's pieces.

    Args:
        file: The file.
        pieces: Its rewritten dataset. Kept fragments are a `FragmentRange`.

    Returns:
        The new pieces, the changes, and warnings.

    Raises:
        UseDatasetExecutor: There are nested compressed frames or Extended Offset Tables, or the length of native pixel
            data may not match its attributes.
        UnsupportedPixelsError: Frames are broken, so they may hold anything.
    """
    # Most pieces are bytes, and this is faster than isinstance.
    ranges = [piece for piece in pieces if piece.__class__ is not bytes]
    holds_fragments = FragmentRange in map(type, ranges)
    if is_native(file.syntax):
        if not native_lengths_fit(file, ranges):
            raise UseDatasetExecutor
        if not holds_fragments:
            return pieces, [], []
    elif not holds_fragments:
        if frames_are_followed(file.syntax):
            raise UseDatasetExecutor  # fragments with a defined length
        return pieces, [], [UNREAD] if is_video(file.syntax) else []
    done: list[bytes | Range] = []
    changes: list[Change] = []
    warnings: list[str] = []
    for piece in pieces:
        if isinstance(piece, FragmentRange):
            done += _cleaned(file, piece, changes, warnings)
        else:
            done.append(piece)
    return done, changes, warnings


def _cleaned(
    file: EncodedFile, piece: FragmentRange, changes: list[Change], warnings: list[str]
) -> Iterable[bytes | Range]:
    begin = piece.offset + (12 if file.explicit else 8)
    header = file.read(piece.offset, 6)
    if header[:4] != _PIXEL_DATA:
        return [piece]
    value = FileSlice(file.source, begin, piece.offset + piece.length - _DELIMITER - begin)
    vr = header[4:].decode("ascii") if file.explicit else "OB"
    frames, pixels, size = _geometry(file)
    found = find_side_data(value, file.syntax, frames=frames, pixels=pixels, size=size)
    if found.unread:
        warnings.append(UNREAD)
    if not found.splices:
        return [piece]
    record, told = changes_of(found, "7FE00010", vr, len(value))
    changes += record
    warnings += told
    parts = pieces_of(len(value), found.splices)
    return [
        Range(piece.offset, begin - piece.offset),
        *(part if isinstance(part, bytes) else Range(begin + part[0], part[1] - part[0]) for part in parts),
        Range(begin + len(value), _DELIMITER),
    ]


def _geometry(file: EncodedFile) -> tuple[int, int, int]:
    """Return the number of frames, pixels per frame, and size of a native frame."""
    found = _GEOMETRY.find(file)
    if any(tag in found for tag in _EXTENDED_TABLES):
        raise UseDatasetExecutor
    frames = found.get(_NUMBER_OF_FRAMES, (b"", b""))[1].strip(b"\0 ")
    rows, columns, samples, bits = (
        int.from_bytes(found.get(tag, (b"", b""))[1], "little") for tag in (_ROWS, _COLUMNS, _SAMPLES, _BITS)
    )
    photometric = found.get(_PHOTOMETRIC, (b"", b""))[1].decode("latin-1").strip("\0 ")
    size = native_size(rows * columns, samples or 1, bits, photometric)
    return max(1, int(frames)) if frames.isdigit() else 1, rows * columns, size
