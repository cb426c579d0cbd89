"""Upload and download on the command line: progress, counts, failures and exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.exits import Exit
from healthcare_deid.cli.paths import print_failures
from healthcare_deid.cli.progress import Progress
from healthcare_deid.errors import TransferError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.transfers.report import TransferReport


def carry_out(transfer: Callable[[Callable[[Any], None]], TransferReport], *, quiet: bool) -> None:
    """Run a transfer and print its report.

    Raises:
        SystemExit: A part of it failed.
        TransferError: The store refuses the whole transfer.
    """
    try:
        with Progress(quiet=quiet) as progress:
            report = transfer(progress.show)
    except TransferError as error:
        if error.report is not None:
            click.echo(str(error.report))
        raise
    click.echo(str(report))
    print_failures([(failure.kind, failure.item, failure.reason) for failure in report.failures])
    if not report.complete:
        raise SystemExit(Exit.PARTIAL)
