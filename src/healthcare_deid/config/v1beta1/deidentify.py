"""`DeidentifyConfig` (v1beta1) and the requests that carry it."""

from __future__ import annotations

from typing import ClassVar

from healthcare_deid.config.dicom import DicomConfig
from healthcare_deid.config.fhir import FhirConfig
from healthcare_deid.config.fields import Flag
from healthcare_deid.config.message import Message
from healthcare_deid.config.paths import FhirStorePath
from healthcare_deid.config.requests import DatasetRequest, DicomStoreRequest, FhirStoreRequest
from healthcare_deid.config.root import ApiVersion, RootConfig
from healthcare_deid.config.v1beta1.dicom import DicomTagConfig
from healthcare_deid.config.v1beta1.fhir import FhirFieldConfig
from healthcare_deid.config.v1beta1.image import ImageConfig
from healthcare_deid.config.v1beta1.text import TextConfig


class FhirOutput(Message):
    """A FHIR store that the operation writes to. Source: v1beta1 ``FhirOutput``."""

    fhir_store: FhirStorePath | None = None
    """An R4 store that exists, with ``enableUpdateCreate``; the service's own account writes to it."""


class DeidentifyOperationMetadata(Message):
    """Where the record of what was done goes; DICOM only. Source: v1beta1 ``DeidentifyOperationMetadata``."""

    fhir_output: FhirOutput | None = None
    """The FHIR store."""


class DeidentifyConfig(RootConfig):
    """How a dataset, a store, or files on this machine are de-identified. Source: v1beta1 ``DeidentifyConfig``."""

    api_version: ClassVar[ApiVersion] = "v1beta1"

    dicom_tag_config: DicomTagConfig | None = None
    """DICOM instances; unset, with `dicom` unset too: DICOM stores are skipped by the service."""
    fhir_field_config: FhirFieldConfig | None = None
    """FHIR resources; unset, with `fhir` unset too: FHIR stores are skipped by the service."""
    text: TextConfig | None = None
    """Sensitive text in tags, fields and pixels."""
    operation_metadata: DeidentifyOperationMetadata | None = None
    """Where the record of what was done goes."""
    use_regional_data_processing: Flag | None = None
    """Process the data in its own region only; slower, and without LOCATION and ORGANIZATION_NAME."""
    dicom: DicomConfig | None = None
    """Deprecated by the API: use `dicom_tag_config`."""
    fhir: FhirConfig | None = None
    """Deprecated by the API: use `fhir_field_config`."""
    image: ImageConfig | None = None
    """Deprecated by the API: use ``dicom_tag_config.options.clean_image``."""


class DeidentifyDatasetRequest(DatasetRequest):
    """Body of ``datasets.deidentify``. Source: v1beta1 ``DeidentifyDatasetRequest``."""

    config: DeidentifyConfig | None = None
    """What to de-identify. Excludes `gcs_config_uri`."""


class DeidentifyDicomStoreRequest(DicomStoreRequest):
    """Body of ``dicomStores.deidentify``. Source: v1beta1 ``DeidentifyDicomStoreRequest``."""

    config: DeidentifyConfig | None = None
    """What to de-identify. Excludes `gcs_config_uri`."""


class DeidentifyFhirStoreRequest(FhirStoreRequest):
    """Body of ``fhirStores.deidentify``. Source: v1beta1 ``DeidentifyFhirStoreRequest``."""

    config: DeidentifyConfig | None = None
    """What to de-identify. Excludes `gcs_config_uri`."""
