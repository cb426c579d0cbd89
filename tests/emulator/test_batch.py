"""The batch endpoint, used by Google's Python client and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from googleapiclient.discovery import build_from_document
from googleapiclient.http import BatchHttpRequest

if TYPE_CHECKING:
    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"


def test_googles_client_sends_several_calls_at_once(lab: Lab) -> None:
    document = lab.http.request("http://localhost/$discovery/rest?version=v1")[1]
    service = build_from_document(document.decode(), http=lab.http)
    datasets = service.projects().locations().datasets()
    answers: dict[str, Any] = {}

    def keep(identifier: str, answer: Any, error: Any) -> None:
        answers[identifier] = error or answer

    batch = BatchHttpRequest(callback=keep, batch_uri="http://localhost/batch")
    batch.add(datasets.get(name=DATASET), request_id="good")
    batch.add(datasets.get(name=f"{LOCATION}/datasets/none"), request_id="missing")
    batch.add(datasets.create(parent=LOCATION, datasetId="dataset2", body={"timeZone": "UTC"}), request_id="made")
    batch.execute(http=lab.http)
    assert answers["good"]["name"] == DATASET
    assert answers["missing"].resp.status == 403
    assert answers["made"]["done"]
    assert lab.get(f"{LOCATION}/datasets/dataset2").json["timeZone"] == "UTC"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/mixed; boundary=b", b"--b--\r\n"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Type: text/plain\r\n\r\nGET / HTTP/1.1\r\n--b--\r\n"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Type: application/http\r\n\r\nGET\r\n--b--\r\n"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Type: application/http\r\n\r\nPOST /batch HTTP/1.1\r\n--b--"),
        ("application/json", b"{}"),
        ("", b""),
    ],
)
def test_an_invalid_batch_is_refused(lab: Lab, kind: str, body: bytes) -> None:
    response, _ = lab.http.request("http://localhost/batch", "POST", body, {"content-type": kind})
    assert response.status == 400
