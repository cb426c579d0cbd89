"""``healthcare-deid emulator``: the Cloud Healthcare API on a port of this machine."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from healthcare_deid.emulator import Emulator

_DEFAULT_PORT = 8085


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
    help="Port; 0 takes any that is free.",
)
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path("lab"), show_default=True)
@click.option("--in-memory", is_flag=True, help="Keep nothing: a temporary folder, removed at the end.")
@click.option("--gcs", "buckets", multiple=True, callback=_buckets, metavar="BUCKET=DIR", help="Map gs:// to a folder.")
@click.option("--origin", "origins", multiple=True, help="Web pages that may read, such as https://viewer.example.")
@click.option("--seed", type=click.Path(exists=True, path_type=Path), help="DICOM files to start with.")
@click.option("--project", default="MyProj", show_default=True, help="For --seed and env-init.")
@click.option("--location", default="us-central1", show_default=True, help="For --seed and env-init.")
@click.option("--allow-remote", is_flag=True, help="Listen where other machines can reach it.")
@click.option(
    "--allow-remote-storage",
    is_flag=True,
    help="Take a STORAGE_EMULATOR_HOST on another machine: exported instances are sent there.",
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
    seed: Path | None,
    project: str,
    location: str,
    allow_remote: bool,
    allow_remote_storage: bool,
) -> None:
    """Serve the Cloud Healthcare API on this machine, until Ctrl-C.

    It asks nobody for credentials: it listens to this machine only, unless --allow-remote.
    """
    context.obj = {"host": host, "port": port, "project": project, "location": location}
    if context.invoked_subcommand is not None:
        return
    from healthcare_deid.emulator import Emulator

    folder = None if in_memory else data_dir
    with Emulator(folder, gcs=buckets, allow_remote_storage=allow_remote_storage) as emulator:
        if seed is not None:
            _seed(emulator, seed, project, location)
        server = emulator.server(host, port, origins=origins, allow_remote=allow_remote)
        if allow_remote:
            click.echo("warning: any machine that reaches this address can read and delete everything in it", err=True)
        click.echo(f"Cloud Healthcare API emulator on {server.url}, data in {emulator.data_dir}")
        click.echo(f"export HEALTHCARE_EMULATOR_HOST={server.url}")
        server.run()


@command.command("env-init")
@click.pass_obj
def env_init(options: dict[str, str]) -> None:
    """Print the lines that point this package and gcloud at the emulator.

    For a shell: eval "$(healthcare-deid emulator env-init)"
    """
    url = f"http://{options['host']}:{options['port']}"
    for name, value in {
        "HEALTHCARE_EMULATOR_HOST": url,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_HEALTHCARE": f"{url}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": options["project"],
        "CLOUDSDK_HEALTHCARE_LOCATION": options["location"],
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _seed(emulator: Emulator, folder: Path, project: str, location: str) -> None:
    """Store the files below ``folder`` in dataset1/dicomstore1, the tutorial's names, made when they are missing."""
    from healthcare_deid import DeidClient
    from healthcare_deid.errors import AlreadyExists

    with DeidClient(project, location, http=emulator.http()) as client:
        with contextlib.suppress(AlreadyExists):
            client.create_dataset("dataset1").result()
        with contextlib.suppress(AlreadyExists):
            client.create_dicom_store("dataset1/dicomstore1")
        report = client.upload("dataset1/dicomstore1", folder)
    click.echo(f"dataset1/dicomstore1: {report}")
