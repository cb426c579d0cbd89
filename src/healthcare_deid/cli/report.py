"""``healthcare-deid report``: the report of a run, to read, print and sign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.exits import CommandError
from healthcare_deid.cli.log import counted

if TYPE_CHECKING:
    from healthcare_deid.report import RunReport


@click.command("report")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
def command(run: Path, style: str) -> None:
    """Write report.html and report.csv to the run folder of RUN, and print their numbers.

    RUN is the folder of results or its run folder. Every run writes the two files when it ends; use this command after
    a run was killed, or to write them again. They contain no value of any image. Print report.html and sign it.
    """
    from healthcare_deid.engine.runs.report_page import REPORT_HTML
    from healthcare_deid.report import write_run_report
    from healthcare_deid.report.finished_run import FinishedRun

    folder = FinishedRun.of(run)
    if folder is None:
        raise CommandError("there is no run folder: name it, or the folder of results beside it")
    report = write_run_report(folder.path)
    if style == "json":
        click.echo(json.dumps(report.to_dict(), indent=2, ensure_ascii=False))
    else:
        _print(report)
    click.echo(f"written: {folder.path / REPORT_HTML}", err=True)


def _print(report: RunReport) -> None:
    made = f"{counted(report.results, 'result')} of {counted(len(report.passes), 'start')}"
    click.echo(f"run {report.name}, {report.state}: {made}")
    kept = sum(1 for one in report.attributes if one.kept)
    click.echo(f"{kept} of {len(report.attributes)} attributes were kept in some result")
    pixels = report.pixels
    where = f"{counted(pixels.frames, 'frame')} of {counted(pixels.results, 'result')}"
    click.echo(f"{counted(pixels.rectangles, 'rectangle')} covered in {where}")
    counts = ", ".join(f"{name} {count}" for name, count in report.counts.items())
    click.echo(f"last start: {counts or 'it ended before it had counted'}")
    for text in report.unchecked:
        click.echo(f"not checked: {text}")
