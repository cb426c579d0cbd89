"""``healthcare-deid reidentify``: restore the identity of a folder, or look up one pseudonym. Every use is logged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.exits import CommandError, Exit
from healthcare_deid.cli.keys import warn_if_shared
from healthcare_deid.cli.paths import print_failures, with_paths
from healthcare_deid.cli.progress import Progress

if TYPE_CHECKING:
    from healthcare_deid.engine.identity.envelope import RecipientKey
    from healthcare_deid.engine.runs.reidentify import UseLog

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
PASSPHRASE = "HEALTHCARE_DEID_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable


@click.command("reidentify")
@click.argument("source", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("destination", required=False, type=_FOLDER)
@click.option(
    "--key",
    type=_FILE,
    help=f"A recipient's private key in PEM format; its passphrase is prompted for, or taken from {PASSPHRASE}.",
)
@click.option("--vault", type=_FILE, help="The vault of the run that created the results.")
@click.option("--who", metavar="PSEUDONYM", help="Look up this pseudonym or new UID; needs --vault.")
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Log file to which every use adds a line. Default: reidentify.log in the key folder.",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@with_paths
def command(
    source: Path | None,
    destination: Path | None,
    key: Path | None,
    vault: Path | None,
    who: str | None,
    log: Path | None,
    quiet: bool,
) -> None:
    """Restore the identity of the files below SOURCE into DESTINATION, or look up a pseudonym with --who.

    A file with encrypted attributes (0400,0500) gets all of them back with --key; with --vault, a file gets what the
    vault knows. Everything that is written or printed identifies patients.
    """
    if key is None and vault is None:
        raise click.UsageError("give --key, --vault, or both")
    from healthcare_deid.engine.identity.key_folder import key_folder
    from healthcare_deid.engine.runs.reidentify import UseLog

    opener = None if key is None else _key(key)
    if who is not None:
        if source is not None or vault is None:
            raise click.UsageError("--who needs --vault, and takes no folder")
        _tell(who, vault, UseLog(log or key_folder() / "reidentify.log"), opener)
        return
    if source is None or destination is None:
        raise click.UsageError("give SOURCE and DESTINATION, or --who")
    from healthcare_deid.engine.runs.reidentify import restore_tree

    used = UseLog(log or key_folder() / "reidentify.log")
    try:
        with Progress(quiet=quiet) as progress:
            report = restore_tree(source, destination, used, key=opener, vault=vault, on_progress=progress.show)
    except ValueError as error:  # contradicting folders: the engine's own message
        raise CommandError(str(error), Exit.USAGE) from None
    click.echo(f"{report.succeeded} restored, {len(report.failures)} failed")
    print_failures([("failed", name, reason) for name, reason in report.failures])
    if report.failures:
        raise SystemExit(Exit.ERROR)


def _tell(pseudonym: str, vault: Path, log: UseLog, key: RecipientKey | None) -> None:
    from healthcare_deid.engine.runs.reidentify import who

    found = who(pseudonym, vault, log, key)
    if not found:
        raise CommandError("the vault does not know this pseudonym")
    for entry in found:
        click.echo(f"{entry.kind}:")
        for keyword, value in entry.old.items():
            click.echo(f"  {keyword}: {value}")


def _key(path: Path) -> RecipientKey:
    import os

    from healthcare_deid.engine.identity.envelope import RecipientKey

    warn_if_shared(path)
    encrypted = b"ENCRYPTED" in path.read_bytes()
    passphrase = os.environ.get(PASSPHRASE) or (
        click.prompt("Passphrase", hide_input=True, err=True) if encrypted else None
    )
    return RecipientKey(path, passphrase.encode() if passphrase and encrypted else None)
