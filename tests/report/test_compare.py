"""The comparison report: what it counts, and that it shows no value."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless

from healthcare_deid import presets
from healthcare_deid.engine import Dates, Deidentifier
from healthcare_deid.report import Verdict, compare, compare_tree, summary_table, write_before_after
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def before() -> Dataset:
    dataset = Dataset()
    dataset.PatientName = "Rivera^Ana"
    dataset.PatientID = "MRN204816"
    dataset.Modality = "CT"
    item = Dataset()
    item.RequestingPhysician = "Lindqvist"
    dataset.RequestAttributesSequence = [item]
    dataset.private_block(0x0099, "ACME", create=True).add_new(1, "LO", "Rivera")
    return dataset


def test_every_element_gets_one_verdict_nested_and_private_ones_too(before: Dataset) -> None:
    after = Dataset()
    after.PatientName = ""
    after.PatientID = "X"
    after.Modality = "CT"
    after.RequestAttributesSequence = [Dataset()]
    after.PatientIdentityRemoved = "YES"

    verdicts = {element.name: element.verdict for element in compare(before, after).elements}

    assert verdicts == {
        "PatientName": Verdict.EMPTIED,
        "PatientID": Verdict.CHANGED,
        "Modality": Verdict.KEPT,
        "RequestAttributesSequence": Verdict.KEPT,
        "RequestingPhysician": Verdict.REMOVED,
        "(0099,0010)": Verdict.REMOVED,
        "(0099,1001)": Verdict.REMOVED,
        "PatientIdentityRemoved": Verdict.ADDED,
    }


def test_nothing_printed_holds_a_value(before: Dataset) -> None:
    comparison = compare(before, Dataset())
    for text in (repr(comparison), str(comparison), summary_table([comparison])):
        for value in ("Rivera", "MRN204816", "Lindqvist"):
            assert value not in text


def test_the_table_sums_over_instances(before: Dataset) -> None:
    comparison = compare(before, Dataset())
    table = summary_table([comparison, comparison], most=1)
    assert "2 instances" in table
    assert f"removed{'':2}{'14':>9}" in table
    assert "…" in table


def test_pixels_are_compared_frame_by_frame() -> None:
    cine = sample_dicom()[-1].dataset
    after = sample_dicom()[-1].dataset
    pixels = np.array(after.pixel_array)
    pixels[2, 10:20, 30:50] = 7
    after.PixelData = pixels.tobytes()

    change = compare(cine, after).pixels

    assert change is not None
    assert (change.frames, change.changed_frames) == (6, 1)
    assert change.box == (30, 10, 20, 10)


def test_what_has_no_value_before_and_after_is_not_kept() -> None:
    before, after = Dataset(), Dataset()
    for dataset in (before, after):
        dataset.AccessionNumber = ""
        dataset.Modality = "CT"
        dataset.ReferencedStudySequence = []
    comparison = compare(before, after)
    assert (comparison.count(Verdict.KEPT), comparison.count(Verdict.EMPTY)) == (1, 2)


def test_changes_of_a_frame_are_told_by_rectangles() -> None:
    cine, after = sample_dicom()[-1].dataset, sample_dicom()[-1].dataset
    pixels = np.array(after.pixel_array)
    pixels[2, 10:20, 30:50] ^= 1
    pixels[2, 100:104, 130:150] ^= 1
    after.PixelData = pixels.tobytes()
    change = compare(cine, after).pixels
    assert change is not None
    assert change.boxes == {2: ((30, 10, 20, 10), (130, 100, 20, 4))}
    assert "no pixel changed in 6 frames" in compare(cine, cine)._repr_html_()


def test_folders_are_matched_by_the_runs_record_and_told_as_a_page(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "clean.run").mkdir()
    engine = Deidentifier(
        presets.remove_metadata_and_all_text().model_copy(update={"image": None}), uid_rule="salted", salt=bytes(16)
    )
    lines = [json.dumps({"result": None, "record": 1, "manifest": ""})]
    for number, sample in enumerate(sample_dicom()[:2]):
        path = tmp_path / "scans" / sample.name
        sample.dataset.save_as(path, enforce_file_format=True)
        engine.deidentify_file(path, tmp_path / "clean" / f"{number}.dcm")
        entry = {"result": f"{number}.dcm", "source": hashlib.sha256(path.read_bytes()).hexdigest()}
        lines.append(json.dumps({**entry, "redactions": [], "warnings": {"id": "none", "list": []}}))
    assert len(compare_tree(tmp_path / "scans", tmp_path / "clean").alone) == 2, "their UIDs tell nothing"
    (tmp_path / "clean.run" / "record.jsonl").write_text("".join(f"{line}\n" for line in lines))
    seen: list[tuple[int, int]] = []
    report = compare_tree(
        tmp_path / "scans", tmp_path / "clean", on_progress=lambda done, total: seen.append((done, total))
    )
    assert [pair.after.name for pair in report.pairs] == ["0.dcm", "1.dcm"]
    assert seen == [(1, 2), (2, 2)]
    page = report.to_html(pictures=1)
    assert page.count("<img") == 4
    assert "PatientName" in page
    assert "Rivera" not in page + report.to_csv() + report.to_json() + repr(report) + report._repr_html_()
    assert "http" not in page.replace("http-equiv", "")


def test_pixels_that_cannot_be_decoded_are_noted_and_the_tags_still_compared() -> None:
    ct = sample_dicom()[0].dataset
    broken = sample_dicom()[0].dataset
    broken.Rows = 4096
    comparison = compare(ct, broken)
    assert comparison.pixels is None
    assert comparison.note == "the pixel data is shorter than its attributes say (in the result)"
    assert f"pixels not compared: {comparison.note}" in comparison._repr_html_()
    assert {element.name for element in comparison.elements if element.verdict is Verdict.CHANGED} == {"Rows"}


def test_a_path_is_no_dataset_and_the_error_says_what_to_do() -> None:
    path: Any = "scan.dcm"
    with pytest.raises(TypeError, match=r"pydicom\.dcmread"):
        compare(path, sample_dicom()[0].dataset)


@pytest.mark.parametrize("index", range(5))
def test_a_picture_shows_both_sides(tmp_path: Path, index: int) -> None:
    sample = sample_dicom()[index]
    path = write_before_after(sample.dataset, sample.dataset, tmp_path / "pictures" / "x.png")
    picture = np.asarray(Image.open(path))
    left, right = picture[34:-12, 12 : picture.shape[1] // 2 - 6], picture[34:-12, picture.shape[1] // 2 + 6 : -12]
    assert left.std() > 0
    assert np.array_equal(left, right)


@pytest.mark.parametrize("index", range(5))
def test_frames_that_pydicom_does_not_decode_are_shown_and_compared(tmp_path: Path, index: int) -> None:
    native, deflated = sample_dicom()[index].dataset, _deflated(index)
    path = write_before_after(native, deflated, tmp_path / "x.png")
    picture = np.asarray(Image.open(path))
    left, right = picture[34:-12, 12 : picture.shape[1] // 2 - 6], picture[34:-12, picture.shape[1] // 2 + 6 : -12]
    assert np.array_equal(left, right)
    same = compare(native, deflated).pixels
    assert same is not None
    assert (same.frames, same.changed_frames) == (int(native.get("NumberOfFrames") or 1), 0)


def _deflated(index: int) -> Any:
    """Return a sample with Deflated Image Frame Compression."""
    dataset = sample_dicom()[index].dataset
    size = len(dataset.PixelData) // int(dataset.get("NumberOfFrames") or 1)
    frames = [dataset.PixelData[start : start + size] for start in range(0, len(dataset.PixelData), size)]
    dataset.PixelData = encapsulate([zlib.compress(frame, wbits=-zlib.MAX_WBITS) for frame in frames])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.8.1")
    return dataset


def test_long_lists_of_the_table_are_broken_between_their_items(before: Dataset) -> None:
    comparison = compare(before, Dataset())
    whole = summary_table([comparison]).splitlines()
    broken = summary_table([comparison], width=60).splitlines()
    assert max(map(len, broken[1:])) <= 60
    assert len(broken) > len(whole)
    assert [" ".join(line.split()) for line in whole[1:]] == [" ".join(" ".join(broken[1:]).split())]


def test_why_pixels_were_not_compared_is_said_in_words() -> None:
    cine, one = sample_dicom()[-1].dataset, sample_dicom()[-1].dataset
    one.NumberOfFrames = 1
    one.PixelData = one.PixelData[: one.Rows * one.Columns * one.SamplesPerPixel * one.BitsAllocated // 8]
    assert compare(cine, one).note == "the original and the result have different numbers of frames"
    turned = sample_dicom()[-1].dataset
    turned.Rows, turned.Columns = turned.Rows * 2, turned.Columns // 2
    assert compare(cine, turned).note == "the frames of the original and the result have different shapes"
    unknown = sample_dicom()[-1].dataset
    unknown.PixelData = encapsulate([b"no codestream"] * 6)
    unknown["PixelData"].is_undefined_length = True
    unknown.file_meta.TransferSyntaxUID = JPEG2000Lossless
    assert compare(unknown, cine).note.endswith("(in the original)")
    assert "Error" not in compare(unknown, cine).note


def test_a_source_that_failed_in_the_run_has_no_counterpart_and_the_report_says_why(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    sample_dicom()[0].dataset.save_as(tmp_path / "scans" / "whole.dcm", enforce_file_format=True)
    whole = (tmp_path / "scans" / "whole.dcm").read_bytes()
    shorter = sample_dicom()[0].dataset
    shorter.PixelData = shorter.PixelData[: len(shorter.PixelData) // 2]
    shorter.save_as(tmp_path / "scans" / "half.dcm", enforce_file_format=True)
    config = presets.remove_metadata_and_all_text()
    run = Deidentifier(config).deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    assert (run.succeeded, run.failed) == (1, 1)

    report = compare_tree(tmp_path / "scans", tmp_path / "clean", pixels=False)
    assert [pair.before.name for pair in report.pairs] == ["whole.dcm"]
    assert [path.name for path in report.alone] == ["half.dcm"]
    assert list(report.failed.values()) == ["the pixel data is shorter than its attributes say"]
    assert "shorter than its attributes" in report.to_html()

    (tmp_path / "clean.run" / "failures.csv").unlink()
    (tmp_path / "scans" / "half.dcm").write_bytes(whole[:-2] + b"\1\1")  # another file with the same UIDs
    report = compare_tree(tmp_path / "scans", tmp_path / "clean", pixels=False)
    assert [path.name for path in report.alone] == ["half.dcm"], "the record knows whose the result is"


def test_private_creators_of_makers_are_named_and_others_are_not(before: Dataset) -> None:
    for group, creator in ((0x0009, "GEMS_IDEN_01"), (0x0903, "GEIIS PACS"), (0x0011, "Rivera^Ana")):
        before.private_block(group, creator, create=True).add_new(1, "LO", "x")
    names = {element.name for element in compare(before, Dataset()).elements}
    assert {"(0009,1001) GEMS_IDEN_01", "(0009,0010) GEMS_IDEN_01", "(0903,1001) GEIIS PACS"} <= names
    assert {"(0011,1001)", "(0011,0010)", "(0099,1001)"} <= names


def test_a_dummy_is_told_apart_from_a_shifted_date() -> None:
    original = sample_dicom()[0].dataset
    config = presets.basic_confidentiality_profile().model_copy(update={"image": None})
    verdicts: list[dict[str, Verdict]] = []
    shifting: dict[str, Any] = {"dates": Dates(), "secret": b"a secret of sixteen bytes or more"}
    for options in ({}, shifting):
        result = Deidentifier(config, **options).deidentify(original).dataset
        verdicts.append({one.path: one.verdict for one in compare(original, result, pixels=False).elements})
    assert [one["00080021"] for one in verdicts] == [Verdict.DUMMY, Verdict.CHANGED]


def test_the_words_of_verdicts_do_not_begin_alike() -> None:
    assert len({verdict[:5] for verdict in Verdict}) == len(Verdict)
