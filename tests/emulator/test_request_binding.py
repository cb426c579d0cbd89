"""Google's API layer: query parameters beside a body, field masks, etags, page sizes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
TOPIC = "projects/my-project/topics/t1"
KEEP = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}


class TestQueryParameters:
    @pytest.mark.parametrize("name", ["destinationDataset", "destination_dataset"])
    def test_a_parameter_sets_a_field_of_the_request_beside_a_body(self, lab: Lab, name: str) -> None:
        query = urlencode({name: f"{LOCATION}/datasets/clean"})
        assert lab.post(f"{DATASET}:deidentify?{query}", {"config": KEEP}).status == 200
        assert lab.emulator.settle(60)
        assert lab.get(f"{LOCATION}/datasets/clean").status == 200

    def test_a_parameter_can_name_a_field_of_a_field(self, lab: Lab) -> None:
        query = urlencode({"config.dicom.filterProfile": "NO_SUCH_PROFILE"})
        answer = lab.post(f"{DATASET}:deidentify?{query}", {"destinationDataset": f"{LOCATION}/datasets/clean"})
        assert answer.status == 400
        assert "filterProfile" in answer.json["error"]["message"]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", f"{LOCATION}/datasets?nonsense=1"),
            ("GET", f"{STORE}?pageSize=1"),
            ("POST", f"{LOCATION}/datasets?datasetId=d2&nonsense=1"),
            ("POST", f"{DATASET}:deidentify?nonsense=1"),
            ("POST", f"{STORE}:import?nonsense=1"),
            ("DELETE", f"{STORE}?force=true"),
            ("GET", f"{STORE}/dicomWeb/studies/1.2/metadata?limit=1"),
        ],
    )
    def test_an_unknown_parameter_is_refused(self, lab: Lab, method: str, path: str) -> None:
        answer = lab.call(method, path)
        assert answer.status == 400
        assert "Cannot bind query parameter" in answer.json["error"]["message"]
        assert lab.get(STORE).status == 200

    @pytest.mark.parametrize("query", ["alt=json&key=k", "$.xgafv=1", "prettyPrint=false&quotaUser=u"])
    def test_parameters_of_every_google_api_are_known(self, lab: Lab, query: str) -> None:
        assert lab.get(f"{DATASET}?{query}").status == 200


class TestUpdateMasks:
    def test_a_mask_may_name_a_field_of_a_field(self, lab: Lab) -> None:
        mask = "notificationConfig.pubsubTopic"
        answer = lab.call("PATCH", f"{STORE}?updateMask={mask}", {"notificationConfig": {"pubsubTopic": TOPIC}})
        assert answer.status == 200
        assert lab.get(STORE).json["notificationConfig"] == {"pubsubTopic": TOPIC}

    def test_a_field_beside_the_masked_one_stays(self, lab: Lab) -> None:
        whole = {"notificationConfig": {"pubsubTopic": TOPIC, "sendForBulkImport": True}, "labels": {"a": "1"}}
        lab.call("PATCH", f"{STORE}?updateMask=notificationConfig,labels", whole)
        changed = {"notification_config": {"pubsub_topic": "projects/p/topics/t2"}, "labels": {"b": "2"}}
        assert lab.call("PATCH", f"{STORE}?updateMask=labels.b", changed).json["labels"] == {"a": "1", "b": "2"}
        assert lab.call("PATCH", f"{STORE}?updateMask=labels.a", {}).json["labels"] == {"b": "2"}

    def test_snake_case_and_a_star_are_masks_too(self, lab: Lab) -> None:
        body = {"notificationConfig": {"pubsubTopic": TOPIC}, "labels": {"a": "1"}}
        assert lab.call("PATCH", f"{STORE}?updateMask=notification_config", body).json.get("labels") is None
        assert lab.call("PATCH", f"{STORE}?update_mask=*", body).json["labels"] == {"a": "1"}

    @pytest.mark.parametrize("mask", ["", "name", "labels,nonsense", "version", ".", "labels..a"])
    def test_a_mask_of_an_immutable_field_is_refused(self, lab: Lab, mask: str) -> None:
        answer = lab.call("PATCH", f"{STORE}?updateMask={mask}", {"labels": {"a": "1"}})
        assert answer.status == 400

    @pytest.mark.parametrize(
        ("mask", "shown"),
        [
            ("name,labels/a", {"name": STORE, "labels": {"a": "1"}}),
            ("labels.b", {"labels": {"b": "2"}}),
            ("*", {"name": STORE, "labels": {"a": "1", "b": "2"}}),
            ("labels(a,b)", {"labels": {"a": "1", "b": "2"}}),
        ],
    )
    def test_the_fields_parameter_takes_sub_fields_in_every_spelling(
        self, lab: Lab, mask: str, shown: dict[str, Any]
    ) -> None:
        lab.call("PATCH", f"{STORE}?updateMask=labels", {"labels": {"a": "1", "b": "2"}})
        assert lab.get(f"{STORE}?fields={mask}").json == shown

    def test_a_mask_of_a_policy_leaves_its_other_fields(self, lab: Lab) -> None:
        audit = [{"service": "allServices"}]
        binding = {"role": "roles/viewer", "members": ["user:a@example.com"]}
        lab.post(f"{DATASET}:setIamPolicy", {"policy": {"bindings": [binding], "auditConfigs": audit}})
        changed = lab.post(f"{DATASET}:setIamPolicy", {"policy": {"bindings": []}, "updateMask": "bindings"})
        assert changed.json.get("bindings") is None
        assert changed.json["auditConfigs"] == audit
        stale = {"bindings": [binding], "etag": base64.b64encode(b"older").decode()}
        assert lab.post(f"{DATASET}:setIamPolicy", {"policy": stale, "updateMask": "bindings"}).status == 409
        wrong = lab.post(f"{DATASET}:setIamPolicy", {"policy": {}, "updateMask": "members"})
        assert wrong.status == 400


class TestEtags:
    @pytest.mark.parametrize("url_safe", [True, False])
    @pytest.mark.parametrize("padding", [True, False])
    def test_an_etag_is_compared_by_its_bytes(self, lab: Lab, url_safe: bool, padding: bool) -> None:
        for number in range(40):  # some of them have a letter that differs between the alphabets
            policy = lab.get(f"{DATASET}:getIamPolicy").json
            etag = policy["etag"].replace("+", "-").replace("/", "_") if url_safe else policy["etag"]
            policy |= {"etag": etag if padding else etag.rstrip("=")}
            policy["bindings"] = [{"role": "roles/viewer", "members": [f"user:u{number}@example.com"]}]
            assert lab.post(f"{DATASET}:setIamPolicy", {"policy": policy}).status == 200

    def test_the_etag_of_another_version_is_refused(self, lab: Lab) -> None:
        policy = lab.get(f"{DATASET}:getIamPolicy").json
        lab.post(f"{DATASET}:setIamPolicy", {"policy": {"bindings": []}})
        lab.post(f"{DATASET}:setIamPolicy", {"policy": {"bindings": [{"role": "r", "members": ["user:a@b.c"]}]}})
        assert lab.post(f"{DATASET}:setIamPolicy", {"policy": policy}).status == 409
        nonsense = {"policy": {"etag": base64.b64encode(b"another").decode()}}
        assert lab.post(f"{DATASET}:setIamPolicy", nonsense).status == 409
        assert lab.post(f"{DATASET}:setIamPolicy", {"policy": {"etag": "~"}}).status == 400


def test_every_list_has_pages(lab: Lab) -> None:
    lab.create_dataset("dataset2")
    lab.create_store(DATASET, "dicomstore2")
    for path, key in (
        ("projects/MyProj/locations", "locations"),
        (f"{LOCATION}/datasets", "datasets"),
        (f"{DATASET}/dicomStores", "dicomStores"),
    ):
        first = lab.get(f"{path}?pageSize=1").json
        assert len(first[key]) == 1
        second = lab.get(f"{path}?page_size=1&pageToken={first['nextPageToken']}").json
        assert second[key] != first[key]


@pytest.mark.parametrize("token", ["x", "99999999999999999999999999", base64.urlsafe_b64encode(b"9" * 30).decode()])
def test_an_invented_page_token_is_refused(lab: Lab, token: str) -> None:
    assert lab.get(f"{DATASET}/operations?pageToken={token}").status == 400
