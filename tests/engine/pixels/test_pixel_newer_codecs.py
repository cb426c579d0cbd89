"""JPEG XL, deflated frames and single-bit codestreams: covered, encoded again, and read by a decoder of their own."""

from __future__ import annotations

import io
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels.utils import pack_bits, pixel_array
from pydicom.uid import UID, ExplicitVRLittleEndian, HTJ2KLossless, JPEG2000Lossless, RLELossless

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.dicom.files import encode as encode_file
from healthcare_deid.engine.dicom.jpeg_xl import image_header
from healthcare_deid.engine.pixels import Box, PixelRedactor, TextLine
from healthcare_deid.engine.pixels.frames.codecs.encoders import encode
from healthcare_deid.engine.pixels.frames.layout import pixel_layout
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.arrays import Picture

imagecodecs: Any = pytest.importorskip("imagecodecs", reason="the extra codecs is not installed")

ALL_TEXT = PixelPlan(Scope.EVERYTHING)
XL_LOSSLESS, XL_OF_JPEG, XL = (f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112))
DEFLATED, UNCOMPRESSED = "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.1.98"
ROWS, COLUMNS = 41, 66
FOUND = Box(20, 8, 50, 16)
COVERED = (slice(7, 17), slice(18, 52))  # the margin of one pixel, and shared chroma
PIXEL_DATA = 0x7FE00010


class InTheSecondFrame:
    """Finds one line where the corner of a picture is bright."""

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        del read, within
        return [TextLine(FOUND)] if picture[:4, :4].max(axis=2).min() > 200 else []


def _values(bits: int, *, signed: bool = False, color: bool = False) -> Any:
    """Return two frames of dim noise; the corner of the second is bright."""
    kind = f"{'i' if signed else 'u'}{1 if bits <= 8 else 2 if bits <= 16 else 4 if bits <= 32 else 8}"
    lowest = -(1 << (bits - 1)) if signed else 0
    highest = lowest + (1 << bits) - 1
    shape = (2, ROWS, COLUMNS, 3) if color else (2, ROWS, COLUMNS)
    data = np.random.default_rng(bits).integers(lowest, highest // 2 + 1 + lowest // 2, shape, dtype=kind)
    data[:, -1, -1], data[:, -1, -2] = highest, lowest
    data[0, :4, :4] = lowest
    data[1, :4, :4] = highest
    return data


def _encapsulated(dataset: Dataset, streams: list[bytes], syntax: str, value: bytes | None = None) -> Dataset:
    dataset.PixelData = encapsulate(streams) if value is None else value
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    return dataset


def _deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def _redacted(dataset: Dataset) -> tuple[Dataset, Any]:
    report = PixelRedactor(ALL_TEXT, ocr=InTheSecondFrame(), workers=1).redact(dataset, None)
    return dataset, report


def _streams(dataset: Dataset) -> list[bytes]:
    return list(generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))))


def _check_covered(before: Any, after: Any, dark: Any) -> None:
    """See that every value outside the boxes is as it was, and every value inside is dark."""
    outside = np.ones(before.shape[:3], bool)
    outside[1][COVERED] = False
    core = (slice(7, 17), slice(19, 51))
    grown = np.ones(before.shape[:3], bool)
    grown[1][core] = False
    assert np.array_equal(after[outside], before[outside])
    assert (after[1][core] == dark).all()


XL_KINDS: dict[str, dict[str, Any]] = {
    "2 bits": {"bits": 2},
    "8 bits": {"bits": 8},
    "8 of 16 bits": {"bits": 8, "allocated": 16},
    "12 of 32 bits": {"bits": 12, "allocated": 32},
    "10 of 16 bits": {"bits": 10},
    "12 of 16 bits": {"bits": 12},
    "16 bits": {"bits": 16},
    "8 bits signed": {"bits": 8, "signed": True},
    "12 bits signed": {"bits": 12, "signed": True},
    "16 bits signed": {"bits": 16, "signed": True},
    "bright is low": {"bits": 8, "photometric": "MONOCHROME1"},
    "color": {"bits": 8, "color": True},
    "deep color": {"bits": 16, "color": True},
    "brightness and color": {"bits": 8, "color": True, "photometric": "YBR_FULL"},
}


@pytest.mark.parametrize("syntax", [XL_LOSSLESS, XL])
@pytest.mark.parametrize("kind", XL_KINDS)
def test_jpeg_xl_stays_jpeg_xl_and_every_other_value_too(kind: str, syntax: str, make_instance: Any) -> None:
    how = dict(XL_KINDS[kind])
    photometric = how.pop("photometric", "")
    allocated = how.pop("allocated", 0)
    data = _values(**how)
    stored = data.view(f"u{data.itemsize}")
    mask = stored.dtype.type((1 << how["bits"]) - 1)
    dataset = make_instance(
        data, colour=how.get("color", False), bits_stored=how["bits"], photometric=photometric or None
    )
    frames = [
        imagecodecs.jpegxl_encode(np.ascontiguousarray(frame & mask), lossless=True, bitspersample=how["bits"])
        for frame in stored
    ]
    _encapsulated(dataset, frames, syntax)
    dataset.BitsAllocated = allocated or dataset.BitsAllocated
    if photometric == "MONOCHROME1":
        dataset.PhotometricInterpretation = photometric
        data[:] = 255 - data
        _encapsulated(dataset, [imagecodecs.jpegxl_encode(frame, lossless=True) for frame in data], syntax)
    before = _streams(dataset)
    dataset, report = _redacted(dataset)
    assert dataset.file_meta.TransferSyntaxUID == syntax
    assert report.warnings == ()
    after = _streams(dataset)
    assert [one.rstrip(b"\0") == other.rstrip(b"\0") for one, other in zip(after, before, strict=True)] == [True, False]
    decoded = np.stack([imagecodecs.jpegxl_decode(stream) for stream in after])
    signed = how.get("signed", False)
    if signed:  # two's complement of so many bits
        unused = decoded.itemsize * 8 - how["bits"]
        decoded = decoded.view(data.dtype) << unused >> unused
    dark = data[1].min() if signed else 255 if photometric == "MONOCHROME1" else 0
    if photometric == "YBR_FULL":
        dark = np.array([0, 128, 128])
    _check_covered(data, decoded, dark)


@pytest.mark.parametrize("signed", [False, True])
def test_a_codestream_that_is_deeper_than_its_values_keeps_its_depth(signed: bool, make_instance: Any) -> None:
    data = _values(12, signed=signed)
    stored = data.view(np.uint16) & 0xFFF
    dataset = make_instance(data, bits_stored=12)
    _encapsulated(dataset, [_xl(frame) for frame in stored], XL_LOSSLESS)
    dataset, report = _redacted(dataset)
    assert (dataset.BitsStored, report.warnings) == (12, ())
    assert {image_header(_codestream(stream)).precision for stream in _streams(dataset)} == {16}
    decoded = np.stack([imagecodecs.jpegxl_decode(stream) for stream in _streams(dataset)])
    _check_covered(stored, decoded, 0x800 if signed else 0)


def _codestream(container: bytes) -> bytes:
    return container[container.index(b"jxlc") + 4 :]


def test_color_that_lossy_jpeg_xl_transforms_is_written_as_rgb_in_every_frame(make_instance: Any) -> None:
    data = _values(8, color=True)
    lossy = [imagecodecs.jpegxl_encode(frame, distance=1.0) for frame in data]
    dataset = _encapsulated(make_instance(data, colour=True), lossy, XL)
    dataset.PhotometricInterpretation = "XYB"
    dataset.LossyImageCompression = "01"
    dataset, report = _redacted(dataset)
    assert (dataset.PhotometricInterpretation, dataset.LossyImageCompression) == ("RGB", "01")
    assert "00280004" in {change.path for change in report.changes}
    before = np.stack([imagecodecs.jpegxl_decode(frame) for frame in lossy])
    _check_covered(before, np.stack([imagecodecs.jpegxl_decode(frame) for frame in _streams(dataset)]), 0)


def test_an_index_into_a_palette_is_no_brightness(make_instance: Any) -> None:
    data = _values(8)
    dataset = make_instance(data, photometric="PALETTE COLOR")
    for color in ("Red", "Green", "Blue"):
        setattr(dataset, f"{color}PaletteColorLookupTableDescriptor", [256, 0, 8])
        setattr(dataset, f"{color}PaletteColorLookupTableData", bytes(range(255, -1, -1)))
    data[:] = 255 - data
    _encapsulated(dataset, [imagecodecs.jpegxl_encode(frame, lossless=True) for frame in data], XL_LOSSLESS)
    dataset, _ = _redacted(dataset)
    _check_covered(data, np.stack([imagecodecs.jpegxl_decode(frame) for frame in _streams(dataset)]), 255)


def _jpeg(frame: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, "JPEG", quality=95, subsampling="4:2:0")
    return stream.getvalue()


@pytest.mark.parametrize("color", [False, True])
def test_recompressed_jpeg_is_written_uncompressed_and_says_so(color: bool, make_instance: Any) -> None:
    data = _values(8, color=color)
    data[1, :8, :8] = 255
    streams = [imagecodecs.jpegxl_encode_jpeg(_jpeg(frame)) for frame in data]
    dataset = _encapsulated(make_instance(data, colour=color), streams, XL_OF_JPEG)
    if color:
        dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset, report = _redacted(dataset)
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert dataset.LossyImageCompression == "01"
    assert any("JPEG XL JPEG Recompression" in warning for warning in report.warnings)
    assert dataset.PhotometricInterpretation == ("RGB" if color else "MONOCHROME2")
    _check_covered(np.stack([imagecodecs.jpegxl_decode(frame) for frame in streams]), dataset.pixel_array, 0)


NATIVE_KINDS: dict[str, dict[str, Any]] = {
    "8 bits": {"bits": 8},
    "12 of 16 bits": {"bits": 12},
    "16 bits signed": {"bits": 16, "signed": True},
    "32 bits": {"bits": 32},
    "color": {"bits": 8, "color": True},
    "color by planes": {"bits": 8, "color": True, "planar": 1},
    "deep color by planes": {"bits": 16, "color": True, "planar": 1},
    "signed color": {"bits": 16, "color": True, "signed": True},
}


@pytest.mark.parametrize("syntax", [DEFLATED, UNCOMPRESSED])
@pytest.mark.parametrize("kind", NATIVE_KINDS)
def test_frames_stored_as_they_are_natively_stay_so(kind: str, syntax: str, make_instance: Any) -> None:
    how = dict(NATIVE_KINDS[kind])
    planar = how.pop("planar", 0)
    data = _values(**how)
    dataset = make_instance(data, colour=how.get("color", False), bits_stored=how["bits"], planar=planar)
    size = data[0].nbytes
    natively = [dataset.PixelData[start : start + size] for start in (0, size)]
    packed = natively if syntax == UNCOMPRESSED else [_deflate(frame) for frame in natively]
    _encapsulated(dataset, packed, syntax)
    before = _streams(dataset)
    dataset, report = _redacted(dataset)
    assert (dataset.file_meta.TransferSyntaxUID, report.warnings) == (syntax, ())
    assert dataset.get("PlanarConfiguration", 0) == planar
    after = _streams(dataset)
    assert [one == other for one, other in zip(after, before, strict=True)] == [True, False]
    frames = after if syntax == UNCOMPRESSED else [zlib.decompress(frame, wbits=-15) for frame in after]
    again = make_instance(data, colour=how.get("color", False), bits_stored=how["bits"], planar=planar)
    again.PixelData = b"".join(frame[:size] for frame in frames)
    _check_covered(data, pixel_array(again, raw=True), data[1].min())


def test_shared_chroma_stays_shared_in_deflated_frames(make_instance: Any) -> None:
    data = _values(8, color=True)
    dataset = make_instance(data, colour=True, photometric="YBR_FULL_422")
    shared = np.empty((2, ROWS, COLUMNS // 2, 4), np.uint8)
    shared[..., :2] = data[..., 0].reshape(2, ROWS, -1, 2)
    shared[..., 2:] = data[..., ::2, 1:]
    _encapsulated(dataset, [_deflate(frame.tobytes()) for frame in shared], DEFLATED)
    dataset, _ = _redacted(dataset)
    second = np.frombuffer(zlib.decompress(_streams(dataset)[1], wbits=-15), np.uint8).reshape(ROWS, -1, 4)
    inside = np.zeros(second.shape[:2], bool)
    inside[7:17, 9:26] = True
    assert (second[inside] == (0, 0, 128, 128)).all()
    assert np.array_equal(second[~inside], shared[1][~inside])


SINGLE_BIT: dict[str, Callable[[Any], bytes]] = {
    JPEG2000Lossless: lambda frame: imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k", bitspersample=1),
    XL_LOSSLESS: lambda frame: imagecodecs.jpegxl_encode(frame, lossless=True, bitspersample=1),
    DEFLATED: lambda frame: _deflate(pack_bits(frame, pad=False)),
    UNCOMPRESSED: lambda frame: pack_bits(frame, pad=False),
}


@pytest.mark.parametrize("syntax", [*SINGLE_BIT, HTJ2KLossless, RLELossless])
def test_a_segmentation_of_one_bit_stays_in_its_syntax(syntax: str, make_instance: Any) -> None:
    data = np.random.default_rng(1).integers(0, 2, (2, ROWS, COLUMNS)).astype(np.uint8)
    data[0, :4, :4], data[1, :4, :4] = 0, 1
    dataset = make_instance(data)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    layout = pixel_layout(dataset, PIXEL_DATA)
    own = SINGLE_BIT.get(syntax, lambda frame: encode(frame, UID(syntax), layout))
    _encapsulated(dataset, [own(frame) for frame in data], syntax)
    dataset, report = _redacted(dataset)
    assert (dataset.file_meta.TransferSyntaxUID, report.warnings) == (syntax, ())
    _check_covered(data, np.stack([_bits(stream, syntax) for stream in _streams(dataset)]), 0)


def _bits(stream: bytes, syntax: str) -> Any:
    if syntax in (DEFLATED, UNCOMPRESSED):
        data = stream if syntax == UNCOMPRESSED else zlib.decompress(stream, wbits=-15)
        return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: ROWS * COLUMNS].reshape(ROWS, COLUMNS)
    if syntax == RLELossless:
        from rle.rle import decode_frame

        return np.frombuffer(bytes(decode_frame(stream, ROWS * COLUMNS, 8, "<")), np.uint8).reshape(ROWS, COLUMNS)
    decoders = {XL_LOSSLESS: "jpegxl_decode", HTJ2KLossless: "htj2k_decode", JPEG2000Lossless: "jpeg2k_decode"}
    return getattr(imagecodecs, decoders[syntax])(stream.rstrip(b"\0"))


def test_bits_that_their_syntax_cannot_keep_are_packed_when_they_become_native(make_instance: Any) -> None:
    data = np.random.default_rng(1).integers(0, 2, (2, 21, 27)).astype(np.uint8)  # OpenJPEG wants 32 rows
    data[0, :4, :4], data[1, :4, :4] = 0, 1
    dataset = make_instance(data)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    _encapsulated(dataset, [SINGLE_BIT[JPEG2000Lossless](frame) for frame in data], JPEG2000Lossless)
    dataset, report = _redacted(dataset)
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert any("uncompressed" in warning for warning in report.warnings)
    after = dataset.pixel_array
    assert np.array_equal(after[0], data[0])
    outside = np.ones(data[0].shape, bool)
    outside[7:17, 19:] = False
    assert np.array_equal(after[1][outside], data[1][outside])
    assert not after[1][~outside].any()


@pytest.mark.parametrize(("bits", "color"), [(32, False), (32, True), (64, False)])
def test_rle_of_32_bits_stays_rle(bits: int, color: bool, make_instance: Any) -> None:
    data = _values(bits, color=color)
    dataset = make_instance(data, colour=color)
    layout = pixel_layout(dataset, PIXEL_DATA)
    _encapsulated(dataset, [encode(frame, RLELossless, layout) for frame in data], RLELossless)
    dataset, report = _redacted(dataset)
    assert (dataset.file_meta.TransferSyntaxUID, report.warnings) == (RLELossless, ())
    if bits == 32:
        _check_covered(data, pixel_array(dataset, raw=True), 0)


def _values_of(streams: list[bytes], *, table: str) -> tuple[bytes, dict[str, bytes]]:
    if table == "extended":
        value, offsets, lengths = encapsulate_extended(streams)
        return value, {"ExtendedOffsetTable": offsets, "ExtendedOffsetTableLengths": lengths}
    if table == "fragments":
        return encapsulate(streams, fragments_per_frame=3), {}
    return encapsulate(streams, fragments_per_frame=3 if table == "none, fragments" else 1, has_bot=False), {}


@pytest.mark.parametrize("table", ["extended", "fragments", "none", "none, fragments"])
@pytest.mark.parametrize("syntax", [XL_LOSSLESS, DEFLATED])
def test_frames_are_found_by_any_table_or_by_how_they_begin(syntax: str, table: str, make_instance: Any) -> None:
    data = _values(8)
    streams = [
        imagecodecs.jpegxl_encode(frame, lossless=True) if syntax == XL_LOSSLESS else _deflate(frame.tobytes())
        for frame in data
    ]
    streams[0] += b"\0" * (1 - len(streams[0]) % 2)  # of odd length
    value, extended = _values_of(streams, table=table)
    dataset = _encapsulated(make_instance(data), [], syntax, value)
    for keyword, item in extended.items():
        setattr(dataset, keyword, item)
    if syntax == DEFLATED and table == "none, fragments":  # nothing tells, and the standard wants one fragment a frame
        with pytest.raises(UnsupportedPixelsError, match="without a valid offset table"):
            _redacted(dataset)
        return
    dataset, report = _redacted(dataset)
    assert [redaction.frame for redaction in report.redactions] == [1]
    assert ("ExtendedOffsetTable" in dataset) is (table == "extended")
    after = _streams(dataset)
    decoded = [
        imagecodecs.jpegxl_decode(one)
        if syntax == XL_LOSSLESS
        else np.frombuffer(zlib.decompress(one, wbits=-15), np.uint8).reshape(ROWS, COLUMNS)
        for one in after
    ]
    _check_covered(data, np.stack(decoded), 0)


def _xl(frame: Any, **options: Any) -> bytes:
    made: bytes = imagecodecs.jpegxl_encode(frame, lossless=True, **options)
    return made


BROKEN: dict[str, tuple[str, Callable[[Any], bytes]]] = {
    "cut off": (XL_LOSSLESS, lambda frame: _xl(frame)[:-9]),
    "another size": (XL_LOSSLESS, lambda frame: _xl(frame[:-1])),
    "color": (XL_LOSSLESS, lambda frame: _xl(np.repeat(frame[..., None], 3, 2))),
    "transparency": (XL_LOSSLESS, lambda frame: _xl(np.repeat(frame[..., None], 4, 2))),
    "deeper": (XL_LOSSLESS, lambda frame: _xl(frame.astype(np.uint16) * 3)),
    "floating point": (XL_LOSSLESS, lambda frame: _xl(frame.astype(np.float32) / 255)),
    "an animation": (XL_LOSSLESS, lambda frame: _xl(np.stack([frame] * 2))),
    "noise": (XL_LOSSLESS, lambda frame: b"\xff\x0a" + bytes(np.random.default_rng(2).integers(0, 256, 900, np.uint8))),
    "another coding": (XL_LOSSLESS, _jpeg),
    "empty": (XL_LOSSLESS, lambda _: b"\xff\x0a"),
    "too short": (DEFLATED, lambda frame: _deflate(frame.tobytes()[:-1])),
    "too long": (DEFLATED, lambda frame: _deflate(frame.tobytes() + b"SMITH")),
    "cut off in the stream": (DEFLATED, lambda frame: _deflate(frame.tobytes())[:-9]),
    "a zlib header": (DEFLATED, lambda frame: zlib.compress(frame.tobytes())),
    "a bomb": (DEFLATED, lambda _: _deflate(bytes(5_000_000))),
    "short": (UNCOMPRESSED, lambda frame: frame.tobytes()[:-2]),
    "long": (UNCOMPRESSED, lambda frame: frame.tobytes() + b"SMITH"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_frame_that_is_not_what_its_attributes_say_is_refused(fault: str, make_instance: Any) -> None:
    data = _values(8)
    syntax, make = BROKEN[fault]
    dataset = _encapsulated(make_instance(data), [make(frame) for frame in data], syntax)
    with pytest.raises(UnsupportedPixelsError):
        _redacted(dataset)


def test_jpeg_xl_without_the_extra_is_refused_with_the_remedy(
    make_instance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _values(8)
    dataset = _encapsulated(make_instance(data), [_xl(frame) for frame in data], XL_LOSSLESS)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    monkeypatch.setattr("healthcare_deid.engine.pixels.frames.codecs.decoders._EXTRA_PACKAGE", "a_package_nobody_has")
    with pytest.raises(UnsupportedPixelsError, match=r"JPEG XL Lossless .*healthcare-deid\[codecs\]"):
        _redacted(dataset)


@pytest.mark.parametrize("number", ["100", "101.1", "103", "106", "108"])
@pytest.mark.parametrize("layout", ["one fragment", "a fragment a frame", "many", "defined length", "none"])
def test_video_is_refused_by_name_whatever_its_fragments(number: str, layout: str, make_instance: Any) -> None:
    stream = b"\0\0\1\xb3" + bytes(range(256)) * 40
    value = {
        "one fragment": encapsulate([stream]),
        "a fragment a frame": encapsulate([stream] * 2),
        "many": encapsulate([stream], fragments_per_frame=7),
        "defined length": stream,
        "none": b"\xfe\xff\x00\xe0\0\0\0\0",
    }[layout]
    dataset = _encapsulated(make_instance(_values(8)), [], f"1.2.840.10008.1.2.4.{number}", value)
    dataset["PixelData"].is_undefined_length = layout != "defined length"
    with pytest.raises(UnsupportedPixelsError, match=rf"\(1.2.840.10008.1.2.4.{number}\): text in video"):
        _redacted(dataset)


@pytest.mark.parametrize("syntax", [XL_LOSSLESS, DEFLATED, UNCOMPRESSED])
def test_a_file_is_redacted_and_written_in_a_syntax_that_pydicom_does_not_write(
    syntax: str, make_instance: Any, tmp_path: Path
) -> None:
    data = _values(8)
    pack: dict[str, Callable[[Any], bytes]] = {
        XL_LOSSLESS: _xl,
        DEFLATED: lambda frame: _deflate(frame.tobytes()),
        UNCOMPRESSED: lambda frame: frame.tobytes(),
    }
    dataset = _encapsulated(make_instance(data), [pack[syntax](frame) for frame in data], syntax)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.1", "1.2.2"
    with (tmp_path / "in.dcm").open("wb") as file:
        encode_file(dataset, file)
    config = DeidentifyConfig.builder().filter_profile("KEEP_ALL_PROFILE").redact_image_text("all").build()
    engine = Deidentifier(config, ocr=InTheSecondFrame())
    result = engine.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    again = pydicom.dcmread(tmp_path / "out.dcm")
    assert (again.file_meta.TransferSyntaxUID, len(result.redactions)) == (syntax, 1)
    streams = _streams(again)
    if syntax == XL_LOSSLESS:
        decoded = [imagecodecs.jpegxl_decode(stream) for stream in streams]
    else:
        flat = streams if syntax == UNCOMPRESSED else [zlib.decompress(stream, wbits=-15) for stream in streams]
        decoded = [np.frombuffer(frame, np.uint8)[: ROWS * COLUMNS].reshape(ROWS, COLUMNS) for frame in flat]
    _check_covered(data, np.stack(decoded), 0)
