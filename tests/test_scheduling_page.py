"""The units, the script and the job of docs/scheduling.md do what the page says: these are the page's own texts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from healthcare_deid import presets
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[1] / "docs" / "scheduling.md").read_text("utf-8")
COMMAND = "/opt/deid/bin/healthcare-deid"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def lines() -> Iterator[str]:
    yield from (line for line in PAGE.splitlines() if "/data/in /data/out" in line)


def test_every_command_of_the_page_is_the_same_run_by_an_absolute_path_and_with_its_secret() -> None:
    found = list(lines())
    assert len(found) == 4
    for line in found:
        assert f"{COMMAND} files /data/in /data/out" in line
        assert "--config-file /etc/deid/deid.yaml --secret-file /etc/deid/deid.secret --quiet" in line


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    program = tmp_path / "healthcare-deid"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units: list[Path] = []
    for unit in blocks("ini"):
        units.append(tmp_path / unit.splitlines()[0].rpartition("/")[2])
        units[-1].write_text(unit.replace(COMMAND, str(program)))
    assert [unit.name for unit in units] == ["deid.service", "deid.timer"]
    said = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_the_service_starts_a_stopped_run_again_and_not_one_that_ended_or_was_refused() -> None:
    service, timer = blocks("ini")
    for line in ("SuccessExitStatus=3", "Restart=on-failure", "RestartPreventExitStatus=1 2", "RestartSec=60"):
        assert f"\n{line}\n" in service
    assert "\nOnCalendar=" in timer


@pytest.fixture
def nightly(tmp_path: Path) -> Path:
    """Return the page's script, with this package's command and folders of the test."""
    config = presets.transform_contents_and_sensitive_text().model_copy(update={"image": None})
    (tmp_path / "deid.yaml").write_text(config.to_yaml())
    (tmp_path / "in").mkdir()
    sample_dicom()[0].dataset.save_as(tmp_path / "in" / "1.dcm", enforce_file_format=True)
    (script,) = blocks("sh")
    places = {
        COMMAND: f"{sys.executable} -m healthcare_deid",
        "/etc/deid/": f"{tmp_path}/",
        "/data/": f"{tmp_path}/",
    }
    for place, here in places.items():
        script = script.replace(place, here)
    path = tmp_path / "deid-nightly"
    path.write_text(script)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="there is no cron")
def test_the_script_runs_in_crons_environment_and_prints_only_what_somebody_has_to_do(nightly: Path) -> None:
    def run() -> tuple[int, str]:
        source = Path(__file__).parents[1] / "src"
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(nightly.parent), "PYTHONPATH": str(source)}
        done = subprocess.run(["/bin/sh", nightly], env=environment, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout

    assert run() == (0, "")
    (nightly.parent / "in" / "broken.dcm").write_text("no DICOM")
    assert run() == (3, "")
    (nightly.parent / "deid.secret").rename(nightly.parent / "lost")
    code, mail = run()
    assert code == 1
    assert mail.startswith("de-identification ended with exit code 1\n")
    assert "give that one" in mail


def test_the_job_of_kubernetes_is_not_tried_again_for_what_a_new_try_does_not_mend() -> None:
    (text,) = blocks("yaml")
    job: dict[str, Any] = yaml.safe_load(text)["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    (container,) = pod["containers"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"] == {"containerName": container["name"], "operator": "In", "values": [1, 2, 3]}
    assert pod["restartPolicy"] == "Never", "a policy for failures needs it"
    assert "--secret-file" in container["args"]
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert all(any(word.startswith(mount) for mount in mounts) for word in container["args"] if word.startswith("/"))
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
