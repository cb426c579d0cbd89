"""Datasets, stores, operations and IAM over REST."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.emulator.http.request import Request

if TYPE_CHECKING:
    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"


def documented_methods(version: str) -> dict[str, tuple[str, str]]:
    """Return verb and path of every method of the bundled discovery document."""
    text = files("googleapiclient.discovery_cache.documents").joinpath(f"healthcare.{version}.json").read_text()
    found: dict[str, tuple[str, str]] = {}

    def walk(resource: dict[str, Any]) -> None:
        for method in resource.get("methods", {}).values():
            found[method["id"].removeprefix("healthcare.")] = (method["httpMethod"], method["flatPath"])
        for inner in resource.get("resources", {}).values():
            walk(inner)

    walk(json.loads(text))
    return found


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_every_route_is_a_method_of_the_api_with_its_verb_and_path(empty_lab: Lab, version: str) -> None:
    documented = documented_methods(version)
    checked = 0
    for route in empty_lab.emulator.routes():
        if version not in route.versions or ("bulkdata" in route.method_id and route.method_id not in documented):
            continue
        verb, path = documented[route.method_id]
        assert route.verb == verb, route.method_id
        shape = [part if not part.startswith("{") else "{}" for part in route.template.split(":")[0].split("/")]
        wanted = path.removeprefix(f"{version}/").split(":")[0].split("/")
        assert len(shape) <= len(wanted) or "*" in route.template or "dicomWeb" in path, route.method_id
        checked += 1
    assert checked > 50


class TestDatasets:
    def test_creating_a_dataset_returns_a_done_operation_with_it(self, empty_lab: Lab) -> None:
        answer = empty_lab.post(f"{LOCATION}/datasets?datasetId=dataset1", {"timeZone": "America/New_York"})
        assert answer.json["done"] is True
        assert answer.json["name"].startswith(f"{DATASET}/operations/")
        assert answer.json["response"] == {
            "@type": "type.googleapis.com/google.cloud.healthcare.v1.dataset.Dataset",
            "name": DATASET,
            "timeZone": "America/New_York",
        }
        assert empty_lab.get(DATASET).json == {"name": DATASET, "timeZone": "America/New_York"}

    def test_a_second_resource_of_the_same_name_is_a_conflict(self, lab: Lab) -> None:
        answer = lab.post(f"{LOCATION}/datasets?datasetId=dataset1", {})
        assert (answer.status, answer.json["error"]["status"]) == (409, "ALREADY_EXISTS")

    @pytest.mark.parametrize("name", ["", "a%2Fb", "a%20b", "x" * 257, ".."])
    def test_an_impossible_id_is_refused(self, empty_lab: Lab, name: str) -> None:
        assert empty_lab.post(f"{LOCATION}/datasets?datasetId={name}", {}).status == 400

    def test_a_missing_dataset_is_forbidden_not_missing(self, empty_lab: Lab) -> None:
        answer = empty_lab.get(DATASET)
        assert (answer.status, answer.json["error"]["status"]) == (403, "PERMISSION_DENIED")

    def test_they_are_listed_in_pages_by_name_and_project(self, empty_lab: Lab) -> None:
        for name in ("b", "a", "c"):
            empty_lab.create_dataset(name)
        assert empty_lab.get("projects/Other/locations/us-central1/datasets").json == {}
        first = empty_lab.get(f"{LOCATION}/datasets?pageSize=2").json
        assert [item["name"][-1] for item in first["datasets"]] == ["a", "b"]
        rest = empty_lab.get(f"{LOCATION}/datasets?pageSize=2&pageToken={first['nextPageToken']}").json
        assert [item["name"][-1] for item in rest["datasets"]] == ["c"]
        assert "nextPageToken" not in rest

    def test_only_the_time_zone_can_be_changed_by_mask(self, lab: Lab) -> None:
        changed = lab.call("PATCH", f"{DATASET}?updateMask=timeZone", {"timeZone": "Europe/Paris"})
        assert changed.json == {"name": DATASET, "timeZone": "Europe/Paris"}
        assert lab.call("PATCH", f"{DATASET}?updateMask=name", {"name": "x"}).status == 400
        assert lab.call("PATCH", f"{DATASET}?updateMask=time_zone", {"time_zone": "Nowhere/Land"}).status == 400

    def test_deleting_a_dataset_deletes_its_stores_and_files(self, lab: Lab, dicom_bytes: Any) -> None:
        lab.store(dicom_bytes())
        assert lab.call("DELETE", DATASET).json == {}
        assert lab.get(DATASET).status == 403
        assert not list((lab.emulator.data_dir / "instances").rglob("*.dcm"))
        lab.create_dataset()
        assert lab.get(STORE).status == 404


class TestStores:
    def test_a_store_keeps_its_labels_and_is_listed_by_them(self, lab: Lab) -> None:
        lab.post(f"{DATASET}/dicomStores?dicomStoreId=red", {"labels": {"colour": "red", "size": "big"}})
        lab.post(f"{DATASET}/dicomStores?dicomStoreId=blue", {"labels": {"colour": "blue"}})
        listed = lab.get(f"{DATASET}/dicomStores?filter=labels.colour%3Dred").json["dicomStores"]
        assert [item["name"] for item in listed] == [f"{DATASET}/dicomStores/red"]
        changed = lab.call("PATCH", f"{DATASET}/dicomStores/red?updateMask=labels", {"labels": {"colour": "green"}})
        assert changed.json["labels"] == {"colour": "green"}
        assert lab.get(f"{DATASET}/dicomStores?filter=name%3Dred").status == 400

    def test_a_missing_store_is_not_found_and_its_missing_dataset_forbidden(self, lab: Lab) -> None:
        assert lab.get(f"{DATASET}/dicomStores/none").status == 404
        assert lab.get(f"{LOCATION}/datasets/none/dicomStores/none").status == 403

    def test_metrics_count_what_is_stored(self, lab: Lab, dicom_bytes: Any) -> None:
        for series in ("1.1", "1.2"):
            lab.store(dicom_bytes(StudyInstanceUID="1", SeriesInstanceUID=series))
        metrics = lab.get(f"{STORE}:getDICOMStoreMetrics").json
        assert (metrics["studyCount"], metrics["seriesCount"], metrics["instanceCount"]) == ("1", "2", "2")
        assert int(metrics["blobStorageSizeBytes"]) > 2 * 32768

    def test_fhir_stores_can_be_created_listed_and_deleted(self, lab: Lab) -> None:
        made = lab.post(f"{DATASET}/fhirStores?fhirStoreId=f", {"version": "R4", "enableUpdateCreate": True})
        assert made.json["version"] == "R4"
        assert lab.get(f"{DATASET}/fhirStores").json["fhirStores"] == [made.json]
        assert lab.call("DELETE", f"{DATASET}/fhirStores/f").json == {}
        assert lab.get(f"{DATASET}/fhirStores/f").status == 404

    def test_a_field_that_a_store_does_not_have_is_refused(self, lab: Lab) -> None:
        answer = lab.post(f"{DATASET}/dicomStores?dicomStoreId=x", {"label": {}})
        assert answer.status == 400
        assert "Unknown name" in answer.json["error"]["message"]


class TestIam:
    def test_a_policy_is_kept_and_changes_its_etag(self, lab: Lab) -> None:
        empty = lab.get(f"{STORE}:getIamPolicy").json
        binding = {"role": "roles/healthcare.dicomViewer", "members": ["user:a@example.com"]}
        body = {"policy": {"bindings": [binding], "etag": empty["etag"]}}
        written = lab.post(f"{STORE}:setIamPolicy", body).json
        assert written["bindings"] == [binding]
        assert written["etag"] != empty["etag"]
        assert lab.get(f"{STORE}:getIamPolicy").json == written

    def test_overwriting_an_unseen_change_is_refused(self, lab: Lab) -> None:
        stale = lab.get(f"{DATASET}:getIamPolicy").json["etag"]
        lab.post(f"{DATASET}:setIamPolicy", {"policy": {"bindings": [{"role": "roles/viewer", "members": []}]}})
        answer = lab.post(f"{DATASET}:setIamPolicy", {"policy": {"bindings": [], "etag": stale}})
        assert (answer.status, answer.json["error"]["status"]) == (409, "ABORTED")

    def test_a_caller_has_the_permissions_it_asks_for(self, lab: Lab) -> None:
        asked = {"permissions": ["healthcare.datasets.get"]}
        assert lab.post(f"{DATASET}:testIamPermissions", asked).json == asked


class TestErrors:
    def test_they_have_the_services_form_and_the_older_one_on_request(self, lab: Lab) -> None:
        error = lab.get(f"{DATASET}/dicomStores/none").json["error"]
        assert error.keys() == {"code", "message", "status"}
        older = lab.get(f"{DATASET}/dicomStores/none?$.xgafv=1").json["error"]
        assert older["errors"][0]["reason"] == "notFound"

    @pytest.mark.parametrize("path", ["", "nowhere", "projects", f"{DATASET}:explode", f"{DATASET}/operations"])
    def test_a_method_that_does_not_exist_is_not_found(self, lab: Lab, path: str) -> None:
        assert lab.call("DELETE" if "operations" in path else "POST", path, {}).status == 404

    def test_bodies_that_are_not_objects_or_too_large_are_refused(self, lab: Lab) -> None:
        for body in (b"[1]", b"{'a':", b"\xff\xfe", b'"text"'):
            assert lab.call("POST", f"{DATASET}:deidentify", body).status == 400
        answer = lab.call("POST", f"{DATASET}:deidentify", b" " * (10 * 1024 * 1024 + 1))
        assert "exceeds the limit" in answer.json["error"]["message"]

    def test_invalid_paging_is_refused(self, lab: Lab) -> None:
        for query in ("pageSize=-1", "pageSize=x", "pageToken=%00", "pageToken=!"):
            assert lab.get(f"{DATASET}/operations?{query}").status == 400


class TestSystemParameters:
    def test_the_fields_parameter_selects_fields_of_a_reply(self, lab: Lab) -> None:
        listed = lab.get(f"{DATASET}/operations?fields=operations(name,metadata/createTime)").json
        assert listed["operations"][0].keys() == {"name", "metadata"}
        assert listed["operations"][0]["metadata"].keys() == {"createTime"}
        assert lab.get(f"{DATASET}?fields=a(").status == 400

    def test_pretty_print_can_be_turned_off(self, lab: Lab) -> None:
        assert b"\n" in lab.get(DATASET).body
        assert b"\n" not in lab.get(f"{DATASET}?prettyPrint=false").body
        assert b"\n" not in lab.get(f"{DATASET}?$prettyPrint=false").body

    def test_a_query_too_long_for_a_url_may_come_in_the_body(self, lab: Lab) -> None:
        headers = {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
        answer = lab.call("POST", f"{LOCATION}/datasets", b"pageSize=1&alt=json", headers=headers)
        assert [item["name"] for item in answer.json["datasets"]] == [DATASET]

    def test_they_are_not_search_filters(self, lab: Lab) -> None:
        query = "alt=json&fields=&prettyPrint=true&key=k&$.xgafv=2&quotaUser=u"
        assert lab.get(f"{STORE}/dicomWeb/studies?{query}").status == 204


class TestLenientJson:
    @pytest.mark.parametrize(
        "body",
        [
            "{'destinationDataset': '%s', 'config': {'dicom': {}}}",
            '{"destination_dataset": "%s", "config": {"dicom": {"skip_id_redaction": "True"}}}',
            '{"destinationDataset": "%s", "config": {"dicom": {},},}',
        ],
    )
    def test_lenient_json_is_accepted_as_by_the_service(self, lab: Lab, body: str) -> None:
        answer = lab.post(f"{DATASET}:deidentify", body % f"{LOCATION}/datasets/clean")
        assert answer.status == 200, answer.body


class TestControl:
    def test_health_identifies_the_emulator(self, lab: Lab) -> None:
        response, body = lab.http.request("http://localhost/_emulator/health")
        assert (response.status, json.loads(body)["status"]) == (200, "ok")

    def test_reset_deletes_everything(self, lab: Lab, dicom_bytes: Any) -> None:
        lab.store(dicom_bytes())
        lab.emulator.faults.fail("datasets.get", times=None)
        assert lab.http.request("http://localhost/_emulator/reset", "POST")[0].status == 200
        assert lab.get(DATASET).status == 403
        assert lab.emulator.faults.pending == ()

    def test_the_discovery_document_has_the_emulators_address(self, lab: Lab) -> None:
        response, body = lab.http.request("http://localhost:8085/$discovery/rest?version=v1beta1")
        assert response.status == 200
        assert json.loads(body)["rootUrl"] == "http://localhost:8085/"
        assert lab.http.request("http://localhost/$discovery/rest?version=../../x")[0].status == 404


def test_locations_can_be_listed_and_read(empty_lab: Lab) -> None:
    assert empty_lab.get(LOCATION).json == {"name": LOCATION, "locationId": "us-central1"}
    listed = empty_lab.get("projects/MyProj/locations").json["locations"]
    assert "us-central1" in {item["locationId"] for item in listed}


def test_a_project_id_may_have_a_colon() -> None:
    from healthcare_deid.emulator import Emulator

    with Emulator(None) as emulator:
        made = emulator.handle(
            Request.of("POST", "/v1/projects/example.com:p/locations/us-central1/datasets?datasetId=d")
        )
        assert made.status == 200
        got = emulator.handle(Request.of("GET", "/v1/projects/example.com%3Ap/locations/us-central1/datasets/d"))
        assert json.loads(got.body)["name"] == "projects/example.com:p/locations/us-central1/datasets/d"
