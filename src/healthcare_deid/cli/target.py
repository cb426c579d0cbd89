"""Target of a command: Google, an emulator on a port, or one in this process."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.exits import SERVER_TEXT
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, OperationName

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid import DeidClient
    from healthcare_deid.config import ApiVersion

_FIRST_PAUSE = 0.2
"""Seconds before the second poll of an operation: somebody is waiting at the terminal."""
_LOCAL_PROJECT = "local"
_LOCAL_LOCATION = "us-central1"


@dataclass(frozen=True, slots=True)
class Target:
    """Target of a command, from its options and the environment.

    Attributes:
        project: Completes short names.
        location: Completes short names.
        endpoint: ``https://host[:port]`` in place of Google's.
        local: Folder of an emulator in this process.
        api_version: ``v1`` or ``v1beta1``; None if only the config may tell.
        quiet: Do not prompt or show progress.
    """

    project: str | None = None
    location: str | None = None
    endpoint: str | None = None
    local: Path | None = None
    api_version: ApiVersion | None = None
    quiet: bool = False

    def client(self) -> DeidClient:
        """Return a client, which the caller closes."""
        from healthcare_deid import DeidClient, PollPolicy

        if self.local is not None:
            return DeidClient.local(self.local, self.project, self.location, api_version=self.api_version or "v1")
        return DeidClient(
            self.project,
            self.location,
            endpoint=self.endpoint,
            api_version=self.api_version or "v1",
            app_info="healthcare-deid-cli",
            poll=PollPolicy(initial=_FIRST_PAUSE),
        )

    def confirm(self, what: str) -> None:
        """Ask for confirmation before something that cannot be undone. Anything but yes ends the command."""
        if not self.quiet:
            click.confirm(f"You are about to {what}. Do you want to continue", abort=True, err=True)

    def dataset(self, name: str) -> DatasetName:
        """Complete a dataset's name."""
        self._need_parts(name)
        return DatasetName.resolve(name, project=self.project, location=self.location)

    def dicom_store(self, name: str, dataset: str | None) -> DicomStoreName:
        """Complete a DICOM store's name: the ID with ``--dataset``, ``dataset/store``, or the full name."""
        if name.startswith("projects/"):
            return DicomStoreName.parse(name)
        parent, own_id = self._in_dataset(name, dataset)
        return DicomStoreName(parent.project, parent.location, parent.dataset, own_id)

    def fhir_store(self, name: str, dataset: str | None) -> FhirStoreName:
        """Complete a FHIR store's name, as `dicom_store` does."""
        if name.startswith("projects/"):
            return FhirStoreName.parse(name)
        parent, own_id = self._in_dataset(name, dataset)
        return FhirStoreName(parent.project, parent.location, parent.dataset, own_id)

    def operation(self, name: str, dataset: str | None) -> OperationName:
        """Complete an operation's name, as `dicom_store` does."""
        if name.startswith("projects/"):
            return OperationName.parse(name, lenient=True)
        parent, own_id = self._in_dataset(name, dataset)
        return OperationName(parent.project, parent.location, parent.dataset, own_id)

    def _in_dataset(self, name: str, dataset: str | None) -> tuple[DatasetName, str]:
        before, separator, own_id = name.rpartition("/")
        if separator:
            return self.dataset(before), own_id
        if dataset is None:
            raise click.UsageError("--dataset is needed with a short name")
        return self.dataset(dataset), name

    def _need_parts(self, name: str) -> None:
        if name.startswith("projects/"):
            return
        if not self.project:
            raise click.UsageError("--project is needed with a short name (or the variable CLOUDSDK_CORE_PROJECT)")
        if not self.location:
            raise click.UsageError(
                "--location is needed with a short name (or the variable CLOUDSDK_HEALTHCARE_LOCATION)"
            )


def _remember_server_text(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    context.meta[SERVER_TEXT] = wanted


_OPTIONS = (
    click.option(
        "--project",
        envvar=["CLOUDSDK_CORE_PROJECT", "GOOGLE_CLOUD_PROJECT"],
        show_envvar=True,
        help="The project that completes short names.",
    ),
    click.option(
        "--location",
        envvar="CLOUDSDK_HEALTHCARE_LOCATION",
        show_envvar=True,
        help="The location that completes short names, such as us-central1.",
    ),
    click.option("--endpoint", metavar="URL", help="An emulator's address; so does HEALTHCARE_EMULATOR_HOST."),
    click.option(
        "--local",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Use an emulator in this process, with its data in DIR, instead of a service.",
    ),
    click.option(
        "--api-version",
        type=click.Choice(["v1", "v1beta1"]),
        help="API version. Default: that of the config, which its fields tell, otherwise v1.",
    ),
    click.option("--quiet", "-q", is_flag=True, help="Do not prompt or show progress."),
    click.option(
        "--server-text",
        is_flag=True,
        expose_value=False,
        callback=_remember_server_text,
        help="On errors, print the service's own text too. It may contain data.",
    ),
)


def with_target(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options for the target to a command, whose function receives ``target``."""

    @functools.wraps(function)
    def command(
        *,
        project: str | None,
        location: str | None,
        endpoint: str | None,
        local: Path | None,
        api_version: ApiVersion | None,
        quiet: bool,
        **others: Any,
    ) -> None:
        if endpoint is not None and local is not None:
            raise click.UsageError("--endpoint and --local exclude each other: give one")
        if local is not None:
            project, location = project or _LOCAL_PROJECT, location or _LOCAL_LOCATION
        function(target=Target(project, location, endpoint, local, api_version, quiet), **others)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command
