"""``deidentify`` on datasets and DICOM stores, with this package's engine."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from healthcare_deid.emulator import Emulator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
CLEAN = f"{LOCATION}/datasets/deid-dataset1"
MINIMAL = {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}
Make: TypeAlias = Callable[..., bytes]


def test_a_dataset_is_deidentified_into_a_new_one_with_the_same_stores(lab: Lab, dicom_bytes: Make) -> None:
    lab.create_store(name="second")
    lab.store(dicom_bytes(PatientName="Rivera^Ana"))
    lab.store(dicom_bytes(PatientName="Okafor^Daniel"), f"{DATASET}/dicomStores/second")

    started = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL})
    assert started.json.keys() == {"name"}
    operation = lab.finished(started.json["name"])

    assert operation["metadata"]["counter"] == {"success": "2"}
    assert operation["metadata"]["@type"] == "type.googleapis.com/google.cloud.healthcare.v1.OperationMetadata"
    method = "google.cloud.healthcare.v1.dataset.DatasetService.DeidentifyDataset"
    assert operation["metadata"]["apiMethodName"] == method
    summary = "type.googleapis.com/google.cloud.healthcare.v1.dataset.DeidentifySummary"
    assert operation["response"] == {"@type": summary, "successStoreCount": "2"}
    for store in ("dicomstore1", "second"):
        (clean,) = lab.instances(f"{CLEAN}/dicomStores/{store}")
        assert "PatientName" not in clean
        assert clean.PixelData


def test_the_source_is_unchanged(lab: Lab, dicom_bytes: Make) -> None:
    original = dicom_bytes(PatientName="Rivera^Ana")
    lab.store(original)
    lab.finished(lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL}).json["name"])
    (kept,) = lab.instances(STORE)
    assert kept.PatientName == "Rivera^Ana"


def test_uids_of_one_study_stay_together(lab: Lab, dicom_bytes: Make) -> None:
    for number in range(3):
        lab.store(dicom_bytes(StudyInstanceUID="1.2.3", SeriesInstanceUID=f"1.2.3.{number % 2}"))
    lab.finished(lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL}).json["name"])
    clean = lab.instances(f"{CLEAN}/dicomStores/dicomstore1")
    assert len({item.StudyInstanceUID for item in clean}) == 1
    assert len({item.SeriesInstanceUID for item in clean}) == 2
    assert len({item.SOPInstanceUID for item in clean}) == 3
    assert "1.2.3" not in {item.StudyInstanceUID for item in clean}


def test_dates_of_a_patient_shift_together_without_a_key(lab: Lab, dicom_bytes: Make) -> None:
    before = {"1": "20200101", "2": "20200111"}
    for number, day in before.items():
        lab.store(dicom_bytes(PatientID="MRN1", StudyDate=day, InstanceNumber=number))
    text = {"additionalTransformations": [{"infoTypes": ["DATE"], "dateShiftConfig": {}}]}
    config = {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, "text": text}
    lab.finished(lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": config}).json["name"])
    clean = lab.instances(f"{CLEAN}/dicomStores/dicomstore1")
    shifts = {_days(item.StudyDate) - _days(before[str(item.InstanceNumber)]) for item in clean}
    assert len(clean) == 2
    assert len(shifts) == 1
    assert 0 < abs(shifts.pop()) <= 100


def _days(text: str) -> int:
    from datetime import date

    return date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal()


def test_a_store_is_deidentified_into_an_existing_store(lab: Lab, dicom_bytes: Make) -> None:
    lab.store(dicom_bytes(PatientName="Rivera^Ana"))
    target = lab.create_store(name="clean")
    started = lab.post(f"{STORE}:deidentify", {"destinationStore": target, "config": MINIMAL})
    operation = lab.finished(started.json["name"])
    assert operation["metadata"]["counter"] == {"success": "1"}
    assert operation["response"]["@type"].endswith("v1.deidentify.DeidentifyDicomStoreSummary")
    assert [("PatientName" in item) for item in lab.instances(target)] == [False]


def test_an_operation_shows_the_api_version_that_started_it(lab: Lab, dicom_bytes: Make) -> None:
    lab.store(dicom_bytes())
    body = {"destinationDataset": CLEAN, "config": {"dicomTagConfig": {"profileType": "MINIMAL_KEEP_LIST_PROFILE"}}}
    started = lab.post(f"{DATASET}:deidentify", body, version="v1beta1")
    metadata = lab.finished(started.json["name"])["metadata"]
    assert metadata["@type"] == "type.googleapis.com/google.cloud.healthcare.v1beta1.OperationMetadata"
    assert metadata["apiMethodName"].startswith("google.cloud.healthcare.v1beta1.")
    (clean,) = lab.instances(f"{CLEAN}/dicomStores/dicomstore1")
    assert "PatientName" not in clean


class TestPartialFailure:
    def test_a_failed_instance_is_counted_logged_and_missing_and_the_operation_succeeds(
        self, lab: Lab, dicom_bytes: Make
    ) -> None:
        lab.store(dicom_bytes(SOPInstanceUID="1.2.3.4.5", PatientName="Rivera^Ana"))
        lab.store(dicom_bytes())
        damage(lab, "1.2.3.4.5")
        started = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL})
        operation = lab.finished(started.json["name"])
        assert operation["metadata"]["counter"] == {"success": "1", "failure": "1"}
        assert "error" not in operation
        assert len(lab.instances(f"{CLEAN}/dicomStores/dicomstore1")) == 1
        (entry,) = log_of(operation)
        assert entry["severity"] == "ERROR"
        assert entry["jsonPayload"]["source"].endswith("/instances/1.2.3.4.5")
        assert entry["jsonPayload"]["error"]["message"].startswith("not-dicom: ")
        assert "Rivera" not in str(entry)

    def test_an_unexpected_engine_error_fails_one_instance(
        self, tmp_path: Path, dicom_bytes: Make, make_lab: Callable[[Emulator], Lab]
    ) -> None:
        class Broken:
            def deidentify_file(self, source: Path, destination: Path) -> None:
                destination.write_bytes(b"half")
                raise RuntimeError("Rivera^Ana is in this text")

        with Emulator(tmp_path / "broken", engine=lambda _: Broken()) as emulator:
            lab = make_lab(emulator)
            lab.create_dataset()
            lab.create_store()
            lab.store(dicom_bytes())
            started = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL})
            operation = lab.finished(started.json["name"])
            assert operation["metadata"]["counter"] == {"failure": "1"}
            (entry,) = log_of(operation)
            assert "RuntimeError" in str(entry)
            assert "Rivera" not in str(entry)
            assert not list((tmp_path / "broken").rglob("*.part"))

    def test_a_result_that_exists_with_other_bytes_is_a_failed_instance(self, lab: Lab, dicom_bytes: Make) -> None:
        lab.store(dicom_bytes(PatientID="MRN1", StudyDate="20200101"))
        target = lab.create_store(name="clean")
        # With no key given each run has its own, so a second run makes other bytes under the same UIDs.
        text = {"additionalTransformations": [{"infoTypes": ["DATE"], "cryptoHashConfig": {}}]}
        text["additionalTransformations"].append({"infoTypes": ["PERSON_NAME"], "cryptoHashConfig": {}})
        config = {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, "text": text}
        body = {"destinationStore": target, "config": config}
        first = lab.finished(lab.post(f"{STORE}:deidentify", body).json["name"])
        again = lab.finished(lab.post(f"{STORE}:deidentify", body).json["name"])
        assert first["metadata"]["counter"] == {"success": "1"}
        assert again["metadata"]["counter"] == {"failure": "1"}
        assert "checksum mismatch" in str(log_of(again))

    def test_storing_the_same_result_again_is_a_success(self, lab: Lab, dicom_bytes: Make) -> None:
        lab.store(dicom_bytes())
        target = lab.create_store(name="clean")
        body = {"destinationStore": target, "config": MINIMAL}
        for _ in range(2):
            operation = lab.finished(lab.post(f"{STORE}:deidentify", body).json["name"])
            assert operation["metadata"]["counter"] == {"success": "1"}
        assert len(lab.instances(target)) == 1


class TestWhatIsLeftOut:
    def test_without_dicom_in_the_config_a_datasets_dicom_stores_are_skipped_and_the_log_says_so(
        self, lab: Lab, dicom_bytes: Make
    ) -> None:
        lab.store(dicom_bytes())
        config = {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}
        started = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": config})
        operation = lab.finished(started.json["name"])
        assert operation["metadata"]["counter"] == {}
        assert lab.get(f"{CLEAN}/dicomStores").json == {}
        assert "skipped" in str(log_of(operation))

    def test_a_fhir_store_is_never_copied(self, lab: Lab) -> None:
        assert lab.post(f"{DATASET}/fhirStores?fhirStoreId=f", {"version": "R4"}).status == 200
        answer = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": {"fhir": {}, "dicom": {}}})
        assert (answer.status, answer.json["error"]["status"]) == (501, "UNIMPLEMENTED")
        assert lab.get(CLEAN).status == 403
        lab.post(f"{DATASET}/fhirStores?fhirStoreId=g", {"version": "R4"})
        body = {"destinationStore": f"{DATASET}/fhirStores/g", "config": {"fhir": {}}}
        assert lab.post(f"{DATASET}/fhirStores/f:deidentify", body).status == 501

    def test_fhir_stores_are_skipped_if_the_config_has_no_fhir(self, lab: Lab) -> None:
        lab.post(f"{DATASET}/fhirStores?fhirStoreId=f", {"version": "R4"})
        answer = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL})
        assert answer.status == 200
        lab.finished(answer.json["name"])
        assert lab.get(f"{CLEAN}/fhirStores").json == {}

    @pytest.mark.parametrize("slash", ["/", ""])
    def test_a_filter_file_picks_studies_series_and_instances(
        self, lab: Lab, dicom_bytes: Make, tmp_path: Path, slash: str
    ) -> None:
        for study, series, instance in (
            ("1.1", "1.1.1", "1.1.1.1"),
            ("1.1", "1.1.2", "1.1.2.1"),
            ("2", "2.1", "2.1.1"),
        ):
            lab.store(dicom_bytes(StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID=instance))
        (tmp_path / "bucket").mkdir()
        lines = f"{slash}studies/2\r\n\r\n{slash}studies/1.1/series/1.1.2/instances/1.1.2.1\n"
        (tmp_path / "bucket" / "filter.txt").write_text(lines)
        target = lab.create_store(name="clean")
        body = {
            "destinationStore": target,
            "config": {"dicom": {"skipIdRedaction": True}},
            "filterConfig": {"resourcePathsGcsUri": "gs://bucket/filter.txt"},
        }
        operation = lab.finished(lab.post(f"{STORE}:deidentify", body).json["name"])
        assert operation["metadata"]["counter"] == {"success": "2"}
        assert {item.SOPInstanceUID for item in lab.instances(target)} == {"2.1.1", "1.1.2.1"}


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({}, 400, "INVALID_ARGUMENT"),
            ({"destinationDataset": CLEAN, "destinationDatset": "x"}, 400, "INVALID_ARGUMENT"),
            ({"destinationDataset": DATASET}, 409, "ALREADY_EXISTS"),
            ({"destinationDataset": CLEAN.replace("us-central1", "us-west2")}, 400, "INVALID_ARGUMENT"),
            ({"destinationDataset": CLEAN, "config": {}, "gcsConfigUri": "gs://bucket/c"}, 400, "INVALID_ARGUMENT"),
            ({"destinationDataset": CLEAN, "gcsConfigUri": "gs://bucket/missing"}, 403, "PERMISSION_DENIED"),
            ({"destinationDataset": CLEAN, "gcsConfigUri": f"gs://bucket/{'a' * 300}"}, 403, "PERMISSION_DENIED"),
            (
                {"destinationDataset": CLEAN, "config": {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENT"}}},
                400,
                "INVALID_ARGUMENT",
            ),
            (
                {"destinationDataset": CLEAN, "config": {"dicom": {"keepList": {"tags": ["NoSuchKeyword"]}}}},
                400,
                "INVALID_ARGUMENT",
            ),
            (
                {
                    "destinationDataset": CLEAN,
                    "config": {"dicom": {"keepList": {"tags": ["Rows"]}, "removeList": {"tags": ["PatientName"]}}},
                },
                400,
                "INVALID_ARGUMENT",
            ),
        ],
    )
    def test_an_invalid_request_is_refused_at_once_and_nothing_is_created(
        self, lab: Lab, body: dict[str, Any], status: int, code: str
    ) -> None:
        answer = lab.post(f"{DATASET}:deidentify", body)
        assert (answer.status, answer.json["error"]["status"], answer.json["error"]["code"]) == (status, code, status)
        assert lab.get(CLEAN).status == 403
        created = lab.get(f"{DATASET}/operations").json["operations"]
        assert all("CreateDataset" in item["metadata"]["apiMethodName"] for item in created)

    def test_a_missing_source_dataset_is_forbidden_and_a_missing_store_not_found(self, lab: Lab) -> None:
        missing = lab.post(f"{LOCATION}/datasets/none:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL})
        assert missing.status == 403
        body = {"destinationStore": f"{DATASET}/dicomStores/none", "config": MINIMAL}
        assert lab.post(f"{STORE}:deidentify", body).status == 404
        assert lab.post(f"{DATASET}/dicomStores/none:deidentify", body).status == 404


def test_the_config_can_come_from_cloud_storage(lab: Lab, dicom_bytes: Make, tmp_path: Path) -> None:
    lab.store(dicom_bytes(PatientName="Rivera^Ana"))
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "config.json").write_text('{"dicom": {"removeList": {"tags": ["PatientName"]}}}')
    body = {"destinationDataset": CLEAN, "gcsConfigUri": "gs://bucket/config.json"}
    lab.finished(lab.post(f"{DATASET}:deidentify", body).json["name"])
    (clean,) = lab.instances(f"{CLEAN}/dicomStores/dicomstore1")
    assert "PatientName" not in clean
    assert "StudyDate" in clean


def test_pixels_over_the_documented_limit_are_not_redacted_and_the_instance_fails(lab: Lab, dicom_bytes: Make) -> None:
    lab.store(dicom_bytes("JPEG2000.dcm", Rows=50_000, Columns=50_000))  # 5 GB uncompressed, says the header
    config = {**MINIMAL, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}}
    started = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": config})
    operation = lab.finished(started.json["name"])

    assert operation["metadata"]["counter"] == {"failure": "1"}
    assert lab.instances(f"{CLEAN}/dicomStores/dicomstore1") == []
    (entry,) = log_of(operation)
    assert "larger than 2 GB uncompressed" in entry["jsonPayload"]["error"]["message"]


def test_the_log_can_be_opened_in_process_as_a_file_and_over_the_port(lab: Lab, dicom_bytes: Make) -> None:
    lab.store(dicom_bytes(PatientName="Rivera^Ana", PatientID="MRN204816"))
    lab.emulator.faults.fail_instances(times=1)
    started = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL})
    here = lab.finished(started.json["name"])
    assert here["metadata"]["logsUrl"].startswith("file://")
    (listed,) = (item for item in lab.get(f"{DATASET}/operations").json["operations"] if item["name"] == here["name"])
    assert listed == here
    with lab.emulator.server() as server:
        with urllib.request.urlopen(f"{server.url}/v1/{here['name']}", timeout=30) as reply:
            there = json.load(reply)
        assert there["metadata"]["logsUrl"].startswith(f"{server.url}/")
        assert log_of(there) == log_of(here)
    (entry,) = log_of(here)
    assert "injected failure" in entry["jsonPayload"]["error"]["message"]
    assert not [word for word in ("Rivera", "MRN204816") if word in str(entry)]


def damage(lab: Lab, uid: str) -> None:
    """Overwrite the stored file of an instance, as a broken disk would."""
    for path in (lab.emulator.data_dir / "instances").rglob("*.dcm"):
        if uid.encode() in path.read_bytes():
            path.write_bytes(b"not DICOM any more")


def log_of(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Follow an operation's ``logsUrl``."""
    with urllib.request.urlopen(operation["metadata"]["logsUrl"], timeout=30) as log:
        entries: list[dict[str, Any]] = json.load(log)["entries"]
    return entries
