"""Beam transforms give the results of a run over a folder, on any runner."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to

from healthcare_deid import DeidClient, presets
from healthcare_deid.emulator import Emulator
from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines.beam import (
    DeidentifyDataset,
    DeidentifyFiles,
    DeidentifyInstances,
    ReadInstances,
    SecretSource,
    WriteInstances,
)
from healthcare_deid.pipelines.beam.command import run
from healthcare_deid.pipelines.beam.writing import _WriteToFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from healthcare_deid import DeidentifyConfig

NAME = "Zqxsmith"  # in the name of every source, and of every patient
SECRET = b"a secret of this project's own"
IN_MEMORY = ["--runner=DirectRunner", "--direct_running_mode=in_memory"]
PROCESSES = ["--runner=DirectRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]


@pytest.fixture
def job_server(tmp_path: Path) -> Iterator[list[str]]:
    """Start Beam's Python job server; return the flags of a runner that talks to it over gRPC."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main", f"--port={port}"]
    with (tmp_path / "job-server.log").open("wb") as log:
        server = subprocess.Popen([*command, f"--staging_dir={tmp_path}/staging"], stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    yield ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}", "--environment_type=LOOPBACK"]
    server.terminate()
    server.wait()


@pytest.fixture
def config_file(tmp_path: Path, basic: DeidentifyConfig) -> str:
    path = tmp_path / "config.json"
    path.write_text(basic.to_json())
    return str(path)


@pytest.fixture(params=["in memory", "two processes", "gRPC"])
def flags(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "gRPC":
        found: list[str] = request.getfixturevalue("job_server")
        return found
    return IN_MEMORY if request.param == "in memory" else PROCESSES


def letters_of(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_files_are_those_of_a_run_over_the_folder(
    scans: Any, basic: DeidentifyConfig, config_file: str, tmp_path: Path, flags: list[str], files_of: Any
) -> None:
    made = scans(int(os.environ.get("HEALTHCARE_DEID_BEAM_INSTANCES", "200")))
    out, dead, records = (tmp_path / name for name in ("out", "dead.jsonl", "records.jsonl"))
    arguments = [f"--input={made.folder}", f"--output={out}", f"--config={config_file}", f"--dead-letters={dead}"]

    run([*arguments, f"--records={records}", *flags])

    alone = tmp_path / "alone"
    for name in {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in made.folder.rglob("*.dcm")}.items():
        if name[0] not in made.broken | made.losers:
            (alone / name[0]).parent.mkdir(exist_ok=True)
            (alone / name[0]).write_bytes(name[1].read_bytes())
    Deidentifier(basic).deidentify_tree(alone, tmp_path / "tree", workers=1)
    assert files_of(out) == files_of(tmp_path / "tree")
    assert len(files_of(out)) == made.results
    letters = letters_of(dead)
    assert {one["sha256"] for one in letters if one["reason"] == "same-uid"} == made.losers
    assert {one["sha256"] for one in letters if one["reason"] != "same-uid"} == made.broken
    told = [json.loads(line)["result"] for line in records.read_text().splitlines()]
    assert Counter(told) == Counter(files_of(out).keys())
    assert not (tmp_path / "out.staging").exists()
    for path in (dead, records):
        assert NAME not in path.read_text()


@pytest.mark.parametrize("name_sources", [False, True])
def test_each_pair_gives_one_counted_pair(
    scans: Any, basic: DeidentifyConfig, tmp_path: Path, name_sources: bool, files_of: Any
) -> None:
    made = scans(120)
    pipeline = beam.Pipeline(options=PipelineOptions(IN_MEMORY))
    read = pipeline | ReadInstances(str(made.folder / "**" / "*.dcm"))
    done = read.instances | DeidentifyInstances(basic, source_names=name_sources)
    written = done.results | WriteInstances(str(tmp_path / "out"))
    names = done.records | beam.Map(lambda line: json.loads(line)["result"])
    assert_that(written | "Count written" >> beam.combiners.Count.Globally(), equal_to([made.results]), "results")
    told = names | "Told" >> beam.Distinct() | "Count told" >> beam.combiners.Count.Globally()
    assert_that(told, equal_to([made.results]), "records")
    digests = done.dead_letters | beam.Map(lambda letter: letter.sha256)
    assert_that(digests, equal_to([*made.broken, *made.losers]), "dead letters")
    sources = done.dead_letters | "Named" >> beam.Map(lambda letter: NAME in letter.source) | "Kinds" >> beam.Distinct()
    assert_that(sources, equal_to([name_sources]), "sources")

    result = pipeline.run()
    result.wait_until_finish()

    counters = result.metrics().query(MetricsFilter().with_namespace("healthcare_deid"))["counters"]
    counts = {counter.key.metric.name: counter.result for counter in counters}
    assert counts["deidentify_failed"] == len(made.broken)
    assert counts["deidentify_duplicates"] == made.copies - sum(1 for number in range(3, 120, 50) if number % 20 == 7)
    assert counts["write_succeeded"] == made.results == len(files_of(tmp_path / "out"))


def test_every_worker_shifts_dates_alike(
    shifting: DeidentifyConfig, tmp_path: Path, files_of: Any, instance: Any
) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "in").mkdir()
    for number in range(40):
        (tmp_path / "in" / f"{number}.dcm").write_bytes(instance(number))
    secret = SecretSource.file(tmp_path / "secret")

    for out, flags in (("one", IN_MEMORY), ("two", PROCESSES)):
        with beam.Pipeline(options=PipelineOptions(flags)) as pipeline:
            _ = pipeline | DeidentifyFiles(str(tmp_path / "in"), str(tmp_path / out), shifting, secret=secret)

    Deidentifier(shifting, secret=SECRET).deidentify_tree(tmp_path / "in", tmp_path / "tree", workers=1)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two") == files_of(tmp_path / "tree")


def test_the_graph_contains_no_secret_and_shows_no_path(shifting: DeidentifyConfig, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    pipeline = beam.Pipeline()
    _ = pipeline | DeidentifyFiles(
        str(tmp_path / NAME), str(tmp_path / "out"), shifting, secret=SecretSource.file(tmp_path / "secret")
    )
    proto = pipeline.to_runner_api()

    shown = "".join(str(one.display_data) for one in proto.components.transforms.values())
    assert SECRET not in proto.SerializeToString()
    assert NAME not in shown
    assert "secret" not in shown.lower()


def test_a_config_that_needs_a_secret_is_refused_when_the_graph_is_built(shifting: DeidentifyConfig) -> None:
    with pytest.raises(ConfigError, match="place of a secret"):
        DeidentifyInstances(shifting)


@pytest.mark.parametrize(("pixels", "given", "batches"), [(False, None, [5]), (True, None, [1] * 5), (True, 3, [3, 2])])
def test_files_whose_pixels_are_looked_at_are_handed_out_one_by_one(
    basic: DeidentifyConfig, tmp_path: Path, pixels: bool, given: int | None, batches: list[int]
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.dcm").write_bytes(b"")
    config = presets.remove_metadata_and_all_text() if pixels else basic
    transform = DeidentifyFiles(str(tmp_path), f"{tmp_path}-out", config, batch=given)

    listed = [len(names) for _, names in transform._read._list.process(str(tmp_path))]

    assert listed == batches


def test_images_are_not_copied_between_reading_and_staging(basic: DeidentifyConfig, tmp_path: Path) -> None:
    pipeline = beam.Pipeline()
    _ = pipeline | DeidentifyFiles(str(tmp_path / "in"), str(tmp_path / "out"), basic, min_ram="8GB")
    components = pipeline.to_runner_api().components

    steps = [one for one in components.transforms.values() if one.spec.urn == "beam:transform:pardo:v1"]
    work = {one.unique_name: one.environment_id for one in steps if "/Sources/" not in one.unique_name}
    # A runner fuses steps of one environment only, and a resource hint is part of it.
    assert len(set(work.values())) == 1, work
    assert any("Stage" in name for name in work)
    assert any("Read" in name for name in work)


def test_members_of_archives_are_instances(
    basic: DeidentifyConfig, tmp_path: Path, files_of: Any, instance: Any
) -> None:
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "a.zip", "w") as archive:
        archive.writestr("folder/one.dcm", instance(1))
        archive.writestr("read me.txt", "not DICOM")
    (tmp_path / "two.dcm").write_bytes(instance(2))
    with tarfile.open(tmp_path / "in" / "b.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "two.dcm", "two.dcm")
    (tmp_path / "in" / "c.zip").write_bytes(b"no archive")

    with beam.Pipeline(options=PipelineOptions(IN_MEMORY)) as pipeline:
        done = pipeline | DeidentifyFiles(f"file://{tmp_path}/in", f"file://{tmp_path}/out", basic)
        reasons = done.dead_letters | beam.Map(lambda letter: letter.reason)
        assert_that(reasons, equal_to(["not-dicom", "io-error"]))

    assert len(files_of(tmp_path / "out")) == 2


def test_every_member_of_an_archive_is_a_result_or_a_dead_letter(
    basic: DeidentifyConfig, tmp_path: Path, files_of: Any, instance: Any
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "one.dcm").write_bytes(instance(1))
    with zipfile.ZipFile(tmp_path / "in" / f"{NAME}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "one.dcm", "one.dcm")
    damaged = bytearray((tmp_path / "in" / f"{NAME}.zip").read_bytes())
    damaged[60:90] = b"\xff" * 30  # zlib.error, which is no OSError
    (tmp_path / "in" / f"{NAME}.zip").write_bytes(damaged)
    (tmp_path / "two.dcm").hardlink_to(tmp_path / "one.dcm")
    with tarfile.open(tmp_path / "in" / "linked.tar", "w") as linked:  # tar keeps a file with two names once
        linked.add(tmp_path / "one.dcm", "one.dcm")
        linked.add(tmp_path / "two.dcm", "two.dcm")
    fifo = tarfile.TarInfo("pipe")
    fifo.type = tarfile.FIFOTYPE
    with tarfile.open(tmp_path / "in" / "pipe.tar", "w") as piped:
        piped.addfile(fifo)

    with beam.Pipeline(options=PipelineOptions(IN_MEMORY)) as pipeline:
        read = pipeline | ReadInstances(str(tmp_path / "in"))
        assert_that(
            read.instances | beam.Map(lambda pair: pair[0].rpartition("!")[2]), equal_to(["one.dcm", "two.dcm"])
        )
        texts = read.dead_letters | beam.Map(lambda letter: (letter.reason, letter.source, letter.text))
        told = [("io-error", "", f"the file cannot be read ({name})") for name in ("error", "ReadError")]
        assert_that(texts, equal_to(told), "dead letters")


@pytest.mark.parametrize("name", ["", ".", "/a", "../a", "a/../b", "a//b", "a/", "..\\a", "a\\..\\b", "a::file:///b"])
def test_a_result_is_never_written_outside_the_destination(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="inside the destination"):
        next(_WriteToFolder(str(tmp_path / "out")).process((name, b"data")))
    assert [*tmp_path.iterdir()] == []


def test_a_killed_worker_leaves_only_complete_results_and_a_second_run_finishes(
    config_file: str, basic: DeidentifyConfig, tmp_path: Path, files_of: Any, instance: Any
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(200):
        (tmp_path / "in" / f"{number}.dcm").write_bytes(instance(number))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "healthcare_deid.pipelines.beam", f"--input={tmp_path}/in", f"--output={out}"]
    command += [f"--config={config_file}", f"--dead-letters={tmp_path}/dead.jsonl", *IN_MEMORY]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (tmp_path / "out.staging").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    Deidentifier(basic).deidentify_tree(tmp_path / "in", tmp_path / "tree", workers=1)
    whole = files_of(tmp_path / "tree")
    assert process.returncode == -signal.SIGKILL
    assert files_of(out).items() <= whole.items()

    subprocess.run(command, check=True, capture_output=True)

    assert files_of(out) == whole
    assert not (tmp_path / "out.staging").exists()


@pytest.fixture
def lab(tmp_path: Path, instance: Any) -> Iterator[tuple[Emulator, str, DeidClient]]:
    """Return an emulator with six instances, its URL, and a client of it."""
    with Emulator(tmp_path / "lab") as emulator, DeidClient("p", "eu", http=emulator.http()) as client:
        client.create_dataset("scans").result()
        client.create_dicom_store("scans/images")
        client.create_dicom_store("scans/clean")
        for number in range(6):
            (tmp_path / f"{number}.dcm").write_bytes(instance(number))
        client.upload("scans/images", [tmp_path / f"{number}.dcm" for number in range(6)])
        with emulator.server() as server:
            yield emulator, server.url, client


def test_stores_are_read_and_written_and_a_busy_store_is_retried(
    lab: tuple[Emulator, str, DeidClient], basic: DeidentifyConfig
) -> None:
    emulator, endpoint, client = lab
    stores = "projects/p/locations/eu/datasets/scans/dicomStores"
    emulator.faults.fail("storeInstances", status=429, times=2)
    emulator.faults.fail("retrieveInstance", status=429, times=2)

    for _ in range(2):  # a bundle that is tried again
        with beam.Pipeline(options=PipelineOptions(IN_MEMORY)) as pipeline:
            read = pipeline | ReadInstances(f"{stores}/images", endpoint=endpoint)
            done = read.instances | DeidentifyInstances(basic)
            written = done.results | WriteInstances(f"{stores}/clean", endpoint=endpoint)
            assert_that(written | beam.combiners.Count.Globally(), equal_to([6]), "written")
            letters = (read.dead_letters, done.dead_letters) | beam.Flatten()
            assert_that(letters, equal_to([]), "dead letters")

    assert client.get_dicom_store_metrics("scans/clean").instance_count == 6


@pytest.mark.parametrize("failing", [False, True])
def test_an_operation_of_the_service_is_started_once_and_waited_for(
    lab: tuple[Emulator, str, DeidClient], basic: DeidentifyConfig, failing: bool
) -> None:
    emulator, endpoint, client = lab
    datasets = "projects/p/locations/eu/datasets"
    emulator.faults.hold_operations(3)
    if failing:
        emulator.faults.fail_instances("1.2.3.0")
    transform = DeidentifyDataset(
        f"{datasets}/scans", f"{datasets}/out", basic, raise_on_partial=not failing, endpoint=endpoint, poll=0.3
    )

    with beam.Pipeline(options=PipelineOptions(IN_MEMORY)) as pipeline:
        summary = pipeline | transform | beam.Map(lambda told: (told["state"], told["success"], told["failure"]))
        assert_that(summary, equal_to([("PARTIAL", 5, 1) if failing else ("SUCCEEDED", 6, 0)]))

    started = [one for one in client.list_operations("scans") if "eidentify" in (one.metadata.api_method_name or "")]
    assert len(started) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--config=/nowhere"], "cannot be read"),
        (["--secret-manager=deid"], "versions"),
        (["--output=out/*"], "destination"),
    ],
)
def test_invalid_arguments_are_refused_before_anything_runs(
    config_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    whole = [f"--input={tmp_path}", "--output=out", f"--config={config_file}", "--dead-letters=dead"]
    with pytest.raises(SystemExit) as caught:
        run([*whole, *arguments])

    assert caught.value.code == 2
    assert re.search(text, capsys.readouterr().err)
