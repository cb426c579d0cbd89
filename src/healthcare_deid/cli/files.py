"""``healthcare-deid files``: a folder of DICOM files, de-identified on this machine, with no service of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.choice import with_choice
from healthcare_deid.cli.engine import engine_options
from healthcare_deid.cli.exits import CommandError, Exit
from healthcare_deid.cli.paths import print_failures, with_paths
from healthcare_deid.cli.progress import Progress

if TYPE_CHECKING:
    from healthcare_deid.cli.choice import Choice
    from healthcare_deid.engine.results import TreeProgress, TreeReport


@click.command("files")
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("destination", type=click.Path(file_okay=False, path_type=Path))
@with_choice()
@engine_options()
@click.option("--workers", type=click.IntRange(min=1), help="Processes. Default: one a core.")
@click.option("--overwrite", is_flag=True, help="Write again what is there, which a changed config needs.")
@click.option(
    "--keep-names", is_flag=True, help="Call results as the source's files and folders, which may tell who it is."
)
@click.option(
    "--name-map",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write which file became which into this CSV file, as sensitive as SOURCE; outside DESTINATION.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add to this file, a line of JSON for each result, what was done to it; no values. Outside DESTINATION.",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@with_paths
def command(
    source: Path,
    destination: Path,
    choice: Choice,
    engine: dict[str, Any],
    workers: int | None,
    overwrite: bool,
    keep_names: bool,
    name_map: Path | None,
    record: Path | None,
    quiet: bool,
) -> None:
    """De-identify the DICOM files below SOURCE into DESTINATION; by the preset 'minimal' unless a config is given.

    Results are called by their new UIDs. A file that cannot be de-identified is counted, with the reason, and
    nothing is written for it; the exit code is then 1. Run it again to do only what is missing.
    """
    if _inside(destination, source):
        raise click.UsageError("DESTINATION is inside SOURCE: results would be taken for input")
    if name_map is not None and _inside(name_map, destination):
        raise click.UsageError("--name-map is inside DESTINATION: the source's names would go with the results")
    if record is not None and _inside(record, destination):
        raise click.UsageError("--record is inside DESTINATION: it would go with the results")
    config = choice.read(default="minimal")
    assert config is not None
    choice.check(config)

    from healthcare_deid.engine import Deidentifier

    try:
        with Progress(quiet=quiet) as progress:
            report = Deidentifier(config, **engine).deidentify_tree(
                source,
                destination,
                workers=workers,
                on_progress=lambda state: progress.show(_counts(state)),
                overwrite=overwrite,
                names="source" if keep_names else "uid",
                name_map=name_map,
                record=record,
            )
    except KeyboardInterrupt:
        again = "interrupted; what is written is whole, and the same command does the rest"
        raise CommandError(again, Exit.INTERRUPTED) from None
    except ValueError as error:  # two paths that do not go together: the engine's own words
        raise CommandError(str(error), Exit.USAGE) from None
    _print(report)
    if report.failed:
        raise SystemExit(Exit.ERROR)


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _counts(state: TreeProgress) -> str:
    return f"{state.done} of {state.total} files, {state.failed} failed"


def _print(report: TreeReport) -> None:
    click.echo(f"{report.succeeded} de-identified, {report.failed} failed, {report.skipped} skipped")
    for warning, count in sorted(report.warnings.items()):
        click.echo(f"warning ({count} times): {warning}", err=True)
    print_failures([("failed", failure.path, f"{failure.reason}: {failure.text}") for failure in report.failures])
