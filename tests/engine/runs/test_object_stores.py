"""Object stores at both ends of a run: the same bytes as from a folder to a folder, and nothing told of their names."""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import pickle
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import fsspec
import pytest

from healthcare_deid.engine.runs.object_stores import ObjectOriginals, ObjectStore
from healthcare_deid.errors import ConfigError, EngineError, MissingExtraError, RunRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Contents = Callable[[Path], dict[str, bytes]]

# HEALTHCARE_DEID_OBJECTS=1000 takes as many, and four times as long.
OBJECTS = int(os.environ.get("HEALTHCARE_DEID_OBJECTS", "250"))
STOP = OBJECTS * 2 // 5

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
SCHEMES = ["memory", "s3"]
_numbers = itertools.count()

KILLED = """
import os, sys
from pathlib import Path
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.runs.object_stores import ObjectStore
source, destination, run, profile, workers, last = sys.argv[1:]
commit, written = ObjectStore.commit, 0
def killed(*given):
    global written
    commit(*given)
    written += 1
    if written == int(last):
        os.kill(os.getpid(), 9)
ObjectStore.commit = killed
engine = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}}))
engine.deidentify_tree(source, destination, run=run, workers=int(workers))
"""


class Bucket:
    """A bucket of its own in one of the stores.

    Args:
        system: fsspec's file system.
        url: The bucket.
    """

    def __init__(self, system: Any, url: str) -> None:
        self.system = system
        self.url = url

    def put(self, name: str, data: bytes) -> None:
        bucket = self.url.partition("://")[2]
        if self.url.startswith("s3"):
            self.system.call_s3("put_object", Bucket=bucket, Key=name, Body=data)  # under this very name
        else:
            self.system.pipe_file(f"/{bucket}/{name}", data)

    def below(self, prefix: str) -> dict[str, bytes]:
        root: str = self.system._strip_protocol(f"{self.url}/{prefix}")
        return {name[len(root) + 1 :]: self.system.cat_file(name) for name in self.system.find(root)}

    def digests(self, prefix: str) -> dict[str, str]:
        """Return the MD5 of every object, as S3 lists it."""
        root: str = self.system._strip_protocol(f"{self.url}/{prefix}")
        found = self.system.find(root, detail=True)
        return {name[len(root) + 1 :]: info["ETag"].strip('"') for name, info in found.items()}


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """Serves S3 on loopback."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, by the scheme that a test names, and what it takes to reach it from any process."""
    scheme: str = request.param
    name = f"bucket{next(_numbers)}"
    if scheme == "s3":
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3_server"))
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(variable, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    system = fsspec.filesystem(scheme, skip_instance_cache=True, use_listings_cache=False)
    if scheme == "s3":
        system.mkdir(name)
    return Bucket(system, f"{scheme}://{name}")


memory = pytest.mark.parametrize("bucket", ["memory"], indirect=True)
s3 = pytest.mark.parametrize("bucket", ["s3"], indirect=True)
each_store = pytest.mark.parametrize("bucket", SCHEMES, indirect=True)


def fill(bucket: Bucket, folder: Path, count: int, instance_file: Callable[..., bytes]) -> None:
    """Put the same instances into a bucket and a folder: one is cut off, and one has another's UID."""
    for number in range(count):
        data = instance_file(number)[: -1 if number == 7 else None]
        name = f"Okonkwo {number % 3}/{number}.dcm"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        bucket.put(f"in/{name}", data)
    for name, data in {"again.dcm": instance_file(3, 1), "notes.txt": b"Ada Okonkwo called"}.items():
        (folder / name).write_bytes(data)
        bucket.put(f"in/{name}", data)


@each_store
def test_a_bucket_gives_and_takes_the_same_bytes_as_a_folder(
    profile: Any, bucket: Bucket, tmp_path: Path, contents: Contents, instance_file: Callable[..., bytes]
) -> None:
    fill(bucket, tmp_path / "in", 12, instance_file)
    expected = profile(BASIC).deidentify_tree(tmp_path / "in", tmp_path / "expected", workers=1)
    basic = profile(BASIC)

    report = basic.deidentify_tree(f"{bucket.url}/in", f"{bucket.url}/out", run=tmp_path / "run", workers=1)
    again = basic.deidentify_tree(f"{bucket.url}/in", f"{bucket.url}/out", run=tmp_path / "run")
    down = basic.deidentify_tree(f"{bucket.url}/in", tmp_path / "down")
    up = basic.deidentify_tree(tmp_path / "in", f"{bucket.url}/up", run=tmp_path / "up.run")

    assert (report.succeeded, report.failed, report.ignored) == (11, 2, 1)
    assert sorted(failure.sha256 for failure in report.failures) == sorted(one.sha256 for one in expected.failures)
    assert bucket.below("out") == bucket.below("up") == contents(tmp_path / "expected") == contents(tmp_path / "down")
    assert (again.succeeded, again.skipped, again.failed) == (0, 11, 2)
    assert down.failures == report.failures == up.failures
    kept = b"".join(contents(tmp_path / "run").values())
    assert b"Okonkwo" not in kept
    assert b"bucket" not in kept
    assert "staged" not in {path.name for path in (tmp_path / "run").iterdir()}


@memory
def test_names_of_a_bucket_come_through_only_when_asked_for_and_lead_nowhere(
    profile: Any, bucket: Bucket, tmp_path: Path, contents: Contents, instance_file: Callable[..., bytes]
) -> None:
    bucket.put("in/a/1.dcm", instance_file(1))
    bucket.put("in/../2.dcm", instance_file(2))
    report = profile(BASIC).deidentify_tree(f"{bucket.url}/in", tmp_path / "clean", names="source")
    assert [*contents(tmp_path / "clean")] == ["a/1.dcm"]
    assert [failure.reason for failure in report.failures] == ["bad-name"]


@memory
def test_one_object_is_a_source(
    profile: Any, bucket: Bucket, tmp_path: Path, instance_file: Callable[..., bytes]
) -> None:
    bucket.put("in/1.dcm", instance_file(1))
    report = profile(BASIC).deidentify_tree(f"{bucket.url}/in/1.dcm", tmp_path / "clean", names="source")
    assert [path.name for path in (tmp_path / "clean").iterdir()] == ["1.dcm"]
    assert report.succeeded == 1


@s3
def test_every_object_is_found_whatever_its_name_and_what_stands_for_a_folder_is_not(bucket: Bucket) -> None:
    names = ["in//twice", "in/*[1]?.dcm", "in/a", "in/a/b", "in/ä %20.dcm"]
    for name in names:
        bucket.put(name, name.encode())
    bucket.put("in/folder/", b"")
    bucket.put("inside/other", b"")
    originals = ObjectOriginals(f"{bucket.url}/in")
    read = {}
    for entry in originals.entries():
        with originals.opened(entry) as path:
            read[f"in/{entry.name}"] = path.read_bytes()
    assert read == {name: name.encode() for name in names}
    assert originals.count() == len(names)


@s3
def test_an_error_of_a_store_names_neither_bucket_nor_object(
    profile: Any, bucket: Bucket, tmp_path: Path, instance_file: Callable[..., bytes]
) -> None:
    bucket.put("in/Okonkwo.dcm", instance_file(1))
    with pytest.raises(EngineError) as missing:
        profile(BASIC).deidentify_tree("s3://no-such-Okonkwo/in", tmp_path / "clean")
    assert str(missing.value) == "the object store cannot be used here: No such file or directory"
    with pytest.raises(EngineError) as missing:
        profile(BASIC).deidentify_tree(f"{bucket.url}/in", "s3://no-such-Okonkwo/out", run=tmp_path / "run")
    assert "Okonkwo" not in str(missing.value)
    originals = ObjectOriginals(f"{bucket.url}/in")
    (entry,) = originals.entries()
    bucket.put("in/Okonkwo.dcm", b"another object")
    with pytest.raises(EngineError, match="replaced or cut off"), originals.opened(entry):
        pass


@memory
def test_results_that_a_store_does_not_take_are_failures_and_the_others_are_written(
    profile: Any, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance_file: Callable[..., bytes]
) -> None:
    for number in range(3):
        bucket.put(f"in/{number}.dcm", instance_file(number))
    pipe_file = fsspec.get_filesystem_class("memory").pipe_file
    refused = iter([True])

    def refusing(self: Any, path: str, value: bytes, **given: Any) -> None:
        if next(refused, False):
            raise RuntimeError(f"quota of {path}")
        pipe_file(self, path, value, **given)

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "pipe_file", refusing)
    basic = profile(BASIC)
    report = basic.deidentify_tree(f"{bucket.url}/in", f"{bucket.url}/out", run=tmp_path / "run")
    again = basic.deidentify_tree(f"{bucket.url}/in", f"{bucket.url}/out", run=tmp_path / "run")
    (failure,) = report.failures
    assert failure.text == "the result could not be written: the object store cannot be used here: RuntimeError"
    assert (report.succeeded, again.succeeded, again.skipped) == (2, 1, 2)


@memory
def test_a_bucket_with_results_that_no_run_folder_tells_of_is_refused(
    profile: Any, bucket: Bucket, tmp_path: Path, instance_file: Callable[..., bytes]
) -> None:
    bucket.put("in/1.dcm", instance_file(1))
    bucket.put("out/unknown.dcm", b"somebody's")
    with pytest.raises(RunRefused, match="no run folder"):
        profile(BASIC).deidentify_tree(f"{bucket.url}/in", f"{bucket.url}/out", run=tmp_path / "run")


@memory
def test_results_of_another_config_that_are_not_made_again_are_removed_from_a_bucket(
    profile: Any, bucket: Bucket, tmp_path: Path, instance_file: Callable[..., bytes]
) -> None:
    ends: dict[str, Any] = {"destination": f"{bucket.url}/out", "run": tmp_path / "run"}
    for number in range(2):
        bucket.put(f"in/{number}.dcm", instance_file(number))
    profile("MINIMAL_KEEP_LIST_PROFILE").deidentify_tree(f"{bucket.url}/in", **ends)
    with pytest.raises(RunRefused, match="other settings"):
        profile(BASIC).deidentify_tree(f"{bucket.url}/in", **ends)
    bucket.system.rm_file(bucket.system._strip_protocol(f"{bucket.url}/in/0.dcm"))
    report = profile(BASIC).deidentify_tree(f"{bucket.url}/in", overwrite=True, **ends)
    assert report.succeeded == len(bucket.below("out")) == 1


@pytest.mark.parametrize(
    ("source", "destination", "given", "words"),
    [
        ("memory://a/in", "memory://a/out", {}, "needs a run folder"),
        ("memory://a/in", "memory://a/in/out", {"run": "run"}, "inside the source"),
        ("memory://a/in", "memory:///a/", {"run": "run"}, "inside the destination"),
        ("memory://a/in", "memory://a/out", {"run": "run", "workers": 2}, "in this process only"),
        ("memory://a/in", "ftp://host/out", {"run": "run"}, "results appear whole"),
        ("memory://a/in", "https://host/out", {"run": "run"}, "DicomStoreResults"),
        ("https://host/dicomWeb", "out", {}, "DicomStoreOriginals"),
        ("memory://", "out", {}, "names no bucket"),
        ("simplecache::memory://a", "out", {}, "without '::'"),
        ("memory://a/scans.zip", "out", {}, "copy it here first"),
        ("nonsense://a", "out", {}, "does not know"),
        (["memory://a/in"], "out", {}, "without a list"),
        ("file://host/scans", "out", {}, "file:///path"),
        ("file:///scans?name=Okonkwo", "out", {}, "file:///path"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words_that_name_no_place(
    profile: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: Any,
    destination: str,
    given: dict[str, Any],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words) as caught:
        profile(BASIC).deidentify_tree(source, destination, **given)
    assert "memory://a" not in str(caught.value)
    assert "Okonkwo" not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_a_file_url_is_a_path(profile: Any, tmp_path: Path, instance_file: Callable[..., bytes]) -> None:
    (tmp_path / "in 1").mkdir()
    (tmp_path / "in 1" / "1.dcm").write_bytes(instance_file(1))
    url = (tmp_path / "in 1").as_uri()
    assert profile(BASIC).deidentify_tree(url, (tmp_path / "clean").as_uri()).succeeded == 1
    assert (tmp_path / "clean.run").is_dir()


def test_a_url_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    for scheme in ("s3", "gs"):
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, scheme, raising=False)
    with pytest.raises(MissingExtraError, match=r"healthcare-deid\[cloud\]"):
        ObjectOriginals("s3://bucket")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(ConfigError, match="needs a package of fsspec's"):
        ObjectOriginals("gs://bucket")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingExtraError, match=r"healthcare-deid\[cloud\]"):
        ObjectStore("memory://bucket")


@memory
def test_a_bucket_is_listed_once_a_run(
    bucket: Bucket, tmp_path: Path, instance_file: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket, tmp_path / "in", 3, instance_file)
    originals = ObjectOriginals(f"{bucket.url}/in")
    find: Any = type(originals._system).find
    listed: list[str] = []

    def counted(system: Any, path: str, **options: Any) -> Any:
        listed.append(path)
        return find(system, path, **options)

    monkeypatch.setattr(type(originals._system), "find", counted)
    assert originals.count() == len([*originals.entries()])
    assert len(listed) == 1
    assert originals.count() == len([*originals.entries()]) == len([*originals.entries()])
    assert len(listed) == 3


def test_a_store_travels_to_another_process_with_its_place_only(tmp_path: Path) -> None:
    store = ObjectStore("memory://bucket/out")
    store.begin(tmp_path, "uid")
    other = pickle.loads(pickle.dumps(store))
    assert other.url == store.url
    assert other.stage("a").parent == store.stage("a").parent


@pytest.mark.slow
@s3
def test_the_objects_of_a_run_that_is_killed_and_resumed_are_those_of_a_folder(
    profile: Any, bucket: Bucket, tmp_path: Path, contents: Contents, instance_file: Callable[..., bytes]
) -> None:
    fill(bucket, tmp_path / "in", OBJECTS, instance_file)
    profile(BASIC).deidentify_tree(tmp_path / "in", tmp_path / "expected", workers=1)
    given = [f"{bucket.url}/in", f"{bucket.url}/out", str(tmp_path / "run"), BASIC, "2", str(STOP)]

    process = subprocess.run([sys.executable, "-c", KILLED, *given], check=False)
    killed = bucket.digests("out")
    report = profile(BASIC).deidentify_tree(*given[:2], run=tmp_path / "run", workers=2)
    expected = {name: hashlib.md5(data).hexdigest() for name, data in contents(tmp_path / "expected").items()}

    assert process.returncode == -signal.SIGKILL
    assert STOP <= len(killed) < STOP + 20
    assert killed.items() <= expected.items()
    assert (report.succeeded + report.skipped, report.failed, report.ignored) == (OBJECTS - 1, 2, 1)
    assert report.skipped >= STOP - 50
    assert bucket.digests("out") == expected
    assert not (tmp_path / "run" / "staged").exists()


@pytest.mark.slow
@memory
def test_objects_in_memory_of_a_run_that_is_stopped_and_resumed_are_those_of_a_folder(
    profile: Any, bucket: Bucket, tmp_path: Path, contents: Contents, instance_file: Callable[..., bytes]
) -> None:
    fill(bucket, tmp_path / "in", OBJECTS, instance_file)
    profile(BASIC).deidentify_tree(tmp_path / "in", tmp_path / "expected", workers=1)
    ends: dict[str, Any] = {"destination": f"{bucket.url}/out", "run": tmp_path / "run"}

    def stopped(state: Any) -> None:
        if state.done > STOP:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profile(BASIC).deidentify_tree(f"{bucket.url}/in", on_progress=stopped, **ends)
    assert STOP <= len(bucket.below("out")) < STOP + 40
    report = profile(BASIC).deidentify_tree(f"{bucket.url}/in", **ends)
    assert (report.succeeded + report.skipped, report.failed, report.ignored) == (OBJECTS - 1, 2, 1)
    assert bucket.below("out") == contents(tmp_path / "expected")


@pytest.mark.slow
@s3
def test_an_object_that_travels_in_parts_is_the_same(
    profile: Any, bucket: Bucket, tmp_path: Path, contents: Contents, instance_file: Callable[..., bytes]
) -> None:
    (tmp_path / "in").mkdir()
    large = instance_file(1, TextValue="x" * (110 << 20))
    (tmp_path / "in" / "1.dcm").write_bytes(large)
    bucket.put("in/1.dcm", large)
    profile("MINIMAL_KEEP_LIST_PROFILE").deidentify_tree(tmp_path / "in", tmp_path / "expected")
    keep = profile("MINIMAL_KEEP_LIST_PROFILE")
    report = keep.deidentify_tree(f"{bucket.url}/in", f"{bucket.url}/out", run=tmp_path / "run")
    assert report.succeeded == 1
    assert bucket.below("out") == contents(tmp_path / "expected")


@memory
def test_a_sample_and_a_quarantine_are_taken_from_a_bucket_too(
    profile: Any, bucket: Bucket, tmp_path: Path, contents: Contents, instance_file: Callable[..., bytes]
) -> None:
    from healthcare_deid.report import dry_run

    bucket.put("in/1.dcm", instance_file(1))
    bucket.put("in/cut.dcm", instance_file(2)[:-1])
    told = dry_run(f"{bucket.url}/in", profile(BASIC))
    assert (told.total, told.succeeded, told.failed) == (2, 1, 1)
    ends: dict[str, Any] = {"destination": f"{bucket.url}/out", "run": tmp_path / "run"}
    profile(BASIC).deidentify_tree(f"{bucket.url}/in", quarantine=tmp_path / "failed", **ends)
    assert instance_file(2)[:-1] in contents(tmp_path / "failed").values()
