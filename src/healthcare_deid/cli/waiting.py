"""Waiting for an operation: print its start, wait, print its outcome, and exit accordingly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.exits import SERVER_TEXT, CommandError, stopped
from healthcare_deid.cli.output import OPERATION_COLUMNS, emit, operation_api
from healthcare_deid.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid import Operation
    from healthcare_deid.cli.target import Target

_OPTIONS = (
    click.option("--async", "asynchronous", is_flag=True, help="Print the operation without waiting for its end."),
    click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Maximum time to wait."),
)


def with_waiting(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--async`` and ``--timeout`` to a command that starts an operation."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def refuse_async_here(target: Target, *, asynchronous: bool) -> None:
    """Refuse ``--async`` for an emulator in this process, whose operations end with the process.

    Raises:
        UsageError: ``--async`` with ``--local``.
    """
    if asynchronous and target.local is not None:
        raise click.UsageError("--async and --local exclude each other: the operation would end with this process")


def started(
    operation: Operation[Any],
    what: str,
    target: Target,
    *,
    asynchronous: bool,
    timeout: float | None,
    style: str,
) -> None:
    """Follow an operation that has started, to its end if wanted.

    Raises:
        DeidError: It did not succeed.
    """
    if not target.quiet:
        click.echo(f"Request issued for: [{what}]", err=True)
    if asynchronous:
        click.echo(f"Check operation [{operation.name}] for status.", err=True)
        emit({"name": operation.name}, style, OPERATION_COLUMNS)
        return
    finish(operation, target, timeout=timeout, style=style)


def finish(operation: Operation[Any], target: Target, *, timeout: float | None, style: str) -> None:
    """Wait for the end and print it.

    Raises:
        DeidError: It did not succeed.
        CommandError: Ctrl-C.
    """
    if not target.quiet:
        click.echo(f"Waiting for operation [{operation.name}] to complete...", err=True)
    try:
        with Progress(quiet=target.quiet) as progress:
            operation.wait(timeout, on_progress=progress.show)
    except KeyboardInterrupt as error:
        raise _interrupted(error, operation, target) from None
    print_operation(operation, style)
    operation.result(raise_on_partial=True)


def print_operation(operation: Operation[Any], style: str) -> None:
    """Print the last known state of an operation.

    Raises:
        OperationLost: The service does not know it.
    """
    from healthcare_deid.client.protocol.operation_state import OperationState

    if operation.state is OperationState.EXPIRED:
        operation.result()
    emit(operation_api(operation.snapshot, server_text=wants_server_text()), style, OPERATION_COLUMNS)


def wants_server_text() -> bool:
    """Return whether ``--server-text`` was given."""
    return bool(click.get_current_context().meta.get(SERVER_TEXT))


def _interrupted(error: KeyboardInterrupt, operation: Operation[Any], target: Target) -> CommandError:
    if target.local is not None:
        return stopped(error, ": the operation ends here; what it had written stays")
    return stopped(error, f": the operation goes on; 'healthcare-deid operations wait {operation.name}' waits again")
