"""Common parts of the three ``deidentify`` commands: options, checks, the dry run, and the wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import click

from healthcare_deid.cli.exits import CommandError
from healthcare_deid.cli.waiting import refuse_async_here, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid import DeidClient, Operation
    from healthcare_deid.cli.choice import Choice
    from healthcare_deid.cli.target import Target
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName


class Start(Protocol):
    """Function that starts the command's operation."""

    def __call__(self, client: DeidClient, config: Any, gcs_config_uri: str | None) -> Operation[Any]:
        """Start it."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """One de-identification, as requested on the command line."""

    source: DatasetName | DicomStoreName | FhirStoreName
    destination: DatasetName | DicomStoreName | FhirStoreName
    choice: Choice
    gcs_config_uri: str | None
    dry_run: bool
    asynchronous: bool
    timeout: float | None
    style: str

    def carry_out(self, target: Target, start: Start) -> None:
        """Check, start and wait.

        Raises:
            UsageError: The command line is contradictory, or does not say what to remove.
            CommandError: A check found an error.
            DeidError: It did not start, or did not succeed.
        """
        refuse_async_here(target, asynchronous=self.asynchronous)
        config = self.choice.read(target.api_version)
        if config is not None and self.gcs_config_uri is not None:
            raise click.UsageError("--gcs-config-uri and the other configs exclude each other: give one")
        if config is None and self.gcs_config_uri is None:
            raise click.UsageError(
                "say what to remove (--config-file, --preset, ...); the service's defaults are never used implicitly"
            )
        with target.client() as client:
            if self.dry_run:
                self._preflight(client, config)
                return
            if config is not None:
                self.choice.check(config)
            operation = start(client, config, self.gcs_config_uri)
            what = str(self.source).rpartition("/")[2]
            started(operation, what, target, asynchronous=self.asynchronous, timeout=self.timeout, style=self.style)

    def _preflight(self, client: DeidClient, config: Any) -> None:
        """Print what would fail.

        Raises:
            CommandError: Something would fail.
        """
        findings = client.preflight(self.source, self.destination, config)
        for finding in findings:
            if not (finding.code == "config-missing" and self.gcs_config_uri is not None):
                click.echo(str(finding))
        if any(finding.severity == "error" for finding in findings):
            raise CommandError("the operation would fail; nothing was started")


ORDER_OPTIONS = (
    click.option(
        "--gcs-config-uri", metavar="gs://...", help="A JSON config in Cloud Storage, instead of the other ways."
    ),
    click.option("--dry-run", is_flag=True, help="Start nothing; report what would fail and how much there is to do."),
)


def with_order(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--gcs-config-uri`` and ``--dry-run`` to a command."""
    for option in reversed(ORDER_OPTIONS):
        function = option(function)
    return function
