"""Operations: counters, cancellation, worker processes, retention, restart, kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from healthcare_deid import DeidClient
from healthcare_deid.emulator import Emulator
from healthcare_deid.errors import EmulatorError, UnsupportedPixelsError
from healthcare_deid.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
CLEAN = f"{LOCATION}/datasets/clean"
MINIMAL = {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}
DAY = 24 * 3600.0


class Gate:
    """Engine that copies one file each time it is let through."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.let_through = threading.Semaphore(0)

    def deidentify_file(self, source: Path, destination: Path) -> None:
        self.arrived.release()
        assert self.let_through.acquire(timeout=30)
        shutil.copyfile(source, destination)


class CrashOnSight:
    """Engine that crashes its process on one patient."""

    def deidentify_file(self, source: Path, destination: Path) -> None:
        if b"CRASH" in source.read_bytes():
            os.kill(os.getpid(), signal.SIGKILL)
        shutil.copyfile(source, destination)


def fill(lab: Lab, dicom_bytes: Any, count: int) -> None:
    lab.create_dataset()
    lab.create_store()
    for _ in range(count):
        assert lab.store(dicom_bytes()).status == 200


def start(lab: Lab) -> str:
    name: str = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": MINIMAL}).json["name"]
    return name


class TestWhileItRuns:
    def test_counters_are_live_and_cancelling_stops_soon_and_keeps_written_instances(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        gate = Gate()
        with Emulator(tmp_path / "lab", workers=0, engine=lambda _: gate) as emulator:
            lab = make_lab(emulator)
            fill(lab, dicom_bytes, 4)
            name = start(lab)
            assert gate.arrived.acquire(timeout=30)
            running = lab.get(name).json
            assert "done" not in running
            assert running["metadata"]["counter"] == {"pending": "4"}
            gate.let_through.release()
            assert gate.arrived.acquire(timeout=30)
            assert lab.get(name).json["metadata"]["counter"] == {"pending": "3", "success": "1"}

            assert lab.post(f"{name}:cancel", {}).json == {}
            assert lab.get(name).json["metadata"]["cancelRequested"] is True
            gate.let_through.release()
            operation = lab.finished(name)
            assert operation["error"]["code"] == 1
            assert "response" not in operation
            assert operation["metadata"]["counter"] == {"pending": "2", "success": "2"}
            assert len(lab.instances(f"{CLEAN}/dicomStores/dicomstore1")) == 2
            assert not list((tmp_path / "lab").rglob("*.part"))
            assert lab.post(f"{name}:cancel", {}).json == {}

    def test_a_done_operation_is_listed_as_done(self, lab: Lab) -> None:
        done = lab.get(f"{DATASET}/operations?filter=done%3Dtrue").json["operations"]
        assert len(done) == 1
        assert lab.get(f"{DATASET}/operations?filter=done%3Dfalse").json == {}
        assert lab.get(f"{DATASET}/operations?filter=name%3Dx").status == 400
        assert lab.get(f"{DATASET}/operations?returnPartialSuccess=true").status == 501

    def test_they_are_listed_in_pages_newest_first(self, lab: Lab) -> None:
        names = [lab.finished(start_store(lab, number))["name"] for number in range(4)]
        first = lab.get(f"{DATASET}/operations?pageSize=3").json
        assert [item["name"] for item in first["operations"]] == names[:0:-1]
        rest = lab.get(f"{DATASET}/operations?pageSize=3&pageToken={first['nextPageToken']}").json
        assert len(rest["operations"]) == 2
        assert "nextPageToken" not in rest

    def test_closing_the_emulator_ends_running_operations_with_a_reason(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        gate = Gate()
        emulator = Emulator(tmp_path / "lab", workers=0, engine=lambda _: gate)
        lab = make_lab(emulator)
        fill(lab, dicom_bytes, 2)
        name = start(lab)
        assert gate.arrived.acquire(timeout=30)
        closing = threading.Thread(target=emulator.close)
        closing.start()
        gate.let_through.release()
        closing.join(30)
        with Emulator(tmp_path / "lab") as again:
            operation = make_lab(again).get(name).json
        assert operation["done"] is True
        assert operation["error"]["code"] == 10
        assert "start the operation again" in operation["error"]["message"]


def start_store(lab: Lab, number: int) -> str:
    target = lab.create_store(name=f"clean{number}")
    name: str = lab.post(f"{STORE}:deidentify", {"destinationStore": target, "config": MINIMAL}).json["name"]
    return name


class TestRetention:
    def test_an_operation_is_gone_thirty_days_after_its_end(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab]
    ) -> None:
        clock = FakeClock()
        with Emulator(tmp_path / "lab", clock=clock) as emulator:
            lab = make_lab(emulator)
            lab.create_dataset()
            (operation,) = lab.get(f"{DATASET}/operations").json["operations"]
            clock.advance(29 * DAY)
            assert lab.get(operation["name"]).status == 200
            clock.advance(2 * DAY)
            assert lab.get(operation["name"]).status == 404
            assert lab.get(f"{DATASET}/operations").json == {}


class TestWorkerProcesses:
    def test_the_engine_runs_in_processes_of_its_own(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        with Emulator(tmp_path / "lab", workers=2) as emulator:
            lab = make_lab(emulator)
            fill(lab, dicom_bytes, 6)
            operation = lab.finished(start(lab))
            assert operation["metadata"]["counter"] == {"success": "6"}
            assert all("PatientName" not in item for item in lab.instances(f"{CLEAN}/dicomStores/dicomstore1"))

    def test_an_instance_that_kills_its_process_is_one_failure(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        with Emulator(tmp_path / "lab", workers=1, engine=lambda _: CrashOnSight()) as emulator:
            lab = make_lab(emulator)
            fill(lab, dicom_bytes, 2)
            lab.store(dicom_bytes(PatientID="CRASH"))
            lab.store(dicom_bytes())
            operation = lab.finished(start(lab))
            assert operation["metadata"]["counter"] == {"success": "3", "failure": "1"}
            (entry,) = emulator_log(lab, operation["name"])
            assert "worker-died" in str(entry)

    def test_an_engine_that_cannot_be_pickled_runs_in_this_process(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        class Refuses:
            def __reduce__(self) -> Any:
                raise TypeError

            def deidentify_file(self, source: Path, destination: Path) -> None:
                del source, destination
                raise UnsupportedPixelsError("no decoder")

        with Emulator(tmp_path / "lab", workers=2, engine=lambda _: Refuses()) as emulator:
            lab = make_lab(emulator)
            fill(lab, dicom_bytes, 1)
            operation = lab.finished(start(lab))
            assert operation["metadata"]["counter"] == {"failure": "1"}
            assert "unsupported-pixels: no decoder" in str(emulator_log(lab, operation["name"]))


def emulator_log(lab: Lab, operation: str) -> list[Any]:
    _, body = lab.http.request(f"http://localhost/_emulator/logs/{operation}")
    entries: list[Any] = json.loads(body)["entries"]
    return entries


class TestRestart:
    def test_everything_is_restored_after_a_restart(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        with Emulator(str(tmp_path / "lab")) as emulator:
            lab = make_lab(emulator)
            fill(lab, dicom_bytes, 3)
            name = start(lab)
            before = lab.finished(name)
        with Emulator(tmp_path / "lab") as emulator:
            lab = make_lab(emulator)
            assert lab.get(name).json == before
            assert len(lab.instances(STORE)) == 3
            assert len(lab.instances(f"{CLEAN}/dicomStores/dicomstore1")) == 3

    def test_a_folder_has_one_emulator_per_process(self, tmp_path: Path, make_lab: Callable[[Emulator], Lab]) -> None:
        with Emulator(tmp_path / "lab") as first, Emulator(tmp_path / "lab") as second:
            make_lab(first).create_dataset()
            assert make_lab(second).get(DATASET).status == 200
            with pytest.raises(EmulatorError, match="other arguments"):
                Emulator(tmp_path / "lab", workers=1)

    def test_a_transport_keeps_the_emulator_open_until_it_is_closed(self, tmp_path: Path) -> None:
        http = Emulator(tmp_path / "lab").http()
        assert http.request(f"https://healthcare.googleapis.com/v1/{LOCATION}")[0].status == 200
        http.close()
        http.close()
        with pytest.raises(EmulatorError, match="closed"):
            http.request(f"https://healthcare.googleapis.com/v1/{LOCATION}")
        with Emulator(tmp_path / "lab", workers=1):
            pass  # other arguments are taken: nothing holds the folder any more

    @pytest.mark.parametrize(
        ("kind", "says"),
        [
            ("file", "is a file"),
            ("below a file", "cannot write"),
            ("another database", "damaged"),
            ("another's instances", "not the emulator's"),
        ],
    )
    def test_a_foreign_folder_is_refused_and_left_unchanged(self, tmp_path: Path, kind: str, says: str) -> None:
        folder = tmp_path / "lab"
        content = {"below a file": folder, "file": folder, "another database": folder / "emulator.sqlite"}.get(
            kind, folder / "instances" / "mine.dcm"
        )
        content.parent.mkdir(parents=True, exist_ok=True)
        content.write_text("something else " * 500)
        with pytest.raises(EmulatorError, match=says):
            DeidClient.local(folder / "deeper" if kind == "below a file" else folder)
        assert content.read_text() == "something else " * 500

    def test_a_second_process_is_refused_with_a_remedy(self, tmp_path: Path) -> None:
        program = f"from healthcare_deid.emulator import Emulator; Emulator({str(tmp_path / 'lab')!r})"
        with Emulator(tmp_path / "lab"):
            result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert result.returncode == 1
        assert "in use by an emulator in another process" in result.stderr


_VICTIM = """
import sys, threading
from pathlib import Path
from healthcare_deid.emulator import Emulator, Request

class Slow:
    def deidentify_file(self, source, destination):
        import shutil
        destination.write_bytes(b"half of")
        print("working", flush=True)
        sys.stdin.readline()
        shutil.copyfile(source, destination)

emulator = Emulator(sys.argv[1], workers=0, engine=lambda _: Slow())
def post(path, body=b"", kind="application/json"):
    reply = emulator.handle(Request.of("POST", "/v1/" + path, headers={"Content-Type": kind}, body=body))
    assert reply.status == 200, reply.body
post(sys.argv[2] + "/datasets?datasetId=dataset1")
post(sys.argv[2] + "/datasets/dataset1/dicomStores?dicomStoreId=dicomstore1")
store = sys.argv[2] + "/datasets/dataset1/dicomStores/dicomstore1"
for path in sorted(Path(sys.argv[3]).iterdir()):
    post(store + "/dicomWeb/studies", path.read_bytes(), "application/dicom")
    print("stored", flush=True)
post(sys.argv[2] + "/datasets/dataset1:deidentify",
     ('{"destinationDataset": "%s/datasets/clean", "config": {"dicom": {}}}' % sys.argv[2]).encode())
threading.Event().wait()
"""

_STORING = """
import sys
from pathlib import Path
from healthcare_deid.emulator import Emulator, Request
from healthcare_deid.emulator.storage.instances import Instances

folder, store, moment = sys.argv[1:4]
emulator = Emulator(folder)

def stall(*ignored):
    print("stalled", flush=True)
    sys.stdin.readline()

def half(chunks):
    data = b"".join(chunks)
    yield data[: len(data) // 2]
    stall()

def send(body, kind):
    path = "/v1/" + store + "/dicomWeb/studies"
    reply = emulator.handle(Request.of("POST", path, headers={"Content-Type": kind}, body=body))
    assert reply.status == 200, reply.body
    print("stored", flush=True)

first, second, third, *more = [path.read_bytes() for path in sorted(Path(sys.argv[4]).iterdir())]
send(first, "application/dicom")
write, add = Instances.write, Instances._add
def write_half_of_the_second(self, chunks, count=[]):
    count.append(1)
    return write(self, half(chunks) if len(count) == 2 else chunks)
def stall_after_the_second(self, *arguments, count=[], **options):
    count.append(1)
    refused = add(self, *arguments, **options)
    if len(count) == 2:
        stall()
    return refused
if moment == "file":
    Instances.write = write_half_of_the_second
if moment == "row":
    Instances._add = stall_after_the_second
body = b"".join(b"--x\\r\\nContent-Type: application/dicom\\r\\n\\r\\n" + data + b"\\r\\n" for data in (second, third))
send(body + b"--x--\\r\\n", 'multipart/related; type="application/dicom"; boundary=x')
for data in more:
    send(data, "application/dicom")
"""


class TestKill:
    def test_a_killed_process_loses_nothing_acknowledged_and_leaves_no_partial_files(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        (tmp_path / "in").mkdir()
        for number in range(5):
            (tmp_path / "in" / f"{number}.dcm").write_bytes(dicom_bytes())
        process = subprocess.Popen(
            [sys.executable, "-c", _VICTIM, str(tmp_path / "lab"), LOCATION, str(tmp_path / "in")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        assert process.stdout
        with process:
            assert [process.stdout.readline() for _ in range(6)] == ["stored\n"] * 5 + ["working\n"]
            process.stdin.write("\n")  # one instance goes through, the second is half written
            process.stdin.flush()
            assert process.stdout.readline() == "working\n"
            process.kill()
        files = tmp_path / "lab" / "instances"
        assert any(path.suffix == ".part" for path in files.rglob("*"))
        with Emulator(tmp_path / "lab") as emulator:
            lab = make_lab(emulator)
            assert len(lab.instances(STORE)) == 5
            assert len(lab.instances(f"{CLEAN}/dicomStores/dicomstore1")) == 1
            assert sum(path.is_file() for path in files.rglob("*")) == 6
            operation = lab.get(f"{DATASET}/operations").json["operations"][0]
            assert operation["done"] is True
            assert operation["error"]["code"] == 10
            assert operation["metadata"]["counter"]["success"] == "1"

    @pytest.mark.parametrize(
        ("moment", "lines", "whole"),
        [
            ("file", ["stored", "stalled"], {1}),  # the second file of the second request is half written
            ("row", ["stored", "stalled"], {1}),  # both its files are whole, and their rows are not committed
            ("any", ["stored"] * 6, set(range(7, 31))),  # nothing is held up: wherever the kill falls
        ],
    )
    def test_a_killed_store_request_leaves_only_complete_instances(
        self,
        tmp_path: Path,
        make_lab: Callable[[Emulator], Lab],
        dicom_bytes: Any,
        moment: str,
        lines: list[str],
        whole: set[int],
    ) -> None:
        with Emulator(tmp_path / "lab") as emulator:
            fill(make_lab(emulator), dicom_bytes, 0)
        (tmp_path / "in").mkdir()
        sent = [dicom_bytes() for _ in range(30)]
        for number, data in enumerate(sent):
            (tmp_path / "in" / f"{number:02}.dcm").write_bytes(data)
        process = subprocess.Popen(
            [sys.executable, "-c", _STORING, str(tmp_path / "lab"), STORE, moment, str(tmp_path / "in")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        with process:
            assert [process.stdout.readline().strip() for _ in lines] == lines
            process.kill()
            acknowledged = (*lines, *process.stdout.read().split()).count("stored")
        # Each line is one request; the second request holds two instances.
        acknowledged += acknowledged > 1
        folder = tmp_path / "lab" / "instances"
        if moment != "any":
            assert sum(path.is_file() for path in folder.rglob("*")) == 3  # something to clean up was left
        with Emulator(tmp_path / "lab") as emulator:
            lab = make_lab(emulator)
            stored = lab.instances(STORE)
            files = [path for path in folder.rglob("*") if path.is_file()]
            assert acknowledged <= len(stored)
            assert len(stored) in whole
            assert sorted(path.read_bytes() for path in files) == sorted(sent[: len(stored)])
            assert {item.SOPInstanceUID for item in stored} == {pydicom.dcmread(path).SOPInstanceUID for path in files}
            assert lab.store(sent[len(stored) - 1]).status == 200  # sent again, as a client without an answer does
            assert len(lab.instances(STORE)) == len(stored)


_SERVING = """
import sys, threading
from healthcare_deid.emulator import Emulator, Request

class Slow:
    def deidentify_file(self, source, destination):
        print("working", flush=True)
        threading.Event().wait(1.5)
        destination.write_bytes(source.read_bytes())

with Emulator(sys.argv[1] or None, workers=0, engine=lambda _: Slow()) as emulator:
    print(emulator.data_dir, flush=True)
    server = emulator.server()
    if sys.argv[1]:
        body = '{"destinationDataset": "%s/datasets/clean", "config": {"dicom": {}}}' % sys.argv[2]
        reply = emulator.handle(Request.of("POST", "/v1/" + sys.argv[2] + "/datasets/dataset1:deidentify",
                                           body=body.encode()))
        assert reply.status == 200, reply.body
    threading.Timer(0.5, print, ["served"], {"flush": True}).start()
    server.run()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
class TestTermination:
    """Termination of the process: ``kill``, ``docker stop``, a closing session."""

    def serve(self, folder: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _SERVING, folder, LOCATION]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def test_operations_end_with_a_reason_and_leave_no_partial_files(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        with Emulator(tmp_path / "lab") as emulator:
            fill(make_lab(emulator), dicom_bytes, 3)
        process = self.serve(str(tmp_path / "lab"))
        assert process.stdout
        with process:
            assert {process.stdout.readline() for _ in range(3)} >= {"working\n", "served\n"}
            process.terminate()
            assert process.wait(30) == 128 + signal.SIGTERM
        # Before the next start, which would clean up: the process did.
        files = [path.suffix for path in (tmp_path / "lab" / "instances").rglob("*") if path.is_file()]
        assert ".part" not in files
        with Emulator(tmp_path / "lab") as emulator:
            lab = make_lab(emulator)
            operation = lab.get(f"{DATASET}/operations").json["operations"][0]
            assert operation["error"]["code"] == 10
            counter = operation["metadata"]["counter"]
            written = lab.instances(f"{CLEAN}/dicomStores/dicomstore1")
            assert int(counter["success"]) == len(written) == 3 - int(counter["pending"])

    def test_a_temporary_folder_is_removed_with_the_process(self) -> None:
        process = self.serve("")
        assert process.stdout
        with process:
            folder = Path(process.stdout.readline().strip())
            assert process.stdout.readline() == "served\n"
            assert folder.is_dir()
            process.terminate()
            assert process.wait(30) == 128 + signal.SIGTERM
        assert not folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes of folders are POSIX's")
def test_the_folder_is_private_to_the_user(
    tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    for folder in (tmp_path / "new", tmp_path / "theirs"):
        with Emulator(folder) as emulator:
            fill(make_lab(emulator), dicom_bytes, 1)
            assert folder.name == "theirs" or folder.stat().st_mode & 0o077 == 0
            for path in (folder / "instances", *folder.glob("emulator.sqlite*")):
                assert path.stat().st_mode & 0o077 == 0
