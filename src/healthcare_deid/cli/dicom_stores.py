"""``healthcare-deid dicom-stores``: create, fill, show, de-identify, export and delete DICOM stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.choice import with_choice
from healthcare_deid.cli.deidentify import Order, with_order
from healthcare_deid.cli.output import emit, location_of, own_id, with_format
from healthcare_deid.cli.paths import with_paths
from healthcare_deid.cli.target import with_target
from healthcare_deid.cli.transfers import carry_out
from healthcare_deid.cli.waiting import refuse_async_here, started, with_waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid import DeidClient, Operation
    from healthcare_deid.cli.choice import Choice
    from healthcare_deid.cli.output import Columns
    from healthcare_deid.cli.target import Target

_COLUMNS: Columns = {
    "ID": own_id,
    "LOCATION": location_of,
    "LABELS": lambda store: ",".join(f"{key}={value}" for key, value in store.get("labels", {}).items()),
}
_METRICS: Columns = {
    "ID": own_id,
    "STUDIES": lambda metrics: metrics.get("studyCount", 0),
    "SERIES": lambda metrics: metrics.get("seriesCount", 0),
    "INSTANCES": lambda metrics: metrics.get("instanceCount", 0),
    "BYTES": lambda metrics: metrics.get("blobStorageSizeBytes", 0),
}


def _store(function: Callable[..., None]) -> Callable[..., None]:
    """Add STORE and ``--dataset`` to a command."""
    function = click.option("--dataset", help="The dataset of STORE.")(function)
    return click.argument("store")(function)


def _labels(_: click.Context, __: click.Parameter, given: str | None) -> dict[str, str]:
    labels: dict[str, str] = {}
    for pair in filter(None, (given or "").split(",")):
        key, separator, value = pair.partition("=")
        if not (key and separator):
            raise click.BadParameter("write KEY=VALUE,KEY=VALUE")
        labels[key] = value
    return labels


@click.group("dicom-stores")
def command() -> None:
    """DICOM stores. STORE is an ID with --dataset, dataset/store, or a full name."""


@command.command()
@_store
@click.option("--labels", callback=_labels, metavar="KEY=VALUE,...", help="Labels of the store.")
@with_format("yaml")
@with_target
def create(target: Target, store: str, dataset: str | None, labels: dict[str, str], style: str) -> None:
    """Create STORE."""
    name = target.dicom_store(store, dataset)
    with target.client() as client:
        made = client.create_dicom_store(name, labels=labels or None)
    click.echo(f"Created dicomStore [{name.store}].", err=True)
    emit(made.to_api(), style, _COLUMNS)


@command.command()
@_store
@with_format("yaml")
@with_target
def describe(target: Target, store: str, dataset: str | None, style: str) -> None:
    """Show STORE."""
    with target.client() as client:
        emit(client.get_dicom_store(target.dicom_store(store, dataset)).to_api(), style, _COLUMNS)


@command.command("list")
@click.option("--dataset", required=True, help="The dataset.")
@click.option("--filter", "labels", default="", metavar="labels.KEY=VALUE", help="Filter by labels.")
@with_format("table")
@with_target
def list_(target: Target, dataset: str, labels: str, style: str) -> None:
    """List the DICOM stores of a dataset."""
    with target.client() as client:
        stores = client.list_dicom_stores(target.dataset(dataset), filter=labels)
        emit([store.to_api() for store in stores], style, _COLUMNS)


@command.command()
@_store
@with_target
def delete(target: Target, store: str, dataset: str | None) -> None:
    """Delete STORE and everything in it."""
    name = target.dicom_store(store, dataset)
    target.confirm(f"delete dicomStore [{name}] and all that is in it")
    with target.client() as client:
        client.delete_dicom_store(name)
    click.echo(f"Deleted dicomStore [{name.store}].", err=True)


@command.command()
@_store
@with_format("yaml")
@with_target
def metrics(target: Target, store: str, dataset: str | None, style: str) -> None:
    """Show the size of STORE."""
    with target.client() as client:
        emit(client.get_dicom_store_metrics(target.dicom_store(store, dataset)).to_api(), style, _METRICS)


@command.command()
@_store
@click.option("--destination-store", required=True, help="The store to write to; it must exist.")
@click.option(
    "--filter-config-gcs-uri", metavar="gs://...", help="A file that lists the studies, series or instances to process."
)
@with_choice(images=True)
@with_order
@with_waiting
@with_format("yaml")
@with_target
def deidentify(
    target: Target,
    store: str,
    dataset: str | None,
    destination_store: str,
    filter_config_gcs_uri: str | None,
    choice: Choice,
    **order: Any,
) -> None:
    """De-identify STORE into another DICOM store. The exit code is that of 'operations wait'."""
    source, destination = target.dicom_store(store, dataset), target.dicom_store(destination_store, dataset)

    def start(client: DeidClient, config: Any, gcs_config_uri: str | None) -> Operation[Any]:
        return client.deidentify_dicom_store(
            source, destination, config, gcs_config_uri=gcs_config_uri, filter_config=filter_config_gcs_uri
        )

    Order(source, destination, choice, **order).carry_out(target, start)


@command.command()
@_store
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--parallel", type=click.IntRange(1, 20), default=8, show_default=True, help="Parallel requests.")
@with_paths
@with_target
def upload(target: Target, store: str, dataset: str | None, paths: tuple[Path, ...], parallel: int) -> None:
    """Store the DICOM files at PATHS (files, or folders with everything below) in STORE through DICOMweb.

    A file that fails is counted with its reason and does not stop the others; the exit code is then 3.
    """
    name = target.dicom_store(store, dataset)
    with target.client() as client:
        carry_out(lambda show: client.upload(name, paths, parallel=parallel, on_progress=show), quiet=target.quiet)


@command.command()
@_store
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--study", metavar="UID", help="Only this Study Instance UID.")
@click.option("--overwrite", is_flag=True, help="Overwrite existing files instead of skipping them.")
@click.option("--parallel", type=click.IntRange(1, 20), default=8, show_default=True, help="Parallel requests.")
@with_paths
@with_target
def download(
    target: Target,
    store: str,
    dataset: str | None,
    folder: Path,
    study: str | None,
    overwrite: bool,
    parallel: int,
) -> None:
    """Retrieve the instances of STORE, unchanged, to FOLDER/study/series/instance.dcm.

    An instance that fails is counted with its reason and does not stop the others; the exit code is then 3.
    """
    name = target.dicom_store(store, dataset)
    with target.client() as client:
        carry_out(
            lambda show: client.download(
                name, folder, study=study, overwrite=overwrite, parallel=parallel, on_progress=show
            ),
            quiet=target.quiet,
        )


@command.group("import")
def import_() -> None:
    """Import instances into a store."""


@import_.command("gcs")
@_store
@click.option(
    "--gcs-uri", required=True, metavar="gs://...", help="Objects to import; *, ** and ? match parts of names."
)
@with_waiting
@with_format("yaml")
@with_target
def import_gcs(
    target: Target,
    store: str,
    dataset: str | None,
    gcs_uri: str,
    asynchronous: bool,
    timeout: float | None,
    style: str,
) -> None:
    """Import instances from Cloud Storage into STORE."""
    refuse_async_here(target, asynchronous=asynchronous)
    name = target.dicom_store(store, dataset)
    with target.client() as client:
        operation = client.import_dicom(name, gcs_uri)
        started(operation, name.store, target, asynchronous=asynchronous, timeout=timeout, style=style)


@command.group("export")
def export() -> None:
    """Export the instances of a store unchanged; nothing is de-identified."""


@export.command("gcs")
@_store
@click.option("--gcs-uri-prefix", required=True, metavar="gs://...", help="The folder to write to.")
@click.option("--filter-config-gcs-uri", metavar="gs://...", help="A file that lists what to export.")
@with_waiting
@with_format("yaml")
@with_target
def export_gcs(
    target: Target,
    store: str,
    dataset: str | None,
    gcs_uri_prefix: str,
    filter_config_gcs_uri: str | None,
    asynchronous: bool,
    timeout: float | None,
    style: str,
) -> None:
    """Export the instances of STORE, unchanged, to Cloud Storage."""
    refuse_async_here(target, asynchronous=asynchronous)
    name = target.dicom_store(store, dataset)
    with target.client() as client:
        operation = client.export_dicom(name, gcs_uri_prefix, filter_config=filter_config_gcs_uri)
        started(operation, name.store, target, asynchronous=asynchronous, timeout=timeout, style=style)
