from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.dicom import DicomConfig
from healthcare_deid.config.v1.image import ImageConfig, TextRedactionMode
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.dicom.transfer_syntaxes import TRANSFER_SYNTAXES
from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ALL_TEXT = PixelPlan(Scope.EVERYTHING)
SENSITIVE = PixelPlan(Scope.SENSITIVE)
LINES = ((30, 30, "RIVERA ANA"), (30, 90, "MRN204816"), (30, 150, "07/09/1961"), (400, 320, "LEFT"))
WORDS = ("RIVERA", "MRN204816", "07091961")  # a mark alone in a corner is what Tesseract overlooks


@pytest.fixture
def written(drawn: Callable[..., NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """A picture with a name, a number, a date and a mark; its background is a ramp, so that nothing is flat."""
    picture = drawn(*LINES, back=0).astype(np.uint16)
    ramp = np.linspace(10, 90, picture.shape[1], dtype=np.uint16)[np.newaxis]
    return np.asarray(np.maximum(picture, ramp), np.uint8)


@pytest.fixture(scope="module")
def redactor() -> PixelRedactor:
    return PixelRedactor(ALL_TEXT, workers=1)


def _mask(dataset: Dataset, report: Any, path: str = "7FE00010") -> NDArray[np.bool_]:
    mask = np.zeros((int(dataset.get("NumberOfFrames") or 1), dataset.Rows, dataset.Columns), bool)
    for item in report.redactions:
        if item.path == path:
            mask[item.frame, item.y : item.y + item.height, item.x : item.x + item.width] = True
    return mask


def _eight(values: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = int(values.min()), int(values.max())
    return np.asarray((values.astype(np.float64) - low) * (255 / max(1, high - low)), np.uint8)


def test_every_word_is_gone_for_an_ocr_that_is_not_the_engines(
    written: Any, make_instance: Any, redactor: PixelRedactor, independent_ocr: Any
) -> None:
    before = independent_ocr(written)
    assert all(word in before for word in WORDS), "the test's own text must be readable"
    dataset = make_instance(written)
    redactor.redact(dataset, None)
    after = independent_ocr(dataset.pixel_array)
    assert not any(part in after for part in ("RIV", "ANA", "MRN", "2048", "1961", "LEFT"))


def test_no_pixel_of_a_glyph_is_left_and_none_outside_the_boxes_changes(
    written: Any, make_instance: Any, redactor: PixelRedactor
) -> None:
    dataset = make_instance(written)
    report = redactor.redact(dataset, None)
    (mask,) = _mask(dataset, report)
    assert not (written > 95)[~mask].any()  # the ramp ends at 90: anything brighter is text, anti-aliased edges too
    assert np.array_equal(dataset.pixel_array[~mask], written[~mask])
    assert not dataset.pixel_array[mask].any()
    assert mask.mean() < 0.15


def _as(kind: str, p: NDArray[np.uint8]) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return the picture as another kind of pixels, and what must be said about them."""
    neutral = np.full_like(p, 128)
    kinds: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
        "16 bit": (p.astype(np.uint16) * 16, {"bits_stored": 12}),
        "signed": (p.astype(np.int16) * 8 - 1024, {}),
        "inverted": (255 - p, {"photometric": "MONOCHROME1"}),
        "32 bit": (p.astype(np.uint32) * 70000, {}),
        "RGB": (np.stack([p, p // 2, p], -1), {"colour": True}),
        "RGB by plane": (np.stack([p, p, p // 2], -1), {"colour": True, "planar": 1}),
        "YBR_FULL": (np.stack([p, neutral, neutral], -1), {"colour": True, "photometric": "YBR_FULL"}),
        "big endian": (p.astype(np.uint16) * 16, {"bits_stored": 12, "syntax": ExplicitVRBigEndian}),
    }
    return kinds[kind]


@pytest.mark.parametrize(
    "kind", ["16 bit", "signed", "inverted", "32 bit", "RGB", "RGB by plane", "YBR_FULL", "big endian"]
)
def test_text_is_covered_in_every_kind_of_native_pixels(
    kind: str, written: Any, make_instance: Any, redactor: PixelRedactor, independent_ocr: Any
) -> None:
    pixels, options = _as(kind, written)
    dataset = make_instance(pixels, **options)
    before = dataset.pixel_array
    report = redactor.redact(dataset, None)
    (mask,) = _mask(dataset, report)
    after = dataset.pixel_array
    assert np.array_equal(after[~mask], before[~mask])
    shown = _eight(after)
    assert not any(part in independent_ocr(shown) for part in ("RIV", "MRN", "1961", "LEFT"))
    gray = shown if shown.ndim == 2 else shown.max(axis=2)
    dark = 255 if dataset.PhotometricInterpretation == "MONOCHROME1" else 0
    assert (gray[mask] == dark).all() or kind == "YBR_FULL"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_the_native_syntax_stays(syntax: str, written: Any, make_instance: Any, redactor: PixelRedactor) -> None:
    dataset = make_instance(written, syntax=syntax)
    report = redactor.redact(dataset, None)
    assert dataset.file_meta.TransferSyntaxUID == syntax
    assert [change.path for change in report.changes] == ["7FE00010"]
    assert not (dataset.pixel_array[~_mask(dataset, report)[0]] > 95).any()


def test_a_palette_is_looked_at_in_colour_and_covered_in_its_darkest_one(
    written: Any, make_instance: Any, redactor: PixelRedactor
) -> None:
    dataset = make_instance(255 - written, photometric="PALETTE COLOR")
    inverse = np.arange(255, -1, -1, dtype=np.uint16) << 8
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", inverse.astype("<u2").tobytes())
    report = redactor.redact(dataset, None)
    (mask,) = _mask(dataset, report)
    assert (dataset.pixel_array[mask] == 255).all()  # its colour is black
    assert not (dataset.pixel_array[~mask] < 160).any()


def test_sensitive_text_goes_and_a_mark_stays(written: Any, make_instance: Any) -> None:
    dataset = make_instance(written)
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Rivera^Ana", "MRN204816", "19610709"
    inspector = TextEngine(TextPlan()).bind(dataset)
    report = PixelRedactor(SENSITIVE, workers=1).redact(dataset, inspector)
    (mask,) = _mask(dataset, report)
    text = written > 95
    assert not text[:200][~mask[:200]].any()
    assert not mask[300:].any()
    assert {item.rule.partition(":")[0] for item in report.redactions} == {"infoType"}


def test_an_unset_mode_leaves_everything(written: Any, make_instance: Any) -> None:
    dataset = make_instance(written)
    value = dataset["PixelData"]
    assert PixelRedactor(PixelPlan()).redact(dataset, None).changes == ()
    assert dataset["PixelData"] is value


def test_a_copy_that_shares_elements_never_changes_the_original(
    written: Any, make_instance: Any, scripted_ocr: Any
) -> None:
    original = make_instance(written)
    icon = make_instance(written[:64, :64])
    original.IconImageSequence = Sequence([icon])
    before = pickle.dumps(original)
    working = Dataset({tag: original.get_item(tag) for tag in original.keys()})  # noqa: SIM118 - elements, shared
    working.file_meta = original.file_meta
    working.set_original_encoding(False, True, "iso8859")
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(working, None)
    assert {"7FE00010", "00880200[0]/7FE00010"} <= {change.path for change in report.changes}
    assert pickle.dumps(original) == before


def test_pictures_in_sequences_are_covered_too(written: Any, make_instance: Any, redactor: PixelRedactor) -> None:
    dataset = make_instance(np.zeros((64, 64), np.uint8))
    item = make_instance(written)
    dataset.add(DataElement(0x00091001, "SQ", Sequence([Dataset(), item])))
    dataset.add(DataElement(0x00090010, "LO", "ACME"))
    report = redactor.redact(dataset, None)
    path = "00091001[1]/7FE00010"
    assert {redaction.path for redaction in report.redactions} == {path}
    (mask,) = _mask(item, report, path)
    covered = np.frombuffer(dataset[0x00091001].value[1].PixelData, np.uint8).reshape(written.shape)
    assert not (covered[~mask] > 95).any()


def test_what_is_covered_in_an_image_is_covered_in_its_icon(
    written: Any, make_instance: Any, redactor: PixelRedactor
) -> None:
    dataset = make_instance(written)
    small = np.ascontiguousarray(written[::6, ::8])
    dataset.IconImageSequence = Sequence([make_instance(small)])
    report = redactor.redact(dataset, None)
    rules = {item.rule for item in report.redactions if item.path == "00880200[0]/7FE00010"}
    assert "icon-of-redacted" in rules
    icon = np.frombuffer(dataset.IconImageSequence[0].PixelData, np.uint8)[: small.size].reshape(small.shape)
    assert not (icon > 95).any()


def test_text_in_an_overlay_plane_is_covered(written: Any, make_instance: Any, redactor: PixelRedactor) -> None:
    dataset = make_instance(np.zeros((32, 32), np.uint8))
    bits = (written > 128).astype(np.uint8)
    dataset.add(DataElement(0x60020010, "US", bits.shape[0]))
    dataset.add(DataElement(0x60020011, "US", bits.shape[1]))
    dataset.add(DataElement(0x60023000, "OW", np.packbits(bits, bitorder="little").tobytes()))
    report = redactor.redact(dataset, None)
    assert {change.path for change in report.changes} == {"60023000"}
    left = np.unpackbits(np.frombuffer(dataset[0x60023000].value, np.uint8), bitorder="little")
    assert not left.any()


def test_text_in_unused_high_bits_is_covered(written: Any, make_instance: Any, redactor: PixelRedactor) -> None:
    hidden = (written > 128).astype(np.uint16) << 15
    dataset = make_instance(hidden | 100, bits_stored=12)
    report = redactor.redact(dataset, None)
    (mask,) = _mask(dataset, report)
    words = np.frombuffer(dataset.PixelData, "<u2").reshape(written.shape)
    assert mask.any()
    assert not (words >> 15).any()


def test_float_pixel_data_is_looked_at(written: Any, make_instance: Any, redactor: PixelRedactor) -> None:
    dataset = make_instance(written)
    del dataset.PixelData
    values = written.astype("<f4") / 255
    values[0, 0] = np.nan
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = values.tobytes()
    report = redactor.redact(dataset, None)
    (mask,) = _mask(dataset, report, "7FE00008")
    after = np.frombuffer(dataset.FloatPixelData, "<f4").reshape(values.shape)
    assert np.array_equal(after[~mask], values[~mask], equal_nan=True)
    assert not (after[~mask] > 0.4).any()


def test_a_document_that_cannot_be_looked_at_is_refused_and_not_passed_on(make_instance: Any) -> None:
    dataset = make_instance(np.zeros((8, 8), np.uint8))
    del dataset.PixelData
    dataset.EncapsulatedDocument = b"%PDF-1.4 SMITH"
    with pytest.raises(UnsupportedPixelsError) as caught:
        PixelRedactor(ALL_TEXT).redact(dataset, None)
    assert caught.value.reason == "encapsulated-document"
    assert "SMITH" not in str(caught.value)


def test_what_will_be_removed_need_not_be_looked_at(make_instance: Any, scripted_ocr: Any) -> None:
    dataset = make_instance(np.full((8, 8), 250, np.uint8))
    dataset.EncapsulatedDocument = b"%PDF"
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None, removed=lambda tag: tag != 0x00100010)
    assert report.changes == ()
    assert scripted_ocr.looked_at == []


@pytest.mark.parametrize("missing", ["Rows", "BitsAllocated"])
def test_pixels_that_cannot_be_laid_out_are_an_error(missing: str, make_instance: Any, scripted_ocr: Any) -> None:
    dataset = make_instance(np.zeros((8, 8), np.uint8))
    delattr(dataset, missing)
    with pytest.raises(UnsupportedPixelsError, match=missing):
        PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)


def test_pixel_value_attributes_follow_the_pixels(written: Any, make_instance: Any, scripted_ocr: Any) -> None:
    dataset = make_instance(written)
    dataset.add_new("SmallestImagePixelValue", "US", int(written.min()))
    dataset.add_new("LargestImagePixelValue", "US", 255)
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    values = dataset.pixel_array
    assert (dataset.SmallestImagePixelValue, dataset.LargestImagePixelValue) == (values.min(), values.max())
    assert {"00280106", "00280107"} <= {change.path for change in report.changes}


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 400), (400, 2), (64, 64), (7, 3000)])
def test_pictures_of_any_shape_pass(shape: tuple[int, int], make_instance: Any, redactor: PixelRedactor) -> None:
    noise = np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)
    for pixels in (noise, np.full(shape, 7, np.uint8)):
        dataset = make_instance(pixels)
        report = redactor.redact(dataset, None)
        (mask,) = _mask(dataset, report)
        assert np.array_equal(dataset.pixel_array.reshape(shape)[~mask], pixels[~mask])


def test_frames_are_covered_each_where_its_text_is(drawn: Any, make_instance: Any, redactor: PixelRedactor) -> None:
    first, second = drawn((30, 30, "OKAFOR DANIEL")), drawn((200, 300, "MRN771903"))
    frames = np.stack([first, first, second, drawn()])
    dataset = make_instance(frames)
    report = redactor.redact(dataset, None)
    mask = _mask(dataset, report)
    assert not (frames > 40)[~mask].any()
    assert not mask[3].any()
    assert not mask[2][:200].any()


def test_boxes_of_all_frames_can_be_covered_in_each(drawn: Any, make_instance: Any, scripted_ocr: Any) -> None:
    dataset = make_instance(np.stack([drawn(), drawn((30, 30, "SMITH")), drawn()]))
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr, every_frame=True).redact(dataset, None)
    assert [item.frame for item in report.redactions] == [0, 1, 2]


def test_the_same_instance_gives_the_same_bytes_whatever_the_threads(drawn: Any, make_instance: Any) -> None:
    still, moved = drawn((30, 30, "FRAME 1")), drawn((30, 30, "FRAME 1"), (90, 90, "FRAME 2"))
    frames = np.stack([moved if index in (3, 35, 36) else still for index in range(70)])
    results: list[bytes] = []
    for workers in (1, 3):
        dataset = make_instance(frames[:, :240, :256])
        PixelRedactor(ALL_TEXT, workers=workers).redact(dataset, None)
        results.append(dataset.PixelData)
    assert results[0] == results[1]


def test_a_redactor_pickles_and_does_the_same_afterwards(
    written: Any, make_instance: Any, redactor: PixelRedactor
) -> None:
    first, second = make_instance(written), make_instance(written)
    redactor.redact(first, None)
    pickle.loads(pickle.dumps(redactor)).redact(second, None)
    assert first.PixelData == second.PixelData


def test_the_record_never_holds_the_text_unless_it_is_asked_for(
    written: Any, make_instance: Any, scripted_ocr: Any
) -> None:
    quiet = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(make_instance(written), None)
    assert quiet.texts == ()
    assert "SMITH" not in repr(quiet)
    debug = PixelRedactor(ALL_TEXT, ocr=scripted_ocr, keep_text=True).redact(make_instance(written), None)
    assert [item.text for item in debug.texts] == ["SMITH"]


def test_what_is_no_dataset_is_refused() -> None:
    wrong: Any = b"bytes"
    with pytest.raises(TypeError, match="not bytes"):
        PixelRedactor(ALL_TEXT).redact(wrong, None)


@pytest.mark.parametrize("plan", [SENSITIVE, PixelPlan(Scope.PATTERNS, additional=frozenset({"PERSON_NAME"}))])
def test_a_mode_for_sensitive_text_insists_on_something_that_finds_it(plan: PixelPlan, make_instance: Any) -> None:
    with pytest.raises(ValueError, match="inspector"):
        PixelRedactor(plan).redact(make_instance(np.zeros((8, 8), np.uint8)), None)


def test_a_size_the_service_refuses_is_a_warning_here(make_instance: Any, scripted_ocr: Any) -> None:
    from healthcare_deid.engine.pixels.frames.limits import beyond_service_limits

    dataset = make_instance(np.zeros((8, 8), np.uint8))
    assert beyond_service_limits(dataset, 1 << 30) is None
    assert "1 GB" in (beyond_service_limits(dataset, (1 << 30) + 1) or "")
    dataset.Rows = dataset.Columns = 60000
    assert "2 GB" in (beyond_service_limits(dataset) or "")


def test_what_the_service_refuses_for_its_size_can_be_refused_here_before_anything_is_read(
    tmp_path: Path,
) -> None:
    source = tmp_path / "large.dcm"
    dataset = pydicom.dcmread(Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm")
    del dataset.PixelData, dataset.DataSetTrailingPadding
    dataset.NumberOfFrames = 33_000
    dataset.save_as(source)
    length = 33_000 * dataset.Rows * dataset.Columns * 2
    with source.open("ab") as file:  # a hole: no block of it is on the disk
        file.write(b"\xe0\x7f\x10\x00OW\0\0" + length.to_bytes(4, "little"))
        file.truncate(file.tell() + length)
    config = DeidentifyConfig(
        dicom=DicomConfig(), image=ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_ALL_TEXT)
    )

    with pytest.raises(UnsupportedPixelsError, match="larger than 1 GB") as caught:
        Deidentifier(config, service_limits=True, ocr=NoOcr()).deidentify_file(source, tmp_path / "out.dcm")

    assert caught.value.reason == "too-large"
    assert not (tmp_path / "out.dcm").exists()


def test_a_picture_in_a_private_sequence_that_stays_is_looked_at(make_instance: Any) -> None:
    shown: list[int] = []

    class Watching:
        def find(self, picture: Any, *, read: bool, within: Any) -> list[Any]:
            shown.append(picture.shape[0])
            return []

    noise = np.random.default_rng(1).integers(0, 255, (64, 64)).astype(np.uint8)
    dataset, item = make_instance(noise), make_instance(noise[:40, :40])
    for tag in (0x00080016, 0x00080018):
        item.pop(tag, None)
    dataset.add_new(0x00090010, "LO", "GOOD")
    dataset.add_new(0x00091010, "SQ", Sequence([item]))
    basic = DeidentifyConfig.from_api(
        {
            "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
            "image": {"textRedactionMode": "REDACT_ALL_TEXT"},
        }
    )

    kept = Deidentifier(basic, safe_private=["GOOD,0009,10"], ocr=Watching()).deidentify(dataset)
    assert 0x00091010 in kept.dataset
    assert shown == [64, 40]
    shown.clear()
    gone = Deidentifier(basic, ocr=Watching()).deidentify(dataset)
    assert 0x00091010 not in gone.dataset
    assert shown == [64]


class NoOcr:
    """An OCR that must not be asked."""

    def find(self, picture: Any, *, read: bool, within: Any) -> Any:
        raise AssertionError("a frame was looked at")


@pytest.mark.slow
def test_thorough_finds_turned_text(drawn: Any, make_instance: Any) -> None:
    turned = np.ascontiguousarray(np.rot90(drawn((60, 40, "CASTELLANOS MAEVE"), size=(400, 300))))
    dataset = make_instance(turned)
    report = PixelRedactor(ALL_TEXT, thorough=True, workers=1).redact(dataset, None)
    (mask,) = _mask(dataset, report)
    assert not (turned > 40)[~mask].any()


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_an_icon_follows_when_the_syntax_has_to_change(
    syntax: Any, written: Any, make_instance: Any, scripted_ocr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TRANSFER_SYNTAXES, syntax, replace(TRANSFER_SYNTAXES[syntax], encoder=""))
    dataset = make_instance(written)
    dataset.compress(syntax, encoding_plugin="")
    icon = make_instance(np.full((64, 64), 30, np.uint8))
    icon.compress(syntax, encoding_plugin="")
    dataset.IconImageSequence = Sequence([icon])
    PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert len(dataset.IconImageSequence[0].PixelData) == 64 * 64
    assert not copy.copy(dataset.IconImageSequence[0])["PixelData"].is_undefined_length


@pytest.mark.parametrize("place", ["image", "overlay", "icon"])
def test_no_picture_of_an_instance_may_have_more_pixels_than_the_limit(place: str, make_instance: Any) -> None:
    dataset = make_instance(np.zeros((30, 40), np.uint8))
    if place == "overlay":
        dataset.add_new(0x60000010, "US", 31)
        dataset.add_new(0x60000011, "US", 40)
        dataset.add_new(0x60003000, "OW", bytes(31 * 40 // 8 + 1))
    elif place == "icon":
        dataset.IconImageSequence = [make_instance(np.zeros((31, 40), np.uint8))]
    limit = 30 * 40 - (place == "image")
    redactor = PixelRedactor(PixelPlan(Scope.EVERYTHING), max_frame_pixels=limit)
    with pytest.raises(UnsupportedPixelsError, match="max_frame_pixels"):
        redactor.redact(dataset, None)
    if place == "image":
        with pytest.raises(UnsupportedPixelsError, match="max_frame_pixels"):
            redactor.find(dataset)
