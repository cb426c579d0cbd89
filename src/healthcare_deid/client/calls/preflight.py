"""`preflight`: problems of a planned de-identification, found by reading alone.

Findings have the form of ``config.checks()``: code, severity, place, message, remedy. `CODES` lists those made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.client.calls.estimate import GIB, PRICE_LIST, PriceTable, Tier, Volume, dicom_volume, fhir_volume
from healthcare_deid.client.calls.requests import dicom_store_metrics
from healthcare_deid.client.protocol import methods as table
from healthcare_deid.client.protocol.arguments import deidentify_config, of_type
from healthcare_deid.config.checks.findings import Finding, Severity
from healthcare_deid.config.v1.image import TextRedactionMode
from healthcare_deid.errors import ApiError, DeidError, NotFound, PermissionDenied, ResourceNameError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.client.protocol.methods import Method

Name = DatasetName | DicomStoreName | FhirStoreName

PIXEL_FILE_LIMIT = GIB
"""Size of the largest DICOM file whose pixels the service redacts. Source: its quotas page."""

CODES: dict[str, tuple[Severity, str, str]] = {
    "name": (Severity.ERROR, "A name is wrong: {0}.", "Use 'dataset', 'dataset/store', or a full name."),
    "kinds-differ": (
        Severity.ERROR,
        "Source and destination are not of the same kind.",
        "De-identify a dataset into a dataset, a store into a store of its kind.",
    ),
    "same-place": (
        Severity.ERROR,
        "Source and destination are the same.",
        "De-identified copies need a place of their own.",
    ),
    "location-differs": (
        Severity.ERROR,
        "Source and destination are in different locations.",
        "The service de-identifies within one location.",
    ),
    "source-missing": (Severity.ERROR, "The source does not exist.", "Check the name, or create and fill it."),
    "source-hidden": (
        Severity.ERROR,
        "The source does not exist, or may not be seen: the service does not tell which.",
        "Check the name and the caller's role (healthcare.datasetAdmin has all that is needed).",
    ),
    "source-empty": (Severity.WARNING, "The source holds nothing.", "Upload or import some first."),
    "destination-exists": (
        Severity.ERROR,
        "The destination dataset exists.",
        "The service creates it: name another, or delete that one.",
    ),
    "destination-missing": (
        Severity.ERROR,
        "The destination store does not exist.",
        "Create the store, and its dataset, first.",
    ),
    "destination-hidden": (
        Severity.ERROR,
        "The destination's dataset does not exist, or may not be seen: the service does not tell which.",
        "Check the name and the caller's role.",
    ),
    "destination-not-empty": (
        Severity.WARNING,
        "The destination store already holds {0} instances.",
        "Instances with the same UIDs and other bytes are counted as failures.",
    ),
    "permission-missing": (Severity.ERROR, "The caller lacks {0}.", "Grant a role that has it."),
    "config-missing": (
        Severity.WARNING,
        "Neither a config nor gcs_config_uri is given.",
        "The service's defaults would decide what is removed: give a config.",
    ),
    "instance-too-large": (
        Severity.ERROR,
        "At least one instance is larger than 1 GiB, whose pixels the service does not redact.",
        "It would fail: leave it out by filter_config, or de-identify it on this machine.",
    ),
    "instance-maybe-too-large": (
        Severity.INFO,
        "The source is large enough to hold an instance above 1 GiB, whose pixels the service does not redact.",
        "Such an instance would fail; the operation's counters and logs tell.",
    ),
    "estimate": (Severity.INFO, "The source holds {0}.", "{1}"),
    "not-checked": (Severity.INFO, "Not checked: {0} ({1}).", ""),
}
"""Severity, message and remedy of each code; the codes of a config's own checks come on top."""


def preflight(
    context: CallContext, source: Any, destination: Any, config: Any, prices: PriceTable | None
) -> Flow[list[Finding]]:
    """Check a de-identification without writing anything, and return the findings, worst first.

    Raises:
        ConfigError: ``config`` or ``prices`` is of another type.
    """
    if prices is not None:
        of_type("prices", prices, PriceTable)
    found: list[Finding] = []
    names = _names(context, source, destination, found)
    if config is None:
        found.append(_finding("config-missing", "config"))
    else:
        found += deidentify_config(config).checks()
    if names is not None:
        start, end = names
        visible = yield from _source(context, start, found)
        yield from _destination(context, end, found)
        yield from _permissions(context, start, end, found)
        if visible:
            yield from _volume(context, start, config, prices, found)
    return sorted(found, key=lambda finding: finding.severity.rank)


def _names(context: CallContext, source: Any, destination: Any, found: list[Finding]) -> tuple[Name, Name] | None:
    names: list[Name] = []
    for place, given in (("source", source), ("destination", destination)):
        try:
            names.append(_name(context, given))
        except ResourceNameError as error:
            found.append(_finding("name", place, str(error)))
    if len(names) != 2:
        return None
    start, end = names
    if type(start) is not type(end):
        found.append(_finding("kinds-differ", "destination"))
        return None
    if start == end:
        found.append(_finding("same-place", "destination"))
    if start.location != end.location:
        found.append(_finding("location-differs", "destination"))
    return start, end


def _name(context: CallContext, given: Any) -> Name:
    """Return the name object for a name, whose form tells a dataset from a store."""
    if isinstance(given, DatasetName | DicomStoreName | FhirStoreName):
        return given
    if isinstance(given, str) and "/fhirStores/" in given:
        return context.fhir_store(given)
    if isinstance(given, str) and ("/dicomStores/" in given or (not given.startswith("projects/") and "/" in given)):
        return context.dicom_store(given)
    return context.dataset(given)


def _source(context: CallContext, name: Name, found: list[Finding]) -> Flow[bool]:
    try:
        yield from context.send(context.call(_getter(name), name))
    except NotFound:
        found.append(_finding("source-missing", "source"))
    except PermissionDenied:
        found.append(_finding("source-hidden", "source"))
    except DeidError as error:
        found.append(_not_checked("source", "whether it exists", error))
    else:
        return True
    return False


def _destination(context: CallContext, name: Name, found: list[Finding]) -> Flow[None]:
    new = isinstance(name, DatasetName)
    try:
        yield from context.send(context.call(_getter(name), name))
    except NotFound:
        if not new:
            found.append(_finding("destination-missing", "destination"))
        return
    except PermissionDenied:
        # What a dataset that does not exist answers: as it should be for one that is to be made.
        if not new:
            found.append(_finding("destination-hidden", "destination"))
        return
    except DeidError as error:
        found.append(_not_checked("destination", "whether it exists", error))
        return
    if new:
        found.append(_finding("destination-exists", "destination"))
    elif isinstance(name, DicomStoreName):
        try:
            metrics = yield from dicom_store_metrics(context, name)
        except DeidError as error:
            found.append(_not_checked("destination", "whether it is empty", error))
        else:
            if metrics.instance_count:
                found.append(_finding("destination-not-empty", "destination", str(metrics.instance_count)))


_PERMISSIONS: dict[type, tuple[tuple[str, str], ...]] = {
    DatasetName: (("source", "healthcare.datasets.deidentify"),),
    DicomStoreName: (
        ("source", "healthcare.dicomStores.deidentify"),
        ("destination", "healthcare.dicomStores.dicomWebWrite"),
    ),
    FhirStoreName: (
        ("source", "healthcare.fhirStores.deidentify"),
        ("destination", "healthcare.fhirResources.update"),
    ),
}


def _permissions(context: CallContext, source: Name, destination: Name, found: list[Finding]) -> Flow[None]:
    for place, wanted in _PERMISSIONS[type(source)]:
        name = source if place == "source" else destination
        try:
            reply = yield from context.send(context.call(_tester(name), name, body={"permissions": [wanted]}))
        except DeidError as error:
            found.append(_not_checked(place, f"the permission {wanted}", error))
        else:
            if wanted not in (reply.json.get("permissions") or ()):
                found.append(_finding("permission-missing", place, wanted))


def _volume(
    context: CallContext, name: Name, config: Any, prices: PriceTable | None, found: list[Finding]
) -> Flow[None]:
    total, complete = Volume(), True
    measures: list[tuple[str, Flow[Volume]]] = []
    if not isinstance(name, FhirStoreName):
        measures.append(("DICOM", dicom_volume(context, name)))
    if not isinstance(name, DicomStoreName):
        measures.append(("FHIR", fhir_volume(context, name)))
    for kind, measure in measures:
        try:
            total += yield from measure
        except DeidError as error:
            complete = False
            found.append(_not_checked("source", f"how much {kind} it holds", error))
    if not total:
        if complete:
            found.append(_finding("source-empty", "source"))
        return
    if _redacts_pixels(config):
        if total.largest_average > PIXEL_FILE_LIMIT:
            found.append(_finding("instance-too-large", "source"))
        elif total.instances and total.bytes > PIXEL_FILE_LIMIT:
            found.append(_finding("instance-maybe-too-large", "source"))
    found.append(_finding("estimate", "source", str(total), _cost(total, prices)))


def _cost(volume: Volume, prices: PriceTable | None) -> str:
    if prices is None:
        return f"For the cost, give prices=PriceTable(...) with today's figures: {PRICE_LIST}"
    day = f" of {prices.as_of}" if prices.as_of else ""
    cost = prices.cost(volume.bytes / GIB)
    return f"By the prices given{day}, about {cost:.2f} {prices.currency} at most; storage and requests not included."


def _redacts_pixels(config: Any) -> bool:
    """Return whether a config of either version covers text in pixels."""
    off = {TextRedactionMode.REDACT_NO_TEXT, TextRedactionMode.TEXT_REDACTION_MODE_UNSPECIFIED, None}
    return any(str(mode) not in {str(item) for item in off} for mode in _modes(config.to_api() if config else {}))


def _modes(value: Any) -> list[str]:
    if isinstance(value, dict):
        items: Mapping[str, Any] = value
        here = [str(items["textRedactionMode"])] if items.get("textRedactionMode") else []
        return here + [mode for inner in items.values() for mode in _modes(inner)]
    if isinstance(value, list | tuple):
        return [mode for inner in value for mode in _modes(inner)]
    return []


def _getter(name: Name) -> Method:
    if isinstance(name, DatasetName):
        return table.DATASETS_GET
    return table.DICOM_STORES_GET if isinstance(name, DicomStoreName) else table.FHIR_STORES_GET


def _tester(name: Name) -> Method:
    if isinstance(name, DatasetName):
        return table.DATASETS_TEST_PERMISSIONS
    if isinstance(name, DicomStoreName):
        return table.DICOM_STORES_TEST_PERMISSIONS
    return table.FHIR_STORES_TEST_PERMISSIONS


def _finding(code: str, path: str, *details: str) -> Finding:
    severity, message, remedy = CODES[code]
    return Finding(code, severity, path, message.format(*details), remedy.format(*details))


def _not_checked(path: str, what: str, error: DeidError) -> Finding:
    reason = f"HTTP {error.status}" if isinstance(error, ApiError) else type(error).__name__
    return _finding("not-checked", path, what, reason)


__all__ = ["CODES", "PIXEL_FILE_LIMIT", "PriceTable", "Tier", "preflight"]
