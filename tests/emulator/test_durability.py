"""Recovery from a lost or damaged database, a kill, and a restart."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.emulator import Emulator, rebuild_index
from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
CLEAN = f"{LOCATION}/datasets/clean"


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "instances").rglob("*.dcm")}


@pytest.fixture
def filled(tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Callable[..., bytes]) -> Path:
    """A closed data folder with three instances in two stores."""
    folder = tmp_path / "filled"
    with Emulator(folder) as emulator:
        lab = make_lab(emulator)
        lab.create_dataset()
        lab.create_store()
        lab.create_store(DATASET, "dicomstore2")
        for number in (1, 2):
            lab.store(dicom_bytes(StudyInstanceUID="1.2", SeriesInstanceUID="1.3", SOPInstanceUID=f"1.4.{number}"))
        lab.store(dicom_bytes(PatientID="second"), f"{DATASET}/dicomStores/dicomstore2")
    return folder


def damage(folder: Path, kind: str) -> None:
    database = folder / "emulator.sqlite"
    for path in folder.glob("emulator.sqlite-*"):
        path.unlink()
    match kind:
        case "empty":
            database.write_bytes(b"")
        case "missing":
            database.unlink()
        case "cut off":
            database.write_bytes(database.read_bytes()[:5000])
        case "overwritten":
            database.write_bytes(b"\xff" * 8192)
        case "another's":
            database.unlink()
            connection = sqlite3.connect(database)
            connection.execute("CREATE TABLE theirs (x)")
            connection.close()
        case _:
            raise AssertionError(kind)


KINDS = ["empty", "missing", "cut off", "overwritten", "another's"]


class TestIndex:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_lost_database_deletes_nothing_and_the_error_says_how_to_rebuild_it(
        self, filled: Path, kind: str
    ) -> None:
        before = files(filled)
        damage(filled, kind)
        with pytest.raises(EmulatorError, match="rebuild-index"):
            Emulator(filled)
        assert files(filled) == before
        assert len(before) == 3

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_index_is_rebuilt_from_the_files(
        self, filled: Path, kind: str, make_lab: Callable[[Emulator], Lab]
    ) -> None:
        damage(filled, kind)
        (filled / "instances" / next((filled / "instances").rglob("*.dcm")).parent.name / "junk.dcm").write_bytes(b"x")
        report = rebuild_index(filled)
        assert (report.stores, report.instances, report.skipped) == (2, 3, 1)
        assert (report.kept is None) == (kind == "missing")
        with Emulator(filled) as emulator:
            lab = make_lab(emulator)
            assert {item.SOPInstanceUID for item in lab.instances(STORE)} == {"1.4.1", "1.4.2"}
            (second,) = lab.instances(f"{DATASET}/dicomStores/dicomstore2")
            assert second.PatientID == "second"

    def test_a_folder_in_use_and_one_without_instances_are_refused(self, filled: Path, tmp_path: Path) -> None:
        with Emulator(filled), pytest.raises(EmulatorError, match="in use"):
            rebuild_index(filled)
        (tmp_path / "nothing").mkdir()
        with pytest.raises(EmulatorError, match="no instances"):
            rebuild_index(tmp_path / "nothing")

    def test_an_older_database_deletes_nothing_that_it_does_not_know(
        self, filled: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Callable[..., bytes]
    ) -> None:
        backup = filled.with_name("backup.sqlite")
        shutil.copyfile(filled / "emulator.sqlite", backup)
        with Emulator(filled) as emulator:
            make_lab(emulator).store(dicom_bytes())
        for path in filled.glob("emulator.sqlite*"):
            path.unlink()
        shutil.copyfile(backup, filled / "emulator.sqlite")
        with Emulator(filled) as emulator:
            assert len(make_lab(emulator).instances(STORE)) == 2
        assert len(files(filled)) == 4
        assert rebuild_index(filled).instances == 4

    def test_deleted_instances_and_stores_do_not_come_back(
        self, filled: Path, make_lab: Callable[[Emulator], Lab]
    ) -> None:
        with Emulator(filled) as emulator:
            lab = make_lab(emulator)
            assert lab.call("DELETE", f"{STORE}/dicomWeb/studies/1.2").status == 200
            assert lab.call("DELETE", f"{DATASET}/dicomStores/dicomstore2").status == 200
            assert files(filled) == set()
        report = rebuild_index(filled)
        assert (report.stores, report.instances) == (1, 0)


class Copying:
    """Engine that copies one instance at a time and stops where the test wants."""

    needs_secret = False

    def __init__(self, allowed: int, started: threading.Event) -> None:
        self._allowed = allowed
        self._started = started
        self._release = threading.Event()

    def deidentify_file(self, source: Path, destination: Path) -> None:
        if self._allowed == 0:
            self._started.set()
            self._release.wait(2)
            raise RuntimeError("stopped")
        self._allowed -= 1
        shutil.copyfile(source, destination)


class TestOperations:
    def interrupted(
        self, folder: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any, *, needs_secret: bool
    ) -> str:
        """Start a de-identification of four instances, close after two, and return the operation's name."""
        started = threading.Event()
        engine = Copying(2, started)
        engine.needs_secret = needs_secret
        emulator = Emulator(folder, workers=0, engine=lambda _: engine)
        lab = make_lab(emulator)
        lab.create_dataset()
        lab.create_store()
        for number in range(4):
            lab.store(dicom_bytes(SOPInstanceUID=f"1.4.{number}"))
        config = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}
        name = lab.post(f"{DATASET}:deidentify", {"destinationDataset": CLEAN, "config": config}).json["name"]
        assert started.wait(30)
        emulator.close()
        lab.http.close()
        return str(name)

    def test_an_interrupted_operation_resumes_with_the_remaining_instances(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        name = self.interrupted(tmp_path / "lab", make_lab, dicom_bytes, needs_secret=False)
        done: list[str] = []

        class Rest(Copying):
            def deidentify_file(self, source: Path, destination: Path) -> None:
                done.append(source.name)
                shutil.copyfile(source, destination)

        with Emulator(tmp_path / "lab", workers=0, engine=lambda _: Rest(9, threading.Event())) as emulator:
            lab = make_lab(emulator)
            operation = lab.finished(name)
            assert "error" not in operation
            counter = operation["metadata"]["counter"]
            assert int(counter["success"]) + int(counter.get("failure", 0)) == 4
            assert len(done) == 4 - 2 - int(counter.get("failure", 0))
            assert operation["response"]["successStoreCount"] == "1"
            assert len(lab.instances(f"{CLEAN}/dicomStores/dicomstore1")) == int(counter["success"])

    def test_an_operation_with_a_random_key_is_not_resumed(
        self, tmp_path: Path, make_lab: Callable[[Emulator], Lab], dicom_bytes: Any
    ) -> None:
        name = self.interrupted(tmp_path / "lab", make_lab, dicom_bytes, needs_secret=True)
        with Emulator(tmp_path / "lab", workers=0) as emulator:
            operation = make_lab(emulator).get(name).json
            assert operation["error"]["code"] == 10
            assert operation["metadata"]["counter"]["success"] == "2"

    @pytest.mark.parametrize(
        ("config", "kept"),
        [
            ({"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}, True),
            ({"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}, True),
            ({"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}, False),
            (
                {
                    "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
                    "text": {
                        "additionalTransformations": [
                            {"dateShiftConfig": {"cryptoKey": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}}
                        ]
                    },
                },
                True,
            ),
        ],
    )
    def test_the_engine_says_whether_another_process_gives_the_same_results(
        self, lab: Lab, dicom_bytes: Any, config: dict[str, Any], kept: bool
    ) -> None:
        if not hasattr(Deidentifier, "needs_secret"):
            pytest.skip("this engine does not say so, and nothing is resumed")
        lab.store(dicom_bytes())
        database = lab.emulator.data_dir / "emulator.sqlite"
        body = {"destinationDataset": CLEAN, "config": config}
        seen: list[Any] = []
        operations = lab.emulator._core.backend.operations  # the request of a running operation has no other place
        insert = operations.insert

        def look(*arguments: Any, **options: Any) -> str:
            seen.append(options["request"])
            return insert(*arguments, **options)

        operations.insert = look  # type: ignore[method-assign]
        name = lab.post(f"{DATASET}:deidentify", body).json["name"]
        lab.finished(name)
        assert (seen[0] is not None) == kept
        connection = sqlite3.connect(database)
        try:  # keys are gone with the end of the operation
            assert connection.execute("SELECT request FROM operations WHERE name = ?", (name,)).fetchone() == (None,)
        finally:
            connection.close()


def test_log_entries_have_the_form_of_cloud_logging(lab: Lab, dicom_bytes: Callable[..., bytes]) -> None:
    lab.store(dicom_bytes(SOPInstanceUID="1.2.3.4"))
    lab.emulator.faults.fail_instances("1.2.3.4")
    body = {"destinationDataset": CLEAN, "config": {"dicom": {}}}
    operation = lab.finished(lab.post(f"{DATASET}:deidentify", body).json["name"])
    (entry,) = lab.http.request(f"http://localhost/_emulator/logs/{operation['name']}")[1:2]
    log = json.loads(entry)["entries"][0]
    assert log["severity"] == "ERROR"
    assert log["jsonPayload"]["@type"] == "type.googleapis.com/google.cloud.healthcare.logging.DeidentifyLogEntry"
    assert log["jsonPayload"]["resource_name"].endswith("/instances/1.2.3.4")
    assert log["jsonPayload"]["error"]["code"] == 13
    assert log["operation"]["id"] == operation["name"]
    assert log["resource"] == {
        "type": "healthcare_dicom_store",
        "labels": {
            "project_id": "MyProj", "location": "us-central1", "dataset_id": "dataset1",
            "dicom_store_id": "dicomstore1",
        },
    }  # fmt: skip
