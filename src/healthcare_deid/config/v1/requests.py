"""Request bodies: de-identify, import, export, and their filters."""

from __future__ import annotations

from typing import ClassVar

from healthcare_deid.config.base.field_types import Flag, Items
from healthcare_deid.config.base.message import Message, OneOf
from healthcare_deid.config.base.path_types import DatasetPath, DicomStorePath, FhirStorePath, GcsLocation, GcsObject
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.resources import BlobStorageSettings, DicomBigQueryDestination


class DicomFilterConfig(Message):
    """A filter of DICOM instances. Source: v1 ``DicomFilterConfig``."""

    resource_paths_gcs_uri: GcsObject | None = None
    """A file of lines ``/studies/{uid}[/series/{uid}[/instances/{uid}]]``, as ``gs://bucket/path/to/object``."""


class Resources(Message):
    """A list of FHIR resources. Source: v1 ``Resources``."""

    resources: Items[str] = ()
    """Entries such as ``Patient/1234``."""


class FhirFilter(Message):
    """A filter of FHIR resources; empty means all. Source: v1 ``FhirFilter``."""

    resources: Resources | None = None
    """The resources to include."""


class DeidentifyRequest(OneOf):
    """Fields of every deidentify request of both versions."""

    one_of: ClassVar[tuple[str, ...]] = ("config", "gcs_config_uri")

    gcs_config_uri: GcsObject | None = None
    """A file with the config as JSON, ``gs://bucket/path/to/object``. Excludes `config`."""


class DatasetRequest(DeidentifyRequest):
    """Fields of both versions' dataset request, without the config."""

    destination_dataset: DatasetPath
    """Full name of the dataset to create, in the source's location; it must not exist."""


class DicomStoreRequest(DeidentifyRequest):
    """Fields of both versions' DICOM store request, without the config."""

    destination_store: DicomStorePath
    """Full name of an existing DICOM store to write to, in the source's location."""
    filter_config: DicomFilterConfig | None = None
    """Instances to include; unset means all."""


class FhirStoreRequest(DeidentifyRequest):
    """Fields of both versions' FHIR store request, without the config."""

    destination_store: FhirStorePath
    """Full name of an existing FHIR store to write to, in the source's location."""
    resource_filter: FhirFilter | None = None
    """Resources to include; unset means all."""
    skip_modified_resources: Flag | None = None
    """Skip resources created or modified after the operation began."""


class DeidentifyDatasetRequest(DatasetRequest):
    """Body of ``datasets.deidentify``. Source: v1 ``DeidentifyDatasetRequest``."""

    config: DeidentifyConfig | None = None
    """The config. Excludes `gcs_config_uri`."""


class DeidentifyDicomStoreRequest(DicomStoreRequest):
    """Body of ``dicomStores.deidentify``. Source: v1 ``DeidentifyDicomStoreRequest``."""

    config: DeidentifyConfig | None = None
    """The config. Excludes `gcs_config_uri`."""


class DeidentifyFhirStoreRequest(FhirStoreRequest):
    """Body of ``fhirStores.deidentify``. Source: v1 ``DeidentifyFhirStoreRequest``."""

    config: DeidentifyConfig | None = None
    """The config. Excludes `gcs_config_uri`."""


class DicomGcsSource(Message):
    """Source of an import. Source: v1 ``GoogleCloudHealthcareV1DicomGcsSource``."""

    uri: GcsLocation | None = None
    """``gs://bucket/path``; ``*``, ``**`` and ``?`` stand for parts of names."""


class ImportDicomDataRequest(Message):
    """Body of ``dicomStores.import``. Source: v1 ``ImportDicomDataRequest``."""

    gcs_source: DicomGcsSource | None = None
    """Location of the instances."""
    blob_storage_settings: BlobStorageSettings | None = None
    """Storage of the imported instances."""


class DicomGcsDestination(Message):
    """Destination of an export. Source: v1 ``GoogleCloudHealthcareV1DicomGcsDestination``."""

    uri_prefix: GcsLocation | None = None
    """``gs://bucket/folder``; the service adds the slash."""
    mime_type: str | None = None
    """Such as ``application/dicom; transfer-syntax=1.2.840.10008.1.2.1``; unset: as stored."""


class ExportDicomDataRequest(OneOf):
    """Body of ``dicomStores.export``; one destination. Source: v1 ``ExportDicomDataRequest``."""

    one_of: ClassVar[tuple[str, ...]] = ("gcs_destination", "bigquery_destination")

    gcs_destination: DicomGcsDestination | None = None
    """Cloud Storage. Excludes `bigquery_destination`."""
    bigquery_destination: DicomBigQueryDestination | None = None
    """BigQuery, metadata only. Excludes `gcs_destination`."""
    filter_config: DicomFilterConfig | None = None
    """Instances to include; unset means all."""


class CancelOperationRequest(Message):
    """Body of ``operations.cancel``: empty. Source: v1 ``CancelOperationRequest``."""
