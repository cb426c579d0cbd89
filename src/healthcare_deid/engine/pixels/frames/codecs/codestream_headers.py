"""Headers of codestreams, checked against the attributes before a native decoder is called.

A decoder may crash the process or allocate all memory if a header is not what it expects. Sources: ITU-T T.81 annex B
(JPEG), T.87 annex C (JPEG-LS), T.800 annex A (JPEG 2000, and HTJ2K by T.814); ISO/IEC 18181-1 (JPEG XL); PS3.5 annex G
(RLE).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, error
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.bits import NotFollowedError
from healthcare_deid.engine.dicom.fragments import END_OF_IMAGE
from healthcare_deid.engine.dicom.jpeg_xl import image_header
from healthcare_deid.engine.dicom.long_values import BytesStorage
from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes
from healthcare_deid.engine.dicom.sidedata.jpeg_xl import codestream_places
from healthcare_deid.engine.dicom.transfer_syntaxes import Coding, transfer_syntax
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.engine.pixels.frames.layout import PixelLayout

_SOI, _SOS, _APP0, _APP14 = 0xD8, 0xDA, 0xE0, 0xEE
_TRANSFORMS = (b"", b"\0", b"\1")
"""Supported values of the transform flag in the Adobe segment: none and YCbCr (ITU-T T.872 6.5.3)."""
_DCT_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""SOF markers of Huffman-coded baseline, extended and progressive DCT."""
_DCT_KINDS = frozenset({(8, 1), (8, 3), (12, 1)})
"""Supported bits per sample and samples per pixel of DCT processes."""
_DEPTHS = range(2, 17)
"""Bits per sample of the lossless processes (ITU-T T.81 table B.2, T.87 C.2.2)."""
_LOSSLESS_FRAME, _LS_FRAME = 0xC3, 0xF7
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {_LS_FRAME}
"""All SOF markers; 0xC4, 0xC8 and 0xCC are tables and an extension."""
_TABLES = frozenset({0xC4, 0xDB, 0xDD, 0xF8, 0xFE, *range(0xE0, 0xF0)})
"""Other markers before the first scan: Huffman and quantization tables, restart interval, JPEG-LS parameters, comments
and application segments."""
_HUFFMAN_TABLE = 0xC4
_LENGTHS = _WIDEST = 16
"""Longest Huffman code, and longest difference in lossless frames, in bits."""
_PREDICTIONS = range(1, 8)
_FRAME = Struct(">BHHB")
_SIZE = Struct(">HHIIIIIIIIH")
_SIZE_MARKER = b"\xff\x4f\xff\x51"
_IMAGE_MARKERS = b"\xff\xd8\xff"
_JP2_SIGNATURE = b"\0\0\0\x0cjP  "
_RLE_HEADER = Struct("<16I")
_SAME = 0x11
"""Sampling factors of a component that is not subsampled."""
_RGB_IDS = (b"RGB", b"rgb")

_PROCESSES = {
    Coding.JPEG: _DCT_FRAMES,
    Coding.JPEG_LOSSLESS: frozenset({_LOSSLESS_FRAME}),
    Coding.JPEG_LS: frozenset({_LS_FRAME}),
}
"""SOF markers that each coding allows."""


_SIZED = (Coding.JPEG_2000, Coding.HTJ2K)
"""Codings whose header is a SIZ segment (ITU-T T.800 A.5.1)."""


@dataclass(frozen=True, slots=True)
class Header:
    """Header of a codestream.

    Attributes:
        rows: Rows.
        columns: Columns.
        samples: Number of components.
        precision: Bits per sample.
        photometric: Color space named by the header: RGB, YBR_FULL, or empty.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    photometric: str = ""


def checked_header(stream: bytes, uid: str, layout: PixelLayout) -> Header:
    """Return the header of a frame's codestream.

    Raises:
        UnsupportedPixelsError: The header is invalid, not supported, or contradicts the attributes.
    """
    syntax = transfer_syntax(uid)
    coding = syntax.coding if syntax is not None else Coding.JPEG
    if coding is Coding.RLE:
        header = _rle(stream, layout)
    elif coding is Coding.JPEG_XL:
        header = _jpeg_xl(stream)
    else:
        _refuse_second_image(stream)
        try:
            header = _size(stream) if coding in _SIZED else _jpeg(stream, _PROCESSES[coding])
        except (IndexError, error):
            raise UnsupportedPixelsError("a frame's codestream ends in its header") from None
    if (header.rows, header.columns, header.samples) != (layout.rows, layout.columns, layout.samples):
        raise UnsupportedPixelsError("the shape of the decoded pixel data contradicts its attributes")
    if not 1 <= header.precision <= layout.bits_allocated:
        raise UnsupportedPixelsError("the pixel data has more bits per sample than its attributes say")
    return header


def _refuse_second_image(stream: bytes) -> None:
    """Refuse a frame whose fragments hold a second image, because decoders return only the first."""
    end = stream.find(END_OF_IMAGE)
    if end >= 0 and any(stream.find(beginning, end) >= 0 for beginning in (_IMAGE_MARKERS, _SIZE_MARKER)):
        raise UnsupportedPixelsError("a frame's fragments hold more than one image")


def _jpeg(stream: bytes, processes: frozenset[int]) -> Header:
    *segments, (_, scan) = _segments(stream)
    frames = [(marker, data) for marker, data in segments if marker in _FRAMES]
    if len(frames) != 1 or frames[0][0] not in processes:
        raise UnsupportedPixelsError("the process of a frame contradicts its transfer syntax")
    marker, data = frames[0]
    precision, rows, columns, samples = _FRAME.unpack_from(data)
    components = data[_FRAME.size :]
    if len(components) != 3 * samples:
        raise UnsupportedPixelsError("a frame's header does not list its components")
    if marker not in _DCT_FRAMES and samples > 1 and any(sampling != _SAME for sampling in components[1::3]):
        raise UnsupportedPixelsError("the samples of a pixel are stored in different resolutions")
    read = (precision, samples) in _DCT_KINDS if marker in _DCT_FRAMES else precision in _DEPTHS and samples in (1, 3)
    if not read:
        raise UnsupportedPixelsError(f"JPEG with {samples} samples of {precision} bits is not supported")
    if any(kind == _APP14 and body.startswith(b"Adobe") and body[11:12] not in _TRANSFORMS for kind, body in segments):
        raise UnsupportedPixelsError("the color space of a frame is not supported")
    if marker == _LOSSLESS_FRAME:
        _check_scan(scan, components[::3], _huffman_tables(segments))
    photometric = ""
    if components[::3] in _RGB_IDS:
        photometric = "RGB"
    elif any(marker == _APP0 and data.startswith(b"JFIF\0") for marker, data in segments):
        photometric = "YBR_FULL"
    return Header(rows, columns, samples, precision, photometric)


def _segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker segments up to and including the first SOS."""
    if stream[:2] != bytes((0xFF, _SOI)):
        raise UnsupportedPixelsError("a frame does not begin as its transfer syntax says")
    position, marker = 2, _SOI
    while marker != _SOS:
        if stream[position] != 0xFF:
            raise UnsupportedPixelsError("a frame's header cannot be read")
        while stream[position] == 0xFF:  # fill bytes (T.81 B.1.1.2)
            position += 1
        marker = stream[position]
        if marker not in _TABLES and marker not in _FRAMES and marker != _SOS:
            raise UnsupportedPixelsError("a frame's header holds an unexpected marker")
        length = int.from_bytes(stream[position + 1 : position + 3], "big")
        yield marker, stream[position + 3 : position + 1 + length]
        position += 1 + length


def _huffman_tables(segments: list[tuple[int, bytes]]) -> set[int]:
    """Return the identifiers of the Huffman tables, after checking each (ITU-T T.81 B.2.4.2, C.2)."""
    found: set[int] = set()
    for marker, data in segments:
        position = 0
        while marker == _HUFFMAN_TABLE and position < len(data):
            identifier, counts = data[position], data[position + 1 : position + 1 + _LENGTHS]
            end = position + 1 + _LENGTHS + sum(counts)
            symbols = data[position + 1 + _LENGTHS : end]
            codes = sum(count << (_LENGTHS - length) for length, count in enumerate(counts, 1))
            if end > len(data) or codes > 1 << _LENGTHS or not symbols or max(symbols) > _WIDEST:
                raise UnsupportedPixelsError("a frame's Huffman table is invalid")
            found.add(identifier)
            position = end
    return found


def _check_scan(scan: bytes, ids: bytes, tables: set[int]) -> None:
    """Refuse a lossless scan that names unknown components, tables or predictors (ITU-T T.81 B.2.3)."""
    count = scan[0]
    named, used, end = scan[1 : 1 + 2 * count : 2], scan[2 : 2 + 2 * count : 2], scan[1 + 2 * count :]
    known = len(set(named)) == count > 0 and set(named) <= set(ids) and {table >> 4 for table in used} <= tables
    if not known or len(end) != 3 or end[0] not in _PREDICTIONS:
        raise UnsupportedPixelsError("a frame's scan names an unknown component, table or predictor")


def _size(stream: bytes) -> Header:
    """Read the SIZ segment, also inside a JP2 file, which some devices write instead of a bare codestream."""
    begin = stream.find(_SIZE_MARKER) if stream.startswith(_JP2_SIGNATURE) else 0
    if begin < 0 or not stream.startswith(_SIZE_MARKER, begin):
        raise UnsupportedPixelsError("a frame does not begin as its transfer syntax says")
    _, _, right, bottom, left, top, tile_columns, tile_rows, *_, samples = _SIZE.unpack_from(stream, begin + 4)
    components = stream[begin + 4 + _SIZE.size :][: 3 * samples]
    if not tile_columns or not tile_rows or len(components) != 3 * samples or not samples:
        raise UnsupportedPixelsError("a frame's header does not list its components")
    depths = set(components[::3])
    if len(depths) > 1 or any(step != 1 for step in components[1::3] + components[2::3]):
        raise UnsupportedPixelsError("the samples of a pixel are stored in different resolutions")
    return Header(bottom - top, right - left, samples, (depths.pop() & 0x7F) + 1)


def _jpeg_xl(stream: bytes) -> Header:
    """Read the image header; XYB and YCbCr codestreams are decoded to RGB."""
    frame = FrameBytes(BytesStorage(stream), [(0, len(stream))])
    data = b"".join(frame.read(*place) for place in codestream_places(frame))
    try:
        found = image_header(data)
    except NotFollowedError as error:
        raise UnsupportedPixelsError(f"a frame cannot be decoded: {error}") from None
    photometric = "RGB" if found.samples == 3 and (found.xyb or found.ycbcr) else ""
    return Header(found.rows, found.columns, found.samples, found.precision, photometric)


def _rle(stream: bytes, layout: PixelLayout) -> Header:
    """Check the offsets, which must name one segment per byte of a pixel; the header holds nothing else."""
    planes = layout.samples * layout.dtype.itemsize
    if len(stream) < _RLE_HEADER.size:
        raise UnsupportedPixelsError("a frame's codestream ends in its header")
    count, *offsets = _RLE_HEADER.unpack_from(stream)
    used = offsets[:planes]
    if count != planes or used != sorted(set(used)) or used[0] < _RLE_HEADER.size or used[-1] > len(stream):
        raise UnsupportedPixelsError("the segments of a frame contradict its attributes")
    return Header(layout.rows, layout.columns, layout.samples, layout.bits_allocated)
