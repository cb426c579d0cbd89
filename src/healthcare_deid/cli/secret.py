"""``healthcare-deid secret``: the project secret from which pseudonyms, dates, hashes and UIDs are derived."""

from __future__ import annotations

from pathlib import Path

import click

from healthcare_deid.cli.exits import CommandError


@click.group("secret")
def command() -> None:
    """Create project secrets and tell them apart. A secret is never printed."""


@command.command("new")
@click.argument("name", required=False)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the secret to this new file instead of the key folder.",
)
def new(name: str | None, file: Path | None) -> None:
    """Create a random secret, named NAME in the key folder (default: its fingerprint).

    Keep a safe copy. Without the secret, nobody can create the same pseudonyms again; with it, anybody who knows a
    patient's number can.
    """
    from healthcare_deid.engine.identity.key_folder import new_secret, write_secret
    from healthcare_deid.engine.identity.secret import ProjectSecret

    if name is not None and file is not None:
        raise click.UsageError("NAME (in the key folder) and --file exclude each other: give one")
    try:
        path = new_secret(name or "") if file is None else file
        if file is not None:
            write_secret(file)
    except FileExistsError:
        raise CommandError("a secret of that name exists and is never replaced: use it, or name another") from None
    click.echo(f"{path}: fingerprint {ProjectSecret(path).fingerprint}")


@command.command("show-fingerprint")
@click.argument("secret", required=False, metavar="[FILE|NAME]")
def show_fingerprint(secret: str | None) -> None:
    """Print the fingerprint of a secret, which reveals nothing else about it.

    The default is the secret in the environment.
    """
    from healthcare_deid.engine.identity.key_folder import open_secret

    known = open_secret(secret)
    if known is None:
        raise click.UsageError("name a secret, or set HEALTHCARE_DEID_SECRET or HEALTHCARE_DEID_SECRET_FILE")
    click.echo(known.fingerprint)
