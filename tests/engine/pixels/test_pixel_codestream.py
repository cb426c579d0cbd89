"""What a codestream says of itself is checked before a compiled decoder sees it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    UID,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from healthcare_deid.engine.pixels.frames.codecs.codestream_headers import checked_header
from healthcare_deid.engine.pixels.frames.codecs.decoders import decode, has_extra, options_of
from healthcare_deid.engine.pixels.frames.codecs.encoders import encode
from healthcare_deid.engine.pixels.frames.layout import PixelLayout
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable

GRAY = PixelLayout(rows=48, columns=64)
COLOUR = replace(GRAY, samples=3, photometric="RGB")
DEEP = replace(GRAY, bits_allocated=16, bits_stored=12, high_bit=11)
WITH_HEADER = (JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, *((HTJ2KLossless,) if has_extra() else ()))
NEWER = ("1.2.840.10008.1.2.8.1", *(("1.2.840.10008.1.2.4.110",) if has_extra() else ()))


def _words(layout: PixelLayout) -> Any:
    shape = (layout.rows, layout.columns, 3) if layout.samples == 3 else (layout.rows, layout.columns)
    return np.random.default_rng(1).integers(0, 1 << layout.bits_stored, shape).astype(layout.dtype)


@pytest.mark.parametrize("layout", [GRAY, COLOUR, DEEP], ids=["gray", "colour", "deep"])
@pytest.mark.parametrize("uid", WITH_HEADER, ids=lambda uid: uid.keyword)
def test_a_header_tells_the_shape(uid: UID, layout: PixelLayout) -> None:
    header = checked_header(encode(_words(layout), uid, layout), uid, layout)
    assert (header.rows, header.columns, header.samples) == (layout.rows, layout.columns, layout.samples)
    assert header.precision == layout.bits_stored


@pytest.mark.parametrize("uid", WITH_HEADER, ids=lambda uid: uid.keyword)
def test_a_second_image_in_a_frames_fragments_is_refused(uid: UID) -> None:
    stream = encode(_words(GRAY), uid, GRAY)
    assert checked_header(stream + bytes(9), uid, GRAY).rows == GRAY.rows  # padding
    with pytest.raises(UnsupportedPixelsError, match="more than one image"):
        checked_header(stream + bytes(2) + stream, uid, GRAY)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(GRAY, rows=47),
        replace(GRAY, columns=128),
        replace(GRAY, samples=3, photometric="RGB"),
        replace(GRAY, rows=24, bits_allocated=16),
    ],
    ids=["rows", "columns", "samples", "depth"],
)
@pytest.mark.parametrize("uid", WITH_HEADER, ids=lambda uid: uid.keyword)
def test_a_frame_of_another_shape_than_the_attributes_say_is_refused(uid: UID, wrong: PixelLayout) -> None:
    stream = encode(_words(GRAY), uid, GRAY)
    assert np.array_equal(decode(stream, uid, GRAY), _words(GRAY))
    with pytest.raises(UnsupportedPixelsError):
        decode(stream, uid, wrong)


@pytest.mark.parametrize("wrong", [replace(GRAY, columns=128), COLOUR, DEEP], ids=["columns", "samples", "depth"])
def test_an_rle_frame_has_segments_for_what_the_attributes_say(wrong: PixelLayout) -> None:
    stream = encode(_words(GRAY), RLELossless, GRAY)
    assert np.array_equal(decode(stream, RLELossless, GRAY), _words(GRAY))
    with pytest.raises(UnsupportedPixelsError):
        decode(stream, RLELossless, wrong)


@pytest.mark.parametrize("uid", WITH_HEADER, ids=lambda uid: uid.keyword)
def test_more_bits_than_are_allocated_are_refused_and_fewer_are_read(uid: UID) -> None:
    deep, shallow = encode(_words(DEEP), uid, DEEP), encode(_words(GRAY), uid, GRAY)
    with pytest.raises(UnsupportedPixelsError, match="more bits"):
        decode(deep, uid, GRAY)
    assert np.array_equal(decode(shallow, uid, DEEP), _words(GRAY))


@pytest.mark.parametrize("uid", WITH_HEADER, ids=lambda uid: uid.keyword)
def test_a_frame_of_another_process_than_the_syntax_names_is_refused(uid: UID) -> None:
    stream = encode(_words(GRAY), uid, GRAY)
    for other in {*WITH_HEADER, JPEGBaseline8Bit} - {uid, JPEG2000Lossless, HTJ2KLossless}:
        with pytest.raises(UnsupportedPixelsError):
            checked_header(stream, other, GRAY)


@pytest.mark.parametrize("uid", [*WITH_HEADER, RLELossless], ids=lambda uid: uid.keyword)
def test_no_header_that_was_cut_off_or_changed_is_more_than_an_error(uid: UID) -> None:
    stream = encode(_words(GRAY), uid, GRAY)
    for length in range(16):
        with pytest.raises(UnsupportedPixelsError):
            checked_header(stream[:length], uid, GRAY)
    for position in range(128):
        changed = bytearray(stream)
        changed[position] ^= 0xFF
        refused_or(lambda changed=changed: checked_header(bytes(changed), uid, GRAY))  # type: ignore[misc]


def test_a_lossless_frame_of_two_bits_is_read() -> None:
    layout = replace(GRAY, bits_stored=2, high_bit=1)
    words = _words(layout)
    assert np.array_equal(decode(encode(words, JPEGLosslessSV1, layout), JPEGLosslessSV1, layout), words)


@pytest.mark.parametrize("precision", [0, 1, 17, 32])
def test_a_lossless_frame_of_a_depth_that_there_is_not_is_refused(precision: int) -> None:
    wide = replace(GRAY, bits_allocated=32, bits_stored=32, high_bit=31)
    stream = bytearray(encode(_words(GRAY), JPEGLosslessSV1, GRAY))
    stream[stream.index(b"\xff\xc3") + 4] = precision
    with pytest.raises(UnsupportedPixelsError):
        decode(bytes(stream), JPEGLosslessSV1, wide)


def test_a_codestream_in_a_jp2_file_is_read() -> None:
    options: dict[str, Any] = options_of(GRAY) | {"encoding_plugin": "pylibjpeg"}
    raw = bytes(get_encoder(JPEG2000Lossless).encode(_words(GRAY), index=None, **options))
    box = b"\0\0\0\0jp2c" + raw
    assert checked_header(b"\0\0\0\x0cjP  \r\n\x87\n" + box, JPEG2000Lossless, GRAY).rows == 48


FUZZ = """
import random, sys
from dataclasses import replace
import test_pixel_codestream as t

uid = t.UID(sys.argv[1])
for seed in range(int(sys.argv[2])):
    pick = random.Random(seed)
    layout = pick.choice((t.GRAY, t.COLOUR, t.DEEP, replace(t.GRAY, bits_stored=2, high_bit=1)))
    stream = bytearray(t.encode(t._words(layout), uid, layout))
    if pick.random() < 0.3:
        del stream[pick.randrange(len(stream)) :]
    for _ in range(pick.choice((0, 1, 4, 16)) if stream else 0):
        stream[pick.randrange(min(len(stream), pick.choice((80, 1 << 20))))] = pick.randrange(256)
    if pick.random() < 0.2:
        stream[2:2] = b"\\xff\\xee\\0\\x0eAdobe\\0\\x64\\0\\0\\0\\0" + bytes((pick.randrange(4),))
    if pick.random() < 0.3:
        layout = replace(layout, **pick.choice(({"signed": True}, {"photometric": "YBR_FULL"}, {"rows": 24})))
    t.refused_or(lambda: t.decode(bytes(stream), uid, layout))
print("alive")
"""


@pytest.mark.parametrize("uid", [*WITH_HEADER, RLELossless, *NEWER], ids=str)
def test_no_broken_frame_ends_the_process(uid: UID) -> None:
    """In a child process: what is looked for would end this one."""
    command = [sys.executable, "-W", "ignore", "-c", FUZZ, uid, "300"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-500:]


def refused_or(read: Callable[[], object]) -> None:
    """Read something that may be refused."""
    try:
        read()
    except UnsupportedPixelsError:
        return


ODD_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "a zero before the end": lambda stream: stream[:-2] + b"\0" + stream[-2:],
    "zeros before the end": lambda stream: stream[:-2] + bytes(5) + stream[-2:],
    "no end": lambda stream: stream[:-2],
    "zeros in its place": lambda stream: stream[:-2] + bytes(7),
    "sampling of one component": lambda stream: stream.replace(b"\x01\x11\x00", b"\x01\x22\x00", 1),
}


@pytest.mark.parametrize("form", ODD_FORMS)
def test_jpeg_ls_of_a_form_that_other_decoders_take_is_read(form: str) -> None:
    imagecodecs: Any = pytest.importorskip("imagecodecs")
    values = np.random.default_rng(1).integers(0, 4096, (40, 64)).astype(np.uint16)
    layout = PixelLayout(40, 64, bits_allocated=16, bits_stored=12, high_bit=11)
    stream = ODD_FORMS[form](imagecodecs.jpegls_encode(values))
    assert np.array_equal(decode(stream, JPEGLSLossless, layout), values)
    with pytest.raises(UnsupportedPixelsError):
        decode(stream[:-300], JPEGLSLossless, layout)
