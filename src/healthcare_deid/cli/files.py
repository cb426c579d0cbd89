"""``healthcare-deid files``: de-identify DICOM files on this machine, without any service."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.admission import admission_options
from healthcare_deid.cli.choice import with_choice
from healthcare_deid.cli.dry_run import dry_run_options, show_dry_run
from healthcare_deid.cli.ends import with_ends
from healthcare_deid.cli.engine import engine_options
from healthcare_deid.cli.exits import CommandError, Exit, stopped
from healthcare_deid.cli.log import counted, say
from healthcare_deid.cli.paths import print_failures, print_warned, with_paths
from healthcare_deid.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.cli.choice import Choice
    from healthcare_deid.engine.results import TreeReport
    from healthcare_deid.engine.runs.naming import Names

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_GO_ON = "; what is written is whole, and the same command does the rest"


def run_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a run to a command, whose function receives the arguments of `deidentify_tree`."""
    for option in reversed(
        (
            click.option(
                "--run",
                type=_FOLDER,
                help="The run folder. Default: DESTINATION.run, beside DESTINATION, if that is a local folder.",
            ),
            click.option("--workers", type=click.IntRange(min=1), help="Number of processes. Default: one per core."),
            click.option(
                "--overwrite",
                is_flag=True,
                help="Create existing results again; needed after a change of config. Results that are not "
                "created again are removed.",
            ),
            click.option(
                "--adopt",
                is_flag=True,
                help="Continue in a DESTINATION with results but no run folder, as if they were made with this config.",
            ),
            click.option("--strict", is_flag=True, help="Count files that are not DICOM as failures."),
            click.option(
                "--keep-names",
                is_flag=True,
                help="Keep the source's file and folder names (they may identify the patient).",
            ),
            click.option(
                "--name-map",
                type=_FILE,
                help="Append source and result names to this CSV file, outside DESTINATION. It is as sensitive "
                "as SOURCE.",
            ),
            click.option(
                "--quarantine",
                type=_FOLDER,
                help="Copy failed sources to this folder, with their reasons. It is as sensitive as SOURCE.",
            ),
            click.option(
                "--record", type=_FILE, help="Copy the record to this file, outside DESTINATION, when the run ends."
            ),
            click.option(
                "--dicomdir",
                is_flag=True,
                help="Create DESTINATION.fileset at the end: a DICOMDIR, and links to the results under valid "
                "File IDs.",
            ),
        )
    ):
        function = option(function)
    return function


@click.command("files")
@with_ends
@with_choice(versions=True)
@engine_options()
@run_options
@admission_options
@dry_run_options
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@with_paths
def command(
    source: Any,
    destination: Any,
    choice: Choice,
    engine: dict[str, Any],
    keep_names: bool,
    style: str,
    quiet: bool,
    dry_run: bool,
    sample: int,
    **options: Any,
) -> None:
    """De-identify the DICOM files below SOURCE into DESTINATION. The default config is the preset 'minimal'.

    SOURCE is a folder, a file, a .zip or .tar archive, the DICOMDIR of a CD, or '-' for paths on standard input, one
    per line. SOURCE and DESTINATION can also be an object store (s3://bucket/prefix) or a DICOM store
    (projects/.../dicomStores/..., or the URL of a DICOMweb server); such a DESTINATION needs --run.

    Results are named by their new UIDs. A file that cannot be de-identified is counted with its reason, nothing is
    written for it, and the exit code is 3. Files that are not DICOM are ignored and counted. Run the same command again
    to do only what is missing: the run folder beside DESTINATION holds the settings of the run.
    """
    config = choice.read(default="minimal")
    assert config is not None
    choice.check(config, local=True, settled=partial(_is_settled, engine))

    from healthcare_deid.engine import Deidentifier

    names: Names = "source" if keep_names else "uid"
    try:
        if dry_run:
            of_sample = {"admit": options["admit"], "strict": options["strict"], "names": names, "sample": sample}
            show_dry_run(config, engine, source, style=style, quiet=quiet, **of_sample)
            return
        _make_secret(engine["secret"], source, destination, options["run"])
        with Progress(quiet=quiet) as progress:
            report = Deidentifier(config, **engine).deidentify_tree(
                source,
                destination,
                on_progress=progress.show,
                names=names,
                command="healthcare-deid files",
                **options,
            )
    except KeyboardInterrupt as error:
        raise stopped(error, "" if dry_run else _GO_ON) from None
    except ValueError as error:  # contradicting paths: the engine's own message
        raise CommandError(str(error), Exit.USAGE) from None
    if style == "json":
        click.echo(json.dumps(_summary(report), indent=2))
    else:
        _print(report)
    if report.failed:
        raise SystemExit(Exit.PARTIAL)
    if not report.found:
        raise CommandError("SOURCE holds no DICOM file: is it the right folder, and is it there?")


def _is_settled(engine: dict[str, Any], tag: str) -> bool:
    """Return whether an option rewrites the values of a tag that the config keeps."""
    from healthcare_deid.config.tags import tag_number
    from healthcare_deid.engine.dicom.elements import known_vr
    from healthcare_deid.engine.header.instance_rewriting import IDENTIFIERS
    from healthcare_deid.engine.plan.rules import DATE_VRS

    number = tag_number(tag)
    return bool(engine.get("dates") and known_vr(number) in DATE_VRS) or bool(
        engine.get("pseudonyms") and number in IDENTIFIERS
    )


def _make_secret(path: Path | None, source: Any, destination: Any, run: Path | None) -> None:
    """Create the secret's file if it does not exist."""
    if path is None or path.exists():
        return
    from healthcare_deid.engine.runs.ends import folders_of, originals_of, run_folder_of, store_of
    from healthcare_deid.engine.runs.run_secret import make_secret

    store = store_of(destination)
    make_secret(path, run_folder_of(run, store), folders_of(originals_of(source), store))


def _summary(report: TreeReport) -> dict[str, Any]:
    """Return a report as JSON, without names."""
    return {
        "found": report.found,
        "succeeded": report.succeeded,
        "duplicates": report.duplicates,
        "skipped": report.skipped,
        "ignored": report.ignored,
        "failed": report.failed,
        "refused": report.refused,
        "failuresByReason": dict(Counter(failure.reason for failure in report.failures)),
        "refusedByRule": report.refused_by,
        "passedOver": report.passed_over,
        "warnings": report.warnings,
        "stillRead": report.still_read,
        "safePrivateUnmatched": list(report.unmatched),
    }


def _print(report: TreeReport) -> None:
    from healthcare_deid.engine.runs.ledger import MOST_WARNED

    counts = [f"{report.succeeded} de-identified", f"{report.failed} failed", f"{report.skipped} skipped"]
    if report.duplicates:
        counts.append(f"{report.duplicates} duplicates")
    if report.refused:
        counts.append(f"{report.refused} refused")
    if report.ignored:
        counts.append(f"{report.ignored} ignored")
    click.echo(", ".join(counts))
    if report.still_read is not None:
        click.echo(f"a second OCR reads {counted(report.still_read, 'line')} of text in the pixels of the results")
    for rule, count in sorted(report.refused_by.items()):
        say(f"refused ({counted(count, 'file')}): {rule}", "refused", message=rule, count=count)
    for reason, count in sorted(report.passed_over.items()):
        say(f"ignored ({counted(count, 'file')}): {reason}", "ignored", message=reason, count=count)
    for warning, count in sorted(report.warnings.items()):
        text = f"warning ({counted(count, 'result')}): {warning}"
        say(text, "warning", level="warning", message=warning, count=count)
    for entry in report.unmatched:
        text = f"warning: --safe-private {entry} fits no element of any result: is the creator misspelled?"
        say(text, "warning", level="warning", message=text)
    print_warned(report.warned, MOST_WARNED)
    print_failures([("failed", failure.path, f"{failure.reason}: {failure.text}") for failure in report.failures])
