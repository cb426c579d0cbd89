"""A field of another JSON type is a 400: every method with a JSON body, every field of the discovery documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulator.test_method_matrix import DOCUMENTS, methods

from healthcare_deid.emulator.handlers.blob_storage import SET_BLOB_STORAGE
from healthcare_deid.emulator.handlers.datasets import DATASET as DATASET_FIELDS
from healthcare_deid.emulator.handlers.iam import SET_POLICY, TEST_PERMISSIONS
from healthcare_deid.emulator.handlers.stores import DICOM_STORE, FHIR_STORE
from healthcare_deid.emulator.http.field_types import Choice, ListOf, MapOf, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.emulator.conftest import Lab

    from healthcare_deid.emulator.http.field_types import FieldType

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
NAMES = {"project": "MyProj", "location": "us-central1", "dataset": "dataset1", "dicomStore": "dicomstore1"}
QUERIES = {
    "datasets.create": "?datasetId=d2",
    "datasets.patch": "?updateMask=timeZone",
    "dicomStores.create": "?dicomStoreId=s2",
    "dicomStores.patch": "?updateMask=*",
    "fhirStores.create": "?fhirStoreId=s2",
    "fhirStores.patch": "?updateMask=*",
}
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
NOT_READ = {"streamConfigs", "bigqueryDestination"}
"""Fields that are refused with 501, whatever is in them."""
COMPLETE = "20261013"
"""Revision of the discovery document from which on it has every field that is read; older ones have no others."""

WRONG: dict[str, tuple[Any, ...]] = {
    "string": (5, 1.5, True, ["text"], {"a": "text"}),
    "bytes": (5, True, "not base64", ["QQ=="], {}),
    "enum": (5, True, "NO_SUCH_VALUE", ["x"], {}),
    "boolean": (5, 0.0, "yes", [True], {}),
    "integer": ("five", 1.5, True, [1], {}, 2**40),
    "message": (5, True, "text", [{}], []),
    "list": (5, True, "text"),
}


def wrong_bodies(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield bodies of a message with one value of a wrong type each."""
    for name, field in schema.get("properties", {}).items():
        if name not in NOT_READ:
            yield from ({name: value} for value in wrong_values(schemas, field))


def wrong_values(schemas: Mapping[str, Any], field: Mapping[str, Any]) -> Iterator[Any]:
    if "$ref" in field:
        yield from WRONG["message"]
        yield from wrong_bodies(schemas, schemas[field["$ref"]])
    elif field["type"] == "array":
        yield from WRONG["list"]
        yield [None]
        yield from ([value] for value in wrong_values(schemas, field["items"]))
    elif field["type"] == "object":
        yield from WRONG["message"]
        yield from ({"key": value} for value in wrong_values(schemas, field["additionalProperties"]))
    elif "enum" in field:
        yield from WRONG["enum"]
    else:
        yield from WRONG["bytes" if field.get("format") == "byte" else field["type"]]


def stored(lab: Lab) -> list[Any]:
    """Return all that a request can change."""
    lab.emulator.settle(10)
    kinds = (f"{LOCATION}/datasets", f"{DATASET}/dicomStores", f"{DATASET}/fhirStores", f"{DATASET}/operations")
    policies = (f"{name}:getIamPolicy" for name in (DATASET, STORE, f"{DATASET}/fhirStores/f1"))
    return [lab.get(path).json for path in (*kinds, *policies)]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_value_of_another_type_is_refused_and_nothing_is_stored(lab: Lab, version: str) -> None:
    schemas = json.loads((DOCUMENTS / f"healthcare.{version}.json").read_bytes())["schemas"]
    lab.post(f"{DATASET}/fhirStores?fhirStoreId=f1", {})
    operation = lab.post(f"{LOCATION}/datasets?datasetId=d1").json["name"].rpartition("/")[2]
    names = {**NAMES, "fhirStore": "f1", "operation": operation, "study": "1.2"}
    known = methods(version)
    before = stored(lab)
    checked, wrong = 0, list[str]()
    for route in lab.emulator.routes():
        request = known.get(route.method_id, {}).get("request", {}).get("$ref", "HttpBody")
        if request == "HttpBody" or version not in route.versions:
            continue
        query = QUERIES.get(".".join(route.method_id.split(".")[-2:]), "")
        path = route.template.format(**names) + query
        bodies = [{"noSuchField": 1}, *wrong_bodies(schemas, schemas[request])]
        for body in bodies:
            answer = lab.call(route.verb, path, body, version=version)
            error = answer.json.get("error", {})
            is_refused = (answer.status, error.get("status")) == (400, "INVALID_ARGUMENT")
            if not is_refused or error.get("details", [{}])[0].get("@type") != BAD_REQUEST:
                wrong.append(f"{route.method_id} {body}: {answer.status} {error}")
        checked += len(bodies)
    assert not wrong, "\n".join(wrong[:20])
    assert checked > 500
    assert stored(lab) == before


@pytest.mark.parametrize("body", ["[]", "5", '"text"', "[{}]", "true"])
def test_a_body_that_is_not_an_object_is_refused(lab: Lab, body: str) -> None:
    for path in (f"{DATASET}:setIamPolicy", f"{DATASET}:deidentify", f"{DATASET}/dicomStores?dicomStoreId=s2"):
        answer = lab.post(path, body)
        assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_the_error_names_the_field_as_the_service_does_and_withholds_the_value(lab: Lab) -> None:
    answer = lab.post(f"{DATASET}:setIamPolicy", {"policy": {"bindings": [{"role": ["Jane Doe"]}]}})
    text = (
        "Invalid JSON payload received. Unknown name \"role\" at 'policy.bindings[0]': "
        "Proto field is not repeating, cannot start list."
    )
    violation = {"field": "policy.bindings[0]", "description": text}
    details = [{"@type": BAD_REQUEST, "fieldViolations": [violation]}]
    error = {"code": 400, "message": text, "status": "INVALID_ARGUMENT", "details": details}
    assert answer.json == {"error": error}
    role = lab.post(f"{DATASET}:setIamPolicy", {"policy": {"bindings": [{"role": 20250714}]}})
    assert role.json["error"]["message"] == "Invalid value at 'policy.bindings[0].role' (TYPE_STRING)"


def test_the_spellings_of_protobufs_json_are_read(lab: Lab) -> None:
    policy = {"version": "3", "etag": None, "audit_configs": [{"service": "s", "audit_log_configs": []}]}
    made = lab.post(f"{DATASET}:setIamPolicy", {"policy": policy})
    assert made.status == 200
    assert made.json["version"] == 3
    assert made.json["auditConfigs"] == [{"service": "s", "auditLogConfigs": []}]
    body = {"notification_config": {"send_for_bulk_import": "True"}, "labels": None}
    store = lab.post(f"{DATASET}/dicomStores?dicomStoreId=s2", body)
    assert store.json["notificationConfig"] == {"sendForBulkImport": True}
    twice = lab.post(f"{LOCATION}/datasets?datasetId=d2", {"timeZone": "UTC", "time_zone": "Europe/Berlin"})
    assert twice.status == 400
    assert "given twice" in twice.json["error"]["message"]


def test_the_fields_that_are_read_have_the_types_of_the_discovery_document() -> None:
    document = json.loads((DOCUMENTS / "healthcare.v1.json").read_bytes())
    schemas = document["schemas"]
    tables = {
        "Dataset": DATASET_FIELDS,
        "DicomStore": DICOM_STORE,
        "FhirStore": FHIR_STORE,
        "SetIamPolicyRequest": SET_POLICY,
        "TestIamPermissionsRequest": TEST_PERMISSIONS,
        "SetBlobStorageSettingsRequest": SET_BLOB_STORAGE,
    }
    is_complete = document["revision"] >= COMPLETE
    for name, fields in tables.items():
        if name not in schemas and not is_complete:
            continue
        ours, theirs = described(fields), published(schemas, {"$ref": name})
        if not is_complete:
            ours = as_far_as(ours, theirs)
        assert ours == theirs, name


def as_far_as(ours: Any, theirs: Any) -> Any:
    """Return a description without the fields and choices that an older document lacks."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {name: as_far_as(field, theirs[name]) for name, field in ours.items() if name in theirs}
    if isinstance(ours, list) and isinstance(theirs, list):
        return [as_far_as(ours[0], theirs[0])]
    return ours & theirs if isinstance(ours, frozenset) and isinstance(theirs, frozenset) else ours


def described(kind: FieldType) -> Any:
    match kind:
        case Scalar():
            return kind.value
        case Choice():
            return kind.values
        case ListOf():
            return [described(kind.item)]
        case MapOf():
            return {"*": described(kind.value)}
        case _:
            return {name: described(field) for name, field in kind.items() if name not in NOT_READ}


def published(schemas: Mapping[str, Any], field: Mapping[str, Any]) -> Any:
    if "$ref" in field:
        fields = schemas[field["$ref"]]["properties"]
        return {name: published(schemas, inner) for name, inner in fields.items() if name not in NOT_READ}
    if field["type"] == "array":
        return [published(schemas, field["items"])]
    if field["type"] == "object":
        return {"*": published(schemas, field["additionalProperties"])}
    if "enum" in field:
        return frozenset(field["enum"])
    names = {"string": "TYPE_STRING", "boolean": "TYPE_BOOL", "integer": "TYPE_INT32"}
    return "TYPE_BYTES" if field.get("format") == "byte" else names[field["type"]]
