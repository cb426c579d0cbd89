"""Source and destination of a run on the command line: paths, object stores and DICOM stores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.engine.runs.urls import is_url, scheme_of
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

_SOURCE = click.Path(exists=True, allow_dash=True, path_type=Path)
_DESTINATION = click.Path(file_okay=False, path_type=Path)
_PLAIN = click.Path(allow_dash=True)
"""Parameter type that completes paths in a shell and checks nothing."""


def with_ends(function: Callable[..., None]) -> Callable[..., None]:
    """Add SOURCE and DESTINATION to a command, whose function receives them as `deidentify_tree` does."""
    function = click.argument("destination", type=_PLAIN, callback=_destination)(function)
    return click.argument("source", type=_PLAIN, callback=_source)(function)


def _source(context: click.Context, parameter: click.Parameter, given: str) -> Any:
    if _is_dicom_store(given):
        from healthcare_deid.dicom_stores import DicomStoreOriginals

        return _end(DicomStoreOriginals, given)
    if is_url(given):
        return given
    path = _SOURCE.convert(given, parameter, context)
    return path if given != "-" else [line for line in map(str.strip, sys.stdin) if line]


def _destination(context: click.Context, parameter: click.Parameter, given: str) -> Any:
    if _is_dicom_store(given):
        from healthcare_deid.dicom_stores import DicomStoreResults

        return _end(DicomStoreResults, given)
    return given if is_url(given) else _DESTINATION.convert(given, parameter, context)


def _end(kind: Callable[[str], Any], given: str) -> Any:
    try:
        return kind(given)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None


def _is_dicom_store(given: str) -> bool:
    if is_url(given):
        return scheme_of(given) in ("http", "https")
    return given.startswith("projects/") and "/dicomStores/" in given
