"""Output on stdout: YAML as gcloud prints it, JSON, a table, or the name alone. Everything else goes to stderr."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from healthcare_deid.client.protocol.operation_state import OperationSnapshot

    Columns = Mapping[str, Callable[[Mapping[str, Any]], object]]
    """Header of a column → function that returns its text."""

_NAME = "value(name)"


def with_format(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add ``--format`` to a command, whose function receives ``style``."""
    return click.option(
        "--format",
        "style",
        type=click.Choice(["json", "table", _NAME, "yaml"]),
        default=default,
        show_default=True,
        help="Output format.",
    )


def emit(value: dict[str, Any] | list[dict[str, Any]], style: str, columns: Columns) -> None:
    """Print one resource, or a list of them.

    Args:
        value: The API's JSON.
        style: ``json``, ``table``, ``yaml``, or gcloud's ``value(name)``.
        columns: What the table shows.
    """
    rows = value if isinstance(value, list) else [value]
    if style == "json":
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
    elif style == "yaml":
        import yaml

        click.echo(yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip())
    elif style == _NAME:
        for row in rows:
            click.echo(row.get("name", ""))
    else:
        _table([list(columns), *([_cell(show(row)) for show in columns.values()] for row in rows)])


def write_report(text: str, path: Path | None) -> None:
    """Print a report, or write it to a file that only its owner can read, because it names files."""
    if path is None:
        # A name that is not valid text would raise on a strict standard output.
        click.echo(text.rstrip("\n").encode("utf-8", "backslashreplace").decode())
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        if os.name == "posix":
            path.chmod(0o600)  # an existing file may have been readable by others
        file.write(text if text.endswith("\n") else f"{text}\n")
    click.echo(f"written: {path}", err=True)


def own_id(resource: Mapping[str, Any]) -> str:
    """Return the last part of a resource's name."""
    return str(resource.get("name") or "").rpartition("/")[2]


def location_of(resource: Mapping[str, Any]) -> str:
    """Return the location in a resource's name."""
    parts = str(resource.get("name") or "").split("/")
    return parts[3] if len(parts) > 3 else ""


def operation_api(snapshot: OperationSnapshot, *, server_text: bool) -> dict[str, Any]:
    """Return an operation as the API's JSON, with its state as one word, which the API lacks.

    Args:
        snapshot: The operation.
        server_text: Include the service's text about an error, which may contain data.
    """
    shown: dict[str, Any] = {"name": str(snapshot.name), "state": str(snapshot.state), "done": snapshot.state.ended}
    if metadata := snapshot.metadata.to_api():
        shown["metadata"] = metadata
    if snapshot.error is not None:
        shown["error"] = snapshot.error.to_api() if server_text else {"code": snapshot.error.code}
    if snapshot.response is not None:
        shown["response"] = dict(snapshot.response)
    return shown


def _counter(name: str) -> Callable[[Mapping[str, Any]], object]:
    return lambda operation: operation.get("metadata", {}).get("counter", {}).get(name, "")


OPERATION_COLUMNS: Columns = {
    "ID": own_id,
    "LOCATION": location_of,
    "STATE": lambda operation: operation.get("state"),
    "METHOD": lambda operation: operation.get("metadata", {}).get("apiMethodName", "").rpartition(".")[2],
    "SUCCESS": _counter("success"),
    "FAILURE": _counter("failure"),
    "PENDING": _counter("pending"),
}


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=True) if number == 0 else line)
