"""The audit: it finds what was left, says nothing of clean results, and shows no value."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import Tag
from tests.report.planted import IN_PIXELS, KINDS, Person, planted

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.engine import Dates, Deidentifier, Pseudonyms
from healthcare_deid.report import Originals, audit, audit_tree
from healthcare_deid.report.audit import BurnedIn, Residue
from healthcare_deid.report.audit.findings import shape_of
from healthcare_deid.report.audit.second_run import is_new_uid
from healthcare_deid.testing import sample_dicom, write_samples

if TYPE_CHECKING:
    from pathlib import Path

MINIMAL = presets.remove_metadata_and_all_text().model_copy(update={"image": None})
BASIC = presets.basic_confidentiality_profile().model_copy(update={"image": None})
CONTENTS = presets.transform_contents_and_sensitive_text().model_copy(update={"image": None})
KEEP_ALL = DeidentifyConfig.from_api({"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}})
KEEP_LIST = DeidentifyConfig.from_api({"dicom": {"keepList": {"tags": ["Modality", "WindowCenter"]}}})
REMOVE_LIST = DeidentifyConfig.from_api({"dicom": {"removeList": {"tags": ["PatientName"]}}})
SECRET = b"a secret of sixteen bytes or more"
OPTIONS = [
    *("retain_uids", "retain_device_identity", "retain_institution_identity", "retain_patient_characteristics"),
    *("retain_longitudinal_full_dates", "retain_longitudinal_modified_dates", "clean_descriptors"),
    *("clean_structured_content", "clean_graphics"),
]
RUNS: list[Any] = [
    pytest.param(MINIMAL, {}, id="minimal"),
    pytest.param(BASIC, {}, id="basic"),
    pytest.param(BASIC, {"edition": "2026d"}, id="basic 2026d"),
    pytest.param(BASIC, {"strict_edition": True}, id="basic strict"),
    *(pytest.param(BASIC, {"options": [option]}, id=option) for option in OPTIONS),
    pytest.param(BASIC, {"secret": b"a secret of sixteen bytes or more"}, id="secret"),
    pytest.param(BASIC, {"secret": SECRET, "uid_root": "1.2.826.0.1.3680043.99"}, id="own root"),
    pytest.param(MINIMAL, {"secret": SECRET, "dates": Dates()}, id="dates"),
    pytest.param(CONTENTS, {}, id="contents"),
    pytest.param(KEEP_ALL, {}, id="keep all"),
    pytest.param(KEEP_LIST, {}, id="keep list"),
    pytest.param(REMOVE_LIST, {}, id="remove list"),
]


def residues(dataset: Dataset) -> dict[str, Residue]:
    return {finding.path: finding.residue for finding in audit(dataset).findings}


@pytest.fixture(scope="module")
def originals() -> list[Any]:
    return [sample.dataset for sample in sample_dicom()]


@pytest.mark.parametrize(("config", "options"), RUNS)
@pytest.mark.parametrize("known", ["by its markers", "by its config"])
def test_the_engines_own_results_have_no_error(
    config: DeidentifyConfig, options: dict[str, Any], known: str, originals: list[Any]
) -> None:
    engine = Deidentifier(config, **options)
    by_config = known == "by its config"
    for original in originals:
        result = engine.deidentify(original).dataset
        compared = Originals()
        compared.add(original)
        for against in (None, compared):
            found = audit(
                result,
                config=config if by_config else None,
                options=options if by_config else None,
                originals=against,
            )
            assert not found.errors


def test_a_result_whose_pixels_were_covered_has_no_error_either(originals: list[Any]) -> None:
    for config in (presets.remove_metadata_and_all_text(), presets.basic_confidentiality_profile()):
        result = Deidentifier(config).deidentify(originals[0]).dataset
        assert audit(result, pixels=True).clean
        result.BurnedInAnnotation = "RIVERA"
        assert not audit(result).clean


def test_of_three_hundred_residues_of_twenty_kinds_at_least_ninety_eight_in_a_hundred_are_found(
    originals: list[Any],
) -> None:
    draw = random.Random(19)
    engines = [Deidentifier(config) for config in (MINIMAL, BASIC)]
    results = [engine.deidentify(original).dataset for engine in engines for original in originals]
    assert len(KINDS) == 20
    missed: list[str] = []
    for kind in KINDS:
        for _ in range(15):
            dataset = planted(draw.choice(results), kind, Person(draw))
            if audit(dataset).clean:
                missed.append(kind)
    assert len(missed) <= 6, missed


def test_a_name_in_the_picture_is_found_with_its_box(originals: list[Any]) -> None:
    result = Deidentifier(MINIMAL).deidentify(originals[0]).dataset
    IN_PIXELS(result, Person(random.Random(7)))
    found = audit(result, pixels=True)
    boxes = [finding.place for finding in found.errors if finding.residue is Residue.PIXELS]
    assert boxes
    assert all(place is not None and place.frame == 0 and 80 < place.y < 150 for place in boxes)
    assert found.looked.frames == 1
    assert audit(result).looked.frames == 0


def test_originals_are_full_of_errors_and_no_value_of_theirs_is_shown(originals: list[Any]) -> None:
    for sample in sample_dicom():
        found = audit(sample.dataset)
        assert {"PatientName", "PatientID", "PatientBirthDate"} <= {finding.path for finding in found.errors}
        assert found.promise == "nothing: measured by the Basic Profile"
        shown = repr(found) + str(found.findings)
        for word in (*sample.person.name.split("^"), sample.person.patient_id, sample.person.birth_date):
            assert word not in shown


def test_what_the_original_says_is_found_in_any_spelling(originals: list[Any]) -> None:
    sample = sample_dicom()[0]
    result = Deidentifier(BASIC, options=["retain_longitudinal_modified_dates"]).deidentify(sample.dataset).dataset
    compared = Originals()
    compared.add(sample.dataset)
    assert audit(result, originals=compared).clean
    result.StudyDate = sample.dataset.StudyDate
    result.SegmentLabel = f"seen {sample.person.name.split('^')[0].upper()}"
    result.TrackingID = f"x-{sample.person.patient_id[3:]}"
    result.FrameOfReferenceUID = sample.dataset.StudyInstanceUID
    found = {finding.path for finding in audit(result, originals=compared).errors}
    assert found >= {"StudyDate", "SegmentLabel", "TrackingID", "FrameOfReferenceUID"}
    assert audit(result).errors != audit(result, originals=compared).errors


def test_names_of_source_files_are_looked_for(originals: list[Any]) -> None:
    result = Deidentifier(BASIC).deidentify(originals[0]).dataset
    result.SegmentLabel = "okafor lesion"
    compared = Originals()
    compared.add_names(["OKAFOR_DANIEL/ct/1.dcm"])
    assert {item.residue for item in audit(result, originals=compared).errors} == {Residue.ORIGINAL}


def test_names_of_source_files_are_no_originals(tmp_path: Path) -> None:
    """An audit that looked for names of files only must not say that it looked for what the files hold."""
    Deidentifier(BASIC).deidentify_file(write_samples(tmp_path / "scans")[0], tmp_path / "clean" / "1.dcm")
    names = Originals()
    names.add_names(["OKAFOR_DANIEL/ct/1.dcm"])

    report = audit_tree(tmp_path / "clean", originals=names)

    (looked,) = (item.looked for item in report.audits.values())
    assert (looked.with_originals, looked.with_names) == (False, True)
    told = " ".join(report.confidence())
    assert "There were no originals to compare with" in told
    assert "Names of source files, which were not opened: looked for in 1 instance." in told


def test_words_of_the_field_in_the_names_of_files_are_no_names() -> None:
    result = Deidentifier(BASIC).deidentify(sample_dicom()[0].dataset).dataset
    result.PhotometricInterpretation, result.BurnedInAnnotation = "RGB", "NO"
    compared = Originals()
    compared.add_names(["no_meta_group_length.dcm", "SC_rgb.dcm", "brain/mri.dcm"])
    assert not any(item.residue is Residue.ORIGINAL for item in audit(result, originals=compared).findings)


def test_values_that_pydicom_would_quote_are_not_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    dataset = sample_dicom()[0].dataset
    for tag, vr, value in ((0x00200013, "IS", b"KOWALSKA"), (0x0020000D, "UI", b"Kowalska 1")):
        dataset[tag] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)
    dataset.save_as(tmp_path / "one.dcm")
    recwarn.clear()
    capfd.readouterr()

    Originals.read([tmp_path / "one.dcm"])
    audit(dataset, originals=Originals.read([tmp_path / "one.dcm"]))

    said = [str(warning.message) for warning in recwarn] + list(capfd.readouterr())
    assert not any("kowalska" in text.lower() for text in said)


def test_a_runs_own_config_brings_the_runs_options(tmp_path: Path) -> None:
    """A user names the config of a run and forgets its options: that must not bring false errors."""
    write_samples(tmp_path / "scans")
    kept = ["retain_patient_characteristics"]
    Deidentifier(BASIC, options=kept, dates=Dates(), secret=SECRET).deidentify_tree(
        tmp_path / "scans", tmp_path / "clean"
    )

    assert audit_tree(tmp_path / "clean", config=BASIC).count("error") == 0
    assert audit_tree(tmp_path / "clean", config=MINIMAL).count("error") > 0


def test_a_list_that_is_named_counts_though_the_runs_arguments_are_not_all_known(tmp_path: Path) -> None:
    write_samples(tmp_path / "scans")
    made = Deidentifier(KEEP_LIST, dates=Dates(), secret=SECRET)
    made.deidentify_tree(tmp_path / "scans", tmp_path / "clean")

    report = audit_tree(tmp_path / "clean", config=KEEP_LIST)

    assert {item.promise for item in report.audits.values()} == {"keepList"}
    assert report.count("error") == report.count("warning") == 0


@pytest.mark.parametrize("config", [MINIMAL, BASIC])
def test_pseudonyms_and_set_values_are_no_errors_and_a_number_beside_them_is(
    config: DeidentifyConfig, tmp_path: Path
) -> None:
    secret = b"a secret of sixteen bytes or more"
    sample = sample_dicom()[0]
    keyed: dict[str, Any] = {"pseudonyms": Pseudonyms.keyed("TRIAL-"), "secret": secret}
    numbered: dict[str, Any] = {"pseudonyms": Pseudonyms.sequential(tmp_path / "table.csv", "S-"), "secret": secret}
    for options in (keyed, numbered):
        result = Deidentifier(config, **options).deidentify(sample.dataset).dataset
        assert audit(result).clean
        assert audit(result, config=config, options=options).clean
        result.PatientID = sample.person.patient_id
        assert not audit(result).clean
    fixed: dict[str, Any] = {"set_values": {"PatientID": "SITE-9"}}
    result = Deidentifier(config, **fixed).deidentify(sample.dataset).dataset
    assert audit(result, config=config, options=fixed).clean


def test_a_pseudonym_in_a_cleaned_description_is_no_error_and_what_stands_beside_it_is() -> None:
    dataset = sample_dicom()[0].dataset
    dataset.StudyDescription = f"CT abdomen for {dataset.PatientName}, {dataset.PatientID}"
    keyed, secret = Pseudonyms.keyed(), b"a secret of sixteen bytes or more"
    engine = Deidentifier(BASIC, options=["clean_descriptors"], pseudonyms=keyed, secret=secret)
    result = engine.deidentify(dataset).dataset
    assert str(result.PatientID) in result.StudyDescription
    assert audit(result).clean
    result.StudyDescription += ", MRN 8812734"
    assert [item.path for item in audit(result).errors] == ["StudyDescription"]


def test_another_tools_placeholders_are_a_warning_and_not_an_error() -> None:
    dataset = Dataset()
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "SomeTool 3.1"
    dataset.PatientID = "SUBJECT-17"
    found = audit(dataset)
    assert [item.path for item in found.findings] == ["PatientID"]
    assert found.clean


def test_identifiers_are_listed_at_any_depth() -> None:
    dataset = Dataset()
    dataset.PatientName = "Rivera^Ana"
    dataset.Modality = "CT"
    item = Dataset()
    item.OperatorsName = "Lindqvist"
    dataset.SourceImageSequence = [item]
    dataset.private_block(0x0099, "ACME", create=True).add_new(1, "LO", "Rivera")
    found = residues(dataset)
    assert found["PatientName"] in (Residue.PRESENT, Residue.REPLACED)
    assert "SourceImageSequence[0]/OperatorsName" in found or "SourceImageSequence" in found
    assert found["(0099,1001)"] is Residue.PRIVATE


def test_an_element_without_a_value_is_no_finding() -> None:
    dataset = Dataset()
    dataset.PatientName = ""
    dataset.PatientID = None
    dataset.OtherPatientIDsSequence = []
    assert audit(dataset).findings == ()


@pytest.mark.parametrize(
    ("said", "pixels", "expected"),
    [
        ("YES", True, BurnedIn.YES),
        ("NO", True, BurnedIn.NO),
        (None, True, BurnedIn.UNSAID),
        (None, False, BurnedIn.NO_PIXELS),
    ],
)
def test_what_the_instance_says_of_text_in_its_pixels_is_told(
    said: str | None, pixels: bool, expected: BurnedIn
) -> None:
    dataset = Dataset()
    if said is not None:
        dataset.BurnedInAnnotation = said
    if pixels:
        dataset.PixelData = b"\0\0"
        dataset["PixelData"].VR = "OW"
    found = audit(dataset)
    assert found.burned_in is expected
    assert (Residue.CLAIM in {item.residue for item in found.findings}) is (expected is BurnedIn.YES)


def test_a_preamble_that_holds_something_is_an_error() -> None:
    assert audit(FileDataset("", Dataset(), preamble=b"\0" * 128)).clean
    assert not audit(FileDataset("", Dataset(), preamble=b"II*\0" + b"Rivera".ljust(124))).clean


@pytest.mark.parametrize(
    ("value", "shape"), [("Rivera^Ana", "xxxxxx^xxx"), ("MRN204816", "xxx999999"), (b"\x01\x02A", "··x"), ("", "")]
)
def test_a_value_is_shown_by_its_shape_only(value: str | bytes, shape: str) -> None:
    assert shape_of(value) == shape


@pytest.fixture
def folder(tmp_path: Path, originals: list[Any]) -> Path:
    """Two clean results, one with a residue, and a file that is not DICOM."""
    engine = Deidentifier(MINIMAL)
    (tmp_path / "results" / "a").mkdir(parents=True)
    for number, original in enumerate(originals[:3]):
        result = engine.deidentify(original).dataset
        if number == 2:
            result.PatientID = "MRN204816"
        result.save_as(tmp_path / "results" / "a" / f"{number}.dcm", enforce_file_format=True)
    (tmp_path / "results" / "notes.txt").write_text("no DICOM")
    return tmp_path / "results"


def test_a_folder_is_told_in_every_format_without_a_value(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = audit_tree(folder, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (4, 4)
    assert list(report.unreadable) == ["notes.txt"]
    assert not report.clean
    assert report.instances_with("error") == {Residue.PRESENT: 1}
    rows = list(csv.DictReader(io.StringIO(report.to_csv())))
    assert [(row["file"], row["path"], row["shape"]) for row in rows if row["severity"] == "error"] == [
        ("a/2.dcm", "PatientID", "xxx999999")
    ]
    told = json.loads(report.to_json())
    assert told["errors"] == 1
    assert [entry["clean"] for entry in told["files"]] == [True, True, False]
    page = report.to_html()
    assert "PatientID" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    for text in (page, report.to_csv(), report.to_json(), repr(report), report._repr_html_()):
        assert "204816" not in text
        assert "safe" not in text.lower().replace("unsafe-inline", "")


def test_the_report_says_what_was_looked_for_and_with_what_confidence(folder: Path) -> None:
    (folder / "a" / "2.dcm").unlink()
    few = audit_tree(folder).confidence()[0]
    assert "values of 2 instances" in few
    assert "too few to say anything about other instances" in few, (
        "the rule of three: 3/2 of two instances is all of them"
    )
    for number in range(2, 6):
        shutil.copy(folder / "a" / "0.dcm", folder / "a" / f"{number}.dcm")
    header, pixels, compared, limits = audit_tree(folder).confidence()
    assert "95 % confidence" in header
    assert "in fewer than 50.00% of instances" in header, "the rule of three: 3/6"
    assert pixels == "Burned-in text was not looked for."
    assert "cannot be told from an old one" in compared
    assert "does not prove" in limits


def test_what_is_said_of_the_pixels_agrees_with_the_findings_in_them(folder: Path, originals: list[Any]) -> None:
    (folder / "a" / "2.dcm").unlink()
    result = Deidentifier(MINIMAL).deidentify(originals[0]).dataset
    IN_PIXELS(result, Person(random.Random(7)))
    blank = bytes(len(result.PixelData))
    result.save_as(folder / "a" / "0.dcm", enforce_file_format=True)
    result.PixelData = blank
    result.save_as(folder / "a" / "1.dcm", enforce_file_format=True)
    told = audit_tree(folder, pixels=True).confidence()
    assert told[1] == "Burned-in text: 2 frames of 2 instances. Errors in 1 of them."
    assert "Nothing found" in told[0]
    name = pydicom.dcmread(folder / "a" / "1.dcm")
    picture = Image.frombytes("L", (512, 256), blank)
    ImageDraw.Draw(picture).text((24, 100), "SUPINE", font=ImageFont.load_default(size=30), fill=235)
    name.PixelData = picture.tobytes()
    name.save_as(folder / "a" / "0.dcm", enforce_file_format=True)
    report = audit_tree(folder, pixels=True)
    assert report.instances_with("warning") == {Residue.PIXELS: 1}
    assert report.confidence()[1] == (
        "Burned-in text: 2 frames of 2 instances. Warnings in 1 of them: a person has to look."
    )


def test_a_sample_of_the_pixels_is_drawn_by_the_seed(folder: Path) -> None:
    report = audit_tree(folder, pixels=True, sample=1, seed=3)
    assert report.pixels_of == audit_tree(folder, pixels=True, sample=1, seed=3).pixels_of
    assert len(report.pixels_of) <= 1


def test_the_findings_are_a_data_frame(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = audit_tree(folder).to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["path"][frame["severity"] == "error"]) == ["PatientID"]


def test_one_file_is_audited_too(folder: Path) -> None:
    assert list(audit_tree(folder / "a" / "0.dcm").audits) == ["0.dcm"]
    assert pydicom.dcmread(folder / "a" / "0.dcm").PatientIdentityRemoved == "YES"


@pytest.mark.parametrize(
    ("uid", "new"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", True),
        ("1.3.6.1.4.1.11129.5.1.229893040382083412917362948723401234", True),
        ("2.25.329800735698586629295641978511506172918", False),  # bits 76 to 79 are not those of a random UUID
        ("1.2.826.0.1.3680043.99.90034518226729071668392779769325141823365", True),
        ("1.2.826.0.1.3680043.8.498.90034518226729071668392779769325141823", False),
        ("1.2.840.113619.2.55.3.604688119.868.1", False),
    ],
)
def test_a_new_uid_is_told_by_its_form(uid: str, new: bool) -> None:
    assert is_new_uid(uid) is new
