"""A name is planted wherever JPEG XL and deflated frames have room for it: no pixel changes, and it is gone."""

from __future__ import annotations

import io
import sys
import zlib
from struct import pack
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.dicom.bits import Bits, NotFollowedError
from healthcare_deid.engine.dicom.jpeg_xl import end_of_codestream, image_header
from healthcare_deid.engine.dicom.sidedata import UNREAD
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

imagecodecs: Any = pytest.importorskip("imagecodecs", reason="the extra codecs is not installed")

NAME = b"KOWALCZYK^MARIA "
ROWS, COLUMNS = 40, 64
PROFILES = ("KEEP_ALL_PROFILE", "MINIMAL_KEEP_LIST_PROFILE", "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE")
XL_LOSSLESS, XL_OF_JPEG, XL = (f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112))
DEFLATED, UNCOMPRESSED = "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.1.98"
_LARGE = 9, 2100
"""Rows and columns from which on the encoder puts the parts of a codestream in another order."""


def _picture(rows: int = ROWS, columns: int = COLUMNS, *, color: bool = False) -> NDArray[np.uint8]:
    shape = (rows, columns, 3) if color else (rows, columns)
    return np.random.default_rng(7).integers(0, 256, shape).astype(np.uint8)


def _instance(syntax: str, streams: list[bytes], *, shape: tuple[int, ...] = (ROWS, COLUMNS)) -> Dataset:
    color = len(shape) > 2
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.set_original_encoding(False, True, "iso8859")
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.1", "1.2.2"
    dataset.Rows, dataset.Columns = shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3, "RGB") if color else (1, "MONOCHROME2")
    if color:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    if len(streams) > 1:
        dataset.NumberOfFrames = len(streams)
    dataset.PixelData = encapsulate(streams)
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    return dataset


def _save(dataset: Dataset, path: Path) -> None:
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = DicomBytesIO()  # pydicom's dcmwrite does not know these transfer syntaxes
    stream.is_implicit_VR, stream.is_little_endian = False, True
    stream.write(bytes(128) + b"DICM")
    write_file_meta_info(stream, dataset.file_meta)
    write_dataset(stream, dataset)
    path.write_bytes(stream.getvalue())


def _box(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data) + 8) + kind + data


def _container(*boxes: bytes, brands: bytes = b"") -> bytes:
    signature = _box(b"JXL ", b"\r\n\x87\n")
    return signature + _box(b"ftyp", b"jxl \0\0\0\0jxl " + brands) + b"".join(boxes)


def _part(index: int, data: bytes, *, last: bool = False) -> bytes:
    return _box(b"jxlp", pack(">I", index | (last << 31)) + data)


PLACES: dict[str, Callable[[bytes], bytes]] = {
    "behind the codestream": lambda stream: stream + NAME,
    "EXIF": lambda stream: _container(_box(b"Exif", bytes(4) + NAME), _box(b"jxlc", stream)),
    "XML": lambda stream: _container(_box(b"jxlc", stream), _box(b"xml ", NAME)),
    "a box within a box": lambda stream: _container(_box(b"jxlc", stream), _box(b"jumb", _box(b"jumd", NAME))),
    "an unknown box": lambda stream: _container(_box(b"KOWA", NAME), _box(b"jxlc", stream)),
    "the level": lambda stream: _container(_box(b"jxll", b"\x05" + NAME), _box(b"jxlc", stream)),
    "brands": lambda stream: _container(_box(b"jxlc", stream), brands=NAME),
    "behind the boxes": lambda stream: _container(_box(b"jxlc", stream)) + NAME[:7] + NAME,
    "in the box of the codestream": lambda stream: _container(_box(b"jxlc", stream + NAME)),
    "in a box without a length": lambda stream: _container(b"\0\0\0\0jxlc" + stream + NAME),
    "between parts": lambda stream: _container(
        _part(0, stream[:40]), _box(b"xml ", NAME), _part(1, stream[40:] + NAME, last=True)
    ),
    "in a part too many": lambda stream: _container(_part(0, stream), _part(1, NAME, last=True)),
    "in a long box": lambda stream: _container(pack(">I4sQ", 1, b"xml ", 16 + len(NAME)) + NAME, _box(b"jxlc", stream)),
}


def _naked(array: Any, **options: Any) -> bytes:
    made: bytes = imagecodecs.jpegxl_encode(array, usecontainer=False, **options)
    assert made.startswith(b"\xff\x0a")
    return made


def _jpeg(**options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_picture(color=True)).save(stream, "JPEG", **options)
    return stream.getvalue()


def _deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def _cases() -> list[Any]:
    gray, color = _picture(), _picture(color=True)
    lossless = _naked(gray, lossless=True)
    cases = [(f"JPEG XL, {place}", XL_LOSSLESS, plant(lossless), gray.shape) for place, plant in PLACES.items()]
    for name, syntax, stream in (
        ("lossy", XL, _naked(color, distance=2.0)),
        ("color", XL_LOSSLESS, _naked(color, lossless=True)),
    ):
        cases.append((f"{name} JPEG XL", syntax, stream + NAME, color.shape))
    recompressed = imagecodecs.jpegxl_encode_jpeg(_jpeg(comment=NAME * 50))
    cases.append(("reconstruction of a JPEG file", XL_OF_JPEG, recompressed + NAME, color.shape))
    large = _naked(_picture(*_LARGE), lossless=True)
    cases.append(("parts in another order", XL_LOSSLESS, large + NAME, _LARGE))
    cases.append(("deflated", DEFLATED, _deflate(gray.tobytes()) + NAME, gray.shape))
    cases.append(("uncompressed", UNCOMPRESSED, gray.tobytes() + NAME, gray.shape))
    return [pytest.param(*case[1:], id=case[0]) for case in cases]


@pytest.fixture(scope="module")
def deidentifiers() -> dict[str, Deidentifier]:
    return {
        profile: Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}})) for profile in PROFILES
    }


def _decoded(dataset: Dataset) -> Any:
    frames = list(generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))))
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == UNCOMPRESSED:
        return [frame[: ROWS * COLUMNS] for frame in frames]
    if syntax == DEFLATED:
        return [zlib.decompressobj(wbits=-15).decompress(frame) for frame in frames]
    return [imagecodecs.jpegxl_decode(frame) for frame in frames]


@pytest.mark.parametrize(("syntax", "stream", "shape"), _cases())
def test_no_name_beside_the_pixels_is_left_in_any_profile_and_no_pixel_changes(
    syntax: str, stream: bytes, shape: tuple[int, ...], deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    source, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    for streams in ([stream], [stream, stream]):
        dataset = _instance(syntax, streams, shape=shape)
        _save(dataset, source)
        before = _decoded(dataset)
        for deidentifier in deidentifiers.values():
            result = deidentifier.deidentify_file(source, out)
            assert NAME.strip() not in out.read_bytes()
            assert b"jbrd" not in out.read_bytes()
            assert ("7FE00010", "side-data") in {(change.path, change.rule) for change in result.changes}
            after = pydicom.dcmread(out)
            assert all(np.array_equal(one, other) for one, other in zip(before, _decoded(after), strict=True))
            same = deidentifier.deidentify(pydicom.dcmread(source))
            assert same.dataset.PixelData == after.PixelData
            again = deidentifier.deidentify_file(out, tmp_path / "again.dcm")
            assert "side-data" not in {change.rule for change in again.changes}


@pytest.mark.parametrize(
    ("syntax", "stream"),
    [
        (XL_LOSSLESS, _naked(_picture(), lossless=True)),
        (XL_LOSSLESS, imagecodecs.jpegxl_encode(_picture(), lossless=True, usecontainer=True)),
        (XL, _naked(_picture(), distance=1.0)),
        (DEFLATED, _deflate(_picture().tobytes())),
        (UNCOMPRESSED, _picture().tobytes()),
    ],
)
def test_frames_without_side_data_are_passed_byte_for_byte(
    syntax: str, stream: bytes, deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    dataset = _instance(syntax, [stream, stream + b"\0" * 41])
    _save(dataset, tmp_path / "in.dcm")
    result = deidentifiers[PROFILES[0]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert "side-data" not in {change.rule for change in result.changes}
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == dataset.PixelData


def _item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + len(data).to_bytes(4, "little") + data


def test_fragments_of_no_frame_go(deidentifiers: dict[str, Deidentifier], tmp_path: Path) -> None:
    stream = _naked(_picture(), lossless=True)
    stream += b"\0" * (len(stream) % 2)
    for fragments in ([stream, NAME], [stream, stream + NAME], [stream[:100], stream[100:], NAME]):
        dataset = _instance(XL_LOSSLESS, [stream])
        dataset.PixelData = _item(b"") + b"".join(map(_item, fragments))
        _save(dataset, tmp_path / "in.dcm")
        result = deidentifiers[PROFILES[1]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
        assert NAME.strip() not in (tmp_path / "out.dcm").read_bytes()
        assert np.array_equal(_decoded(result.dataset)[0], _picture())


NOT_FOLLOWED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "two codestreams": (XL_LOSSLESS, lambda: _container(*[_box(b"jxlc", _naked(_picture(), lossless=True))] * 2)),
    "no codestream": (XL_LOSSLESS, lambda: _container(_box(b"xml ", NAME))),
    "parts in disorder": (XL_LOSSLESS, lambda: _container(_part(1, b"\xff\x0a"), _part(0, NAME, last=True))),
    "a part without an end": (XL_LOSSLESS, lambda: _container(_part(0, _naked(_picture(), lossless=True)))),
    "another brand": (XL_LOSSLESS, lambda: _container().replace(b"ftypjxl ", b"ftypKOWA")),
    "an animation": (XL_LOSSLESS, lambda: _naked(np.stack([_picture()] * 2), lossless=True)),
    "transparency": (XL_LOSSLESS, lambda: _naked(np.repeat(_picture()[..., None], 4, 2), lossless=True)),
    "a color profile": (
        XL_OF_JPEG,
        lambda: imagecodecs.jpegxl_encode_jpeg(_jpeg(icc_profile=_profile())),
    ),
    "another size": (XL_LOSSLESS, lambda: _naked(_picture(ROWS, COLUMNS + 1), lossless=True)),
    "cut off": (XL_LOSSLESS, lambda: _naked(_picture(), lossless=True)[:-8]),
    "something else": (XL_LOSSLESS, lambda: NAME * 9),
    "more than a frame": (DEFLATED, lambda: _deflate(_picture().tobytes() + NAME)),
    "no stream": (DEFLATED, lambda: NAME * 9),
    "less than a frame": (UNCOMPRESSED, lambda: NAME),
}


def _profile() -> bytes:
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red = profile.index(b"rXYZ")
    offset = int.from_bytes(profile[red + 4 : red + 8], "big")
    profile[offset + 9] ^= 0x40  # no primaries that have a name
    return bytes(profile)


@pytest.mark.parametrize("fault", NOT_FOLLOWED)
def test_a_frame_that_may_hold_anything_is_refused_in_every_profile(
    fault: str, deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    syntax, make = NOT_FOLLOWED[fault]
    _save(_instance(syntax, [make()]), tmp_path / "in.dcm")
    for deidentifier in deidentifiers.values():
        with pytest.raises(UnsupportedPixelsError):
            deidentifier.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()


def test_jpeg_xl_is_followed_without_the_extra_but_for_parts_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = _naked(_picture(), lossless=True), _naked(_picture(*_LARGE), lossless=True)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert end_of_codestream(small + NAME) == len(small)
    told: object
    try:
        told = end_of_codestream(large + NAME)
    except NotFollowedError as error:
        told = "healthcare-deid[codecs]" in str(error)
    assert told in {True, len(large)}  # newer encoders write the parts in order


@pytest.mark.parametrize("effort", [1, 3, pytest.param(7, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "how", [{"lossless": True}, {"distance": 0.5}, {"distance": 8.0}, {"distance": 1.0, "decodingspeed": 4}]
)
@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (7, 300), (257, 31), (300, 517), (90, 120, 3), (300, 517, 3)])
def test_the_end_is_where_the_encoder_stopped(shape: tuple[int, ...], how: dict[str, Any], effort: int) -> None:
    picture = np.full(shape, 30, np.uint8)
    picture[::3, ::5] = 200
    picture[shape[0] // 2 :] += _picture(*shape[:2], color=len(shape) > 2)[shape[0] // 2 :] // 8
    stream = _naked(picture, effort=effort, **how)
    assert end_of_codestream(stream + NAME) == len(stream)
    header = image_header(stream)
    assert (header.rows, header.columns, header.precision) == (*shape[:2], 8)
    assert header.samples == (3 if len(shape) > 2 else 1)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_end_of_recompressed_jpeg_is_found(subsampling: str, progressive: bool) -> None:
    container = imagecodecs.jpegxl_encode_jpeg(_jpeg(subsampling=subsampling, progressive=progressive))
    first = container.index(b"jxlp")
    second = container.index(b"jxlp", first + 4)
    size = int.from_bytes(container[first - 4 : first], "big")
    stream = container[first + 8 : first - 4 + size] + container[second + 8 :]
    assert end_of_codestream(stream + NAME) == len(stream)
    assert image_header(stream).ycbcr


def test_every_cut_and_every_wrong_bit_of_a_header_is_an_end_or_a_typed_error() -> None:
    stream = _naked(_picture(), distance=1.0)
    for cut in range(64):
        with pytest.raises(NotFollowedError):
            end_of_codestream(stream[:cut])
    for bit in range(16, 8 * 32):
        broken = bytearray(stream)
        broken[bit // 8] ^= 1 << bit % 8
        try:
            assert end_of_codestream(bytes(broken)) <= len(stream)
        except NotFollowedError:
            continue


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x00", 0),
        (bytes([0b000101]), 2),
        (bytes([0b1110, 0]), 17 + 3),
        (bytes([0b11, 0b00000000, 0b0]), 0),
        (bytes([0xFF] * 10), (1 << 64) - 1),
    ],
)
def test_long_numbers_are_read_as_the_standard_packs_them(data: bytes, value: int) -> None:
    assert Bits(data).long() == value


@pytest.mark.parametrize("number", ["50", "100", "108"])
def test_pixels_that_are_no_fragments_of_their_syntax_are_left_with_a_warning(
    number: str, deidentifiers: dict[str, Deidentifier]
) -> None:
    dataset = _instance(f"1.2.840.10008.1.2.4.{number}", [b"none"])
    dataset.PixelData = _picture().tobytes()
    dataset["PixelData"].is_undefined_length = False
    for deidentifier in deidentifiers.values():
        result = deidentifier.deidentify(dataset)
        assert UNREAD in result.warnings
