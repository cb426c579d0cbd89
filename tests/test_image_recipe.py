"""The steps of the Dockerfile, carried out in a bare directory: no container engine is needed.

``nox -s image`` builds the wheel and installs it as the recipe says, which takes minutes and a package index.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.testing import write_samples

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
WHEEL = os.environ.get("HEALTHCARE_DEID_WHEEL", "")
"""The wheel that is installed, by the session ``image``."""
installing = pytest.mark.skipif(not WHEEL, reason="installs the wheel: nox -s image")
USER = "10001"


@dataclass
class Stage:
    """One stage of a Dockerfile: where it starts from, and its steps, with arguments filled in."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def texts(self, *instructions: str) -> list[str]:
        return [text for instruction, text in self.steps if instruction in instructions]


def stages_of(text: str, **given: str) -> dict[str, Stage]:
    """Read a Dockerfile; the last stage's name is empty."""
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    stages: dict[str, Stage] = {}
    arguments: dict[str, str] = {}
    stage = Stage("")
    for line in filter(str.strip, lines):
        instruction, _, rest = line.partition(" ")
        if instruction == "ARG":
            name, _, default = rest.partition("=")
            arguments[name] = given.get(name, default or arguments.get(name, ""))
            continue
        filled = re.sub(r"\$\{(\w+)\}", lambda at: arguments.get(at[1], at[0]), rest)
        if instruction == "FROM":
            base, _, name = filled.partition(" AS ")
            stage = stages[name] = Stage(base)
        else:
            stage.steps.append((instruction, filled))
    return stages


RECIPE = (ROOT / "Dockerfile").read_text()


def test_the_image_runs_as_a_user_without_rights_and_writes_only_to_its_temporary_folder() -> None:
    base = stages_of(RECIPE)["base"]
    (created,) = base.texts("RUN")

    assert base.texts("USER") == [f"{USER}:{USER}"]
    assert f"--uid {USER}" in created
    assert "nologin" in created
    assert base.texts("WORKDIR") == ["/tmp"]
    assert {"HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1"} <= set(base.texts("ENV")[0].split())
    assert set(stages_of(RECIPE)) == {"build", "base", "sdk", "beam", ""}
    assert stages_of(RECIPE)[""].base == stages_of(RECIPE)["beam"].base == "base"


def test_beams_worker_and_the_installed_beam_have_one_version() -> None:
    stages = stages_of(RECIPE, PYTHON="3.13", BEAM="2.99.0")

    assert stages["sdk"].base == "apache/beam_python3.13_sdk:2.99.0"
    assert "apache-beam==2.99.0" in stages["build"].texts("RUN")[0]


@dataclass
class Image:
    """What the recipe makes, in a folder: its environment, and how a container of it starts."""

    folder: Path
    environment: dict[str, str]

    def command(self, *arguments: str, volumes: tuple[Path, ...] = ()) -> list[str]:
        """Return the command of a container: another user's, with everything read-only except /tmp and volumes.

        Where the kernel does not let us, nothing but the environment is that of a container.
        """
        if not _confines():
            return [*arguments]
        steps = [f"mount --bind {volume} {volume}" for volume in volumes]
        steps += [f"mount -t tmpfs tmpfs {self.folder}/tmp", "mount -o remount,ro,bind /", 'exec "$@"']
        # The inner namespace has a user without rights, to whom the files of the one who runs this test belong.
        user = ["unshare", "--user", f"--map-user={USER}", f"--map-group={USER}"]
        return [*_ROOM, "sh", "-ec", "\n".join(steps), "sh", *user, *arguments]

    def run(self, *arguments: str, volumes: tuple[Path, ...] = ()) -> str:
        done = subprocess.run(
            self.command(*arguments, volumes=volumes),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


_ROOM = ["unshare", "--mount", *([] if os.name == "posix" and os.geteuid() == 0 else ["--user", "--map-root-user"])]


def _confines() -> bool:
    probe = ["sh", "-ec", "mount -o remount,ro,bind /; unshare --user --map-user=1 true"]
    return bool(shutil.which("unshare")) and subprocess.run([*_ROOM, *probe], check=False).returncode == 0


def build(folder: Path, **given: str) -> Image:
    """Carry out the recipe's steps below a folder."""
    stages = stages_of(RECIPE, **given)

    def inside(text: str) -> str:
        return re.sub(r"(?<![\w/])/(?=(?:opt|tmp)\b)", f"{folder}/", text)

    for name in ("opt", "tmp", "bin"):
        (folder / name).mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    for step in stages["build"].texts("COPY", "RUN"):
        if step.startswith("dist/*.whl "):
            shutil.copy(WHEEL, folder / "tmp")
            continue
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        subprocess.run(["sh", "-ec", inside(step)], env=os.environ | {"PATH": path}, check=True, capture_output=True)
    base = stages["base"]
    # A virtual environment holds its own path, and is only good where it was made.
    assert base.texts("COPY") == ["--from=build /opt/healthcare-deid /opt/healthcare-deid"]
    shutil.rmtree(folder / "tmp")  # the build stage's, which is not copied
    (folder / "tmp").mkdir()
    pairs = [pair.partition("=") for pair in base.texts("ENV")[0].split()]
    environment = {name: inside(value).replace("$PATH", "/usr/bin:/bin") for name, _, value in pairs}
    return Image(folder, environment | {"TMPDIR": f"{folder}/tmp"})  # which stands for /tmp


@pytest.fixture(scope="module")
def bare() -> Iterator[Path]:
    """Return a folder that other users may enter, as they may not enter pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name).resolve()


@pytest.fixture(scope="module")
def image(bare: Path) -> Image:
    (bare / "image").mkdir()
    return build(bare / "image")


def content(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@installing
def test_the_files_entry_point_gives_what_the_engine_gives_and_writes_only_to_its_volume(
    image: Image, bare: Path
) -> None:
    scans, out = bare / "in", bare / "out"
    out.mkdir()
    write_samples(scans)
    before = content(image.folder / "opt")
    (entry,) = re.findall(r'"([^"]+)"', stages_of(RECIPE)[""].texts("ENTRYPOINT")[0])

    assert "Usage" in image.run(entry, *re.findall(r'"([^"]+)"', stages_of(RECIPE)[""].texts("CMD")[0]))
    (bare / "config.json").write_text(BASIC.to_json())
    image.run(entry, "files", str(scans), str(out / "results"), "--config", str(bare / "config.json"), volumes=(out,))

    Deidentifier(BASIC).deidentify_tree(scans, bare / "alone", workers=1)
    assert files_of(out / "results") == files_of(bare / "alone")
    assert content(image.folder / "opt") == before


@installing
def test_the_emulator_entry_point_serves(image: Image, bare: Path) -> None:
    lab, port = bare / "lab", free_port()
    lab.mkdir()
    command = ["healthcare-deid", "emulator", "--data-dir", str(lab), "--port", str(port)]
    with served(image.command(*command, volumes=(lab,)), image, port):
        request = f"http://127.0.0.1:{port}/v1/projects/p/locations/eu/datasets"
        with urllib.request.urlopen(urllib.request.Request(f"{request}?datasetId=a", b"{}", method="POST")) as reply:
            assert reply.status == 200
    assert [*lab.iterdir()]


@installing
def test_a_worker_of_beam_runs_a_pipeline(bare: Path) -> None:
    (bare / "beam").mkdir()
    image = build(bare / "beam", EXTRAS="all,beam")
    scans, out, port = bare / "scans", bare / "beam-out", free_port()
    out.mkdir()
    write_samples(scans)
    (bare / "config.json").write_text(BASIC.to_json())
    # What Beam's own boot program, which only its image has, starts for a pool of workers.
    pool = ["python", "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
    with served(image.command(*pool, volumes=(out,)), image, port):
        arguments = [f"--input={scans}", f"--output={out}/results", f"--config={bare}/config.json"]
        runner = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL"]
        image.run(
            *("python", "-m", "healthcare_deid.pipelines.beam", *arguments, f"--dead-letters={out}/dead.jsonl"),
            *(*runner, f"--environment_config=127.0.0.1:{port}"),
            volumes=(out,),
        )

    Deidentifier(BASIC).deidentify_tree(scans, bare / "alone-too", workers=1)
    assert files_of(out / "results") == files_of(bare / "alone-too")


BASIC = DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class served:  # noqa: N801 - reads as a verb
    """A context in which a server's process runs and answers on its port."""

    def __init__(self, command: list[str], image: Image, port: int) -> None:
        self._process = subprocess.Popen(command, env=image.environment, cwd=image.folder)
        self._port = port

    def __enter__(self) -> None:
        while self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the server ended")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
