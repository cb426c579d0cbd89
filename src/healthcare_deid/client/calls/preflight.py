"""`preflight`: read-only checks of a planned de-identification.

Findings look like those of ``config.checks()``: code, severity, place, message, remedy. `CODES` lists the codes used
here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.client.calls.estimate import GIB, PRICE_LIST, PriceTable, Tier, Volume, dicom_volume, fhir_volume
from healthcare_deid.client.calls.requests import dicom_store_metrics
from healthcare_deid.client.protocol import methods as table
from healthcare_deid.client.protocol.arguments import require_config, require_type
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
"""Largest DICOM file that the service redacts pixels in. Source: its quotas page."""

CODES: dict[str, tuple[Severity, str, str]] = {
    "name": (Severity.ERROR, "A name is invalid: {0}.", "Use 'dataset', 'dataset/store', or a full resource name."),
    "kinds-differ": (
        Severity.ERROR,
        "Source and destination are not of the same kind.",
        "De-identify a dataset into a dataset, or a store into a store of the same kind.",
    ),
    "same-place": (
        Severity.ERROR,
        "Source and destination are the same.",
        "Choose a different destination: de-identification writes copies.",
    ),
    "location-differs": (
        Severity.ERROR,
        "Source and destination are in different locations.",
        "The service de-identifies within one location.",
    ),
    "source-missing": (Severity.ERROR, "The source does not exist.", "Check the name, or create the source first."),
    "source-hidden": (
        Severity.ERROR,
        "The source does not exist, or the caller has no access to it. The service does not say which.",
        "Check the name and the caller's role (healthcare.datasetAdmin has every permission needed).",
    ),
    "source-empty": (Severity.WARNING, "The source is empty.", "Upload or import instances first."),
    "destination-exists": (
        Severity.ERROR,
        "The destination dataset already exists.",
        "The service creates the destination: choose another name, or delete the dataset.",
    ),
    "destination-missing": (
        Severity.ERROR,
        "The destination store does not exist.",
        "Create the dataset and the store first.",
    ),
    "destination-hidden": (
        Severity.ERROR,
        "The destination's dataset does not exist, or the caller has no access to it. The service does not say which.",
        "Check the name and the caller's role.",
    ),
    "destination-not-empty": (
        Severity.WARNING,
        "The destination store already has {0} instances.",
        "An instance with the same UIDs but different content is counted as a failure.",
    ),
    "permission-missing": (Severity.ERROR, "The caller lacks the permission {0}.", "Grant a role that includes it."),
    "config-missing": (
        Severity.WARNING,
        "Neither config nor gcs_config_uri is given.",
        "Pass a config. Without one, the service's defaults decide what is removed.",
    ),
    "instance-too-large": (
        Severity.ERROR,
        "At least one instance is larger than 1 GiB. The service does not redact pixels in it.",
        "It would fail: exclude it with filter_config, or de-identify it on this machine.",
    ),
    "instance-maybe-too-large": (
        Severity.INFO,
        "The source may have an instance larger than 1 GiB. The service does not redact pixels in it.",
        "Such an instance would fail; check the operation's counters and logs.",
    ),
    "estimate": (Severity.INFO, "The source has {0}.", "{1}"),
    "not-checked": (Severity.INFO, "Not checked: {0} ({1}).", ""),
}
"""Severity, message and remedy of each code, besides the codes of a config's own checks."""


def preflight(
    context: CallContext, source: Any, destination: Any, config: Any, prices: PriceTable | None
) -> Flow[list[Finding]]:
    """Check a planned de-identification without writing anything.

    Returns:
        Findings, worst first.

    Raises:
        ConfigError: *config* is not a `DeidentifyConfig`, or *prices* is not a `PriceTable`.
    """
    if prices is not None:
        require_type("prices", prices, PriceTable)
    found: list[Finding] = []
    names = _resolved_names(context, source, destination, found)
    if config is None:
        found.append(_finding("config-missing", "config"))
    else:
        found += require_config(config).checks()
    if names is not None:
        start, end = names
        visible = yield from _source(context, start, found)
        yield from _destination(context, end, found)
        yield from _permissions(context, start, end, found)
        if visible:
            yield from _volume(context, start, config, prices, found)
    return sorted(found, key=lambda finding: finding.severity.rank)


def _resolved_names(
    context: CallContext, source: Any, destination: Any, found: list[Finding]
) -> tuple[Name, Name] | None:
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
    """Return the name object for a dataset's or a store's name."""
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
        # A failed check is reported. Otherwise silence could mean both "fine" and "not checked".
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
        # The service gives this reply for a dataset that does not exist, as a new destination should not.
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
            found.append(_not_checked("source", f"its amount of {kind} data", error))
    if not total:
        if complete:
            found.append(_finding("source-empty", "source"))
        return
    if _redacts_pixels(config):
        # The service reports only totals. An average above the limit proves that one instance exceeds it.
        if total.largest_average > PIXEL_FILE_LIMIT:
            found.append(_finding("instance-too-large", "source"))
        # Possible, but not proved: the service does not report the sizes of instances.
        elif total.instances and total.bytes > PIXEL_FILE_LIMIT:
            found.append(_finding("instance-maybe-too-large", "source"))
    found.append(_finding("estimate", "source", str(total), _cost(total, prices)))


def _cost(volume: Volume, prices: PriceTable | None) -> str:
    if prices is None:
        return f"For a cost estimate, pass prices=PriceTable(...) with current prices from {PRICE_LIST}"
    day = f" of {prices.as_of}" if prices.as_of else ""
    cost = prices.cost(volume.bytes / GIB)
    return f"At most {cost:.2f} {prices.currency} at the given prices{day}, without storage and requests."


def _redacts_pixels(config: Any) -> bool:
    """Return whether a config of either version redacts burned-in text."""
    # Compared as strings, because v1 and v1beta1 have different enum classes.
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
