"""JPEG XL codestreams: what their headers say, and where they end (ISO/IEC 18181-1).

Pixels are not decoded. Headers are followed because nothing else tells where a codestream ends, and because they have
room for pictures that nobody sees: a preview, further images of an animation, extra channels.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

from healthcare_deid.engine.dicom.bits import Bits, Choice, NotFollowedError

START = b"\xff\x0a"
CONTAINER_START = b"\0\0\0\x0cJXL \r\n\x87\n"

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Columns to rows, where a header does not say the columns."""
_SIDES: tuple[Choice, ...] = ((1, 9), (1, 13), (1, 18), (1, 30))
_DEPTHS: tuple[Choice, ...] = ((8, 0), (10, 0), (12, 0), (1, 6))
_EXTRA_CHANNELS: tuple[Choice, ...] = ((0, 0), (1, 0), (2, 4), (1, 12))
_CHROMATICITY: tuple[Choice, ...] = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
_GRAY, _XYB = 1, 2
_CUSTOM = 2
_HALF = 16
"""Bits of a half-precision number."""
_WEIGHTS = (15, 55, 210)
"""Half-precision numbers of the tables for upsampling by 2, 4 and 8."""

_REGULAR, _LOW_FREQUENCY, _REFERENCE, _SKIP_PROGRESSIVE = range(4)
_USES_LOW_FREQUENCY = 32
_FACTORS: tuple[Choice, ...] = ((1, 0), (2, 0), (4, 0), (8, 0))
_LEVELS: tuple[Choice, ...] = ((1, 0), (2, 0), (3, 0), (4, 0))
_PASSES: tuple[Choice, ...] = ((1, 0), (2, 0), (3, 0), (4, 3))
_DOWNSAMPLINGS: tuple[Choice, ...] = ((0, 0), (1, 0), (2, 0), (3, 1))
_LAST_PASS: tuple[Choice, ...] = ((0, 0), (1, 0), (2, 0), (0, 3))
_CROP: tuple[Choice, ...] = ((0, 8), (256, 11), (2304, 14), (18688, 30))
_BLENDING: tuple[Choice, ...] = ((0, 0), (1, 0), (2, 0), (3, 2))
_REPLACE, _MULTIPLY = 0, 4
_NAME: tuple[Choice, ...] = ((0, 0), (0, 4), (16, 5), (48, 10))
_SECTION: tuple[Choice, ...] = ((0, 10), (1024, 14), (17408, 22), (4211712, 30))
_LARGER, _SMALL = 4, 1 << 16
"""How much larger than the image a frame may be that the image is put together from, and pixels that harm nobody."""
_MOST_PIXELS = 1 << 28
"""Pixels that are decoded to find an end: a few bytes can stand for all memory."""
_GROUP = 128
_BLOCK = 8
EXTRA = 'pip install "healthcare-deid[codecs]"'
"""What brings imagecodecs, which is too large to be asked of everybody."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Header of a codestream.

    Attributes:
        rows: Rows.
        columns: Columns.
        samples: 1 for gray, 3 for color.
        precision: Bits of a sample.
        xyb: Colors are stored as XYB, which decoders undo.
        ycbcr: Colors are stored as YCbCr, as in JPEG, which decoders undo.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    xyb: bool
    ycbcr: bool = False


def image_header(data: bytes) -> ImageHeader:
    """Read the header of a codestream, and of its first frame.

    Raises:
        NotFollowedError: It is no header, or it announces more than one visible, upright image.
    """
    header, frame, _ = _first_frame(data)
    return replace(header, ycbcr=frame.ycbcr)


def end_of_codestream(data: bytes) -> int:
    """Follow a codestream from frame to frame, and return how many bytes it has.

    Args:
        data: It begins with the codestream; whatever follows it may stand behind.

    Raises:
        NotFollowedError: It cannot be followed to its end, or it holds what nobody would see.
    """
    header, frame, bits = _first_frame(data)
    try:
        while True:
            if bits.flag():  # the order of the parts is entropy-coded, and the table of contents begins where that ends
                if not frame.is_last or header.rows * header.columns > _MOST_PIXELS:
                    raise NotFollowedError("the parts of the codestream are in an order of their own")
                return _end_by_decoding(data)
            bits.to_byte()
            sections = sum(bits.chosen(_SECTION) for _ in range(frame.sections))
            bits.position = 8 * (bits.to_byte() + sections)
            if frame.is_last:
                break
            frame = _Frame(bits, header)
    except EOFError:
        raise NotFollowedError("the codestream is cut off") from None
    end = bits.position // 8
    if end > len(data):
        raise NotFollowedError("the codestream is cut off")
    return end


def _first_frame(data: bytes) -> tuple[ImageHeader, _Frame, Bits]:
    if not data.startswith(START):
        raise NotFollowedError("the codestream does not begin as one")
    bits = Bits(data, len(START))
    try:
        header = _image_header(bits)
        _skip_transform(bits, xyb=header.xyb)
        bits.to_byte()
        return header, _Frame(bits, header), bits
    except EOFError:
        raise NotFollowedError("the codestream ends in its header") from None


def _image_header(bits: Bits) -> ImageHeader:
    rows, columns = _size(bits)
    if bits.flag():  # all as by default
        return ImageHeader(rows, columns, 3, 8, xyb=True)
    extra = bits.flag()
    if extra:
        orientation = bits.number(3)
        if bits.flag():
            _size(bits)  # the intrinsic size is for display
        if orientation or bits.flag() or bits.flag():
            raise NotFollowedError("the image is turned, has a preview or is animated")
    if bits.flag():
        raise NotFollowedError("the samples are floating-point numbers")
    precision = bits.chosen(_DEPTHS)
    bits.flag()  # whether 16 bits are enough to decode it
    if bits.chosen(_EXTRA_CHANNELS):
        raise NotFollowedError("the image has channels besides its colors")
    xyb = bits.flag()
    samples = _samples(bits)
    if extra and not bits.flag():  # tone mapping
        bits.number(2 * _HALF + 1 + _HALF)
    _refuse_extensions(bits)
    return ImageHeader(rows, columns, samples, precision, xyb)


def _size(bits: Bits) -> tuple[int, int]:
    """Read rows and columns."""
    in_blocks = bits.flag()

    def side() -> int:
        return _BLOCK * (1 + bits.number(5)) if in_blocks else bits.chosen(_SIDES)

    rows = side()
    ratio = bits.number(3)
    if not ratio:
        return rows, side()
    across, down = _RATIOS[ratio - 1]
    return rows, rows * across // down


def _samples(bits: Bits) -> int:
    """Read the color encoding, and return how many samples it has."""
    if bits.flag():  # sRGB
        return 3
    profile = bits.flag()
    space = bits.enumerated()
    if profile:
        raise NotFollowedError("the codestream holds a color profile")
    if space != _XYB:
        if bits.enumerated() == _CUSTOM:  # white point
            _skip_chromaticities(bits, 1)
        if space != _GRAY and bits.enumerated() == _CUSTOM:  # primaries
            _skip_chromaticities(bits, 3)
        if bits.flag():
            bits.number(24)  # gamma
        else:
            bits.enumerated()  # transfer function
    bits.enumerated()  # rendering intent
    return 1 if space == _GRAY else 3


def _skip_chromaticities(bits: Bits, count: int) -> None:
    for _ in range(2 * count):
        bits.chosen(_CHROMATICITY)


def _skip_transform(bits: Bits, *, xyb: bool) -> None:
    """Pass over the inverse transform of XYB, and the tables for upsampling."""
    if bits.flag():
        return
    if xyb and not bits.flag():
        bits.number(16 * _HALF)
    mask = bits.number(3)
    bits.number(_HALF * sum(count for bit, count in enumerate(_WEIGHTS) if mask >> bit & 1))


def _refuse_extensions(bits: Bits) -> None:
    if bits.long():
        raise NotFollowedError("the codestream has extensions")


class _Frame:
    """Header of a frame: of the image, or of what it is put together from."""

    def __init__(self, bits: Bits, image: ImageHeader) -> None:
        self.is_last = True
        self.ycbcr = False
        self.passes = 1
        self._image = image
        self._upsampling = 1
        self._shift = 1
        self._size = image.columns, image.rows
        self._subsampled = 0, 0
        self._level = 0
        self._modular = False
        if not bits.flag():
            self._read(bits)

    def _read(self, bits: Bits) -> None:
        kind = bits.number(2)
        self._modular = bits.flag()
        uses_low_frequency = bool(bits.long() & _USES_LOW_FREQUENCY)
        self.ycbcr = not self._image.xyb and bits.flag()
        if not uses_low_frequency:
            if self.ycbcr:
                modes = [bits.number(2) for _ in range(3)]
                self._subsampled = (
                    int(any(mode in (1, 2) for mode in modes)),
                    int(any(mode in (1, 3) for mode in modes)),
                )
            self._upsampling = bits.chosen(_FACTORS)
        if self._modular:
            self._shift = bits.number(2)
        elif self._image.xyb:
            bits.number(6)  # scales of quantization
        if kind != _REFERENCE:
            self._read_passes(bits)
        if kind == _LOW_FREQUENCY:
            self._level = bits.chosen(_LEVELS)
            partial = False
        else:
            partial = self._read_crop(bits, placed=kind != _REFERENCE)
        self._read_use(bits, kind, partial=partial)
        if bits.chosen(_NAME):
            raise NotFollowedError("a frame of the codestream has a name")
        self._skip_filters(bits)
        _refuse_extensions(bits)

    def _read_passes(self, bits: Bits) -> None:
        self.passes = bits.chosen(_PASSES)
        if self.passes > 1:
            downsamplings = bits.chosen(_DOWNSAMPLINGS)
            bits.number(2 * (self.passes - 1))
            for choices in (_FACTORS, _LAST_PASS):
                for _ in range(downsamplings):
                    bits.chosen(choices)

    def _read_crop(self, bits: Bits, *, placed: bool) -> bool:
        """Read where a frame is in the image, and return whether it is smaller."""
        if not bits.flag():
            return False
        left, top = (bits.chosen(_CROP), bits.chosen(_CROP)) if placed else (0, 0)  # even numbers are positive
        whole = self._size
        self._size = bits.chosen(_CROP), bits.chosen(_CROP)
        if self._size[0] * self._size[1] > _LARGER * whole[0] * whole[1] + _SMALL:
            raise NotFollowedError("a frame of the codestream is much larger than the image")
        return bool(left or top) or self._size != whole

    def _read_use(self, bits: Bits, kind: int, *, partial: bool) -> None:
        """Read how a frame is used: whether it is the last, and what may refer to it."""
        visible = kind in (_REGULAR, _SKIP_PROGRESSIVE)
        mode = _REPLACE
        if visible:
            mode = bits.chosen(_BLENDING)
            if mode == _MULTIPLY:
                bits.flag()
            if mode != _REPLACE or partial:
                bits.number(2)
        self.is_last = visible and bits.flag()
        if visible and not self.is_last:
            raise NotFollowedError("the image has several layers")
        if kind != _LOW_FREQUENCY and not self.is_last:
            bits.number(2)
        if kind == _REFERENCE:
            bits.flag()

    def _skip_filters(self, bits: Bits) -> None:
        if bits.flag():
            return
        if bits.flag() and bits.flag():
            bits.number(6 * _HALF)
        if bits.number(2):
            if not self._modular and bits.flag():
                bits.number(8 * _HALF)
            if bits.flag():
                bits.number(5 * _HALF)
            if bits.flag():
                bits.number((3 if self._modular else 4) * _HALF)
            if self._modular:
                bits.number(_HALF)
        _refuse_extensions(bits)

    @property
    def sections(self) -> int:
        """How many sections the frame has."""
        group = _GROUP << self._shift
        groups = low_groups = 1
        for side, subsampled in zip(self._size, self._subsampled, strict=True):
            reduced = -(-side // (1 << 3 * self._level))
            length = -(-reduced // self._upsampling)
            blocks = -(-length // (_BLOCK << subsampled)) << subsampled
            groups *= -(-length // group)
            low_groups *= -(-blocks // group)
        if groups == self.passes == 1:
            return 1
        return 2 + low_groups + groups * self.passes


def _end_by_decoding(data: bytes) -> int:
    """Return how many bytes the decoder needs, the fewest: libjxl refuses a codestream that lacks any."""
    try:
        from imagecodecs import jpegxl_decode
    except ImportError:
        raise NotFollowedError(
            f"the parts of the codestream are in an order of their own: {EXTRA} lets it be followed"
        ) from None

    def is_whole(length: int) -> bool:
        try:
            jpegxl_decode(data[:length])
        except Exception:  # noqa: BLE001 - its errors are of several kinds
            return False
        return True

    if not is_whole(len(data)):
        raise NotFollowedError("the codestream cannot be decoded")
    if not is_whole(len(data) - 1):
        return len(data)
    lengths = range(len(data))
    return bisect_left(lengths, True, key=is_whole)
