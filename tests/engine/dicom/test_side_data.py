"""Side data of compressed frames: a planted name is removed, and every decoder sees the same pixels."""

from __future__ import annotations

import io
import re
from struct import pack
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence
from pydicom.uid import (
    MPEG2MPML,
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Box, Deidentifier, DeviceMask
from healthcare_deid.engine.dicom.long_values import BytesStorage
from healthcare_deid.engine.dicom.sidedata import Spliced, find_side_data
from healthcare_deid.engine.dicom.transfer_syntaxes import TRANSFER_SYNTAXES
from healthcare_deid.engine.pixels.frames.codecs.encoders import encode, has_encoder
from healthcare_deid.engine.pixels.frames.layout import pixel_layout
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

NAME = b"KOWALCZYK^MARIA "
ROWS, COLUMNS = 40, 64
PROFILES = ("KEEP_ALL_PROFILE", "MINIMAL_KEEP_LIST_PROFILE", "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE")


def _picture(*, color: bool = False) -> NDArray[np.uint8]:
    shape = (ROWS, COLUMNS, 3) if color else (ROWS, COLUMNS)
    return np.random.default_rng(7).integers(0, 256, shape).astype(np.uint8)


def _instance(syntax: UID, streams: list[bytes], *, color: bool = False) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.set_original_encoding(False, True, "iso8859")
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.1", "1.2.2"
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
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


def _stream(syntax: UID) -> bytes:
    dataset = _instance(ExplicitVRLittleEndian, [b"none"])
    dataset.PixelData = _picture().tobytes()
    dataset["PixelData"].is_undefined_length = False
    dataset.compress(syntax, encoding_plugin="")
    return next(generate_frames(dataset.PixelData, number_of_frames=1))


def _jpeg(**options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_picture(color=True)).save(stream, "JPEG", **options)
    return stream.getvalue()


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2, "big") + data


def _after_start(stream: bytes, *segments: bytes) -> bytes:
    return stream[:2] + b"".join(segments) + stream[2:]


def _before_end(stream: bytes, *segments: bytes) -> bytes:
    end = stream.rindex(b"\xff\xd9")
    return stream[:end] + b"".join(segments) + stream[end:]


def _between_scans(stream: bytes, segment: bytes) -> bytes:
    second = stream.index(b"\xff\xda", stream.index(b"\xff\xda") + 2)
    return stream[:second] + segment + stream[second:]


JPEG_PLACES: dict[str, Callable[[bytes], bytes]] = {
    "comment": lambda stream: _after_start(stream, _segment(0xFE, NAME)),
    "exif": lambda stream: _after_start(stream, _segment(0xE1, b"Exif\0\0" + NAME)),
    "profile": lambda stream: _after_start(stream, _segment(0xE2, b"ICC_PROFILE\0\1\1" + NAME)),
    "photoshop": lambda stream: _after_start(stream, _segment(0xED, b"Photoshop 3.0\0" + NAME)),
    "thumbnail": lambda stream: stream[:4] + b"\0\x40" + stream[6:18] + b"\4\4" + NAME * 3 + stream[20:],
    "other thumbnail": lambda stream: stream[:20] + _segment(0xE0, b"JFXX\0\x10" + NAME) + stream[20:],
    "behind Adobe's": lambda stream: _after_start(stream, _segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + NAME)),
    "before the end": lambda stream: _before_end(stream, _segment(0xFE, NAME)),
    "after the end": lambda stream: stream + NAME,
    "far after the end": lambda stream: stream + bytes(300_000) + NAME,
    "a second picture": lambda stream: stream + _after_start(stream, _segment(0xFE, NAME)),
    "long comments": lambda stream: _after_start(stream, *[_segment(0xFE, b"x" * 65000 + NAME)] * 9),
    "fill bytes": lambda stream: _before_end(stream, b"\xff\xff" + _segment(0xFE, NAME)),
}


def _j2k_in_tile(stream: bytes) -> bytes:
    at = stream.index(b"\xff\x90")
    comment = b"\xff\x64" + pack(">HH", len(NAME) + 4, 1) + NAME
    length = int.from_bytes(stream[at + 6 : at + 10], "big")
    header = (
        stream[at : at + 6] + (length + len(comment) if length else 0).to_bytes(4, "big") + stream[at + 10 : at + 12]
    )
    return stream[:at] + header + comment + stream[at + 12 :]


def _box(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data) + 8) + kind + data


def _jp2(stream: bytes, *, before: bytes = b"", after: bytes = b"", color: bytes = b"\1\0\0\0\0\0\x11") -> bytes:
    header = _box(b"ihdr", pack(">IIHBBBB", ROWS, COLUMNS, 1, 7, 7, 0, 0)) + _box(b"colr", color)
    parts = (_box(b"jP  ", b"\r\n\x87\n"), _box(b"ftyp", b"jp2 \0\0\0\0jp2 "), _box(b"jp2h", header), before)
    return b"".join(parts) + _box(b"jp2c", stream) + after


J2K_PLACES: dict[str, Callable[[bytes], bytes]] = {
    "comment": lambda stream: stream.replace(b"\xff\x90", b"\xff\x64\0\x14\0\1" + NAME + b"\xff\x90", 1),
    "unknown segment": lambda stream: stream.replace(b"\xff\x90", b"\xff\x6f\0\x12" + NAME + b"\xff\x90", 1),
    "comment of a tile": _j2k_in_tile,
    "after the end": lambda stream: stream + NAME,
    "xml": lambda stream: _jp2(stream, before=_box(b"xml ", NAME)),
    "uuid": lambda stream: _jp2(stream, after=_box(b"uuid", bytes(16) + NAME)),
    "after the boxes": lambda stream: _jp2(stream, after=NAME[:7] + NAME),
    "in the last box": lambda stream: _jp2(stream + NAME),
    "brands": lambda stream: _jp2(stream).replace(
        _box(b"ftyp", b"jp2 \0\0\0\0jp2 "), _box(b"ftyp", b"jp2 " + NAME[:4] + b"jp2 " + NAME)
    ),
    "color profile": lambda stream: _jp2(stream, color=b"\2\0\0" + bytes(40) + NAME),
}


def _rle(stream: bytes, *, header: bool = False, gap: bool = False, behind: bytes = b"") -> bytes:
    offsets = bytearray(stream[:64])
    body = stream[64:]
    if header:
        offsets[8 : 8 + len(NAME)] = NAME
    if gap:
        offsets[4:8] = pack("<I", 64 + len(NAME))
        body = NAME + body
    return bytes(offsets) + body + behind


RLE_PLACES: dict[str, Callable[[bytes], bytes]] = {
    "unused offsets": lambda stream: _rle(stream, header=True),
    "before the segment": lambda stream: _rle(stream, gap=True),
    "behind the segment": lambda stream: _rle(stream, behind=NAME),
    "far behind the segment": lambda stream: _rle(stream, behind=bytes(100) + NAME),
}
LS_PLACES: dict[str, Callable[[bytes], bytes]] = {
    "comment": lambda stream: _after_start(stream, _segment(0xFE, NAME)),
    "application": lambda stream: _after_start(stream, _segment(0xE8, NAME)),
    "behind the color transform": lambda stream: _after_start(stream, _segment(0xE8, b"mrfx\0" + NAME)),
    "after the end": lambda stream: stream + NAME,
}


def _cases() -> list[Any]:
    jpeg, progressive = _jpeg(), _jpeg(progressive=True)
    made = [(f"JPEG, {place}", JPEGBaseline8Bit, plant(jpeg), True) for place, plant in JPEG_PLACES.items()]
    between = _between_scans(progressive, _segment(0xFE, NAME))
    made.append(("progressive JPEG, between scans", JPEGBaseline8Bit, between, True))
    for syntax, places in ((JPEG2000Lossless, J2K_PLACES), (RLELossless, RLE_PLACES), (JPEGLSLossless, LS_PLACES)):
        stream = _stream(syntax)
        made += [(f"{syntax.keyword}, {place}", syntax, plant(stream), False) for place, plant in places.items()]
    return [pytest.param(syntax, stream, color, id=name) for name, syntax, stream, color in made]


def _decoded(dataset: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for plugin in get_decoder(dataset.file_meta.TransferSyntaxUID).available_plugins:
        try:
            found[plugin] = pixel_array(dataset, raw=True, decoding_plugin=plugin)
        except Exception as error:  # noqa: BLE001 - not every decoder takes every stream: the same as before is asked
            found[plugin] = type(error).__name__
    return found


@pytest.fixture(scope="module")
def deidentifiers() -> dict[str, Deidentifier]:
    return {
        profile: Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}})) for profile in PROFILES
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("syntax", "stream", "color"), _cases())
def test_no_name_beside_the_pixels_is_left_in_any_profile_and_no_pixel_changes(
    syntax: UID, stream: bytes, color: bool, deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    source, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    for streams in ([stream], [stream, stream]):
        dataset = _instance(syntax, streams, color=color)
        dataset.save_as(source, enforce_file_format=True)
        assert NAME.strip() in source.read_bytes()
        before = _decoded(dataset)
        assert any(not isinstance(array, str) for array in before.values())
        for deidentifier in deidentifiers.values():
            result = deidentifier.deidentify_file(source, out)
            assert NAME.strip() not in out.read_bytes()
            assert ("7FE00010", "side-data") in {(change.path, change.rule) for change in result.changes}
            after = pydicom.dcmread(out)
            _compare(before, _decoded(after))
            same = deidentifier.deidentify(pydicom.dcmread(source))
            assert same.dataset.PixelData == after.PixelData
            assert [change for change in same.changes if change.rule == "side-data"] == [
                change for change in result.changes if change.rule == "side-data"
            ]
            again = deidentifier.deidentify_file(out, tmp_path / "again.dcm")
            assert "side-data" not in {change.rule for change in again.changes}


def _compare(before: dict[str, Any], after: dict[str, Any]) -> None:
    for plugin, array in before.items():
        if isinstance(array, str):
            continue  # the name itself was more than this decoder takes
        assert np.array_equal(array, after[plugin]), plugin


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless, JPEGLosslessSV1])
def test_frames_without_side_data_are_passed_byte_for_byte(
    syntax: UID, deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    if syntax == JPEGLosslessSV1:
        from healthcare_deid.engine.pixels.frames.codecs.jpeg_lossless import encode

        stream = encode(_picture(), 8)
    else:
        stream = _stream(syntax)
    comment = stream.find(b"\xff\x64") if syntax == JPEG2000Lossless else -1
    if comment >= 0:  # the encoder's own
        length = int.from_bytes(stream[comment + 2 : comment + 4], "big")
        stream = stream[:comment] + stream[comment + 2 + length :]
    dataset = _instance(syntax, [stream, stream + b"\0" * 41])
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    result = deidentifiers[PROFILES[0]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert "side-data" not in {change.rule for change in result.changes}
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == dataset.PixelData


def _strip(value: bytes, syntax: UID, *, frames: int = 1, extended: tuple[bytes, bytes] | None = None) -> bytes:
    storage = BytesStorage(value)
    found = find_side_data(storage, syntax, frames=frames, pixels=ROWS * COLUMNS, extended=extended)
    spliced = Spliced(storage, found.splices)
    whole = spliced.read()
    assert whole == b"".join(spliced.read_at(start, start + 7) for start in range(0, len(spliced), 7))
    return whole


def _item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + len(data).to_bytes(4, "little") + data


@pytest.mark.parametrize("table", [NAME, NAME[:4], NAME * 40, pack("<I", 8), pack("<2I", 0, 5)])
def test_an_offset_table_that_holds_no_offsets_is_emptied(table: bytes) -> None:
    stream = _stream(RLELossless)
    value = _item(table) + _item(stream)
    assert _strip(value, RLELossless) == _item(b"") + _item(stream)


def test_an_offset_table_that_is_wrong_is_made_anew_where_frames_have_several_fragments() -> None:
    stream = _stream(JPEGLSLossless)
    stream += b"\0" * (len(stream) % 2)
    halves = _item(stream[:100]) + _item(stream[100:])
    new = _strip(_item(NAME) + halves + halves, JPEGLSLossless, frames=2)
    assert new == _item(pack("<2I", 0, len(halves))) + halves + halves


def test_fragments_of_no_frame_go(deidentifiers: dict[str, Deidentifier], tmp_path: Path) -> None:
    stream = _stream(RLELossless)
    for frames in (1, 2):
        dataset = _instance(RLELossless, [stream] * frames)
        dataset.PixelData = _item(b"") + _item(stream) * 2 + _item(NAME) * 3
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
        result = deidentifiers[PROFILES[1]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
        assert result.dataset.PixelData == _item(b"") + _item(stream) * frames
        assert any("after the last frame" in warning for warning in result.warnings)
    dataset.PixelData = _item(pack("<2I", 0, len(stream) + 8)) + _item(stream) * 2 + _item(NAME)
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    result = deidentifiers[PROFILES[1]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert NAME.strip() not in (tmp_path / "out.dcm").read_bytes()
    assert np.array_equal(pixel_array(result.dataset)[1], _picture())


def test_a_second_image_after_a_frame_is_removed_with_a_warning(
    deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    _instance(JPEGBaseline8Bit, [_jpeg() + _jpeg()], color=True).save_as(tmp_path / "in.dcm", enforce_file_format=True)
    result = deidentifiers[PROFILES[0]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert any("after the last frame" in warning for warning in result.warnings)
    assert (tmp_path / "out.dcm").read_bytes().count(b"\xff\xd8\xff") == 1


def test_an_extended_table_that_holds_no_offsets_is_removed(
    deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    stream = _stream(RLELossless)
    for wrong in (NAME, None):
        dataset = _instance(RLELossless, [stream, stream])
        dataset.PixelData, offsets, lengths = encapsulate_extended([stream, stream])
        dataset["PixelData"].is_undefined_length = True
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = wrong or offsets, lengths
        dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
        result = deidentifiers[PROFILES[0]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
        assert ("ExtendedOffsetTable" in result.dataset) is (wrong is None)
        assert np.array_equal(pixel_array(result.dataset)[1], _picture())
        assert NAME.strip() not in (tmp_path / "out.dcm").read_bytes()


@pytest.mark.parametrize("private", [False, True])
def test_pictures_in_sequences_lose_their_side_data(
    private: bool, deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    icon = _instance(JPEGBaseline8Bit, [JPEG_PLACES["comment"](_jpeg())], color=True)
    del icon.SOPClassUID, icon.SOPInstanceUID, icon.StudyInstanceUID, icon.SeriesInstanceUID
    dataset = _instance(JPEGBaseline8Bit, [_jpeg()], color=True)
    if private:
        dataset.add_new(0x00090010, "LO", "ACME")
        dataset.add_new(0x00091001, "SQ", Sequence([icon]))
    else:
        dataset.IconImageSequence = Sequence([icon])
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    result = deidentifiers[PROFILES[0]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    path = "00091001[0]/7FE00010" if private else "00880200[0]/7FE00010"
    assert path in {change.path for change in result.changes if change.rule == "side-data"}
    assert NAME.strip() not in (tmp_path / "out.dcm").read_bytes()


@pytest.mark.parametrize(
    "stream",
    [
        b"PHI that is no codestream ",
        b"\xff\xd8\xff\xe1\xff\xffcut off",
        b"\xff\xd8PHI between markers \xff\xd9",
        b"\xff\x4f\xff\x51\0\x04PHI",
        b"\xff\xd8" + _segment(0xDB, b"\x0f" + NAME * 4) + b"\xff\xd9",
        b"\xff\xd8" + _segment(0xC4, b"\x1f" + bytes([16] + [0] * 15) + NAME) + b"\xff\xd9",
        b"\xff\xd8" + _segment(0xC4, b"\x00" + bytes([16] + [0] * 15) + NAME) + b"\xff\xd9",
        b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x08PHI.",
    ],
)
def test_a_frame_with_broken_markers_is_refused(
    stream: bytes, deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    _instance(JPEGBaseline8Bit, [stream]).save_as(tmp_path / "in.dcm", enforce_file_format=True)
    with pytest.raises(UnsupportedPixelsError) as caught:
        deidentifiers[PROFILES[0]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert "PHI" not in str(caught.value)
    assert not (tmp_path / "out.dcm").exists()


def test_frames_in_an_unknown_format_are_kept_with_a_warning(
    deidentifiers: dict[str, Deidentifier], tmp_path: Path
) -> None:
    dataset = _instance(MPEG2MPML, [b"\0\0\1\xb3 a video "])
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    result = deidentifiers[PROFILES[0]].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert any("cannot be parsed" in warning for warning in result.warnings)
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == dataset.PixelData


def test_a_stream_that_was_cut_off_without_an_end_is_taken_as_decoders_take_it() -> None:
    stream = _stream(JPEG2000Lossless)
    whole = _strip(_item(b"") + _item(stream), JPEG2000Lossless)
    cut = _item(b"") + _item(whole[16 : 16 + len(stream) - 2 & ~1])
    assert _strip(cut, JPEG2000Lossless) == cut
    jpeg = _jpeg()[: -40 & ~1]
    jpeg = jpeg[: len(jpeg) & ~1]
    assert _strip(_item(b"") + _item(jpeg), JPEGBaseline8Bit) == _item(b"") + _item(jpeg)


ENCODED = [row.uid for row in TRANSFER_SYNTAXES.values() if row.encoder]


@pytest.mark.parametrize("syntax", ENCODED)
@pytest.mark.parametrize("color", [False, True], ids=["gray", "color"])
def test_encoders_leave_nothing_of_themselves_in_a_frame(syntax: str, color: bool) -> None:
    """OpenJPEG and OpenJPH write their name and version into a comment."""
    dataset = _instance(ExplicitVRLittleEndian, [b"none"], color=color)
    layout = pixel_layout(dataset, 0x7FE00010)
    if not has_encoder(UID(syntax), layout):
        pytest.skip("needs the extra codecs")
    stream = encode(_picture(color=color), UID(syntax), layout)
    assert not re.search(rb"OpenJP|CharLS|[Vv]er(sion)?[ .\d]", stream)
    value = _item(b"") + _item(stream + b"\0" * (len(stream) % 2))
    size = ROWS * COLUMNS * (3 if color else 1)
    assert not find_side_data(BytesStorage(value), syntax, frames=1, pixels=ROWS * COLUMNS, size=size).splices


def test_frames_that_were_covered_have_no_side_data_whatever_the_source_had() -> None:
    stream = _stream(JPEG2000Lossless)
    end = 4 + int.from_bytes(stream[4:6], "big")  # the first segment, SIZ, stays the first
    commented = stream[:end] + _segment(0x64, b"\0\1" + NAME) + stream[end:]
    dataset = _instance(JPEG2000Lossless, [commented, commented])
    dataset.Manufacturer = "ACME"
    masks = [DeviceMask([Box(0, 0, 20, 10)], manufacturer="ACME", ocr="never")]
    config = DeidentifyConfig.from_api({"dicom": {"filterProfile": PROFILES[2]}})
    result = Deidentifier(config, masks=masks).deidentify(dataset)
    assert result.redactions
    value = result.dataset.PixelData
    assert NAME not in value
    assert b"OpenJPEG" not in value
    assert not find_side_data(BytesStorage(value), JPEG2000Lossless, frames=2, pixels=ROWS * COLUMNS).splices
