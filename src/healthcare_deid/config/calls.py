"""One de-identify call as a value: which resource, which version, which body."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, cast

from healthcare_deid.config.deidentify import DeidentifyConfig as ConfigV1
from healthcare_deid.errors import ResourceNameError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, parse_name

if TYPE_CHECKING:
    from typing import TypeAlias

    from healthcare_deid.config import requests as v1_requests
    from healthcare_deid.config import v1beta1
    from healthcare_deid.config.deidentify import AnyDeidentifyConfig

    SourceName: TypeAlias = DatasetName | DicomStoreName | FhirStoreName
    AnyRequest: TypeAlias = (
        v1_requests.DeidentifyDatasetRequest
        | v1_requests.DeidentifyDicomStoreRequest
        | v1_requests.DeidentifyFhirStoreRequest
        | v1beta1.DeidentifyDatasetRequest
        | v1beta1.DeidentifyDicomStoreRequest
        | v1beta1.DeidentifyFhirStoreRequest
    )

ApiVersion = Literal["v1", "v1beta1"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of ``datasets.deidentify``, ``dicomStores.deidentify`` or ``fhirStores.deidentify``.

    Attributes:
        version: The API version.
        source: What is de-identified; its kind is the method's.
        request: The body.
    """

    version: ApiVersion
    source: SourceName
    request: AnyRequest


def call_of(config: AnyDeidentifyConfig | None, source: str | SourceName, destination: str | SourceName) -> Call:
    """Return the call that a config, a source and a destination make.

    Raises:
        ResourceNameError: A name is none, or the two are not of one kind.
    """
    from_name, to_name = source_name(source), source_name(destination)
    if type(from_name) is not type(to_name):
        raise ResourceNameError("source and destination must be of one kind: two datasets, DICOM stores or FHIR stores")
    version: ApiVersion = "v1" if config is None or isinstance(config, ConfigV1) else "v1beta1"
    field = "destination_dataset" if isinstance(from_name, DatasetName) else "destination_store"
    body = {field: str(to_name), "config": config}
    return Call(version, from_name, request_class(version, from_name).from_api(body))


def request_class(version: ApiVersion, source: SourceName) -> type[AnyRequest]:
    """Return the class of the body for a source."""
    kinds = {DatasetName: "Dataset", DicomStoreName: "DicomStore", FhirStoreName: "FhirStore"}
    module = import_module("healthcare_deid.config.requests" if version == "v1" else "healthcare_deid.config.v1beta1")
    return cast("type[AnyRequest]", getattr(module, f"Deidentify{kinds[type(source)]}Request"))


def source_name(name: str | SourceName) -> SourceName:
    """Parse the full name of something that can be de-identified.

    Raises:
        ResourceNameError: It is the name of nothing, or of something else.
    """
    parsed = parse_name(name) if isinstance(name, str) else name
    if not isinstance(parsed, DatasetName | DicomStoreName | FhirStoreName):
        raise ResourceNameError("the full name of a dataset, a DICOM store or a FHIR store is needed")
    return parsed
