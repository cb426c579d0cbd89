"""``healthcare-deid operations``: show, wait for and cancel long-running operations."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.output import OPERATION_COLUMNS, emit, operation_api, with_format
from healthcare_deid.cli.target import with_target
from healthcare_deid.cli.waiting import finish, print_operation, wants_server_text

if TYPE_CHECKING:
    from healthcare_deid.cli.target import Target


@click.group("operations")
def command() -> None:
    """Long-running operations: de-identification, import, export.

    OPERATION is an ID with --dataset, the dataset it was started on, or a full name.
    """


@command.command()
@click.argument("operation")
@click.option("--dataset", help="The dataset the operation was started on; for a de-identification, the source.")
@with_format("yaml")
@with_target
def describe(target: Target, operation: str, dataset: str | None, style: str) -> None:
    """Show the state of OPERATION."""
    with target.client() as client:
        print_operation(client.operation(target.operation(operation, dataset)), style)


@command.command("list")
@click.option("--dataset", required=True, help="The dataset the operations were started on.")
@click.option("--limit", type=click.IntRange(min=1), help="Maximum number to show.")
@with_format("table")
@with_target
def list_(target: Target, dataset: str, limit: int | None, style: str) -> None:
    """List the operations of a dataset."""
    with target.client() as client:
        found = islice(client.list_operations(target.dataset(dataset)), limit)
        server_text = wants_server_text()
        emit([operation_api(item.snapshot, server_text=server_text) for item in found], style, OPERATION_COLUMNS)


@command.command()
@click.argument("operation")
@click.option("--dataset", help="The dataset the operation was started on; for a de-identification, the source.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Maximum time to wait.")
@with_format("yaml")
@with_target
def wait(target: Target, operation: str, dataset: str | None, timeout: float | None, style: str) -> None:
    """Wait until OPERATION has ended.

    \b
    The exit code says how:
      0  succeeded: nothing failed
      3  partial: it ended, and some instances failed
      4  failed: it ended with an error
      5  cancelled
      6  it still runs after --timeout
      7  unknown to the service, or not to be reached for ten minutes
    """  # noqa: D301 - \b tells click not to join the lines
    with target.client() as client:
        finish(client.operation(target.operation(operation, dataset)), target, timeout=timeout, style=style)


@command.command()
@click.argument("operation")
@click.option("--dataset", help="The dataset the operation was started on; for a de-identification, the source.")
@with_target
def cancel(target: Target, operation: str, dataset: str | None) -> None:
    """Ask the service to stop OPERATION. It may still succeed, and what it has written stays."""
    name = target.operation(operation, dataset)
    target.confirm(f"cancel [{name.operation}]")
    with target.client() as client:
        client.cancel_operation(name)
    click.echo(f"Cancellation requested for [{name.operation}].", err=True)
