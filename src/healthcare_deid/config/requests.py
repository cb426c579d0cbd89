"""The bodies of the calls (v1): de-identify, import, export, and the filters in them."""

from __future__ import annotations

from typing import ClassVar

from healthcare_deid.config.deidentify import DeidentifyConfig
from healthcare_deid.config.fields import Flag, Items
from healthcare_deid.config.message import Message, OneOf
from healthcare_deid.config.paths import DatasetPath, DicomStorePath, FhirStorePath, GcsLocation, GcsObject
from healthcare_deid.config.resources import BlobStorageSettings, DicomBigQueryDestination


class DicomFilterConfig(Message):
    """Which instances. Source: v1 ``DicomFilterConfig``."""

    resource_paths_gcs_uri: GcsObject | None = None
    """A file of lines ``/studies/{uid}[/series/{uid}[/instances/{uid}]]``, as ``gs://bucket/path/to/object``."""


class Resources(Message):
    """A list of FHIR resources. Source: v1 ``Resources``."""

    resources: Items[str] = ()
    """Entries such as ``Patient/1234``."""


class FhirFilter(Message):
    """Which FHIR resources; empty means all. Source: v1 ``FhirFilter``."""

    resources: Resources | None = None
    """The resources to include."""


class DeidentifyRequest(OneOf):
    """What the three de-identify requests of both versions share."""

    one_of: ClassVar[tuple[str, ...]] = ("config", "gcs_config_uri")

    gcs_config_uri: GcsObject | None = None
    """A file with the config as JSON, ``gs://bucket/path/to/object``. Excludes `config`."""


class DatasetRequest(DeidentifyRequest):
    """What the dataset request of both versions has beside the config."""

    destination_dataset: DatasetPath
    """Full name of the dataset to create: it must not exist, and lies in the source's location."""


class DicomStoreRequest(DeidentifyRequest):
    """What the DICOM store request of both versions has beside the config."""

    destination_store: DicomStorePath
    """Full name of the DICOM store to write to: it must exist, in the source's location."""
    filter_config: DicomFilterConfig | None = None
    """Which instances; unset means all."""


class FhirStoreRequest(DeidentifyRequest):
    """What the FHIR store request of both versions has beside the config."""

    destination_store: FhirStorePath
    """Full name of the FHIR store to write to: it must exist, in the source's location."""
    resource_filter: FhirFilter | None = None
    """Which resources; unset means all."""
    skip_modified_resources: Flag | None = None
    """Skip resources created or modified after the operation began."""


class DeidentifyDatasetRequest(DatasetRequest):
    """Body of ``datasets.deidentify``. Source: v1 ``DeidentifyDatasetRequest``."""

    config: DeidentifyConfig | None = None
    """What to de-identify. Excludes `gcs_config_uri`."""


class DeidentifyDicomStoreRequest(DicomStoreRequest):
    """Body of ``dicomStores.deidentify``. Source: v1 ``DeidentifyDicomStoreRequest``."""

    config: DeidentifyConfig | None = None
    """What to de-identify. Excludes `gcs_config_uri`."""


class DeidentifyFhirStoreRequest(FhirStoreRequest):
    """Body of ``fhirStores.deidentify``. Source: v1 ``DeidentifyFhirStoreRequest``."""

    config: DeidentifyConfig | None = None
    """What to de-identify. Excludes `gcs_config_uri`."""


class DicomGcsSource(Message):
    """Where to import from. Source: v1 ``GoogleCloudHealthcareV1DicomGcsSource``."""

    uri: GcsLocation | None = None
    """``gs://bucket/path``; ``*``, ``**`` and ``?`` stand for parts of names."""


class ImportDicomDataRequest(Message):
    """Body of ``dicomStores.import``. Source: v1 ``ImportDicomDataRequest``."""

    gcs_source: DicomGcsSource | None = None
    """Where the instances come from."""
    blob_storage_settings: BlobStorageSettings | None = None
    """How the imported instances are stored."""


class DicomGcsDestination(Message):
    """Where to export to. Source: v1 ``GoogleCloudHealthcareV1DicomGcsDestination``."""

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
    """Which instances; unset means all."""


class CancelOperationRequest(Message):
    """Body of ``operations.cancel``: empty. Source: v1 ``CancelOperationRequest``."""
