"""``healthcare-deid datasets``: create, show, de-identify and delete datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.choice import with_choice
from healthcare_deid.cli.deidentify import Order, with_order
from healthcare_deid.cli.output import emit, location_of, own_id, with_format
from healthcare_deid.cli.target import with_target
from healthcare_deid.cli.waiting import with_waiting

if TYPE_CHECKING:
    from healthcare_deid import DeidClient, Operation
    from healthcare_deid.cli.choice import Choice
    from healthcare_deid.cli.output import Columns
    from healthcare_deid.cli.target import Target

_COLUMNS: Columns = {"ID": own_id, "LOCATION": location_of, "TIMEZONE": lambda dataset: dataset.get("timeZone")}


@click.group("datasets")
def command() -> None:
    """Datasets. DATASET is an ID, completed by --project and --location, or a full name."""


@command.command()
@click.argument("dataset")
@click.option("--time-zone", metavar="ZONE", help="IANA time zone, such as America/New_York. Default: UTC.")
@with_format("yaml")
@with_target
def create(target: Target, dataset: str, time_zone: str | None, style: str) -> None:
    """Create DATASET."""
    name = target.dataset(dataset)
    with target.client() as client:
        made = client.create_dataset(name, time_zone=time_zone).result()
    click.echo(f"Created dataset [{name.dataset}].", err=True)
    emit(made.to_api() | {"name": str(name)}, style, _COLUMNS)


@command.command()
@click.argument("dataset")
@with_format("yaml")
@with_target
def describe(target: Target, dataset: str, style: str) -> None:
    """Show DATASET."""
    with target.client() as client:
        emit(client.get_dataset(target.dataset(dataset)).to_api(), style, _COLUMNS)


@command.command("list")
@with_format("table")
@with_target
def list_(target: Target, style: str) -> None:
    """List the datasets of the project and location."""
    target.dataset("any")
    with target.client() as client:
        emit([dataset.to_api() for dataset in client.list_datasets()], style, _COLUMNS)


@command.command()
@click.argument("dataset")
@with_target
def delete(target: Target, dataset: str) -> None:
    """Delete DATASET and everything in it."""
    name = target.dataset(dataset)
    target.confirm(f"delete dataset [{name}] and all that is in it")
    with target.client() as client:
        client.delete_dataset(name)
    click.echo(f"Deleted dataset [{name.dataset}].", err=True)


@command.command()
@click.argument("dataset")
@click.option("--destination-dataset", required=True, help="The dataset to create; it must not exist.")
@with_choice(images=True, fhir=True)
@with_order
@with_waiting
@with_format("yaml")
@with_target
def deidentify(target: Target, dataset: str, destination_dataset: str, choice: Choice, **order: Any) -> None:
    """De-identify all stores of DATASET into a new dataset.

    \b
    The tutorial's use case I:
      healthcare-deid datasets deidentify dataset1 \\
          --destination-dataset deid-dataset1 --preset minimal
    and use case II, with a key of your own:
      healthcare-deid datasets deidentify dataset1 \\
          --destination-dataset deid-dataset1 --preset contents --crypto-key-file key.txt

    The exit code is that of 'operations wait'.
    """  # noqa: D301 - \b tells click not to join the lines
    source, destination = target.dataset(dataset), target.dataset(destination_dataset)

    def start(client: DeidClient, config: Any, gcs_config_uri: str | None) -> Operation[Any]:
        return client.deidentify_dataset(source, destination, config, gcs_config_uri=gcs_config_uri)

    Order(source, destination, choice, **order).carry_out(target, start)
