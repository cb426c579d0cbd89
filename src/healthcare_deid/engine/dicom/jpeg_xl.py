"""Headers and end of JPEG XL codestreams (ISO/IEC 18181-1).

Pixels are not decoded. A codestream has no end marker, so only its headers give its length. They can also announce
images that a viewer does not show: a preview, an animation, extra channels.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

from healthcare_deid.engine.dicom.bits import Bits, Choice, NotFollowedError

START = b"\xff\x0a"
CONTAINER_START = b"\0\0\0\x0cJXL \r\n\x87\n"

# Ratio of columns to rows, for headers without the number of columns.
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIDES: tuple[Choice, ...] = ((1, 9), (1, 13), (1, 18), (1, 30))
_DEPTHS: tuple[Choice, ...] = ((8, 0), (10, 0), (12, 0), (1, 6))
_EXTRA_CHANNELS: tuple[Choice, ...] = ((0, 0), (1, 0), (2, 4), (1, 12))
_CHROMATICITY: tuple[Choice, ...] = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
_GRAY, _XYB = 1, 2
_CUSTOM = 2
# Size of a half-precision number in bits.
_HALF = 16
# Number of weights in the tables for upsampling by 2, 4 and 8.
_WEIGHTS = (15, 55, 210)

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
# A reference frame may have this many times the pixels of the image, plus a small constant.
_LARGER, _SMALL = 4, 1 << 16
# Largest image that is decoded to find its end: a few bytes can expand to fill all memory.
_MOST_PIXELS = 1 << 28
_GROUP = 128
_BLOCK = 8
EXTRA = 'pip install "healthcare-deid[codecs]"'
"""Installs imagecodecs, which is too large to be a required dependency."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Header of a codestream.

    Attributes:
        rows: Rows.
        columns: Columns.
        samples: 1 for gray, 3 for color.
        precision: Bits of a sample.
        xyb: Whether colors are stored as XYB, which decoders convert.
        ycbcr: Whether colors are stored as YCbCr, as in JPEG, which decoders convert.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    xyb: bool
    ycbcr: bool = False


def image_header(data: bytes) -> ImageHeader:
    """Read the header of a codestream and of its first frame.

    Raises:
        NotFollowedError: The header is invalid, or announces anything but one upright image.
    """
    header, frame, _ = _first_frame(data)
    return replace(header, ycbcr=frame.ycbcr)


def end_of_codestream(data: bytes) -> int:
    """Return the length of a codestream, found from frame to frame.

    Args:
        data: The codestream, and any bytes after it.

    Raises:
        NotFollowedError: The codestream cannot be parsed to its end, or has data that a viewer would not show.
    """
    header, frame, bits = _first_frame(data)
    try:
        while True:
            if bits.flag():  # a permuted order is entropy-coded, so the table of contents after it cannot be found
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
    if bits.flag():  # all fields have their defaults
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
    bits.flag()  # whether 16-bit buffers suffice
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
    """Read the color encoding and return its number of samples."""
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
    """Skip the inverse XYB transform and the upsampling weights."""
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
    """Header of a frame: the image itself, or one that it is built from."""

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
            bits.number(6)  # quantization scales
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
        """Read a frame's position and size; return whether it covers only a part."""
        if not bits.flag():
            return False
        left, top = (bits.chosen(_CROP), bits.chosen(_CROP)) if placed else (0, 0)  # signed: even numbers are positive
        whole = self._size
        self._size = bits.chosen(_CROP), bits.chosen(_CROP)
        if self._size[0] * self._size[1] > _LARGER * whole[0] * whole[1] + _SMALL:
            raise NotFollowedError("a frame of the codestream is much larger than the image")
        return bool(left or top) or self._size != whole

    def _read_use(self, bits: Bits, kind: int, *, partial: bool) -> None:
        """Read blending, whether the frame is the last, and its reference slot."""
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
        """Number of sections in the frame."""
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
    """Return the smallest number of bytes that decodes.

    libjxl refuses a codestream that lacks any byte.
    """
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
