"""Blanking of lossy JPEG in the DCT domain: blocks under a box are replaced, all others are copied bit by bit.

A block is coded as the difference of its DC coefficient from the previous block's, followed by its AC coefficients.
Blanked blocks get the DC coefficient of black and no AC coefficients. The first block after them gets a new difference,
so that its DC coefficient stays; all other bits are copied. Whole MCUs are blanked, in all components.
Source: ITU-T T.81, B.2 (segments), F.1.2 (Huffman coding), C.2 (code tables), A.2 (order of blocks).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import error
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from healthcare_deid.engine.pixels.frames.codecs.encoders import NotEncodableError
from healthcare_deid.engine.pixels.frames.codecs.jpeg_huffman import COEFFICIENTS, LENGTHS, Bits, Code, Coder, NewBits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthcare_deid.engine.geometry import Box

_SOI, _EOI, _SOS, _DHT, _DQT, _DRI, _COM = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xFE
_APPLICATIONS = range(0xE0, 0xF0)
_JFIF, _ADOBE = (0xE0, b"JFIF\0"), (0xEE, b"Adobe")
_JFIF_LENGTH, _ADOBE_LENGTH = 14, 12
"""Bytes of the JFIF and Adobe segments that decoders read; after them, JFIF may hold a thumbnail."""
_SEQUENTIAL = frozenset({0xC0, 0xC1})
"""SOF markers of the baseline and the extended sequential process."""
_OTHER_FRAMES = frozenset(range(0xC2, 0xD0)) - {_DHT, 0xC8, 0xCC}
_RESTARTS = range(0xD0, 0xD8)
_BLOCK = 8
_DARKEST, _BRIGHTEST = -1024, 1016
"""DC coefficients of a block of 0 and of a block of 255, before quantization."""


class _Component(NamedTuple):
    identifier: int
    across: int
    down: int
    quantizer: int


@dataclass(frozen=True, slots=True)
class _Frame:
    rows: int
    columns: int
    components: tuple[_Component, ...]

    @property
    def mcu(self) -> tuple[int, int]:
        """Columns and rows of a minimum coded unit."""
        if len(self.components) == 1:  # not interleaved, whatever its sampling factors (T.81 A.2.2)
            return _BLOCK, _BLOCK
        return _BLOCK * max(one.across for one in self.components), _BLOCK * max(one.down for one in self.components)


def mcu_size(stream: bytes) -> tuple[int, int] | None:
    """Return the columns and rows of a frame's MCU; None if its process is not sequential DCT."""
    try:
        for marker, start, stop in _segments(stream):
            if marker in _SEQUENTIAL:
                return _frame(stream[start:stop]).mcu
    except (IndexError, error, NotEncodableError):
        return None
    return None


def chroma_margin(stream: bytes) -> tuple[int, int]:
    """Return by how many columns and rows decoders interpolate subsampled chroma around a block: one chroma sample."""
    across, down = mcu_size(stream) or (_BLOCK, _BLOCK)
    return across // _BLOCK * (across > _BLOCK), down // _BLOCK * (down > _BLOCK)


def blanked(stream: bytes, boxes: Iterable[Box], *, luma: bool, bright: bool) -> bytes:
    """Return a codestream with the MCUs under boxes blanked, and without comments and application segments.

    Args:
        stream: A frame of the baseline or extended sequential process, 8 bits per sample.
        boxes: Boxes to blank.
        luma: Whether the components are luma and chroma.
        bright: Blank to 255 instead of 0.

    Raises:
        NotEncodableError: The frame uses another process, or its codestream is invalid.
    """
    try:
        return b"".join(_parts(stream, list(boxes), luma=luma, bright=bright))
    except (IndexError, KeyError, ValueError, error):
        raise NotEncodableError("a frame's JPEG codestream is invalid") from None


def _parts(stream: bytes, boxes: list[Box], *, luma: bool, bright: bool) -> Iterator[bytes]:
    frame: _Frame | None = None
    codes: dict[int, Code] = {}
    quantizers: dict[int, int] = {}
    interval = 0
    yield bytes((0xFF, _SOI))
    for marker, start, stop in _segments(stream):
        body = stream[start:stop]
        if marker in _OTHER_FRAMES:
            raise NotEncodableError("a frame uses a JPEG process whose coefficients cannot be blanked")
        if marker in _SEQUENTIAL:
            frame = _frame(body)
        elif marker == _DHT:
            codes |= _huffman(body)
        elif marker == _DQT:
            quantizers |= _quantizers(body)
        elif marker == _DRI:
            interval = int.from_bytes(body[:2], "big")
        elif marker == _COM or marker in _APPLICATIONS:
            body = _needed(marker, body)
        if marker == _SOS:
            if frame is None:
                raise NotEncodableError("a frame's scan comes before its header")
            dark = _BRIGHTEST if bright else _DARKEST
            means = {
                one.identifier: 0 if luma and number else _quantized(dark, quantizers[one.quantizer])
                for number, one in enumerate(frame.components)
            }
            scan = _Scan(frame, body, codes, means, interval, boxes)
            data = scan.blanked(stream, stop)
            for table in scan.tables():
                yield _segment(_DHT, table)
            yield _segment(_SOS, body) + data
        elif body:
            yield _segment(marker, body)
    yield bytes((0xFF, _EOI))


class _Scan:
    """The blocks of a scan, in coded order."""

    def __init__(
        self,
        frame: _Frame,
        header: bytes,
        codes: dict[int, Code],
        means: dict[int, int],
        interval: int,
        boxes: list[Box],
    ) -> None:
        named = [(header[1 + 2 * index], header[2 + 2 * index]) for index in range(header[0])]
        by_id = {one.identifier: one for one in frame.components}
        self._components = [by_id[identifier] for identifier, _ in named]
        self._means = [means[identifier] for identifier, _ in named]
        self._coders = [Coder(codes[table >> 4], codes[0x10 | table & 15]) for _, table in named]
        self._tables = {table: codes[table] for _, used in named for table in (used >> 4, 0x10 | used & 15)}
        width, height = frame.mcu
        self._step = (1, 1)
        if len(named) == 1:
            one = self._components[0]
            if len(frame.components) > 1:
                self._step = one.across, one.down
            across, down = width // _BLOCK, height // _BLOCK  # largest sampling factors
            columns = -(-frame.columns * (one.across if len(frame.components) > 1 else 1) // across)
            rows = -(-frame.rows * (one.down if len(frame.components) > 1 else 1) // down)
            self._across, self._down = -(-columns // _BLOCK), -(-rows // _BLOCK)
            self._order = [0]
        else:
            self._across, self._down = -(-frame.columns // width), -(-frame.rows // height)
            self._order = [index for index, one in enumerate(self._components) for _ in range(one.across * one.down)]
        self._interval = interval or self._across * self._down
        self._goes = np.zeros((-(-frame.rows // height), -(-frame.columns // width)), bool)
        for box in boxes:
            self._goes[box.top // height : -(-box.bottom // height), box.left // width : -(-box.right // width)] = True

    def blanked(self, stream: bytes, start: int) -> bytes:
        """Return the entropy-coded data that begins at *start*, blanked."""
        parts: list[bytes] = []
        units = self._across * self._down
        for number, (data, restart) in enumerate(_intervals(stream, start)):
            first = number * self._interval
            goes = [self._is_blank(unit) for unit in range(first, min(units, first + self._interval))]
            parts.append(self._rewritten(data, goes) if any(goes) else data)
            parts.append(restart)
        if (len(parts) // 2 - 1) * self._interval >= units or len(parts) // 2 * self._interval < units:
            raise NotEncodableError("a frame's restart intervals do not add up")
        return b"".join(parts)

    def tables(self) -> Iterator[bytes]:
        """Yield the DHT segments of tables to which codes were added."""
        for identifier, code in self._tables.items():
            if code.added:
                yield bytes((identifier, *code.counts)) + bytes(code.symbols)

    def _is_blank(self, unit: int) -> bool:
        row, column = divmod(unit, self._across)
        return bool(self._goes[row // self._step[1], column // self._step[0]])

    def _rewritten(self, data: bytes, goes: list[bool]) -> bytes:
        """Return the data of a restart interval with some units blanked."""
        bits = Bits(data.replace(b"\xff\x00", b"\xff"))
        new = NewBits(bits)
        before, after = [0] * len(self._coders), [0] * len(self._coders)
        place = 0
        for blank in goes:
            for index in self._order:
                coder = self._coders[index]
                difference, rest = coder.mean(bits, place)
                end = coder.end(bits, rest)
                before[index] += difference
                if blank:
                    new.put(*coder.coded(self._means[index] - after[index]))
                    new.put(*coder.end_of_block())
                    after[index] = self._means[index]
                else:
                    needed = before[index] - after[index]
                    if needed == difference:
                        new.copy(place, end)
                    else:
                        new.put(*coder.coded(needed))
                        new.copy(rest, end)
                    after[index] = before[index]
                place = end
        if place > bits.count:
            raise NotEncodableError("a frame's codestream ends too early")
        return new.data().replace(b"\xff", b"\xff\x00")


def _segments(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, start and end of every segment's body, up to the end of the image."""
    place = 2
    while True:
        if stream[place] != 0xFF:
            raise NotEncodableError("a frame's markers cannot be followed")
        while stream[place] == 0xFF:  # fill bytes (T.81 B.1.1.2)
            place += 1
        marker = stream[place]
        if marker == _EOI:
            return
        start, stop = place + 3, place + 1 + int.from_bytes(stream[place + 1 : place + 3], "big")
        if stop < start or stop > len(stream):
            raise NotEncodableError("a frame's markers cannot be followed")
        yield marker, start, stop
        place = stop
        if marker == _SOS:
            *_, (end, _) = _restarts(stream, stop)
            place = end


def _restarts(stream: bytes, place: int) -> Iterator[tuple[int, int]]:
    """Yield the end of each entropy-coded segment, and the marker there; the last marker is not a restart."""
    while True:
        place = stream.index(b"\xff", place)
        marker = stream[place + 1]
        if marker == 0:
            place += 2
            continue
        yield place, marker
        if marker not in _RESTARTS:
            return
        place += 2


def _intervals(stream: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the data of every restart interval, and the restart marker after it; empty after the last."""
    for end, marker in _restarts(stream, start):
        yield stream[start:end], bytes((0xFF, marker)) if marker in _RESTARTS else b""
        start = end + 2


def _frame(body: bytes) -> _Frame:
    precision, count = body[0], body[5]
    if precision != _BLOCK:
        raise NotEncodableError("a frame does not have 8 bits per sample")
    components = tuple(
        _Component(body[place], body[place + 1] >> 4, body[place + 1] & 15, body[place + 2])
        for place in range(6, 6 + 3 * count, 3)
    )
    if not components or any(not one.across or not one.down for one in components):
        raise NotEncodableError("a frame's header does not list its components")
    return _Frame(int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big"), components)


def _huffman(body: bytes) -> dict[int, Code]:
    found: dict[int, Code] = {}
    place = 0
    while place < len(body):
        counts = body[place + 1 : place + 1 + LENGTHS]
        end = place + 1 + LENGTHS + sum(counts)
        if sum(count << (LENGTHS - length) for length, count in enumerate(counts, 1)) > 1 << LENGTHS:
            raise NotEncodableError("a frame's Huffman table is invalid")
        found[body[place]] = Code(counts, body[place + 1 + LENGTHS : end])
        place = end
    return found


def _quantizers(body: bytes) -> dict[int, int]:
    """Return the DC step of every quantization table, which is its first value."""
    found: dict[int, int] = {}
    place = 0
    while place < len(body):
        size = 2 if body[place] >> 4 else 1
        found[body[place] & 15] = int.from_bytes(body[place + 1 : place + 1 + size], "big")
        place += 1 + COEFFICIENTS * size
    return found


def _quantized(mean: int, step: int) -> int:
    """Quantize a DC coefficient, rounding away from zero: at least as dark, or as bright."""
    return -(-mean // step) if mean > 0 else mean // step


def _needed(marker: int, body: bytes) -> bytes:
    """Return the part of a comment or application segment that decoders need."""
    if marker == _JFIF[0] and body.startswith(_JFIF[1]):
        return body[: _JFIF_LENGTH - 2] + b"\0\0"
    if marker == _ADOBE[0] and body.startswith(_ADOBE[1]):
        return body[:_ADOBE_LENGTH]
    return b""


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
