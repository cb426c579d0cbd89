"""``healthcare-deid emulator``: the Cloud Healthcare API on a port of this machine."""

from __future__ import annotations

import contextlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.log import counted, say

if TYPE_CHECKING:
    from healthcare_deid.emulator import Emulator

_DEFAULT_PORT = 8085
_GCLOUD_PROJECT = re.compile(r"([a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]+")
"""Project IDs (and numbers) that gcloud accepts."""


@dataclass(frozen=True)
class _Options:
    """Options of the group that its commands read."""

    host: str
    port: int
    project: str
    location: str
    data_dir: Path


def _buckets(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, Path]:
    buckets: dict[str, Path] = {}
    for pair in given:
        bucket, separator, folder = pair.partition("=")
        if not (bucket and separator and folder):
            raise click.BadParameter("write bucket=folder")
        buckets[bucket] = Path(folder)
    return buckets


@click.group("emulator", invoke_without_command=True)
@click.option("--host", default="localhost", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_DEFAULT_PORT,
    show_default=True,
    help="Port; 0 for any free port.",
)
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path("lab"), show_default=True)
@click.option("--in-memory", is_flag=True, help="Use a temporary folder, removed at the end.")
@click.option("--gcs", "buckets", multiple=True, callback=_buckets, metavar="BUCKET=DIR", help="Map gs:// to a folder.")
@click.option(
    "--origin", "origins", multiple=True, help="Origins of web pages that may read, such as https://viewer.example."
)
@click.option("--allow-host", "hosts", multiple=True, help="Further Host names, such as healthcare.googleapis.com.")
@click.option(
    "--seed", type=click.Path(exists=True, path_type=Path), help="DICOM files to store first, in dataset1/dicomstore1."
)
@click.option("--project", default="my-project", show_default=True, help="For --seed and env-init.")
@click.option("--location", default="us-central1", show_default=True, help="For --seed and env-init.")
@click.option("--allow-remote", is_flag=True, help="Accept an address that other machines can reach.")
@click.option(
    "--allow-remote-storage",
    is_flag=True,
    help="Allow a STORAGE_EMULATOR_HOST on another machine, to which exported instances are then sent.",
)
@click.pass_context
def command(
    context: click.Context,
    host: str,
    port: int,
    data_dir: Path,
    in_memory: bool,
    buckets: dict[str, Path],
    origins: tuple[str, ...],
    hosts: tuple[str, ...],
    seed: Path | None,
    project: str,
    location: str,
    allow_remote: bool,
    allow_remote_storage: bool,
) -> None:
    """Serve the Cloud Healthcare API on this machine until Ctrl-C.

    There is no authentication, so only this machine can reach it unless --allow-remote is given.
    """
    context.obj = _Options(host, port, project, location, data_dir)
    if context.invoked_subcommand is not None:
        return
    from healthcare_deid.emulator import Emulator

    folder = None if in_memory else data_dir
    with Emulator(folder, gcs=buckets, allow_remote_storage=allow_remote_storage) as emulator:
        if seed is not None:
            _seed(emulator, seed, project, location)
        server = emulator.server(host, port, origins=origins, hosts=hosts, allow_remote=allow_remote)
        if allow_remote:
            say(
                "warning: any machine that reaches this address can read and delete all of it",
                "warning",
                level="warning",
            )
        click.echo(f"Cloud Healthcare API emulator on {server.url}, data in {emulator.data_dir}")
        click.echo(f"export HEALTHCARE_EMULATOR_HOST={server.url}")
        server.run()


@command.command("env-init")
@click.pass_obj
def env_init(options: _Options) -> None:
    """Print the shell lines that point this package and gcloud at the emulator.

    Usage: eval "$(healthcare-deid emulator env-init)"
    """
    if not _GCLOUD_PROJECT.fullmatch(options.project):
        text = f"warning: gcloud does not accept {options.project!r} as a project ID, see its rules"
        say(text, "warning", level="warning")
    url = f"http://{options.host}:{options.port}"
    for name, value in {
        "HEALTHCARE_EMULATOR_HOST": url,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_HEALTHCARE": f"{url}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": options.project,
        "CLOUDSDK_HEALTHCARE_LOCATION": options.location,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@command.command("rebuild-index")
@click.pass_obj
def rebuild_index(options: _Options) -> None:
    """Make a new index from the instance files, if the database was lost or damaged.

    The old database is kept under another name. Labels, policies, FHIR stores, operations and empty stores are lost.
    """
    from healthcare_deid.emulator import rebuild_index as rebuild

    report = rebuild(options.data_dir)
    click.echo(f"{counted(report.instances, 'instance')} in {counted(report.stores, 'DICOM store')}")
    if report.skipped:
        say(
            f"{counted(report.skipped, 'file')} left out: no DICOM instance, or a second one of the same UIDs",
            level="warning",
        )
    if report.kept is not None:
        click.echo(f"the old database is {report.kept}")


def _seed(emulator: Emulator, folder: Path, project: str, location: str) -> None:
    """Store the files in a folder in dataset1/dicomstore1, the names of the tutorial, created if missing."""
    from healthcare_deid import DeidClient
    from healthcare_deid.errors import AlreadyExists

    with DeidClient(project, location, http=emulator.http()) as client:
        with contextlib.suppress(AlreadyExists):
            client.create_dataset("dataset1").result()
        with contextlib.suppress(AlreadyExists):
            client.create_dicom_store("dataset1/dicomstore1")
        report = client.upload("dataset1/dicomstore1", folder)
    click.echo(f"dataset1/dicomstore1: {report}")
