"""``healthcare-deid config``: look at a config before it costs anything."""

from __future__ import annotations

from pathlib import Path

import click

from healthcare_deid import DeidentifyConfig


@click.group("config")
def command() -> None:
    """Check and show a config."""


@command.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def check(file: Path) -> None:
    """List what is legal in FILE but wrong or surprising; the exit code is 1 when something is an error."""
    findings = DeidentifyConfig.from_file(file).checks()
    for finding in findings:
        click.echo(str(finding))
    if any(finding.severity == "error" for finding in findings):
        raise SystemExit(1)
    if not findings:
        click.echo("nothing found")


@command.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def show(file: Path) -> None:
    """Say at a glance what FILE keeps, removes, transforms and covers."""
    click.echo(repr(DeidentifyConfig.from_file(file)))
