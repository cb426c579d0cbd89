"""``healthcare-deid secret``: the project secret that pseudonyms, dates, hashes and UIDs are derived from."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("secret")
def command() -> None:
    """Make a project secret, and tell one from another. A secret is never printed."""


@command.command("new")
@click.argument("name", required=False)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to this new file instead of the key folder.",
)
def new(name: str | None, file: Path | None) -> None:
    """Make a random secret, called NAME in the key folder (by default by its fingerprint).

    Keep a copy where your project keeps what it cannot do without: without the secret nobody makes the same pseudonyms
    again, and with it anybody who knows a patient's number does.
    """
    from healthcare_deid.engine.identity.key_folder import new_secret, write_secret
    from healthcare_deid.engine.identity.secret import ProjectSecret

    if name is not None and file is not None:
        raise click.UsageError("a secret is called NAME in the key folder, or has a --file: give one")
    if file is None:
        path = new_secret(name or "")
    else:
        path = file
        write_secret(file)
    click.echo(f"{path}: fingerprint {ProjectSecret(path).fingerprint}")


@command.command("show-fingerprint")
@click.argument("secret", required=False, metavar="[FILE|NAME]")
def show_fingerprint(secret: str | None) -> None:
    """Print what tells one secret from another and nothing else about it; by default of the environment's secret."""
    from healthcare_deid.engine.identity.key_folder import open_secret

    known = open_secret(secret)
    if known is None:
        raise click.UsageError("name a secret, or set HEALTHCARE_DEID_SECRET or HEALTHCARE_DEID_SECRET_FILE")
    click.echo(known.fingerprint)
