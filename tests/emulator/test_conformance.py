"""The conformance recorder, run on the emulator: it observes the fidelity table."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import healthcare_deid
from healthcare_deid.emulator import Emulator
from healthcare_deid.emulator.fidelity import TABLE
from healthcare_deid.engine import Deidentifier

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = Path(healthcare_deid.__file__).parents[2] / "tools"
PROJECT, LOCATION, ENDPOINT = "SecretProject", "us-central1", "http://localhost:8085"

pytestmark = pytest.mark.skipif(not TOOLS.is_dir(), reason="the scripts are in the repository only")


@pytest.fixture(scope="module")
def conformance() -> Iterator[Any]:
    """The script, loaded from its file; it finds the files beside it as it does when it is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        spec = importlib.util.spec_from_file_location("conformance", TOOLS / "conformance.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def recorded(conformance: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A report, and the datasets that are there afterwards."""
    with Emulator(None, workers=0, gcs={"bucket": tmp_path_factory.mktemp("bucket")}) as emulator:
        report = conformance.record(emulator.http(), ENDPOINT, PROJECT, LOCATION, "bucket")
        _, left = emulator.http().request(f"{ENDPOINT}/v1/projects/{PROJECT}/locations/{LOCATION}/datasets")
    return SimpleNamespace(report=report, left=json.loads(left))


@pytest.fixture
def small(conformance: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script with a lab that is soon filled, and the observations that a test names."""
    monkeypatch.setattr(importlib.import_module("conformance_lab"), "STUDIES", 1)

    def keep(*ids: str) -> Any:
        chosen = [item for item in conformance.OBSERVATIONS if item.id in ids]
        monkeypatch.setattr(conformance, "OBSERVATIONS", chosen)
        return conformance

    return keep


def test_every_row_that_is_observed_agrees_with_the_table(recorded: Any) -> None:
    records = recorded.report["records"]
    assert {item["id"]: item["observed"] for item in records} == {item["id"]: item["default"] for item in records}
    assert all(item["agrees"] is True for item in records)


def test_every_row_is_observed_or_has_a_reason(recorded: Any) -> None:
    observed = [item["id"] for item in recorded.report["records"]]
    assert sorted([*observed, *recorded.report["not_observed"]]) == sorted(row.id for row in TABLE)
    stated = {row.id: (row.subject, row.default) for row in TABLE}
    assert all((item["question"], item["stated"]) == stated[item["id"]] for item in recorded.report["records"])


def test_observations_that_need_a_bucket_are_skipped_without_one(small: Any) -> None:
    script = small("F-34", "F-22")
    with Emulator(None, workers=0) as emulator:
        report = script.record(emulator.http(), ENDPOINT, PROJECT, LOCATION)
    assert [item["id"] for item in report["records"]] == ["F-22"]
    assert "--bucket" in report["not_observed"]["F-34"]


def test_nothing_is_left_behind(recorded: Any) -> None:
    assert recorded.left == {}
    assert recorded.report["left_behind"] == []


def test_the_report_names_neither_project_nor_patient(recorded: Any) -> None:
    text = json.dumps(recorded.report)
    assert not [word for word in (PROJECT, "Rivera", "MRN204816", "19610709", "example.com") if word in text]


def test_a_service_that_behaves_differently_is_detected(small: Any) -> None:
    script = small("F-01", "F-04", "F-14")
    with Emulator(
        None,
        workers=0,
        engine=lambda config: Deidentifier(config, uid_rule="salted", salt=bytes(16), strict_keep_list=True),
    ) as emulator:
        report = script.record(emulator.http(), ENDPOINT, PROJECT, LOCATION)
    found = {item["id"]: (item["agrees"], item["observed"]) for item in report["records"]}
    assert found["F-01"][0] is False
    assert found["F-01"][1]["study"] == "another"
    assert found["F-04"] == (False, {"MINIMAL_KEEP_LIST_PROFILE": "deleted", "keepList": "deleted"})
    assert found["F-14"][1]["X"] == "deleted"


def test_an_observation_that_breaks_does_not_stop_the_others_and_the_lab_is_deleted(small: Any) -> None:
    script = small("F-01", "F-22")
    with Emulator(None, workers=0) as emulator:
        emulator.faults.fail("dicomStores.deidentify", times=99, status=403)
        report = script.record(emulator.http(), ENDPOINT, PROJECT, LOCATION)
        _, left = emulator.http().request(f"{ENDPOINT}/v1/projects/{PROJECT}/locations/{LOCATION}/datasets")
    found = {item["id"]: item["observed"] for item in report["records"]}
    assert found == {"F-01": {"could not be observed": "KeyError"}, "F-22": {"status": 404}}
    assert json.loads(left) == {}


def test_a_dataset_that_cannot_be_deleted_is_named(small: Any, capsys: pytest.CaptureFixture[str]) -> None:
    script = small()
    with Emulator(None, workers=0) as emulator:
        emulator.faults.fail("datasets.delete", times=99, status=403)
        report = script.record(emulator.http(), ENDPOINT, PROJECT, LOCATION)
    (name,) = report["left_behind"]
    assert name.startswith("conformance-")
    assert f"NOT DELETED: projects/{PROJECT}/locations/{LOCATION}/datasets/{name}" in capsys.readouterr().err


class TestCommand:
    def test_it_announces_its_resources_and_creates_nothing_without_yes(
        self, conformance: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def answer(_: str) -> str:
            return ""

        def send(*_: object) -> None:
            pytest.fail("something was sent")

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr(conformance, "record", send)
        assert conformance.main(["--project", PROJECT]) == 1
        shown = capsys.readouterr().out
        assert "make a dataset" in shown
        assert PROJECT in shown

    def test_with_yes_it_writes_the_report(
        self, small: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        script = small("F-22", "F-24")
        with Emulator(None, workers=0) as emulator:

            def transport(_: str) -> Any:
                return emulator.http()

            monkeypatch.setattr(script, "_transport", transport)
            out = tmp_path / "report.json"
            given = ["--project", PROJECT, "--endpoint", ENDPOINT, "--out", str(out), "--yes"]
            assert script.main(given) == 0
        assert "2 of 2 rows agree" in capsys.readouterr().out
        assert [item["id"] for item in json.loads(out.read_text())["records"]] == ["F-22", "F-24"]

    def test_two_reports_are_compared_fact_by_fact(
        self, conformance: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def write(name: str, **facts: object) -> str:
            path = tmp_path / name
            path.write_text(json.dumps({"records": [{"id": "F-24", "observed": facts}]}))
            return str(path)

        first, second = write("a", dataset=403, store=404), write("b", dataset=404, store=404)
        assert conformance.main(["--compare", first, second]) == 1
        assert capsys.readouterr().out == "F-24 dataset: 403 | 404\n"
        assert conformance.main(["--compare", first, first]) == 0

    def test_a_token_is_never_sent_unencrypted(self, conformance: Any) -> None:
        with pytest.raises(SystemExit, match="https"):
            conformance.main(["--project", PROJECT, "--endpoint", "http://192.0.2.1", "--yes"])
