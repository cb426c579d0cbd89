"""Types that differ between v1 and v1beta1."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from healthcare_deid.config.v1 import requests as v1_requests
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1beta1 import requests as v1beta1_requests
from healthcare_deid.config.v1beta1.deidentify import DeidentifyConfig as DeidentifyConfigV1Beta1
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from healthcare_deid.config.base.field_types import ApiVersion
    from healthcare_deid.config.dialects.command import SourceName

AnyDeidentifyConfig: TypeAlias = DeidentifyConfig | DeidentifyConfigV1Beta1
"""A config of either version."""

AnyRequest: TypeAlias = (
    v1_requests.DeidentifyDatasetRequest
    | v1_requests.DeidentifyDicomStoreRequest
    | v1_requests.DeidentifyFhirStoreRequest
    | v1beta1_requests.DeidentifyDatasetRequest
    | v1beta1_requests.DeidentifyDicomStoreRequest
    | v1beta1_requests.DeidentifyFhirStoreRequest
)
"""The body of a deidentify call of either version."""

_REQUESTS: dict[tuple[ApiVersion, type[SourceName]], type[AnyRequest]] = {
    ("v1", DatasetName): v1_requests.DeidentifyDatasetRequest,
    ("v1", DicomStoreName): v1_requests.DeidentifyDicomStoreRequest,
    ("v1", FhirStoreName): v1_requests.DeidentifyFhirStoreRequest,
    ("v1beta1", DatasetName): v1beta1_requests.DeidentifyDatasetRequest,
    ("v1beta1", DicomStoreName): v1beta1_requests.DeidentifyDicomStoreRequest,
    ("v1beta1", FhirStoreName): v1beta1_requests.DeidentifyFhirStoreRequest,
}


def config_class(version: ApiVersion) -> type[AnyDeidentifyConfig]:
    """Return the `DeidentifyConfig` of a version."""
    match version:
        case "v1":
            return DeidentifyConfig
        case "v1beta1":
            return DeidentifyConfigV1Beta1
        case _:
            assert_never(version)


def request_class(version: ApiVersion, source: SourceName) -> type[AnyRequest]:
    """Return the class of the deidentify request for a source."""
    return _REQUESTS[version, type(source)]
