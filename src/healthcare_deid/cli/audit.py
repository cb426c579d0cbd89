"""``healthcare-deid audit``: find what may still identify somebody in files written by any tool."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.choice import api_version_option, config_file_option, read_config
from healthcare_deid.cli.exits import CommandError, Exit
from healthcare_deid.cli.log import counted, say
from healthcare_deid.cli.output import write_report
from healthcare_deid.cli.paths import print_failures, with_paths
from healthcare_deid.cli.progress import Progress

if TYPE_CHECKING:
    from healthcare_deid.config import ApiVersion
    from healthcare_deid.report import AuditReport, Originals

_KINDS_SHOWN = 12


_EXAMPLES = """\b
Examples:
  healthcare-deid audit clean/
  healthcare-deid audit clean/ --pixels --sample 200 --format html -o audit.html
  healthcare-deid audit clean/ --against scans/ --fail-on warning
  healthcare-deid audit clean/ --accepted accepted.csv"""


@click.command("audit", epilog=_EXAMPLES)
@click.argument("folder", metavar="PATH", type=click.Path(exists=True, path_type=Path))
@click.option("--pixels", is_flag=True, help="Look for burned-in text too: about a second per frame.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Look at the pixels of N instances only.")
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the sample: the same seed selects the same instances.",
)
@click.option(
    "--against",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="Originals, a folder or a file, or a run's names.csv: look for what they hold in every spelling. Repeatable.",
)
@config_file_option("The config the files were made by, of either API version, where their markers do not say it.")
@api_version_option
@click.option(
    "--option", "options", multiple=True, metavar="NAME", help="An option of the Basic Profile they were made by."
)
@click.option(
    "--accepted",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Findings that a person accepts: lines of --format csv with accepted_by and reason filled in. They are listed "
    "apart, and do not count for the exit code.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    default="error",
    show_default=True,
    help="Lowest severity that makes the exit code 8.",
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
    folder: Path,
    pixels: bool,
    sample: int | None,
    seed: int,
    against: tuple[Path, ...],
    file: Path | None,
    api_version: ApiVersion | None,
    options: tuple[str, ...],
    accepted: Path | None,
    fail_on: str,
    style: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Look for what may still identify somebody in the DICOM files below PATH. No value is printed.

    PATH may be the run folder of a run: its results are audited, and its report tells of the audit.
    Files are measured by the profile and options they state in (0012,0064), or by --config-file. Whatever these rules
    would still change is an error; anything else that looks like a name, number or date is a warning. Finding nothing
    does not prove that the files are safe: the last lines say what was looked for, and with what confidence.

    The exit code is 8 when something is found, and 3 when a file could not be read.
    """
    from healthcare_deid.report import audit_tree
    from healthcare_deid.report.finished_run import FinishedRun

    if sample is not None and not pixels:
        raise click.UsageError("--sample is about pixels: give --pixels too")
    if api_version is not None and file is None:
        raise click.UsageError("--api-version is that of --config-file: give that too")
    run = FinishedRun.of(folder)
    folder = run.results if run is not None else folder
    with Progress(quiet=quiet) as progress:
        report = audit_tree(
            folder,
            config=read_config(file, api_version) if file is not None else None,
            options={"options": options} if options else None,
            originals=_originals(against),
            pixels=pixels,
            sample=sample,
            seed=seed,
            accepted=accepted,
            on_progress=progress.show,
        )
    print_failures([("not read", str(folder / name), reason) for name, reason in report.unreadable.items()])
    if not report.audits:
        raise CommandError("no DICOM instance was read: nothing was audited")
    for acceptance in report.unmatched:
        text = f"warning: --accepted, {acceptance}: nothing fits it any more"
        say(text, "warning", level="warning", message=text)
    if style == "table":
        text = _summary(report)
        write_report(text if output is not None else "\n".join(map(_colored, text.splitlines())), output)
    else:
        write_report({"json": report.to_json, "csv": report.to_csv, "html": report.to_html}[style](), output)
    found = report.count("error") + (report.count("warning") if fail_on == "warning" else 0)
    if found and fail_on != "never":
        raise SystemExit(Exit.FINDINGS)
    if report.unreadable:
        raise SystemExit(Exit.PARTIAL)


def _originals(paths: tuple[Path, ...]) -> Originals | None:
    if not paths:
        return None
    from healthcare_deid.report import Originals

    found = Originals()
    for path in paths:
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                found.add_names(row[0] for row in list(csv.reader(file))[1:] if row)
        else:
            found.add_files(sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path])
    if not len(found):
        raise CommandError("--against: no original was read")
    return found


def _summary(report: AuditReport) -> str:
    from healthcare_deid import Severity

    found = ", ".join(counted(report.count(severity), severity) for severity in ("error", "warning"))
    apart = f"; {report.accepted} accepted, not counted" if report.accepted else ""
    lines = [f"{counted(len(report.audits), 'instance')}: {found}{apart}"]
    for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO):
        names = _places(report, severity)
        if names:
            lines.append(f"{severity}s, and in how many instances:")
            most = len(names) if severity is Severity.ERROR else _KINDS_SHOWN
            lines += [f"  {kind:<13} {name}  {count}" for (kind, name), count in names[:most]]
            lines += [f"  … and {len(names) - most} others; --format json has all"] if len(names) > most else []
    lines += ["Measured by:", *(f"  {name}  {count}" for name, count in _promises(report).items())]
    lines += ["Looked for:", *(f"  {line}" for line in report.confidence())]
    return "\n".join(lines)


def _colored(line: str) -> str:
    """Color a headline; click removes colors when the output is not a terminal."""
    color = {"errors,": "red", "warnings,": "yellow"}.get(line.partition(" ")[0])
    return line if line.startswith(" ") else click.style(line, fg=color, bold=True)


def _places(report: AuditReport, severity: str) -> list[tuple[tuple[str, str], int]]:
    counts: dict[tuple[str, str], int] = {}
    for item in report.audits.values():
        for place in {(str(found.residue), found.name) for found in item.findings if found.severity == severity}:
            counts[place] = counts.get(place, 0) + 1
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _promises(report: AuditReport) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in report.audits.values():
        counts[item.promise] = counts.get(item.promise, 0) + 1
    return counts
