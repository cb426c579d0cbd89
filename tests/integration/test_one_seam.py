"""The same user code against googleapiclient's own mocks, the in-process emulator, and (elsewhere) a port."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from googleapiclient.http import HttpMockSequence, RequestMockBuilder

from healthcare_deid import DeidClient, presets
from healthcare_deid.emulator import Emulator
from healthcare_deid.testing import write_samples

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "projects/MyProj/locations/us-central1/datasets/dataset1"
OPERATION = f"{SOURCE}/operations/1234567890"


def nightly_job(client: DeidClient) -> tuple[str, int]:
    """What a user wrote: it knows nothing of how the client is connected."""
    operation = client.deidentify_dataset("dataset1", "clean", presets.remove_metadata_and_all_text())
    operation.wait(timeout=120)
    operation.result(raise_on_partial=True)
    return operation.state.value, operation.progress.success


def test_user_code_runs_against_a_mocked_sequence_of_replies() -> None:
    done = {"name": OPERATION, "done": True, "metadata": {"counter": {"success": "5"}}, "response": {}}
    http = HttpMockSequence(
        [({"status": "200"}, json.dumps({"name": OPERATION})), ({"status": "200"}, json.dumps(done))]
    )
    client = DeidClient(project="MyProj", location="us-central1", http=http)
    assert nightly_job(client) == ("SUCCEEDED", 5)
    (uri, method, body, _), poll = http.request_sequence
    assert (uri.split("?")[0], method) == (f"https://healthcare.googleapis.com/v1/{SOURCE}:deidentify", "POST")
    assert json.loads(body)["destinationDataset"] == SOURCE.replace("dataset1", "clean")
    assert poll[0].split("?")[0] == f"https://healthcare.googleapis.com/v1/{OPERATION}"


def test_user_code_runs_against_googleapiclients_request_mock_builder() -> None:
    done = {"name": OPERATION, "done": True, "metadata": {"counter": {"success": "5"}}, "response": {}}
    builder = RequestMockBuilder(
        {"healthcare.projects.locations.datasets.deidentify": (None, json.dumps(done))}, check_unexpected=True
    )
    client = DeidClient(project="MyProj", location="us-central1", request_builder=builder)
    assert nightly_job(client) == ("SUCCEEDED", 5)


def test_user_code_runs_against_the_emulator_in_process(tmp_path: Path) -> None:
    with Emulator(tmp_path / "lab") as emulator:
        client = DeidClient(project="MyProj", location="us-central1", http=emulator.http())
        client.create_dataset("dataset1").result()
        client.create_dicom_store("dataset1/store")
        client.upload("dataset1/store", write_samples(tmp_path / "scans"))
        assert nightly_job(client) == ("SUCCEEDED", 5)
