"""Faults planned by a test, and their effect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.emulator import Emulator
from healthcare_deid.testing.clock import FakeClock
from healthcare_deid.testing.faults import FaultPlan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.emulator.conftest import Lab

DATASET = "projects/MyProj/locations/us-central1/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
CLEAN = "projects/MyProj/locations/us-central1/datasets/clean"
BODY = {"destinationDataset": CLEAN, "config": {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}}


def test_a_method_fails_as_often_as_planned_and_no_other_does(lab: Lab) -> None:
    lab.emulator.faults.fail("datasets.get", times=2, status=503, after=1)
    assert [lab.get(DATASET).status for _ in range(4)] == [200, 503, 503, 200]
    assert lab.get(f"{DATASET}/dicomStores").status == 200


def test_the_error_has_the_services_form(lab: Lab) -> None:
    lab.emulator.faults.fail("dicomStores.get", status=429, message="Quota exceeded")
    error = lab.get(STORE).json["error"]
    assert error == {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}


def test_a_connection_is_dropped_before_or_after_the_call_is_executed(lab: Lab) -> None:
    lab.emulator.faults.drop("datasets.deidentify")
    with pytest.raises(ConnectionResetError):
        lab.post(f"{DATASET}:deidentify", BODY)
    assert lab.get(CLEAN).status == 403
    lab.emulator.faults.drop("datasets.deidentify", acted=True)
    with pytest.raises(ConnectionResetError):
        lab.post(f"{DATASET}:deidentify", BODY)
    assert lab.get(CLEAN).status == 200


def test_a_delay_passes_on_the_emulators_clock(tmp_path: Path, make_lab: Callable[[Emulator], Lab]) -> None:
    clock = FakeClock()
    faults = FaultPlan()
    faults.delay("datasets.create", 90)
    with Emulator(tmp_path / "lab", clock=clock, faults=faults) as emulator:
        make_lab(emulator).create_dataset()
    assert clock.slept == [90]


def test_operations_can_appear_to_run_for_some_polls(lab: Lab) -> None:
    lab.emulator.faults.hold_operations(polls=2)
    name = lab.post(f"{DATASET}:deidentify", BODY).json["name"]
    assert lab.emulator.settle(30)
    polls = [lab.get(name).json for _ in range(3)]
    assert [poll.get("done", False) for poll in polls] == [False, False, True]
    assert "endTime" not in polls[0]["metadata"]


def test_chosen_instances_fail(lab: Lab, dicom_bytes: Any) -> None:
    for uid in ("1.1", "1.2", "1.3"):
        lab.store(dicom_bytes(SOPInstanceUID=uid))
    lab.emulator.faults.fail_instances("1.2", message="planned")
    operation = lab.finished(lab.post(f"{DATASET}:deidentify", BODY).json["name"])
    assert operation["metadata"]["counter"] == {"success": "2", "failure": "1"}
    lab.emulator.faults.clear()
    lab.emulator.faults.fail_instances(times=2)
    target = lab.create_store(name="clean")
    body = {"destinationStore": target, "config": BODY["config"]}
    operation = lab.finished(lab.post(f"{STORE}:deidentify", body).json["name"])
    assert operation["metadata"]["counter"] == {"success": "1", "failure": "2"}


def test_an_operation_ends_with_an_error_and_writes_nothing(lab: Lab, dicom_bytes: Any) -> None:
    lab.store(dicom_bytes(SOPInstanceUID="1.1"))
    lab.emulator.faults.fail_operations(code=7, message="planned")
    failed = lab.finished(lab.post(f"{DATASET}:deidentify", BODY).json["name"])
    assert failed["error"] == {"code": 7, "message": "planned"}
    assert "response" not in failed
    target = lab.create_store(name="clean")
    body = {"destinationStore": target, "config": BODY["config"]}
    again = lab.finished(lab.post(f"{STORE}:deidentify", body).json["name"])
    assert again["metadata"]["counter"] == {"success": "1"}


def test_an_operation_s_failure_is_planned_over_http_too(lab: Lab) -> None:
    lab.http.request("http://localhost/_emulator/faults", "POST", json.dumps({"kind": "operation", "code": 9}))
    assert lab.finished(lab.post(f"{DATASET}:deidentify", BODY).json["name"])["error"]["code"] == 9


def test_a_method_that_does_not_exist_cannot_be_planned(lab: Lab) -> None:
    with pytest.raises(ValueError, match=r"operation\.get"):
        lab.emulator.faults.fail("operation.get")
    plan = FaultPlan()
    plan.fail("datasets.gett")
    with pytest.raises(ValueError, match="gett"):
        Emulator(lab.emulator.data_dir.parent / "other", faults=plan)
    with pytest.raises(ValueError, match="SOP Instance UIDs"):
        plan.fail_instances()
    with pytest.raises(ValueError, match="400 to 599"):
        plan.fail("*", status=200)
    with pytest.raises(ValueError, match=r"google\.rpc\.Code"):
        plan.fail_operations(code=0)


def test_faults_are_planned_listed_and_cleared_over_http(lab: Lab) -> None:
    def call(method: str, body: Any = None) -> tuple[int, Any]:
        response, content = lab.http.request("http://localhost/_emulator/faults", method, body and json.dumps(body))
        return response.status, json.loads(content)

    status, listed = call("POST", {"kind": "fail", "method": "datasets.get", "left": 1, "status": 500})
    assert (status, listed["faults"][0]["status"]) == (200, 500)
    assert [lab.get(DATASET).status for _ in range(2)] == [500, 200]
    call("POST", {"kind": "drop", "method": "*", "left": None})
    call("DELETE")
    assert call("GET") == (200, {"faults": []})
    for wrong in (
        {"kind": "explode"},
        {"kind": "fail", "method": "nothing.like.it"},
        {"kind": "fail", "status": "500"},
        {"kind": "fail", "colour": 1},
        ["fail"],
    ):
        assert call("POST", wrong)[0] == 400, wrong
