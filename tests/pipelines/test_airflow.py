"""Airflow operators, run by Airflow itself against the emulator on a port."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Airflow reads its settings when it is imported.
os.environ.update(
    AIRFLOW_HOME=os.environ.get("AIRFLOW_HOME") or tempfile.mkdtemp(prefix="airflow"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
)

import pytest
from airflow.sdk import Variable
from airflow.utils.state import DagRunState

from healthcare_deid import DeidClient, DeidentifyConfig, OperationState, presets
from healthcare_deid.emulator import Emulator
from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import ConfigError, PermissionDenied
from healthcare_deid.pipelines import SecretSource
from healthcare_deid.pipelines.airflow import (
    DeidentifyDatasetOperator,
    DeidentifyDicomStoreOperator,
    DeidentifyFolderOperator,
)
from healthcare_deid.pipelines.airflow.operators import _variable
from healthcare_deid.pipelines.airflow.provider import get_provider_info
from healthcare_deid.pipelines.airflow.triggers import OperationTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARENT = "projects/p/locations/eu/datasets"
NAME = "Zqxsmith"
SECRET = b"a secret of this project's own"


@pytest.fixture(scope="session", autouse=True)
def airflow_database() -> None:
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)


@pytest.fixture
def lab(tmp_path: Path, instance: Any) -> Iterator[Callable[..., Emulator]]:
    """Return a maker of emulators with four instances in a store."""
    with ExitStack() as held:

        def make(**options: Any) -> Emulator:
            emulator = held.enter_context(Emulator(tmp_path / "lab", **options))
            with DeidClient("p", "eu", http=emulator.http()) as client:
                client.create_dataset("source").result()
                client.create_dicom_store("source/images")
                client.create_dicom_store("source/clean")
                for number in range(4):
                    (tmp_path / f"{NAME}{number}.dcm").write_bytes(instance(number))
                client.upload("source/images", [tmp_path / f"{NAME}{number}.dcm" for number in range(4)])
            return emulator

        yield make


@pytest.fixture
def emulator(lab: Callable[..., Emulator]) -> Emulator:
    return lab()


@pytest.fixture
def endpoint(emulator: Emulator) -> Iterator[str]:
    with emulator.server() as server:
        yield server.url


@pytest.fixture
def client(emulator: Emulator) -> Iterator[DeidClient]:
    with DeidClient("p", "eu", http=emulator.http()) as one:
        yield one


def operations(client: DeidClient) -> list[str]:
    found = client.list_operations("source")
    return [str(one.name) for one in found if "eidentify" in (one.metadata.api_method_name or "")]


DAG_FILE = """
from airflow.sdk import DAG
from healthcare_deid import DeidentifyConfig
from healthcare_deid.pipelines.airflow import DeidentifyDatasetOperator, DeidentifyOperationSensor

with DAG({dag!r}, schedule=None) as dag:
    start = DeidentifyDatasetOperator(
        task_id="start",
        source="projects/p/locations/eu/datasets/source",
        destination="projects/p/locations/eu/datasets/{{{{ dag.dag_id }}}}-out",
        config=DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build(),
        on_partial={on_partial!r},
        endpoint={endpoint!r},
        poll=0.2,
    )
    wait = DeidentifyOperationSensor(
        task_id="wait",
        operation="{{{{ ti.xcom_pull('start')['operation'] }}}}",
        on_partial={on_partial!r},
        endpoint={endpoint!r},
        poll=0.2,
    )
    start >> wait
"""


def run(dag: str, content: str = DAG_FILE, **values: str) -> tuple[Any, dict[str, Any]]:
    """Write a DAG and test it as Airflow does; return its state, and what its tasks gave."""
    file = Path(os.environ["AIRFLOW_HOME"], "dags", f"{dag}.py")
    file.parent.mkdir(exist_ok=True)
    file.write_text(content.format(dag=dag, **values))
    done = runpy.run_path(str(file))["dag"].test()
    tasks = done.get_task_instances()
    return done.state, {one.task_id: one.xcom_pull(task_ids=one.task_id, key="return_value") for one in tasks}


def test_a_dataset_is_de_identified_and_the_task_returns_counts(
    emulator: Emulator, endpoint: str, client: DeidClient
) -> None:
    emulator.faults.hold_operations(2)  # so that the task is deferred

    state, given = run("dataset", endpoint=endpoint, on_partial="fail")

    assert state == DagRunState.SUCCESS
    assert given["start"] == given["wait"]
    assert given["start"]["success"] == 4
    assert given["start"]["state"] == "SUCCEEDED"
    assert NAME not in json.dumps(given)
    assert len(operations(client)) == 1
    assert client.get_dataset("dataset-out").name


class Task:
    """Task attributes of an Airflow context."""

    dag_id, run_id, task_id, map_index = "store", "run", "start", -1


def test_a_retried_task_resumes_its_operation(
    basic: DeidentifyConfig, endpoint: str, client: DeidClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, str] = {}
    monkeypatch.setattr(Variable, "get", lambda key, default=None: kept.get(key, default))
    monkeypatch.setattr(Variable, "set", lambda key, value, **_: kept.update({key: value}))
    monkeypatch.setattr(Variable, "delete", kept.pop)
    operator = DeidentifyDicomStoreOperator(
        task_id="start",
        source=f"{PARENT}/source/dicomStores/images",
        destination=f"{PARENT}/source/dicomStores/clean",
        config=basic,
        endpoint=endpoint,
        deferrable=False,
    )
    context = {"ti": Task()}
    running = client.deidentify_dicom_store("source/images", "source/clean", basic)
    kept[_variable(context, operator._request())] = str(running.name)  # an earlier try was killed here

    summary = operator.execute(context)

    assert summary["operation"] == str(running.name)
    assert operations(client) == [str(running.name)]
    assert not kept
    operator.execute(context)
    assert len(operations(client)) == 2


def test_a_task_retried_with_another_request_starts_a_new_operation(
    basic: DeidentifyConfig, shifting: DeidentifyConfig
) -> None:
    given: dict[str, Any] = {
        "task_id": "start",
        "source": f"{PARENT}/source/dicomStores/images",
        "destination": f"{PARENT}/source/dicomStores/clean",
        "config": basic,
    }
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"config": shifting},
        {"destination": f"{PARENT}/source/dicomStores/other"},
        {"endpoint": "a:1"},
    )
    context = {"ti": Task()}
    names = {_variable(context, DeidentifyDicomStoreOperator(**given | more)._request()) for more in changes}
    assert len(names) == 4


@pytest.mark.parametrize("on_partial", ["fail", "accept"])
def test_instances_that_fail_fail_the_task_or_are_counted(endpoint: str, emulator: Emulator, on_partial: str) -> None:
    emulator.faults.fail_instances("1.2.3.0")

    state, given = run(f"partial-{on_partial}", endpoint=endpoint, on_partial=on_partial)

    assert state == (DagRunState.FAILED if on_partial == "fail" else DagRunState.SUCCESS)
    if on_partial == "accept":
        assert (given["start"]["state"], given["start"]["success"], given["start"]["failure"]) == ("PARTIAL", 3, 1)


def test_a_folder_is_de_identified_and_a_retry_continues(
    basic: DeidentifyConfig, shifting: DeidentifyConfig, tmp_path: Path, instance: Any
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f"{NAME}.dcm").write_bytes(instance(1))
    (tmp_path / "in" / f"{NAME}-broken.dcm").write_bytes(instance(2)[:1501])
    folders: dict[str, Any] = {"source": str(tmp_path / "in"), "destination": str(tmp_path / "out")}
    operator = DeidentifyFolderOperator(task_id="folder", config=basic, on_partial="accept", **folders)

    first, second = operator.execute({}), operator.execute({})

    assert (first["succeeded"], first["failed"], first["reasons"]) == (1, 1, {"truncated": 1})
    assert (second["succeeded"], second["skipped"]) == (0, 1)
    assert NAME not in json.dumps([first, second])
    with pytest.raises(Exception, match="1 files failed"):
        DeidentifyFolderOperator(task_id="folder", config=basic, **folders).execute({})
    with pytest.raises(ConfigError, match="no key"):
        DeidentifyFolderOperator(task_id="folder", config=shifting, **folders).execute({})
    secret = SecretSource.file(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        DeidentifyFolderOperator(task_id="folder", config=shifting, secret=secret, **folders).execute({})


def test_a_killed_task_cancels_its_operation(
    endpoint: str, client: DeidClient, basic: DeidentifyConfig, emulator: Emulator
) -> None:
    emulator.faults.fail("operations.cancel", status=403)
    running = client.deidentify_dicom_store("source/images", "source/clean", basic)
    path, arguments = OperationTrigger(str(running.name), endpoint, poll=0.1).serialize()
    module, _, name = path.rpartition(".")
    trigger = getattr(importlib.import_module(module), name)(**arguments)

    with pytest.raises(PermissionDenied):  # it was asked to
        asyncio.run(trigger.on_kill())
    asyncio.run(OperationTrigger(str(running.name), endpoint, cancel=False).on_kill())


KILLED_FILE = """
import os
import signal
from pathlib import Path

from airflow.sdk import DAG
from healthcare_deid import DeidentifyConfig
from healthcare_deid.pipelines import SecretSource
from healthcare_deid.pipelines.airflow import DeidentifyDicomStoreOperator, DeidentifyFolderOperator


class Killer:
    # It finds nothing, and once kills the process as Airflow does, in the second chunk of a run.
    info_types = frozenset({{"PERSON_NAME"}})
    rank = 1
    seen = 0

    def find(self, text):
        self.seen += text.startswith("comment")
        if self.seen == 36 and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGTERM)
        return []


killed = Path({killed!r})
with DAG({dag!r}, schedule=None) as dag:
    {operator}
"""


@pytest.fixture
def terminations() -> Iterator[None]:
    """Put back what SIGTERM does: a task that Airflow tests in this process changes it."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class Gate:
    """Engine of an emulator that waits before each instance."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def deidentify_file(self, source: Path, destination: Path) -> None:
        assert self.opened.wait(60)
        shutil.copyfile(source, destination)


@pytest.mark.usefixtures("terminations")
def test_a_task_that_is_killed_while_it_waits_cancels_its_operation(
    lab: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    emulator = lab(workers=0, engine=lambda _: gate)
    keep = Variable.set

    def keep_and_die(*args: Any, **kwargs: Any) -> None:
        keep(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGTERM)  # which Airflow answers with on_kill()
        gate.opened.set()

    monkeypatch.setattr(Variable, "set", keep_and_die)
    operator = f"""DeidentifyDicomStoreOperator(
        task_id="start",
        source="{PARENT}/source/dicomStores/images",
        destination="{PARENT}/source/dicomStores/clean",
        config=DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build(),
        endpoint="{{endpoint}}",
        poll=0.1,
        deferrable=False,
    )"""

    with emulator.server() as server, DeidClient("p", "eu", http=emulator.http()) as client:
        endpoint = operator.replace("{endpoint}", server.url)
        state, given = run("killed-operation", KILLED_FILE, operator=endpoint, killed="")
        (name,) = operations(client)
        ended = client.operation(name).refresh().state

    assert (state, ended) == (DagRunState.FAILED, OperationState.CANCELLED)
    assert given == {"start": None}


@pytest.mark.usefixtures("terminations")
def test_a_folder_task_that_is_killed_ends_its_run_and_a_retry_continues(
    tmp_path: Path, instance: Any, files_of: Any
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(40):  # more than a worker takes at once
        (tmp_path / "in" / f"{number}.dcm").write_bytes(instance(number, f"comment {number}"))
    contents = DeidentifyConfig.builder().filter_profile("DEIDENTIFY_TAG_CONTENTS").build()
    operator = f"""DeidentifyFolderOperator(
        task_id="start",
        source={str(tmp_path / "in")!r},
        destination={str(tmp_path / "out")!r},
        config={contents.to_json()!r},
        secret=SecretSource.file({str(tmp_path / "secret")!r}),
        workers=1,
        engine_options={{"detectors": [Killer()]}},
    )"""

    (tmp_path / "secret").write_bytes(SECRET)
    marker = str(tmp_path / "killed")
    killed, _ = run("killed-folder", KILLED_FILE, operator=operator, killed=marker)
    before = files_of(tmp_path / "out")
    again, given = run("retried-folder", KILLED_FILE, operator=operator, killed=marker)

    assert (killed, again) == (DagRunState.FAILED, DagRunState.SUCCESS)
    assert 0 < len(before) < 40
    assert given["start"] == {"succeeded": 40 - len(before), "skipped": len(before), "failed": 0, "reasons": {}}
    Deidentifier(contents, secret=SECRET).deidentify_tree(tmp_path / "in", tmp_path / "whole", workers=1)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
    told = json.loads((tmp_path / "out.run" / "manifest.json").read_text())
    assert [one["state"] for one in told["runs"]] == ["interrupted", "complete"]


def test_a_config_with_a_key_is_not_stored_with_a_dag() -> None:
    config = presets.transform_contents_and_sensitive_text(crypto_key=presets.generate_crypto_key())
    for kind in (DeidentifyDatasetOperator, DeidentifyFolderOperator):
        with pytest.raises(ConfigError, match="key"):
            kind(task_id="start", source="a", destination="b", config=config)
        with pytest.raises(ConfigError, match="key"):
            kind(task_id="start", source="a", destination="b", config=config.to_json())


@pytest.mark.parametrize("name", ["salt", "patient_keys", "unwrapped_keys", "secret"])
def test_a_secret_among_the_engines_options_is_not_stored_with_a_dag(basic: DeidentifyConfig, name: str) -> None:
    with pytest.raises(ConfigError, match="SecretSource"):
        DeidentifyFolderOperator(
            task_id="a", source="a", destination="b", config=basic, engine_options={name: b"x" * 32}
        )


def test_the_provider_lists_its_operators_and_triggers() -> None:
    info = get_provider_info()

    assert info["package-name"] == "healthcare-deid"
    assert all(one["python-modules"] for one in (*info["operators"], *info["triggers"]))
