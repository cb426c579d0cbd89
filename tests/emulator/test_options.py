"""Every option is executed or refused, never accepted and ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.mark.parametrize(
    "labels",
    [
        {"Upper": "x"}, {"": "x"}, {"1digit": "x"}, {"a b": "x"}, {"a": "Upper"}, {"a": "x" * 64}, {"k" * 64: "x"},
        {"a": 1}, {"é" * 63: "x" * 63, "b": "ü" * 65}, [], "a=b", {f"k{n}": "" for n in range(65)},
    ],
)  # fmt: skip
def test_labels_that_the_reference_does_not_allow_are_refused(lab: Lab, labels: Any) -> None:
    answer = lab.call("PATCH", f"{STORE}?updateMask=labels", {"labels": labels})
    assert answer.status == 400
    assert "labels" not in lab.get(STORE).json


@pytest.mark.parametrize("labels", [{"a": "x"}, {"région-1": ""}, {"k" * 63: "v_-9"}])
def test_labels_that_the_reference_allows_are_kept(lab: Lab, labels: dict[str, str]) -> None:
    assert lab.call("PATCH", f"{STORE}?updateMask=labels", {"labels": labels}).json["labels"] == labels


@pytest.mark.parametrize("location", ["nowhere", "us-central", "us-centrall1", "US-CENTRAL1", "mars-north1", "1"])
def test_a_location_that_does_not_exist_is_not_found(empty_lab: Lab, location: str) -> None:
    assert empty_lab.post(f"projects/p/locations/{location}/datasets?datasetId=d").status == 404
    assert empty_lab.get(f"projects/p/locations/{location}").status == 404


@pytest.mark.parametrize("location", ["us", "eu", "us-central1", "asia-northeast3", "me-west1", "africa-south1"])
def test_locations_of_google_cloud_can_be_used(empty_lab: Lab, location: str) -> None:
    assert empty_lab.post(f"projects/p/locations/{location}/datasets?datasetId=d").status == 200


@pytest.mark.parametrize("topic", ["t", "topics/t", "projects/p/topics/", "projects/p/topics/1t", "gs://x", 7])
def test_a_topic_that_cannot_exist_is_refused(lab: Lab, topic: Any) -> None:
    body = {"notificationConfig": {"pubsubTopic": topic}}
    assert lab.post(f"{DATASET}/dicomStores?dicomStoreId=s2", body).status == 400
    many = {"notificationConfigs": [{"pubsubTopic": topic}]}
    assert lab.post(f"{DATASET}/dicomStores?dicomStoreId=s2", many).status == 400
    assert lab.get(f"{DATASET}/dicomStores/s2").status == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{LOCATION}/datasets?datasetId=d2", {"encryptionSpec": {"kmsKeyName": "projects/p/…"}}),
        (f"{DATASET}/dicomStores?dicomStoreId=s2", {"streamConfigs": [{"bigqueryDestination": {"tableUri": "bq://"}}]}),
        (f"{STORE}:export", {"bigqueryDestination": {"tableUri": "bq://p.d.t"}}),
    ],
)
def test_an_option_that_needs_another_service_is_refused_with_its_fidelity_row(
    lab: Lab, path: str, body: dict[str, Any]
) -> None:
    answer = lab.post(path, body)
    assert answer.status == 501
    assert "F-39" in answer.json["error"]["message"]


def test_fhir_output_is_not_emulated(lab: Lab) -> None:
    config = {"dicomTagConfig": {}, "operationMetadata": {"fhirOutput": {"fhirStore": f"{DATASET}/fhirStores/f"}}}
    body = {"destinationDataset": f"{LOCATION}/datasets/clean", "config": config}
    assert lab.post(f"{DATASET}:deidentify", body, version="v1beta1").status == 501
    assert lab.get(f"{LOCATION}/datasets/clean").status == 403


REGIONAL = {"useRegionalDataProcessing": True}
CONTENTS = {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}
EXCLUDED = {"text": {"excludeInfoTypes": ["LOCATION", "ORGANIZATION_NAME"]}}


@pytest.mark.parametrize(
    ("version", "config", "status"),
    [
        ("v1", {**REGIONAL, **CONTENTS}, 400),
        ("v1", {**REGIONAL, **CONTENTS, **EXCLUDED}, 200),
        ("v1", {**REGIONAL, "dicom": {}, "image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}}, 400),
        ("v1", {**REGIONAL, "dicom": {}, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}}, 200),
        ("v1", {**REGIONAL, "dicom": {}}, 200),
        ("v1", {"dicom": {}, "image": {"customRegexes": [{"pattern": "(?=x)"}]}}, 400),
        (
            "v1beta1",
            {"dicomTagConfig": {"options": {"cleanImage": {
                "textRedactionMode": "REDACT_ALL_TEXT", "additionalInfoTypes": ["PERSON_NAME"]}}}},
            400,
        ),
        (
            "v1beta1",
            {"dicomTagConfig": {"options": {"cleanImage": {
                "textRedactionMode": "REDACT_NO_TEXT", "excludeInfoTypes": ["PERSON_NAME"]}}}},
            400,
        ),
    ],
)  # fmt: skip
def test_a_config_that_breaks_a_documented_rule_is_refused(
    lab: Lab, version: str, config: dict[str, Any], status: int
) -> None:
    body = {"destinationDataset": f"{LOCATION}/datasets/clean", "config": config}
    answer = lab.post(f"{DATASET}:deidentify", body, version=version)
    assert answer.status == status, answer.body
    assert lab.emulator.settle(60)


@pytest.mark.parametrize("syntax", ["1.2.3.4.5.6.7.8.9.10", "1.2.840.10008.1.2.99", "1.2.840.10008.1.1"])
def test_a_transfer_syntax_that_does_not_exist_is_refused(
    lab: Lab, dicom_bytes: Callable[..., bytes], syntax: str
) -> None:
    whole = dicom_bytes()
    known = b"1.2.840.10008.1.2.1\0"
    assert whole.count(known) == 1
    answer = lab.store(whole.replace(known, syntax.encode().ljust(len(known), b"\0")))
    assert answer.status == 409
    assert "transfer syntax" in answer.body.decode()
    lab.store(whole)
    (found,) = lab.get(f"{STORE}/dicomWeb/instances").json
    path = found["00081190"]["Value"][0].partition("/v1/")[2]
    assert lab.get(path, f"application/dicom; transfer-syntax={syntax}").status == 406


@pytest.mark.parametrize("uid", ["..", "1..2", ".1", "1.", "a", "1" * 65, "1.2.x", "%2e%2e"])
def test_a_path_without_uids_is_refused(lab: Lab, uid: str) -> None:
    web = f"{STORE}/dicomWeb/studies/{uid}"
    for method, path in (("GET", web), ("GET", f"{web}/metadata"), ("DELETE", web), ("GET", f"{web}:getStudyMetrics")):
        assert lab.call(method, path).status == 400, path


class TestStorageClasses:
    def test_a_class_is_set_for_a_store_and_shown_by_storage_info(
        self, lab: Lab, dicom_bytes: Callable[..., bytes]
    ) -> None:
        lab.store(dicom_bytes(StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4"))
        instance = f"{STORE}/dicomWeb/studies/1.2/series/1.2.3/instances/1.2.3.4"
        info = lab.get(f"{instance}:getStorageInfo").json
        assert info["referencedResource"] == instance
        assert info["blobStorageInfo"]["storageClass"] == "STANDARD"
        body = {"blobStorageSettings": {"blobStorageClass": "COLDLINE"}}
        done = lab.post(f"{STORE}:setBlobStorageSettings", body).json
        assert done["done"]
        assert done["metadata"]["counter"] == {"success": "1"}
        changed = lab.get(f"{instance}:getStorageInfo").json["blobStorageInfo"]
        assert changed["storageClass"] == "COLDLINE"
        assert changed["storageClassUpdateTime"]
        assert int(changed["sizeBytes"]) > 1000

    def test_a_filter_and_a_study_limit_the_change(self, lab: Lab, dicom_bytes: Callable[..., bytes]) -> None:
        for number in (1, 2, 3):
            lab.store(dicom_bytes(StudyInstanceUID=f"1.2.{number}", SeriesInstanceUID="1.3", SOPInstanceUID="1.4"))
        bucket = lab.emulator.data_dir.parent / "bucket"
        bucket.mkdir()
        (bucket / "filter.txt").write_text("/studies/1.2.1\n")
        settings = {"blobStorageSettings": {"blobStorageClass": "ARCHIVE"}}
        body = {**settings, "filterConfig": {"resourcePathsGcsUri": "gs://bucket/filter.txt"}}
        assert lab.post(f"{STORE}:setBlobStorageSettings", body).json["metadata"]["counter"] == {"success": "1"}
        study = f"{STORE}/dicomWeb/studies/1.2.2:setBlobStorageSettings"
        assert lab.post(study, settings).json["metadata"]["counter"] == {"success": "1"}
        assert lab.post(study, body).status == 400
        classes = [
            lab.get(f"{STORE}/dicomWeb/studies/1.2.{number}/series/1.3/instances/1.4:getStorageInfo").json
            for number in (1, 2, 3)
        ]
        assert [item["blobStorageInfo"]["storageClass"] for item in classes] == ["ARCHIVE", "ARCHIVE", "STANDARD"]

    def test_an_import_uses_the_requested_storage_class(self, lab: Lab, dicom_bytes: Callable[..., bytes]) -> None:
        bucket = lab.emulator.data_dir.parent / "bucket"
        bucket.mkdir()
        data = dicom_bytes(StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4")
        (bucket / "1.dcm").write_bytes(data)
        (bucket / "empty.dcm").write_bytes(b"")
        body = {
            "gcsSource": {"uri": "gs://bucket/*.dcm"},
            "blobStorageSettings": {"blobStorageClass": "NEARLINE"},
        }
        operation = lab.finished(lab.post(f"{STORE}:import", body).json["name"])
        assert operation["metadata"]["counter"] == {"success": "1", "failure": "1"}
        info = lab.get(f"{STORE}/dicomWeb/studies/1.2/series/1.2.3/instances/1.2.3.4:getStorageInfo").json
        assert info["blobStorageInfo"]["storageClass"] == "NEARLINE"

    @pytest.mark.parametrize("settings", [{"blobStorageClass": "FROZEN"}, {"class": "ARCHIVE"}, "ARCHIVE"])
    def test_a_class_that_does_not_exist_is_refused(self, lab: Lab, settings: Any) -> None:
        body = {"blobStorageSettings": settings}
        assert lab.post(f"{STORE}:setBlobStorageSettings", body).status == 400
        assert lab.post(f"{STORE}:import", {"gcsSource": {"uri": "gs://bucket/x"}, **body}).status == 400


def test_metrics_count_a_study_and_a_series(lab: Lab, dicom_bytes: Callable[..., bytes]) -> None:
    sizes = 0
    for series, instance in (("1.1", "1.1.1"), ("1.1", "1.1.2"), ("1.2", "1.2.1")):
        data = dicom_bytes(StudyInstanceUID="1", SeriesInstanceUID=series, SOPInstanceUID=instance)
        sizes += len(data)
        lab.store(data)
    study = f"{STORE}/dicomWeb/studies/1"
    metrics = lab.get(f"{study}:getStudyMetrics").json
    assert (metrics["study"], metrics["seriesCount"], metrics["instanceCount"]) == (study, "2", "3")
    assert metrics["blobStorageSizeBytes"] == str(sizes)
    series_metrics = lab.get(f"{study}/series/1.1:getSeriesMetrics").json
    assert (series_metrics["series"], series_metrics["instanceCount"]) == (f"{study}/series/1.1", "2")
    assert int(series_metrics["structuredStorageSizeBytes"]) > 0
    assert lab.get(f"{STORE}/dicomWeb/studies/2:getStudyMetrics").status == 404
    assert lab.get(f"{study}/series/9:getSeriesMetrics").status == 404
    assert lab.get(f"{study}/series/1.1/instances/9:getStorageInfo").status == 404
