"""Replies of the service: any reply is read, and nothing of it is lost."""

from __future__ import annotations

from typing import Any

import pytest

from healthcare_deid.config.v1.operations import (
    DeidentifySummary,
    ListOperationsResponse,
    Operation,
    OperationMetadata,
    ProgressCounter,
    Status,
)
from healthcare_deid.config.v1.requests import ExportDicomDataRequest
from healthcare_deid.config.v1.resources import (
    BlobStorageSettings,
    DicomBigQueryDestination,
    DicomStore,
    DicomStoreMetrics,
    SchemaJson,
    WriteDisposition,
)
from healthcare_deid.errors import ConfigError


def test_counters_are_numbers_that_travel_as_text_and_absent_ones_are_zero() -> None:
    counter = ProgressCounter.from_api({"success": "9007199254740993", "failure": 2})
    assert (counter.success, counter.failure, counter.pending) == (9007199254740993, 2, 0)
    assert counter.to_api() == {"success": "9007199254740993", "failure": "2"}
    assert DicomStoreMetrics.from_api({"instanceCount": "12"}).instance_count == 12


def test_an_operation_that_is_only_a_name_runs() -> None:
    operation = Operation.from_api({"name": "projects/p/locations/l/datasets/d/operations/1"})
    assert (operation.done, operation.error, operation.metadata) == (False, None, None)


def test_times_are_aware_and_kept_as_sent() -> None:
    metadata = OperationMetadata.from_api({"createTime": "2018-01-01T00:00:00.123456789Z"})
    assert metadata.created_at is not None
    assert metadata.created_at.isoformat() == "2018-01-01T00:00:00.123456+00:00"
    assert metadata.ended_at is None
    assert metadata.to_api() == {"createTime": "2018-01-01T00:00:00.123456789Z"}
    assert OperationMetadata(end_time="2018-01-02T00:00:00+01:00").ended_at is not None


@pytest.mark.parametrize("text", ["", "soon", "2018-01-01T00:00:00"])
def test_a_malformed_time_is_kept_as_text_and_parsed_as_none(text: str) -> None:
    metadata = OperationMetadata(create_time=text)
    assert metadata.created_at is None
    assert metadata.to_api() == {"createTime": text}


def test_a_copy_of_a_reply_keeps_unknown_fields() -> None:
    operation = Operation.from_api({"name": "n", "new": 1})
    assert operation.model_copy(update={"done": True}).to_api() == {"name": "n", "done": True, "new": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "n", "newField": {"a": [1, None, "x"]}},
        {"metadata": {"@type": "t", "counter": {"success": "1", "skipped": "4"}, "progress": 0.5}},
        {"done": True, "response": {"@type": "t", "anything": [{}]}},
        {"done": True, "error": {"code": 1, "message": "m", "details": [{"@type": "t", "x": 1}], "more": 2}},
    ],
)
def test_unknown_fields_are_kept_at_every_level(body: dict[str, Any]) -> None:
    assert Operation.from_api(body).to_api() == body
    assert ListOperationsResponse.from_api({"operations": [body]}).to_api() == {"operations": [body]}


def test_unknown_enum_values_are_kept_as_text_and_known_ones_are_members() -> None:
    assert DicomBigQueryDestination.from_api({"writeDisposition": "WRITE_NEW"}).write_disposition == "WRITE_NEW"
    known = DicomBigQueryDestination.from_api({"writeDisposition": "WRITE_APPEND"}).write_disposition
    assert known is WriteDisposition.WRITE_APPEND
    assert BlobStorageSettings.from_api({"blobStorageClass": "FROZEN"}).to_api() == {"blobStorageClass": "FROZEN"}


def test_a_field_that_pydantic_has_a_method_for_keeps_its_name_on_the_wire() -> None:
    destination = DicomBigQueryDestination(table_uri="bq://p.d.t", schema_json_=SchemaJson())
    assert destination.to_api() == {"tableUri": "bq://p.d.t", "schemaJson": {}}
    request = ExportDicomDataRequest.from_json('{"bigqueryDestination": {"schemaJson": {}}}', strict=True)
    assert request.bigquery_destination is not None
    assert request.bigquery_destination.schema_json_ == SchemaJson()


def test_a_store_is_a_value_with_labels() -> None:
    store = DicomStore(name="projects/p/locations/l/datasets/d/dicomStores/s", labels={"a": "b"})
    assert DicomStore.from_json(store.to_json()) == store


@pytest.mark.parametrize(("sent", "count"), [("3", 3), (3, 3), ("SUCCESS_STORE_COUNT", None), (None, None), ([], None)])
def test_counts_of_older_services_are_read_where_they_are_numbers(sent: Any, count: int | None) -> None:
    summary = DeidentifySummary.from_api({"successStoreCount": sent, "successResourceCount": sent})
    assert summary.success_store_count == summary.success_resource_count == count
    assert DeidentifySummary().success_store_count is None


def test_a_printed_summary_shows_the_counts_that_were_sent_and_names_the_rest() -> None:
    summary = DeidentifySummary.from_api({"@type": "t", "successStoreCount": "2", "newer": "Doe"})
    assert repr(summary) == "DeidentifySummary(success_store_count=2, unknown=['@type', 'newer'])"
    assert repr(DeidentifySummary()) == "DeidentifySummary()"


@pytest.mark.parametrize(
    ("cls", "body", "rule"),
    [
        (Operation, {"done": "maybe"}, "done: must be true or false"),
        (Operation, {"metadata": "text"}, "metadata: must be an object"),
        (Status, {"code": "x"}, "code: must be a whole number"),
        (ProgressCounter, {"success": "many"}, "success: must be a whole number"),
    ],
)
def test_a_reply_of_another_shape_is_refused(cls: Any, body: dict[str, Any], rule: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        cls.from_api(body)
    assert str(refusal.value) == f"{cls.__name__}: {rule}"
    assert "many" not in str(refusal.value)


def test_a_field_the_service_gains_is_kept_and_its_value_is_not_shown() -> None:
    store = DicomStore.from_api({"name": "n", "owner": "Rivera^Ana"})
    assert store.to_api()["owner"] == "Rivera^Ana"
    assert "Rivera" not in repr(store)
    assert "unknown=['owner']" in repr(store)
