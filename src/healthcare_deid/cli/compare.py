"""``healthcare-deid compare``: what became of every tag and of the pixels, whatever tool de-identified them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.exits import CommandError, Exit
from healthcare_deid.cli.log import counted, say
from healthcare_deid.cli.output import write_report
from healthcare_deid.cli.paths import print_failures, shows_paths, with_paths
from healthcare_deid.cli.progress import Progress
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.report import ComparisonReport

_MOST = 12
"""Tags of an outcome, and instances with changed pixels, that the table names."""
_LEFT_OUT = "… "
_WIDTH = 100
"""Width of the table, in columns, when the output is not a terminal."""
_EXAMPLES = """\b
Examples:
  healthcare-deid compare scans/ clean/
  healthcare-deid compare scans/ clean/ --format html --frames 3 -o before-after.html
  healthcare-deid compare scans/ct.dcm clean/ct.dcm --format csv"""


@click.command("compare", epilog=_EXAMPLES)
@click.argument("before", type=click.Path(exists=True, path_type=Path))
@click.argument("after", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--pictures", type=click.Path(file_okay=False, path_type=Path), help="Write before/after pictures to this folder."
)
@click.option("--no-pixels", is_flag=True, help="Compare tags only.")
@click.option("--run", type=click.Path(file_okay=False, exists=True, path_type=Path), help="The run's folder.")
@click.option(
    "--frames",
    type=click.IntRange(min=0),
    default=4,
    show_default=True,
    help="Number of frames of each instance on the HTML page; changed frames come first.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json", "csv", "html"]),
    default="table",
    show_default=True,
    help="Output format. All but the table contain file names.",
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write the result to this file.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@with_paths
def command(
    before: Path,
    after: Path,
    pictures: Path | None,
    no_pixels: bool,
    run: Path | None,
    frames: int,
    style: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Compare the DICOM files BEFORE with their de-identified counterparts AFTER: two files, or two folders.

    Counterparts in folders are found by the run's record if there is one: a file that failed has none. Without a record
    they are found by SOP Instance UID, unchanged or mapped by Google's rule, or by relative path. No value is printed.
    Pictures and the HTML page show the originals: store them as safely as those.

    The exit code is 3 when an instance has no counterpart, cannot be read, or its pixels cannot be compared.
    """
    from healthcare_deid.report import compare_tree
    from healthcare_deid.report.finished_run import FinishedRun

    with Progress(quiet=quiet) as progress:
        report = compare_tree(
            before,
            after,
            pixels=not no_pixels,
            run=run,
            on_progress=progress.show,
        )
    failed = {path: f"it failed in the run: {reason}" for path, reason in report.failed.items()}
    notes = [("pixels not compared", str(pair.before), pair.comparison.note) for pair in report.pairs]
    print_failures(
        [
            *(("not read", str(path), reason) for path, reason in report.unreadable.items()),
            *(("no counterpart", str(path), failed.get(path, "")) for path in report.alone),
            *(note for note in notes if note[2]),
        ]
    )
    if len(report.alone) > len(failed) and run is None and FinishedRun.of(after) is None:
        say("if AFTER holds results of a run, its record knows their originals: name the run folder with --run")
    if not report.pairs and not report.alone:
        raise CommandError("no DICOM instance was read: nothing was compared")
    if pictures is not None:
        print_failures(list(_write_pictures(report, pictures)))
    write_report(_text(report, style, 0 if no_pixels else frames), output)
    if report.alone or report.unreadable or any(pair.comparison.note for pair in report.pairs):
        raise SystemExit(Exit.PARTIAL)


def _text(report: ComparisonReport, style: str, frames: int) -> str:
    match style:
        case "json":
            return report.to_json()
        case "csv":
            return report.to_csv()
        case "html":
            return report.to_html(pictures=frames)
        case _:
            return _table(report)


def _write_pictures(report: ComparisonReport, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Write a picture for each pair, and yield outcome, path and reason of those that cannot be made."""
    import pydicom

    from healthcare_deid.engine.silence import quiet
    from healthcare_deid.report import write_before_after

    for number, pair in enumerate(report.pairs, 1):
        path = folder / f"{number:04d}-{pair.before.stem}.png"
        try:
            with quiet():  # pydicom's warnings quote values
                write_before_after(pydicom.dcmread(pair.before), pydicom.dcmread(pair.after), path)
        except Exception as error:  # noqa: BLE001 - decoders raise anything; the comparison is complete without it
            yield "no picture", str(path), str(error) if isinstance(error, EngineError) else type(error).__name__


def _table(report: ComparisonReport) -> str:
    """Return the table, bounded to what a person reads in a terminal."""
    from healthcare_deid.report import summary_table

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
    table = summary_table([pair.comparison for pair in report.pairs], most=_MOST, width=width)
    lines = list(_pixel_lines(report))
    if len(lines) > _MOST:
        lines[_MOST:] = [f"pixels             changed in {_LEFT_OUT}{len(lines) - _MOST} more"]
    table = "\n".join([table, *lines])
    return f"{table}\n--format html or csv lists every element of every instance" if _LEFT_OUT in table else table


def _pixel_lines(report: ComparisonReport) -> Iterator[str]:
    """Yield a line for each instance whose pixels changed."""
    for number, pair in enumerate(report.pairs, 1):
        name = pair.before.name if shows_paths() else f"instance {number}"
        change = pair.comparison.pixels
        if change is not None and change.changed_frames:
            frames = f"{change.changed_frames} of {counted(change.frames, 'frame')}"
            yield f"pixels   {change.changed_fraction:8.1%}  changed in {name} ({frames})"
