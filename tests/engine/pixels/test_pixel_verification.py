"""What results say of their pixels: what was looked at, and what a second OCR still reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Box, Deidentifier, DeviceMask, PictureLook, PixelReport, TextEngine, TextPlan
from healthcare_deid.engine.pixels import PixelRedactor, TextLine
from healthcare_deid.engine.pixels.masks.mask_files import masks_of
from healthcare_deid.engine.pixels.verification import STILL_READ, Verification
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import ConfigError, ModelNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.arrays import Picture

ALL_TEXT = DeidentifyConfig.from_api(
    {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}}
)
NO_TEXT = DeidentifyConfig.from_api({"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}})


@dataclass
class Reading:
    """An OCR that reads the same lines everywhere; none, by default."""

    lines: tuple[TextLine, ...] = ()

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> list[TextLine]:
        del picture, read, within
        return list(self.lines)


def line(text: str, sure: float = 0.9, left: int = 2) -> TextLine:
    return TextLine(Box(left, 2, left + 40, 10), 0.9, text, sure)


def picture_of(make_instance: Any, *, frames: int = 1) -> Any:
    pixels = np.random.default_rng(1).integers(0, 200, (frames, 40, 64), np.uint8)
    return make_instance(pixels if frames > 1 else pixels[0])


def verified(dataset: Dataset, plan: PixelPlan, *lines: TextLine) -> tuple[int | None, PixelReport]:
    report = PixelRedactor(plan, ocr=Reading()).redact(dataset, TextEngine(TextPlan()).bind(dataset))
    inspector = TextEngine(TextPlan()).bind(dataset)
    report, warnings = Verification(plan, Reading(lines), 1, 10_000).of(dataset, report, inspector)
    assert warnings == ((STILL_READ,) if report.looks[0].still_read else ())
    return report.looks[0].still_read, report


def test_every_picture_that_was_looked_at_is_told_with_its_frames_and_lines(
    make_instance: Any, scripted_ocr: Any
) -> None:
    dataset = picture_of(make_instance, frames=3)
    written = np.full((40, 64), 30, np.uint8)
    written[8:16, 20:50] = 255
    dataset.IconImageSequence = Sequence([make_instance(written)])
    broken = picture_of(make_instance)
    broken.PixelData = b"\0\0"
    dataset.add(DataElement(0x00090010, "LO", "ACME"))
    dataset.add(DataElement(0x00091001, "SQ", Sequence([picture_of(make_instance), broken])))
    report = PixelRedactor(PixelPlan(Scope.EVERYTHING), ocr=scripted_ocr).redact(dataset, None)
    assert sorted(report.looks, key=lambda look: look.path) == [
        PictureLook("00091001[0]/7FE00010", "private", "looked", 1, 1),
        PictureLook("00091001[1]/7FE00010", "private", "removed", 0),
        PictureLook("00880200[0]/7FE00010", "icon", "looked", 1, 1),
        PictureLook("7FE00010", "image", "looked", 3, 3),
    ]


@pytest.mark.parametrize("scope", [Scope.EVERYTHING, Scope.NOTHING])
def test_a_picture_that_a_mask_alone_covered_was_not_looked_at(scope: Scope, make_instance: Any) -> None:
    dataset = picture_of(make_instance)
    dataset.Manufacturer = "ACME"
    masks = masks_of([DeviceMask([Box(0, 0, 64, 8)], manufacturer="ACME", ocr="never")])
    report = PixelRedactor(PixelPlan(scope), masks=masks, ocr=Reading()).redact(dataset, None)
    assert report.looks == (PictureLook("7FE00010", "image", "masked", 1),)


def test_a_result_whose_pixels_were_left_alone_says_that_nothing_was_looked_at(make_instance: Any) -> None:
    assert Deidentifier(NO_TEXT).deidentify(picture_of(make_instance)).looks == ()


def test_of_all_text_every_line_and_code_that_is_surely_read_counts(make_instance: Any) -> None:
    plan = PixelPlan(Scope.EVERYTHING)
    noise = [line("ae"), line("smith", sure=0.4), line("- .:"), line("i l o")]
    assert verified(picture_of(make_instance), plan, *noise)[0] == 0
    count, report = verified(picture_of(make_instance), plan, *noise, line("SMITH"), line("Gain 66"))
    assert count == 2
    assert not report.all_text_covered


def test_of_sensitive_text_only_what_is_sensitive_counts(make_instance: Any) -> None:
    dataset = picture_of(make_instance)
    dataset.PatientName = "Rivera^Ana"
    plan = PixelPlan(Scope.SENSITIVE)
    assert verified(dataset, plan, line("LIVER"), line("Gain 66"), line("xqzzk", sure=0.71))[0] == 0
    assert verified(dataset, plan, line("LIVER"), line("RIVERA ANA 7712048", left=50))[0] == 1


def test_all_frames_are_read(make_instance: Any) -> None:
    assert verified(picture_of(make_instance, frames=3), PixelPlan(Scope.EVERYTHING), line("SMITH"))[0] == 3


@pytest.mark.usefixtures("independent_ocr")  # skips where the program is missing
def test_tesseract_reads_what_the_first_ocr_overlooked_and_nothing_where_it_was_covered(
    drawn: Any, make_instance: Any, tmp_path: Path
) -> None:
    dataset = make_instance(drawn((40, 60, "FERNANDEZ ROSA")))
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    data = (tmp_path / "in.dcm").read_bytes()
    blind = Deidentifier(ALL_TEXT, ocr=Reading(), verify="tesseract").deidentify_bytes(data)
    assert blind.looks == (PictureLook("7FE00010", "image", "looked", 1, 0, 1),)
    assert blind.warnings == (STILL_READ,)
    assert b"FERNANDEZ" not in blind.record.encode()
    assert json.loads(blind.record)["looks"] == [
        {"path": "7FE00010", "kind": "image", "state": "looked", "frames": 1, "lines": 0, "still_read": 1}
    ]
    engine = Deidentifier(ALL_TEXT, verify="tesseract")
    seeing = engine.deidentify_bytes(data)
    assert [look.still_read for look in seeing.looks] == [0]
    assert not seeing.warnings
    assert not Deidentifier(ALL_TEXT).deidentify_bytes(data).looks[0].still_read


@pytest.mark.usefixtures("independent_ocr")
def test_a_run_adds_up_what_is_still_read_and_its_record_and_summary_tell(
    drawn: Any, make_instance: Any, tmp_path: Path
) -> None:
    (tmp_path / "scans").mkdir()
    for number in (1, 2):
        dataset = make_instance(drawn((40, 60 * number, "FERNANDEZ ROSA")))
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.8", "2.25.9"
        dataset.save_as(tmp_path / "scans" / f"{number}.dcm", enforce_file_format=True)
    report = Deidentifier(ALL_TEXT, ocr=Reading(), verify="tesseract").deidentify_tree(
        tmp_path / "scans", tmp_path / "clean", workers=1
    )
    assert (report.succeeded, report.still_read) == (2, 2)
    assert report.warnings[STILL_READ] == 2
    run = tmp_path / "clean.run"
    assert json.loads((run / "summary.json").read_text())["stillRead"] == 2
    lines = [json.loads(text) for text in (run / "record.jsonl").read_text().splitlines()[1:]]
    assert [one["looks"][0]["still_read"] for one in lines] == [1, 1]
    assert "FERNANDEZ" not in (run / "record.jsonl").read_text()


def test_verify_is_refused_where_no_text_is_looked_for_and_where_it_is_none_there_is() -> None:
    with pytest.raises(ConfigError, match="verify"):
        Deidentifier(NO_TEXT, verify="tesseract")
    with pytest.raises(ConfigError, match="tesseract"):
        Deidentifier(ALL_TEXT, verify="easyocr")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_without_the_second_ocr_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ModelNotFoundError, match="tesseract-ocr"):
        Deidentifier(ALL_TEXT, verify="tesseract")
