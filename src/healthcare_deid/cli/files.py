"""``healthcare-deid files``: a folder of DICOM files, de-identified on this machine, with no service of any kind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcare_deid import DeidentifyConfig, presets

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.engine.records import TreeProgress

_PRESETS: dict[str, Callable[[], DeidentifyConfig]] = {
    "minimal": presets.remove_metadata_and_all_text,
    "tutorial-tags": presets.keep_tags_and_redact_all_text,
    "basic-profile": presets.basic_confidentiality_profile,
}
_FAILURES_SHOWN = 20


@click.command("files")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("destination", type=click.Path(path_type=Path))
@click.option("--config", "config_file", type=click.Path(exists=True, path_type=Path), help="A config: JSON or YAML.")
@click.option("--preset", type=click.Choice(sorted(_PRESETS)), help="A ready config instead. Default: minimal.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes. Default: one a core.")
def command(source: Path, destination: Path, config_file: Path | None, preset: str | None, workers: int | None) -> None:
    """De-identify the DICOM files below SOURCE into DESTINATION.

    A file that cannot be de-identified is counted and named, and nothing is written for it; the exit code is then 1.
    Run it again to do only what is missing.
    """
    if config_file is not None and preset is not None:
        raise click.UsageError("--config and --preset exclude each other: give one")
    config = DeidentifyConfig.from_file(config_file) if config_file else _PRESETS[preset or "minimal"]()

    from healthcare_deid.engine import Deidentifier

    def show(progress: TreeProgress) -> None:
        click.echo(f"\r{progress.done} of {progress.total} files, {progress.failed} failed", nl=False, err=True)

    on_progress = show if sys.stderr.isatty() else None
    report = Deidentifier(config).deidentify_tree(source, destination, workers=workers, on_progress=on_progress)
    if on_progress is not None:
        click.echo(err=True)
    click.echo(f"{report.succeeded} de-identified, {report.failed} failed, {report.skipped} skipped")
    for warning, count in sorted(report.warnings.items()):
        click.echo(f"warning ({count} times): {warning}", err=True)
    for failure in report.failures[:_FAILURES_SHOWN]:
        click.echo(f"failed: {failure.path}: {failure.reason}: {failure.text}", err=True)
    if report.failed > _FAILURES_SHOWN:
        click.echo(f"… and {report.failed - _FAILURES_SHOWN} more", err=True)
    if report.failed:
        raise SystemExit(1)
