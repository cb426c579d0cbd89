"""A deidentify call as plain JSON, for curl and gcloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from healthcare_deid.errors import ResourceNameError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, parse_name

if TYPE_CHECKING:
    from healthcare_deid.config.base.field_types import ApiVersion

SourceName: TypeAlias = DatasetName | DicomStoreName | FhirStoreName
"""Name of a resource that can be de-identified."""


class Command(NamedTuple):
    """A deidentify call.

    Attributes:
        version: API version.
        source: What is de-identified; its kind selects the method.
        body: JSON body of the request.
    """

    version: ApiVersion
    source: SourceName
    body: dict[str, Any]


def command_of(
    version: ApiVersion, config: dict[str, Any], source: str | SourceName, destination: str | SourceName
) -> Command:
    """Return the call for a config, a source and a destination.

    Raises:
        ResourceNameError: A name is malformed, or source and destination are of different kinds.
    """
    from_name, to_name = source_name(source), source_name(destination)
    if type(from_name) is not type(to_name):
        raise ResourceNameError(
            "source and destination must be of the same kind: two datasets, two DICOM stores or two FHIR stores"
        )
    field = "destinationDataset" if isinstance(from_name, DatasetName) else "destinationStore"
    return Command(version, from_name, {field: str(to_name), "config": config})


def source_name(name: str | SourceName) -> SourceName:
    """Parse the full name of a dataset or a store.

    Raises:
        ResourceNameError: The name is malformed, or names another kind of resource.
    """
    parsed = parse_name(name) if isinstance(name, str) else name
    if not isinstance(parsed, DatasetName | DicomStoreName | FhirStoreName):
        raise ResourceNameError("expected the full name of a dataset, a DICOM store or a FHIR store")
    return parsed
