from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    JPEG2000,
    MPEG2MPML,
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.pixels.frames.codecs import encoders as encoders_module
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from healthcare_deid.engine.results import PixelReport

ALL_TEXT = PixelPlan(Scope.EVERYTHING)
SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
ENCODED_HERE = (RLELossless, JPEGLSLossless, JPEG2000Lossless)


def _frames(*, colour: bool = False) -> NDArray[np.uint8]:
    """Four frames of noise; the second and the third hold a bright stretch, the others stay dim."""
    noise = np.random.default_rng(3)
    data = noise.integers(0, 150, (4, 40, 64, 3) if colour else (4, 40, 64)).astype(np.uint8)
    data[1:3, 8:16, 20:50] = 255
    data[0, 0, 0] = data[3, 0, 0] = 160
    return data


class TopOnly:
    """Finds one line, in pictures that are bright at its place."""

    def find(self, picture: NDArray[np.uint8], *, read: bool, within: Any = None) -> list[Any]:
        from healthcare_deid.engine.pixels import Box, TextLine

        del read, within
        return [TextLine(Box(20, 8, 50, 16))] if picture[8:16, 20:50].min() > 200 else []


def _outside(boxes: dict[int, tuple[slice, slice]], data: NDArray[Any]) -> NDArray[np.bool_]:
    mask = np.ones(data.shape[:3], bool)
    for frame, (rows, columns) in boxes.items():
        mask[frame, rows, columns] = False
    return mask


def _redact(dataset: Dataset) -> Any:
    return PixelRedactor(ALL_TEXT, ocr=TopOnly(), workers=1).redact(dataset, None)


def _written_and_read(dataset: Dataset) -> Dataset:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    return pydicom.dcmread(stream)


@pytest.mark.parametrize("syntax", ENCODED_HERE, ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("colour", [False, True], ids=["gray", "colour"])
def test_a_lossless_syntax_stays_and_only_touched_frames_are_encoded_again(
    syntax: UID, colour: bool, make_instance: Any
) -> None:
    data = _frames(colour=colour)
    dataset = make_instance(data, colour=colour)
    dataset.compress(syntax, encoding_plugin="")
    before = list(generate_frames(dataset.PixelData, number_of_frames=4))
    report = _redact(dataset)
    assert {redaction.frame for redaction in report.redactions} == {1, 2}
    again = _written_and_read(dataset)
    assert again.file_meta.TransferSyntaxUID == syntax
    after = list(generate_frames(again.PixelData, number_of_frames=4))
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, False, False, True]
    box = slice(7, 17), slice(19, 51)  # with the margin of one pixel
    mask = _outside({1: box, 2: box}, data)
    assert np.array_equal(again.pixel_array[mask], data[mask])
    assert not again.pixel_array[~mask].any()


def test_deep_signed_values_survive_being_encoded_again(make_instance: Any) -> None:
    noise = np.random.default_rng(5)
    data = noise.integers(-1000, 900, (1, 40, 64)).astype(np.int16)
    data[0, 8:16, 20:50] = 2000
    for syntax in ENCODED_HERE:
        dataset = make_instance(data, bits_stored=12)
        dataset.compress(syntax, encoding_plugin="")
        _redact(dataset)
        mask = _outside({0: (slice(7, 17), slice(19, 51))}, data)
        after = _written_and_read(dataset).pixel_array.reshape(data.shape)
        assert np.array_equal(after[mask], data[mask]), syntax.keyword
        assert (after[~mask] == data.min()).all(), syntax.keyword


def _sample(name: str) -> Dataset:
    return pydicom.dcmread(SAMPLES / name)


class Everywhere:
    """Finds one line in the middle of anything."""

    def find(self, picture: NDArray[np.uint8], *, read: bool, within: Any = None) -> list[Any]:
        from healthcare_deid.engine.pixels import Box, TextLine

        del read, within
        rows, columns = picture.shape[:2]
        return [TextLine(Box(columns // 4, rows // 4, columns // 2, rows // 2))]


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        ("SC_rgb_jpeg_dcmtk.dcm", JPEGBaseline8Bit),
        ("SC_rgb_dcmtk_+eb+cy+np.dcm", JPEGBaseline8Bit),
        ("SC_rgb_small_odd_jpeg.dcm", JPEGBaseline8Bit),
        ("SC_rgb_jpeg_gdcm.dcm", JPEGLosslessSV1),
        ("JPEGLSNearLossless_16.dcm", "1.2.840.10008.1.2.4.81"),
        ("JPEG2000.dcm", JPEG2000),
        ("693_J2KI.dcm", JPEG2000),
        ("SC_rgb_gdcm_KY.dcm", JPEG2000),
        ("J2K_pixelrep_mismatch.dcm", JPEG2000Lossless),
        ("examples_jpeg2k.dcm", JPEG2000Lossless),
        ("MR_small_RLE.dcm", RLELossless),
        ("SC_rgb_rle_16bit_2frame.dcm", RLELossless),
        ("rtdose_rle_1frame.dcm", RLELossless),
    ],
)
@pytest.mark.filterwarnings("ignore:.*Invalid value for VR UI")  # some samples have UIDs that are none
def test_values_outside_boxes_are_the_decoded_ones_in_any_syntax(name: str, syntax: str) -> None:
    if not (SAMPLES / name).exists():
        pytest.skip("this pydicom does not carry the file")
    before = _sample(name).pixel_array
    dataset = _sample(name)
    report = PixelRedactor(ALL_TEXT, ocr=Everywhere(), workers=1).redact(dataset, None)
    again = _written_and_read(dataset)
    assert again.file_meta.TransferSyntaxUID == syntax
    frames = int(dataset.get("NumberOfFrames") or 1)
    shape = (frames, dataset.Rows, dataset.Columns, -1)
    mask = np.ones(shape[:3], bool)
    more = 2 if syntax == JPEGBaseline8Bit else 0  # a sample of color, which decoders smooth
    for redaction in report.redactions:
        rows = slice(max(0, redaction.y - more), redaction.y + redaction.height + more)
        columns = slice(max(0, redaction.x - more), redaction.x + redaction.width + more)
        mask[redaction.frame, rows, columns] = False
    assert not mask.all()
    assert np.array_equal(again.pixel_array.reshape(shape)[mask], before.reshape(shape)[mask])
    second = get_decoder(again.file_meta.TransferSyntaxUID)
    if syntax == JPEGBaseline8Bit:  # decoders round colors differently
        before, _ = second.as_array(_sample(name), decoding_plugin="gdcm")
    if "gdcm" in second.available_plugins and second.is_encapsulated:
        array, _ = second.as_array(again, decoding_plugin="gdcm")
        assert np.array_equal(array.reshape(shape)[mask], before.reshape(shape)[mask])


def test_a_lossy_source_written_uncompressed_says_so(make_instance: Any) -> None:
    dataset = _sample("SC_rgb_jpeg_dcmtk.dcm")
    progressive = io.BytesIO()
    Image.fromarray(dataset.pixel_array).save(progressive, "JPEG", progressive=True)
    dataset["PixelData"] = DataElement("PixelData", "OB", encapsulate([progressive.getvalue()]))
    dataset["PixelData"].is_undefined_length = True
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    report = PixelRedactor(ALL_TEXT, ocr=Everywhere(), workers=1).redact(dataset, None)
    rules = {change.path: (str(change.action), change.rule) for change in report.changes}
    assert rules["00020010"] == ("replaced", "rewritten-without-loss")
    assert rules["7FE00010"][0] == "pixels-redacted"
    assert rules["00280004"] == ("replaced", "rewritten-without-loss")
    assert (dataset.PhotometricInterpretation, dataset.LossyImageCompression) == ("RGB", "01")
    assert any("uncompressed" in warning for warning in report.warnings)


def test_a_compressed_instance_without_text_is_left_byte_for_byte(make_instance: Any) -> None:
    dataset = make_instance(np.full((2, 16, 16), 40, np.uint8))
    dataset.compress(RLELossless)
    value, uid = dataset.PixelData, dataset.file_meta.TransferSyntaxUID
    report = _redact(dataset)
    assert report.changes == ()
    assert (dataset.PixelData, dataset.file_meta.TransferSyntaxUID) == (value, uid)


def test_an_extended_offset_table_is_written_anew(make_instance: Any) -> None:
    data = _frames()
    dataset = make_instance(data)
    dataset.compress(RLELossless)
    streams = list(generate_frames(dataset.PixelData, number_of_frames=4))
    dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(streams)
    dataset["PixelData"].is_undefined_length = True
    old = dataset.ExtendedOffsetTable
    _redact(dataset)
    again = _written_and_read(dataset)
    assert again.ExtendedOffsetTable != old
    mask = _outside(dict.fromkeys((1, 2), (slice(7, 17), slice(19, 51))), data)
    assert np.array_equal(again.pixel_array[mask], data[mask])


def test_fragments_without_an_offset_table_are_told_apart(make_instance: Any) -> None:
    data = _frames()
    dataset = make_instance(data)
    dataset.compress(JPEG2000Lossless, encoding_plugin="")
    streams = list(generate_frames(dataset.PixelData, number_of_frames=4))
    dataset.PixelData = encapsulate(streams, has_bot=False)
    dataset["PixelData"].is_undefined_length = True
    _redact(dataset)
    assert np.array_equal(_written_and_read(dataset).pixel_array[[0, 3]], data[[0, 3]])


def test_frames_whose_length_was_written_are_compressed_all_the_same(make_instance: Any) -> None:
    data = np.random.default_rng(6).integers(0, 256, (1, 40, 64)).astype(np.uint8)  # noise: longer than it was
    dataset = make_instance(data)
    dataset.compress(RLELossless)
    dataset["PixelData"].is_undefined_length = False
    assert len(dataset.PixelData) > data.size
    report = PixelRedactor(ALL_TEXT, ocr=Everywhere(), workers=1).redact(dataset, None)
    assert report.redactions
    mask = _outside({0: (slice(9, 21), slice(15, 33))}, data)
    after = _written_and_read(dataset).pixel_array.reshape(data.shape)
    assert np.array_equal(after[mask], data[mask])


@pytest.mark.parametrize("syntax", [MPEG2MPML, JPEGBaseline8Bit, JPEGLosslessSV1, HTJ2KLossless])
def test_what_cannot_be_decoded_is_an_error_with_a_reason_and_no_copy(syntax: UID, make_instance: Any) -> None:
    dataset = make_instance(np.zeros((8, 8), np.uint8))
    dataset.PixelData = encapsulate([b"PHI that is no codestream"])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(UnsupportedPixelsError) as caught:
        _redact(dataset)
    assert caught.value.reason == "unsupported-pixels"
    assert "PHI" not in str(caught.value)


def test_fewer_frames_than_announced_are_an_error(make_instance: Any) -> None:
    dataset = make_instance(_frames()[:2])
    dataset.compress(RLELossless)
    dataset.NumberOfFrames = 3
    with pytest.raises(UnsupportedPixelsError):
        _redact(dataset)


def test_an_encoder_that_changes_values_is_noticed_and_the_frames_are_written_natively(
    make_instance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong:
        def encode(self, source: Any, **options: Any) -> bytes:
            from pydicom.pixels.encoders.base import get_encoder

            changed = np.array(source)
            changed[0, 0] ^= 1
            return bytes(get_encoder(JPEG2000Lossless).encode(changed, **options))

    def wrong_encoder(syntax: UID) -> Wrong:
        del syntax
        return Wrong()

    data = _frames()
    dataset = make_instance(data)
    dataset.compress(JPEG2000Lossless, encoding_plugin="")
    monkeypatch.setattr(encoders_module, "get_encoder", wrong_encoder)
    _redact(dataset)
    again = _written_and_read(dataset)
    assert again.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    mask = _outside(dict.fromkeys((1, 2), (slice(7, 17), slice(19, 51))), data)
    assert np.array_equal(again.pixel_array[mask], data[mask])


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("deep", "said"), [(12, 10), (16, 12), (16, 8)])
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, HTJ2KLossless], ids=lambda uid: uid.keyword)
def test_values_beyond_bits_stored_are_kept_and_the_attributes_corrected(
    syntax: UID, deep: int, said: int, signed: bool, make_instance: Any
) -> None:
    lowest = -(1 << (deep - 1)) if signed else 0
    kind = np.int16 if signed else np.uint16
    data = np.random.default_rng(4).integers(lowest, lowest + (1 << deep), (2, 64, 64)).astype(kind)
    dataset = _deeper(make_instance(data, bits_stored=deep), data, syntax, said)
    before = pixel_array(dataset, raw=True)
    report = PixelRedactor(ALL_TEXT, ocr=OnlyTheSecond(), workers=1).redact(dataset, None)
    again = _written_and_read(dataset)
    assert again.file_meta.TransferSyntaxUID == syntax
    written = 16 if syntax == HTJ2KLossless else deep  # this encoder knows samples of whole bytes only
    assert (again.BitsStored, again.HighBit) == (written, written - 1)
    assert len(report.warnings) == 1
    assert [change.rule for change in report.changes if change.path.startswith("0028")] == ["contradiction"] * 2
    mask = _outside(
        {box.frame: (slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)) for box in report.redactions},
        data,
    )
    assert not mask.all()
    for plugin in sorted(get_decoder(syntax).available_plugins):
        after = pixel_array(again, raw=True, decoding_plugin=plugin)
        assert np.array_equal(after[mask], before[mask]), plugin


def _deeper(dataset: Dataset, data: NDArray[Any], syntax: UID, said: int) -> Dataset:
    """Compress, then let the attributes say less than the codestreams hold."""
    if syntax == HTJ2KLossless:
        imagecodecs = pytest.importorskip("imagecodecs", reason="the extra codecs is not installed")
        dataset.PixelData = encapsulate([imagecodecs.htj2k_encode(frame, reversible=True) for frame in data])
        dataset["PixelData"].is_undefined_length = True
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = syntax
    else:
        dataset.compress(syntax, encoding_plugin="")
    dataset.BitsStored, dataset.HighBit = said, said - 1
    return dataset


class OnlyTheSecond(Everywhere):
    """Finds one line in the second picture it is shown."""

    def __init__(self) -> None:
        self.shown = 0

    def find(self, picture: NDArray[np.uint8], *, read: bool, within: Any = None) -> list[Any]:
        self.shown += 1
        return super().find(picture, read=read, within=within) if self.shown == 2 else []


def test_a_codestream_deeper_than_its_values_changes_no_attribute(make_instance: Any) -> None:
    data = np.random.default_rng(4).integers(0, 1 << 10, (2, 64, 64)).astype(np.uint16)
    dataset = _deeper(make_instance(data, bits_stored=16), data, JPEG2000Lossless, 12)
    report = PixelRedactor(ALL_TEXT, ocr=Everywhere(), workers=1).redact(dataset, None)
    assert report.redactions
    assert report.warnings == ()
    assert (dataset.BitsStored, dataset.HighBit) == (12, 11)


def test_frames_of_different_depths_are_refused(make_instance: Any) -> None:
    shallow = np.full((1, 40, 64), 30, np.uint16)
    streams: list[bytes] = []
    for bits in (12, 16):
        dataset = make_instance(shallow, bits_stored=bits)
        dataset.compress(JPEG2000Lossless, encoding_plugin="")
        streams += generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData, dataset.NumberOfFrames = encapsulate(streams), 2
    dataset["PixelData"].is_undefined_length = True
    dataset.BitsStored, dataset.HighBit = 12, 11
    with pytest.raises(UnsupportedPixelsError, match="different depths"):
        _redact(dataset)


def _redact_everywhere(dataset: Dataset) -> PixelReport:
    return PixelRedactor(ALL_TEXT, ocr=Everywhere(), workers=1).redact(dataset, None)


def test_lossy_jpeg_of_twelve_bits_is_read_with_the_extra(tmp_path: Path) -> None:
    pytest.importorskip("imagecodecs", reason="the extra codecs is not installed")
    dataset = _sample("JPGExtended.dcm")
    report = PixelRedactor(ALL_TEXT, ocr=Everywhere(), workers=1).redact(dataset, None)
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    values = dataset.pixel_array
    (box,) = report.redactions
    mask = np.ones(values.shape, bool)
    mask[box.y : box.y + box.height, box.x : box.x + box.width] = False
    assert values[mask].max() > 255
    if shutil.which("dcmdjpeg") is None:
        pytest.skip("dcmtk is not installed")
    subprocess.run(["dcmdjpeg", SAMPLES / "JPGExtended.dcm", tmp_path / "native.dcm"], check=True)
    assert np.array_equal(pydicom.dcmread(tmp_path / "native.dcm").pixel_array[mask], values[mask])


def test_lossy_jpeg_of_twelve_bits_names_the_extra_that_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthcare_deid.engine.pixels.frames.codecs.decoders._EXTRA_PACKAGE", "a_package_nobody_has")
    with pytest.raises(UnsupportedPixelsError, match=r"12 bits.*healthcare-deid\[codecs\]"):
        _redact_everywhere(_sample("JPGExtended.dcm"))


DECODERS = "healthcare_deid.engine.pixels.frames.codecs.decoders"


@pytest.mark.filterwarnings("ignore:.*Invalid value for VR UI")
def test_without_pyjpegls_jpeg_ls_is_read_by_the_extra_and_written_uncompressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("imagecodecs", reason="the extra codecs is not installed")
    before = _sample("JPEGLSNearLossless_16.dcm")
    monkeypatch.setattr(f"{DECODERS}._JPEG_LS_PACKAGE", "a_package_nobody_has")
    monkeypatch.setattr(f"{DECODERS}._by_pydicom", None)
    dataset = _sample("JPEGLSNearLossless_16.dcm")
    report = _redact_everywhere(dataset)
    monkeypatch.undo()
    again = _written_and_read(dataset)
    assert again.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert any("pip install pyjpegls" in warning for warning in report.warnings)
    mask = np.ones(before.pixel_array.shape, bool)
    for box in report.redactions:
        mask[box.y : box.y + box.height, box.x : box.x + box.width] = False
    assert np.array_equal(again.pixel_array[mask], before.pixel_array[mask])


@pytest.mark.filterwarnings("ignore:.*Invalid value for VR UI")
def test_jpeg_ls_that_nothing_reads_names_the_extra_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("_JPEG_LS_PACKAGE", "_EXTRA_PACKAGE"):
        monkeypatch.setattr(f"{DECODERS}.{package}", "a_package_nobody_has")
    with pytest.raises(UnsupportedPixelsError, match=r"JPEG-LS.*healthcare-deid\[codecs\]"):
        _redact_everywhere(_sample("JPEGLSNearLossless_16.dcm"))


@pytest.mark.parametrize(
    "uid", ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.92", "1.2.3"]
)
@pytest.mark.parametrize("fragments", [1, 2, 5])
def test_a_syntax_without_a_decoder_is_refused_by_its_name_however_many_fragments_there_are(
    uid: str, fragments: int, make_instance: Any
) -> None:
    dataset = make_instance(np.zeros((3, 8, 8), np.uint8))
    dataset.PixelData = encapsulate([b"\0\0\1\xb3" * 4] * fragments)
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = UID(uid)
    with pytest.raises(UnsupportedPixelsError, match=uid.replace(".", r"\.")):
        PixelRedactor(ALL_TEXT).redact(dataset, None)
