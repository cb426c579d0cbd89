"""One instance in, one out: the input stays, nothing half-done comes out, and the record says what happened."""

from __future__ import annotations

import copy
import io
import logging
import os
import pickle
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from healthcare_deid import DeidentifyConfig, v1beta1
from healthcare_deid.engine import ChangeAction, Deidentifier
from healthcare_deid.engine.pixels import Box, TextLine
from healthcare_deid.engine.plan.compile import compile_text
from healthcare_deid.errors import ConfigError, EngineError, InvalidDicomError
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


@pytest.mark.parametrize("name", [BASIC, "KEEP_ALL_PROFILE", "DEIDENTIFY_TAG_CONTENTS"])
def test_the_input_is_not_modified(profile: Any, planted: Any, name: str) -> None:
    read = pydicom.dcmread(io.BytesIO(planted.file()))
    raw = {tag: read.get_item(tag) for tag in list(read.keys())}
    before = copy.deepcopy(planted.dataset)

    profile(name).deidentify(planted.dataset)
    profile(name).deidentify(read)

    assert planted.dataset == before
    assert {tag: read.get_item(tag) for tag in list(read.keys())} == raw


def test_changing_the_output_does_not_change_the_input(profile: Any, planted: Any) -> None:
    planted.dataset.OtherPatientIDs = ["A1", "B2"]
    new = profile("KEEP_ALL_PROFILE").deidentify(planted.dataset).dataset

    new.PixelData = b"\0" * 12
    new.OtherPatientIDs.append("C3")
    new.RequestAttributesSequence[0].RequestedProcedureDescription = "other"

    assert planted.dataset.PixelData == bytes(range(12))
    assert planted.dataset.OtherPatientIDs == ["A1", "B2"]
    assert planted.dataset.RequestAttributesSequence[0].RequestedProcedureDescription != "other"


def test_preamble_and_file_meta_are_written_anew(profile: Any, planted: Any) -> None:
    planted.dataset.preamble = planted.preamble
    new = profile("KEEP_ALL_PROFILE").deidentify(planted.dataset).dataset

    assert new.preamble == bytes(128)
    assert {element.keyword for element in new.file_meta} == {
        "FileMetaInformationGroupLength",
        "FileMetaInformationVersion",
        "MediaStorageSOPClassUID",
        "MediaStorageSOPInstanceUID",
        "TransferSyntaxUID",
        "ImplementationClassUID",
        "ImplementationVersionName",
    }


def test_every_change_is_recorded_once_with_its_place_and_rule(profile: Any, planted: Any) -> None:
    result = profile(BASIC).deidentify(planted.dataset)

    by_path = {change.path: change for change in result.changes}
    assert len(by_path) == len(result.changes)
    name = by_path["00100010"]
    assert (name.keyword, name.vr, name.action) == ("PatientName", "PN", ChangeAction.EMPTIED)
    assert name.rule == "PS3.15 2018e-google Z"
    assert name.length == 14
    assert by_path["00081140[0]/00081155"].action is ChangeAction.REGENERATED
    assert by_path["00020016"].action is ChangeAction.REMOVED
    assert by_path["00091001"].rule == "PS3.15 2018e-google X"


def test_markers_say_what_was_done(profile: Any, planted: Any) -> None:
    new = profile(BASIC, edition="2026d", options=["retain_uids"]).deidentify(planted.dataset).dataset

    assert new.PatientIdentityRemoved == "YES"
    assert "PS3.15 2026d Basic Profile" in new.DeidentificationMethod
    codes = [(item.CodeValue, item.CodingSchemeDesignator) for item in new.DeidentificationMethodCodeSequence]
    assert codes == [("113100", "DCM"), ("113110", "DCM")]


@pytest.mark.parametrize(
    "dicom", [{}, {"removeList": {"tags": ["PatientID"]}}, {"keepList": {"tags": ["PatientName"]}}]
)
def test_identity_is_not_said_to_be_removed_when_it_is_not(make: Any, planted: Any, dicom: dict[str, Any]) -> None:
    planted.dataset.PatientIdentityRemoved = "YES"
    new = make(dicom).deidentify(planted.dataset).dataset

    assert "PatientIdentityRemoved" not in new
    assert "DeidentificationMethod" in new


SHIFT = {"infoTypes": ["DATE", "DATE_OF_BIRTH"], "dateShiftConfig": {}}


@pytest.mark.parametrize(
    ("dicom", "text", "options", "said"),
    [
        ({"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}, None, [], "REMOVED"),
        ({"filterProfile": BASIC}, None, [], "REMOVED"),
        ({"filterProfile": BASIC}, None, ["retain_longitudinal_modified_dates"], "MODIFIED"),
        ({"filterProfile": BASIC}, None, ["retain_longitudinal_full_dates"], "UNMODIFIED"),
        ({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, None, [], "MODIFIED"),
        ({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, {"additionalTransformations": [SHIFT]}, [], "MODIFIED"),
        (
            {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
            {"additionalTransformations": [{"infoTypes": ["DATE"], "redactConfig": {}}]},
            [],
            "REMOVED",
        ),
        # Where dates stay, or some of them, what an earlier de-identification said of them stays true.
        ({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, {"excludeInfoTypes": ["DATE"]}, [], "said before"),
        ({"filterProfile": "KEEP_ALL_PROFILE"}, None, [], "said before"),
        ({"removeList": {"tags": ["StudyDate"]}}, None, [], "said before"),
    ],
)
def test_what_was_done_to_dates_is_said(
    make: Any, planted: Any, tmp_path: Path, dicom: Any, text: Any, options: list[str], said: str
) -> None:
    planted.dataset.add_new(0x00280303, "CS", "said before".upper())
    deidentifier = make(dicom, text=text, **({"options": options} if options else {}))
    (tmp_path / "in.dcm").write_bytes(planted.file())

    from_file = deidentifier.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm").dataset
    for new in (from_file, deidentifier.deidentify(planted.dataset).dataset):
        assert new.LongitudinalTemporalInformationModified == said.upper()


@pytest.mark.skipif(os.name != "posix", reason="named pipes are made by mkfifo")
def test_a_device_or_a_pipe_is_not_replaced_by_a_result(profile: Any, planted: Any, tmp_path: Path) -> None:
    (tmp_path / "in.dcm").write_bytes(planted.file())
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for destination in (tmp_path / "pipe", tmp_path / "link"):
        with pytest.raises(OSError, match="a device, a pipe or a socket"):
            profile(BASIC).deidentify_file(tmp_path / "in.dcm", destination)
    assert {path.name for path in tmp_path.iterdir()} == {"in.dcm", "pipe", "link"}
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_what_an_earlier_step_said_of_itself_stays_beside_our_own_words_once(
    make_beta: Any, planted: Any, tmp_path: Path
) -> None:
    planted.dataset.DeidentificationMethod = "done elsewhere"
    (tmp_path / "in.dcm").write_bytes(planted.file())
    keeps = make_beta({"actions": [{"queries": ["DeidentificationMethod"], "keepTag": {}}]})

    keeps.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")

    data = (tmp_path / "out.dcm").read_bytes()
    assert data.count(b"done elsewhere") == 1
    assert data.count(b"\x12\x00\x63\x00LO") == 1


def test_without_markers_nothing_is_added(make: Any, planted: Any) -> None:
    result = make({}, markers=False).deidentify(planted.dataset)

    assert {element.tag for element in result.dataset} < {element.tag for element in planted.dataset}
    added = {change.path for change in result.changes if change.action is ChangeAction.ADDED}
    assert added <= {"00020001", "00020012"}  # of the file meta information


def test_the_record_tells_everything_that_is_written_anew_in_the_file_meta(make: Any, planted: Any) -> None:
    result = make({}, markers=False).deidentify(planted.dataset)
    old, new = planted.dataset.file_meta, result.dataset.file_meta

    changed = {f"{int(tag):08X}" for tag in {*old.keys(), *new.keys()} if old.get(tag) != new.get(tag)} - {"00020000"}
    assert {change.path for change in result.changes if change.path.startswith("0002")} == changed


def test_a_deidentifier_travels_and_does_the_same_elsewhere(make: Any, planted: Any) -> None:
    here = make({"filterProfile": BASIC}, uid_rule="salted", salt=b"0123456789abcdef")
    there = pickle.loads(pickle.dumps(here))

    assert there.deidentify(planted.dataset).dataset == here.deidentify(planted.dataset).dataset


def test_a_result_travels_too(profile: Any, planted: Any) -> None:
    result = profile(BASIC).deidentify(planted.dataset)
    copied = pickle.loads(pickle.dumps(result))

    assert copied.changes == result.changes
    assert copied.dataset == result.dataset


def test_an_unknown_breakage_is_a_typed_error_that_quotes_nothing(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset()
    dataset.PatientName = "Rivera^Ana"
    deidentifier = make({})

    def broken(*_: object) -> None:
        raise ValueError("Rivera^Ana cannot be processed")

    monkeypatch.setattr("healthcare_deid.engine.instance.DatasetExecutor", broken)
    with pytest.raises(EngineError) as caught:
        deidentifier.deidentify(dataset)

    assert "Rivera" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nesting_without_end_is_refused(make: Any) -> None:
    dataset = inner = Dataset()
    for _ in range(200):
        following = Dataset()
        inner.ReferencedStudySequence = Sequence([following])
        inner = following

    with pytest.raises(InvalidDicomError) as caught:
        make({}).deidentify(dataset)
    assert caught.value.reason == "too-deep"


def test_pydicoms_warnings_and_log_lines_about_values_stay_unsaid(
    profile: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = pydicom.dcmread(io.BytesIO(_broken_date_file()))

    with warnings.catch_warnings(record=True) as told, caplog.at_level(logging.DEBUG):
        profile("DEIDENTIFY_TAG_CONTENTS").deidentify(dataset)

    assert not [item for item in told if "RIVERA" in str(item.message)]
    assert "RIVERA" not in caplog.text


def test_pydicom_speaks_again_afterwards(profile: Any, planted: Any) -> None:
    profile("KEEP_ALL_PROFILE").deidentify(planted.dataset)

    with pytest.warns(UserWarning, match="VR"):
        Dataset().StudyDate = "no date"


def _broken_date_file() -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    dataset.PatientName = "x"
    dataset.StudyDate = "20200101"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue().replace(b"20200101", b"RIVERA A")


CHARACTER_SETS = [
    ("ISO_IR 192", "Müller^Jörg", "Befund für Jörg Müller"),
    ("ISO_IR 100", "Müller^Jörg", "Befund für Jörg Müller"),
    ("GB18030", "王^小东", "影像 王小东 复查"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", "山田太郎 CT"),
    ("ISO_IR 144", "Шишкин^Юлий", "Для Шишкин Юлий"),
]


@pytest.mark.parametrize(("charset", "name", "description"), CHARACTER_SETS, ids=lambda value: str(value)[:14])
def test_text_is_found_and_written_in_its_own_character_set(
    profile: Any, charset: Any, name: str, description: str, write: Any, tmp_path: Any, as_file: Any
) -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = charset
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    dataset.PatientName = name
    dataset.StudyDescription = description
    dataset.InstitutionName = "plain"
    dataset.file_meta = FileMetaDataset()
    source = write(as_file(dataset))

    profile("DEIDENTIFY_TAG_CONTENTS").deidentify_file(source, tmp_path / "out.dcm")

    new = pydicom.dcmread(tmp_path / "out.dcm")
    old = pydicom.dcmread(source)
    assert new.PatientName != old.PatientName
    for part in name.replace("=", "^").split("^"):
        assert part not in str(new.PatientName)
    assert str(new.StudyDescription).count("\N{REPLACEMENT CHARACTER}") == 0


def test_a_tags_only_config_loads_neither_the_pixel_code_nor_its_libraries() -> None:
    code = (
        "import sys\n"
        "from healthcare_deid.config.v1.deidentify import DeidentifyConfig\n"
        "from healthcare_deid.engine import Deidentifier\n"
        "Deidentifier(DeidentifyConfig.from_api({'dicom': {}}))\n"
        "print([m for m in sys.modules if m == 'onnxruntime' or m.startswith('healthcare_deid.engine.pixels')"
        " or m.startswith('healthcare_deid.engine.text.find.detectors')])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


def test_the_repr_of_a_deidentifier_tells_its_profile_only(make: Any) -> None:
    assert repr(make({"filterProfile": BASIC})) == f"Deidentifier('profile:{BASIC}')"
    assert isinstance(make({}), Deidentifier)


def test_an_info_type_that_nothing_here_finds_is_told_with_every_result(planted: Any, tmp_path: Path) -> None:
    config = (
        DeidentifyConfig.builder()
        .filter_profile("DEIDENTIFY_TAG_CONTENTS")
        .redact("MEDICAL_RECORD_NUMBER", "SHOE_SIZE")
        .build()
    )
    deidentifier = Deidentifier(config)
    (tmp_path / "in.dcm").write_bytes(planted.file())

    told = ["infoType SHOE_SIZE is not found by the local engine: pass a detector for it"]
    assert [warning for warning in deidentifier.warnings if "pass a detector" in warning] == told
    for result in (
        deidentifier.deidentify(planted.dataset),
        deidentifier.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm"),
    ):
        assert [warning for warning in result.warnings if "pass a detector" in warning] == told


def test_a_key_that_cloud_kms_wrapped_is_given_unwrapped(planted: Any) -> None:
    kms = {"wrappedKey": "d3JhcHBlZA==", "cryptoKey": "projects/p/locations/l/keyRings/r/cryptoKeys/k"}
    config = DeidentifyConfig.from_api(
        {
            "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
            "text": {"additionalTransformations": [{"infoTypes": ["DATE"], "dateShiftConfig": {"kmsWrapped": kms}}]},
        }
    )
    with pytest.raises(ConfigError, match="unwrapped_keys"):
        Deidentifier(config)
    result = Deidentifier(config, unwrapped_keys={kms["wrappedKey"]: bytes(32)}).deidentify(planted.dataset)
    assert result.dataset.StudyDate != planted.dataset.StudyDate


@pytest.mark.parametrize("given", [None, {"dicom": {}}, DeidentifyConfig.builder()])
def test_what_is_no_config_is_refused_with_what_is_needed(given: Any) -> None:
    with pytest.raises(ConfigError, match=f"config must be a DeidentifyConfig, not {type(given).__name__}"):
        Deidentifier(given)
    with pytest.raises(ConfigError, match=f"config must be a DeidentifyConfig, not {type(given).__name__}"):
        compile_text(given)


@pytest.mark.parametrize("version", [DeidentifyConfig, v1beta1.DeidentifyConfig])
@pytest.mark.parametrize("message", [{}, {"text": {}}, {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}])
def test_a_config_that_says_nothing_about_dicom_is_refused_with_the_remedy(version: Any, message: Any) -> None:
    with pytest.raises(ConfigError, match=r"would skip DICOM stores.*Set dicom \(v1beta1: dicomTagConfig\)"):
        Deidentifier(version.from_api(message))


@pytest.mark.parametrize(
    ("info_types", "warned"), [(None, True), (["PERSON_NAME"], True), (["MEDICAL_RECORD_NUMBER"], False), ([], False)]
)
def test_a_patient_id_that_is_inspected_and_left_is_a_warning_with_every_result(
    make: Any, planted: Any, info_types: list[str] | None, warned: bool
) -> None:
    given = (
        None if info_types is None else {"additionalTransformations": [{"infoTypes": info_types, "redactConfig": {}}]}
    )
    planted.dataset.PatientID = "4711-08"
    result = make({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, text=given).deidentify(planted.dataset)

    assert any("PatientID" in warning for warning in result.warnings) is warned
    assert (result.dataset.PatientID == "4711-08") is warned


def test_what_is_no_path_is_refused_by_the_arguments_name(profile: Any, tmp_path: Path) -> None:
    basic = profile(BASIC)
    with pytest.raises(TypeError, match="source: a path is needed, not int"):
        basic.deidentify_file(3, None)
    with pytest.raises(TypeError, match="destination: a path is needed, not NoneType"):
        basic.deidentify_file(tmp_path / "in.dcm", None)
    with pytest.raises(TypeError, match="source: a path is needed, not Dataset"):
        basic.deidentify_tree(Dataset(), tmp_path)
    with pytest.raises(TypeError, match="source: a path is needed, not bytes"):
        basic.result_name(b"in.dcm")
    for workers in (0, "4"):
        with pytest.raises(ValueError, match="workers: a number of processes"):
            basic.deidentify_tree(tmp_path, tmp_path / "out", workers=workers)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"options": "retain_uids"}, "options: a list of texts is needed"),
        ({"safe_private": "ACME,0019,10"}, "safe_private: a list of texts is needed"),
        ({"options": [7]}, "options: a list of texts is needed"),
        ({"uid_rule": "salted", "salt": "sixteen characters"}, "the salt must be bytes, not str"),
        ({"edition": 2018}, "edition must be"),
        ({"other_uids": None}, "other_uids is"),
        ({"date_shift_days": "7", "options": ["clean_descriptors"]}, "date_shift_days must be a whole number"),
    ],
)
def test_arguments_of_a_wrong_type_are_refused_at_once(profile: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        profile(BASIC, **arguments)


def test_what_is_no_dataset_is_refused_with_what_takes_it(profile: Any) -> None:
    with pytest.raises(TypeError, match="not str; deidentify_file takes a path"):
        profile(BASIC).deidentify("in.dcm")


@pytest.mark.parametrize("mode", ["KEEP_ALL_PROFILE", BASIC])
def test_a_file_is_never_written_over_its_source(profile: Any, planted: Any, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "in.dcm"
    path.write_bytes(planted.file())
    with pytest.raises(ValueError, match="the destination is the source"):
        profile(mode).deidentify_file(path, tmp_path / "." / "in.dcm")
    assert path.read_bytes() == planted.file()


def test_another_ocr_takes_the_engines_place_in_files_too(tmp_path: Path) -> None:
    class CornerOcr:
        """Says that there is text in the top left corner."""

        def find(self, picture: Any, *, read: bool, within: Any) -> list[TextLine]:
            return [TextLine(Box(0, 0, 40, 20))]

    sample = sample_dicom()[0]
    sample.dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    config = DeidentifyConfig.builder().filter_profile("KEEP_ALL_PROFILE").redact_image_text("all").build()
    result = Deidentifier(config, ocr=CornerOcr()).deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    (box,) = result.redactions
    assert (box.x, box.y) == (0, 0)
    covered = pydicom.dcmread(tmp_path / "out.dcm").pixel_array[:20, :40]
    assert covered.min() == covered.max()
