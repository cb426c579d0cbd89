"""Uploads and downloads account for every file, and one failure stops no other."""

from __future__ import annotations

import io
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidClient, RetryPolicy, errors
from healthcare_deid.client.transfers.store_response import read_answer
from healthcare_deid.testing import write_samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.client.transfers.report import TransferReport
    from healthcare_deid.testing import FakeClock

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"
DICOM = b"\0" * 128 + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + b"\0" * 16
UID = "1.2.3"
STORED: dict[str, Any] = {"00081199": {"vr": "SQ", "Value": [{}]}}


def refusal(reason: int, detail: str, *, uid: str = UID) -> dict[str, Any]:
    item = {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [reason]}}
    if detail:
        item["00090097"] = {"vr": "LO", "Value": [detail]}
    return {"00081198": {"vr": "SQ", "Value": [item]}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three files that look like DICOM."""
    for name in ("a.dcm", "b.dcm", "c.dcm"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(DICOM + name.encode())
    return tmp_path / "in"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeidClient]:
    """Return a client of an emulator with one store."""
    with DeidClient.local(tmp_path_factory.mktemp("lab")) as client:
        client.create_dataset("d").result(timeout=30)
        client.create_dicom_store("d/s")
        yield client


def test_files_are_uploaded_and_downloaded_unchanged(lab: DeidClient, tmp_path: Path) -> None:
    paths = write_samples(tmp_path / "in")
    reports: list[TransferReport] = []
    report = lab.upload("d/s", tmp_path / "in", on_progress=reports.append)
    assert (report.succeeded, report.complete) == (len(paths), True)
    assert report.bytes == sum(path.stat().st_size for path in paths)
    assert reports[-1].succeeded == len(paths)
    back = lab.download("d/s", tmp_path / "out")
    assert (back.succeeded, back.complete) == (len(paths), True)
    written = {path.read_bytes() for path in (tmp_path / "out").rglob("*.dcm")}
    assert written == {path.read_bytes() for path in paths}
    assert lab.download("d/s", tmp_path / "out").skipped == len(paths), "what is there is whole"
    again = lab.upload("d/s", [str(path) for path in paths])
    assert again.complete, "the same bytes again are no conflict"


def test_other_bytes_with_the_same_uids_are_a_conflict_and_junk_is_invalid(lab: DeidClient, tmp_path: Path) -> None:
    paths = write_samples(tmp_path / "in")
    lab.upload("d/s", paths)
    import pydicom

    changed = pydicom.dcmread(paths[0])
    changed.AccessionNumber = "CHANGED"
    changed.save_as(paths[0])
    (tmp_path / "in" / "notes.txt").write_text("patient Smith called")
    (tmp_path / "in" / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 200)
    report = lab.upload("d/s", tmp_path / "in")
    assert (report.conflicts, report.invalid, report.failed) == (1, 2, 0)
    assert report.succeeded == len(paths) - 1
    kinds = {Path(failure.item).name: failure.kind for failure in report.failures}
    assert kinds == {paths[0].name: "conflict", "notes.txt": "invalid", "broken.dcm": "invalid"}


def test_dicomweb_client_works_over_the_same_connection(lab: DeidClient, tmp_path: Path) -> None:
    lab.upload("d/s", write_samples(tmp_path))
    web = lab.dicomweb("d/s")
    found = web.search_for_instances(limit=1)
    study, series, instance = (found[0][tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    dataset = web.retrieve_instance(study, series, instance)
    assert dataset.SOPInstanceUID == instance
    with pytest.raises(errors.NotFound):
        web.retrieve_instance("1.2.3", "1.2.3", "1.2.3")


def test_a_file_that_is_not_dicom_is_not_sent(server: Any, client: DeidClient, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("not for the network")
    (tmp_path / "DICOMDIR").write_bytes(DICOM)
    report = client.upload("d/s", tmp_path)
    assert (report.invalid, report.skipped) == (1, 1)
    assert server.seen == []


def test_one_file_that_fails_does_not_stop_the_others(server: Any, client: DeidClient, folder: Path) -> None:
    def store(request: Any) -> Any:
        return server.error(400) if request.body.endswith(b"b.dcm") else server.answer(200, STORED)

    server.on("POST", "/dicomWeb/studies", store)
    report = client.upload("d/s", folder)
    assert (report.succeeded, report.invalid) == (2, 1)
    assert server.seen[0].headers["content-type"] == "application/dicom"


@pytest.mark.parametrize("trouble", ["drop", "503", "429", "an HTML 502"])
def test_storing_again_after_a_failure_is_safe(
    server: Any, client: DeidClient, clock: FakeClock, folder: Path, trouble: str
) -> None:
    server.on("POST", "", trouble, trouble, server.answer(200, STORED))
    report = client.upload("d/s", folder / "a.dcm")
    assert report.succeeded == 1
    assert len(clock.slept) == 2


def test_a_permanent_failure_is_counted(server: Any, client: DeidClient, folder: Path) -> None:
    server.on("POST", "", "503")
    report = client.upload("d/s", folder, retry=RetryPolicy.never())
    assert (report.succeeded, report.failed) == (0, 3)
    assert "503" in report.failures[0].reason


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_store_that_refuses_everything_stops_the_transfer_and_keeps_the_report(
    server: Any, client: DeidClient, folder: Path, status: str
) -> None:
    server.on("POST", "", server.answer(200, STORED), status)
    with pytest.raises(errors.TransferError) as caught:
        client.upload("d/s", folder, parallel=1)
    assert caught.value.report.succeeded == 1
    assert isinstance(caught.value.__cause__, errors.ApiError)


def test_a_missing_store_is_an_error_not_a_report(server: Any, client: DeidClient, folder: Path) -> None:
    server.on("POST", "", "404")
    with pytest.raises(errors.TransferError) as caught:
        client.upload("d/s", folder)
    assert isinstance(caught.value.__cause__, errors.NotFound)


def test_a_closed_client_transfers_nothing_and_says_so(server: Any, client: DeidClient, folder: Path) -> None:
    client.close()
    with pytest.raises(errors.DeidError, match="the client is closed"):
        client.upload("d/s", folder)
    assert server.seen == []


def test_a_missing_path_is_named_by_its_position(client: DeidClient, folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="path 2 of 3 does not exist"):
        client.upload("d/s", [folder / "a.dcm", folder / "patient-name.dcm", folder / "b.dcm"])


def test_a_conflict_without_details_is_looked_up(server: Any, client: DeidClient, folder: Path) -> None:
    server.on("POST", "", server.answer(409, refusal(272, "")))
    server.on("GET", r"instances\?SOPInstanceUID=1.2.3", server.answer(200, [{}]), server.answer(204, b""))
    report = client.upload("d/s", [folder / "a.dcm", folder / "b.dcm"], parallel=1)
    assert (report.conflicts, report.invalid) == (1, 1)


@pytest.mark.parametrize(
    ("reason", "detail", "verdict"),
    [
        (272, "An instance already exists with the same UIDs, but the files differ (checksum mismatch).", "conflict"),
        (273, "", "conflict"),
        (272, "Invalid DICOM: cannot parse", "invalid"),
        (0xC000, "", "invalid"),
        (272, "", "unknown"),
    ],
)
def test_a_store_reply_is_parsed_in_json_and_xml(reason: int, detail: str, verdict: str) -> None:
    import json

    xml = (
        '<NativeDicomModel><DicomAttribute tag="00081198" vr="SQ"><Item number="1">'
        f'<DicomAttribute tag="00081197" vr="US"><Value number="1">{reason}</Value></DicomAttribute>'
        f'<DicomAttribute tag="00090097" vr="LO" privateCreator="GOOGLE"><Value number="1">{detail}</Value>'
        "</DicomAttribute></Item></DicomAttribute></NativeDicomModel>"
    )
    for body in (json.dumps(refusal(reason, detail)), xml):
        answer = read_answer(body.encode())
        assert answer.failed
        assert (answer.verdict, answer.reason) == (verdict, reason)
    assert not read_answer(b"{}").failed


def test_a_download_asks_for_every_page(server: Any, client: DeidClient, tmp_path: Path) -> None:
    def instances(request: Any) -> Any:
        offset = int(request.path.partition("offset=")[2])
        page = [{"0020000E": {"Value": ["2"]}, "00080018": {"Value": [f"3.{offset + n}"]}} for n in range(2)]
        return server.answer(200, page) if offset < 6 else server.answer(204, b"")

    server.on("GET", "/instances/", server.answer(200, DICOM))
    server.on("GET", r"/studies/1/instances\?", instances)
    server.on("GET", r"/studies\?", server.answer(200, [{"0020000D": {"Value": ["1"]}}]), server.answer(204, b""))
    assert client.download("d/s", tmp_path).succeeded == 6
    assert sorted(path.name for path in tmp_path.rglob("*.dcm")) == [f"3.{n}.dcm" for n in range(6)]


@pytest.mark.parametrize("answer", [b"<html>Sign in</html>", b"{}", b"[]", b"\xff", b'{"ok": true}', b'{"00081199": 1'])
def test_a_reply_that_does_not_confirm_the_upload_is_a_failure(
    server: Any, client: DeidClient, folder: Path, answer: bytes
) -> None:
    server.on("POST", "", server.answer(200, answer))
    report = client.upload("d/s", folder)
    assert (report.succeeded, report.failed) == (0, 3)
    assert {one.reason for one in report.failures} == {"the reply does not say whether the instance was stored"}


def test_a_reply_in_xml_or_without_a_body_means_stored() -> None:
    element = b'<DicomAttribute tag="00081199" vr="SQ"><Item number="1"/></DicomAttribute>'
    assert read_answer(b"<NativeDicomModel>" + element + b"</NativeDicomModel>").stored
    assert read_answer(b"").stored


def test_a_search_with_identical_pages_ends(server: Any, client: DeidClient, tmp_path: Path) -> None:
    page = [{"0020000E": {"Value": ["2"]}, "00080018": {"Value": ["3"]}}]
    server.on("GET", "/instances/", server.answer(200, DICOM))
    server.on("GET", r"/studies/1/instances\?", server.answer(200, page))
    with pytest.raises(errors.ReplyError, match="does not end"):
        client.download("d/s", tmp_path, study="1")


def test_a_download_never_writes_outside_its_folder_or_half_a_file(
    server: Any, client: DeidClient, tmp_path: Path
) -> None:
    names = ["../../evil", "4", "5", "6"]
    page = [{"0020000E": {"Value": ["2"]}, "00080018": {"Value": [name]}} for name in names]
    server.on("GET", "/instances/4", server.answer(200, DICOM))
    server.on("GET", "/instances/5", "drop mid-body")
    server.on("GET", "/instances/6", "garbage")
    server.on("GET", r"/studies/1/instances\?", server.answer(200, page), server.answer(204, b""))
    report = client.download("d/s", tmp_path / "out", study="1")
    assert (report.succeeded, report.failed) == (1, 3)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["4.dcm"]


def test_at_most_twenty_requests_run_at_once(server: Any, client: DeidClient, folder: Path) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def store(_: Any) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.01)
        with lock:
            now -= 1
        return server.answer(200, STORED)

    server.on("POST", "", store)
    for number in range(60):
        (folder / f"{number}.dcm").write_bytes(DICOM)
    uploads = [threading.Thread(target=client.upload, args=("d/s", folder), kwargs={"parallel": 20}) for _ in range(2)]
    for thread in uploads:
        thread.start()
    for thread in uploads:
        thread.join(30)
    assert 1 < most <= 20
    with pytest.raises(ValueError, match="20"):
        client.upload("d/s", folder, parallel=21)


def test_a_report_names_no_file_in_its_text(server: Any, client: DeidClient, folder: Path) -> None:
    (folder / "a.dcm").rename(folder / "SMITH^JOHN.dcm")
    server.on("POST", "", server.answer(409, refusal(272, "checksum of SMITH^JOHN")))
    report = client.upload("d/s", folder)
    assert "SMITH" not in f"{report}{report!r}{report.failures!r}"
    assert any("SMITH" in failure.item for failure in report.failures)


def test_dicomweb_client_logs_no_url(server: Any, client: DeidClient, caplog: pytest.LogCaptureFixture) -> None:
    server.on("GET", "", server.answer(200, []))
    with caplog.at_level(logging.DEBUG):
        client.dicomweb("d/s").search_for_studies(search_filters={"PatientID": "PHI-CANARY"})
    assert "PHI-CANARY" in server.seen[0].path
    assert "PHI-CANARY" not in caplog.text


def test_an_unreadable_file_is_a_counted_failure(server: Any, client: DeidClient, folder: Path) -> None:
    server.on("POST", "", server.answer(200, STORED))
    files = [folder / "a.dcm", folder / "b.dcm"]

    def vanishing() -> Iterator[Path]:
        yield from files

    stream = io.StringIO()
    original = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == "a.dcm":
            raise PermissionError(str(path))
        return original(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", read)
        report = client.upload("d/s", vanishing())
    print(report, file=stream)
    assert stream.getvalue() == "1 transferred, 1 failed\n"
