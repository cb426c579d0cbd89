"""``healthcare-deid fhir-stores``: de-identify FHIR stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.choice import with_choice
from healthcare_deid.cli.deidentify import Order, with_order
from healthcare_deid.cli.output import with_format
from healthcare_deid.cli.target import with_target
from healthcare_deid.cli.waiting import with_waiting

if TYPE_CHECKING:
    from healthcare_deid import DeidClient, Operation
    from healthcare_deid.cli.choice import Choice
    from healthcare_deid.cli.target import Target


@click.group("fhir-stores")
def command() -> None:
    """FHIR stores. STORE is an ID with --dataset, dataset/store, or a full name."""


@command.command()
@click.argument("store")
@click.option("--dataset", help="The dataset of STORE, and of a destination given by its ID.")
@click.option("--destination-store", required=True, help="The store to write to; it must exist.")
@click.option("--resource", "resources", multiple=True, help="Only this resource, such as Patient/1234. Repeatable.")
@click.option("--skip-modified-resources", is_flag=True, help="Skip resources that change after the operation starts.")
@with_choice(fhir=True)
@with_order
@with_waiting
@with_format("yaml")
@with_target
def deidentify(
    target: Target,
    store: str,
    dataset: str | None,
    destination_store: str,
    resources: tuple[str, ...],
    skip_modified_resources: bool,
    choice: Choice,
    **order: Any,
) -> None:
    """De-identify STORE into another FHIR store. The exit code is that of 'operations wait'."""
    source, destination = target.fhir_store(store, dataset), target.fhir_store(destination_store, dataset)

    def start(client: DeidClient, config: Any, gcs_config_uri: str | None) -> Operation[Any]:
        return client.deidentify_fhir_store(
            source,
            destination,
            config,
            gcs_config_uri=gcs_config_uri,
            resource_filter=resources or None,
            skip_modified_resources=skip_modified_resources or None,
        )

    Order(source, destination, choice, **order).carry_out(target, start)
