"""Write ``docs/session.md``: a session of ``healthcare-deid files``, with what its commands truly print.

    python tools/write_session.py

The session runs in a temporary folder, on sample scans with invented patients. Run names, times and paths are written
the same every time; lines of progress are left out.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom.uid import UID, generate_uid

from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[1] / "docs" / "session.md"
COPIES = 3
CUT_OFF = 20_000
"""Bytes of the file that is not whole."""
_TOP = 14
_HEAD = """# A session, from dry run to signature

<!-- Written by tools/write_session.py, which runs these commands: change that file, not this one. -->

This is what the commands print, in order. The scans are samples with invented patients: nine images, one of them cut
off by a full disk, and a text file that somebody left among them.
"""
_PROGRESS = re.compile(r"^\d+ of \d+ files.*\n", re.MULTILINE)
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_RUN = re.compile(r"\b\d{8}T\d{6}Z-\d+\b")


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the session.

    Attributes:
        text: What the reader is told before it.
        command: The command, as a person types it.
        cut: Lines of its output to show; the rest is counted.
        interrupted: Whether Ctrl-C ends it after the first results.
        before: What happens before it.
    """

    text: str
    command: str
    cut: int = 0
    interrupted: bool = False
    before: Callable[[Path], None] | None = None


def write_scans(folder: Path) -> None:
    """Write the scans of the session."""
    scans = folder / "scans"
    scans.mkdir()
    for sample in (one for one in sample_dicom() if one.name in ("ct-1.dcm", "ct-2.dcm", "mr-1.dcm")):
        for number in range(COPIES):
            dataset = sample.dataset
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = _uid(sample.name, number)
            dataset.InstanceNumber = number + 1
            dataset.save_as(scans / f"{sample.name.removesuffix('.dcm')}-{number + 1}.dcm", enforce_file_format=True)
    last = scans / "mr-1-3.dcm"
    (folder / "whole.dcm").write_bytes(last.read_bytes())
    last.write_bytes(last.read_bytes()[:CUT_OFF])
    (scans / "notes.txt").write_text("Protocol of the day.\n")


def mend(folder: Path) -> None:
    """Bring the file back that was cut off."""
    (folder / "whole.dcm").replace(folder / "scans" / "mr-1-3.dcm")


STEPS = (
    Step(
        "## Before: a dry run\n\nNothing is written. It says what a run would do, and finds the broken file.",
        "healthcare-deid files scans/ clean/ --dry-run",
        cut=_TOP,
    ),
    Step(
        "## The run, and Ctrl-C in the middle\n\n"
        "Somebody needs the machine, and presses Ctrl-C. The results written so far are complete.",
        "healthcare-deid files scans/ clean/ --workers 1",
        interrupted=True,
    ),
    Step(
        "## Going on\n\nThe same command does the rest. The broken file has failed: nothing is written for it, and "
        "the exit code says so.",
        "healthcare-deid files scans/ clean/ --workers 1",
    ),
    Step(
        "The run folder says why, and names no patient: files are identified by their SHA-256.",
        "cat clean.run/failures.csv",
    ),
    Step(
        "## Once more\n\nThe file is fetched again from the archive. The same command creates only what is missing.",
        "healthcare-deid files scans/ clean/ --workers 1",
        before=mend,
    ),
    Step(
        "## What there is to sign\n\n"
        "First come the results of every start; the counts of the last one are called that. "
        "`clean.run/report.html`\nis the same as a page, with a place for the signature.",
        "healthcare-deid report clean/",
    ),
    Step(
        "The audit looks for what may still identify somebody, including the originals' values in any spelling.",
        "healthcare-deid audit clean/ --against scans/",
    ),
)
_END = """
## And then

[Review the results](reviewing.md), approve what may leave, and export it. [Runs over folders](runs.md) explains the
run folder, and [Resume and schedule](scheduling.md) does this every night.
"""


def page() -> str:
    """Run the session and return the page."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_scans(folder)
        parts = [_HEAD, *(_part(step, folder) for step in STEPS)]
    return "\n".join(parts) + _END


def shape(text: str) -> str:
    """Return a page without what differs from machine to machine: digests, numbers, and the space that they take."""
    return re.sub(r" +", " ", re.sub(r"\d+", "0", _DIGEST.sub("digest", text)))


def _part(step: Step, folder: Path) -> str:
    if step.before is not None:
        step.before(folder)
    output, code = _interrupted(step, folder) if step.interrupted else _ended(step, folder)
    lines = _normalized(output, folder).splitlines()
    if step.cut and len(lines) > step.cut:
        lines = [*lines[: step.cut], f"… {len(lines) - step.cut} more lines"]
    if step.interrupted:
        lines.insert(0, "^C")
    told = f"\nExit code {code}.\n" if code else ""
    return f"{step.text}\n\n```console\n{step.command}\n```\n\n```text\n" + "\n".join(lines) + f"\n```\n{told}"


def _ended(step: Step, folder: Path) -> tuple[str, int]:
    done = subprocess.run(  # noqa: S603 - the commands above
        _words(step), check=False, cwd=folder, env=_environment(folder), capture_output=True, text=True
    )
    return done.stdout + done.stderr, done.returncode


def _interrupted(step: Step, folder: Path) -> tuple[str, int]:
    """Send the signal of Ctrl-C when the command tells of its first results.

    Raises:
        RuntimeError: It ended before.
    """
    with subprocess.Popen(  # noqa: S603 - as above
        _words(step), cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        assert process.stdout
        next(line for line in process.stderr if _PROGRESS.match(line))
        process.send_signal(signal.SIGINT)
        output = process.stdout.read() + process.stderr.read()
    if process.returncode != 128 + signal.SIGINT:
        raise RuntimeError(f"the command was not interrupted: {process.returncode}")
    return output, process.returncode


def _words(step: Step) -> list[str]:
    first, *rest = step.command.split()
    return [sys.executable, "-m", "healthcare_deid", *rest] if first == "healthcare-deid" else [first, *rest]


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"XDG_CONFIG_HOME": str(folder / "config"), "NO_COLOR": "1", "COLUMNS": "120"}


def _normalized(output: str, folder: Path) -> str:
    text = _PROGRESS.sub("", output).replace(f"{folder}/", "")
    return _RUN.sub("20260304T050607Z-4711", text).rstrip()


def _uid(name: str, number: int) -> UID:
    return generate_uid(entropy_srcs=[name, str(number)])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
