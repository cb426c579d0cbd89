"""What the service answers: datasets, stores and, from `operations`, operations. Unknown fields and values are kept."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from healthcare_deid.config.fields import Int64, Items
from healthcare_deid.config.message import Reply
from healthcare_deid.config.operations import (
    DeidentifyDicomStoreSummary,
    DeidentifyFhirStoreSummary,
    DeidentifySummary,
    Empty,
    ListOperationsResponse,
    Operation,
    OperationMetadata,
    ProgressCounter,
    Status,
)

__all__ = [
    "BlobStorageClass",
    "BlobStorageSettings",
    "ChangeDataCaptureConfig",
    "Dataset",
    "DeidentifyDicomStoreSummary",
    "DeidentifyFhirStoreSummary",
    "DeidentifySummary",
    "DicomBigQueryDestination",
    "DicomNotificationConfig",
    "DicomStore",
    "DicomStoreMetrics",
    "DicomStreamConfig",
    "Empty",
    "EncryptionSpec",
    "ListDatasetsResponse",
    "ListDicomStoresResponse",
    "ListOperationsResponse",
    "NotificationConfig",
    "Operation",
    "OperationMetadata",
    "ProgressCounter",
    "SchemaFlattened",
    "SchemaJson",
    "Status",
    "WriteDisposition",
]

_KNOWN_FIRST = Field(union_mode="left_to_right")
"""An enum's member where the value is known, else the text as sent."""


class EncryptionSpec(Reply):
    """A customer-managed key. Source: v1 ``EncryptionSpec``."""

    kms_key_name: str | None = None
    """Name of the Cloud KMS key."""


class Dataset(Reply):
    """A dataset. Source: v1 ``Dataset``."""

    name: str | None = None
    """``projects/*/locations/*/datasets/*``."""
    time_zone: str | None = None
    """IANA time zone, such as ``America/New_York``; unset means UTC."""
    encryption_spec: EncryptionSpec | None = None
    """Customer-managed key, if there is one."""
    satisfies_pzi: bool | None = None
    """Whether the dataset satisfies zone isolation; the service sets it."""
    satisfies_pzs: bool | None = None
    """Whether the dataset satisfies zone separation; the service sets it."""


class NotificationConfig(Reply):
    """Where changes are announced (the older form). Source: v1 ``NotificationConfig``."""

    pubsub_topic: str | None = None
    """``projects/*/topics/*``."""
    send_for_bulk_import: bool | None = None
    """Announce bulk imports too."""


class DicomNotificationConfig(Reply):
    """Where changes of a DICOM store are announced. Source: v1 ``DicomNotificationConfig``."""

    pubsub_topic: str | None = None
    """``projects/*/topics/*``."""


class BlobStorageClass(StrEnum):
    """How pixel data is stored. Source: v1 ``BlobStorageSettings.blobStorageClass``."""

    BLOB_STORAGE_CLASS_UNSPECIFIED = "BLOB_STORAGE_CLASS_UNSPECIFIED"
    """The same as `STANDARD`."""
    STANDARD = "STANDARD"
    """For data that is read often."""
    NEARLINE = "NEARLINE"
    """For data read less than once a month."""
    COLDLINE = "COLDLINE"
    """For data read less than once a quarter."""
    ARCHIVE = "ARCHIVE"
    """For data read less than once a year."""


class BlobStorageSettings(Reply):
    """How pixel data is stored. Source: v1 ``BlobStorageSettings``."""

    blob_storage_class: Annotated[BlobStorageClass | str | None, _KNOWN_FIRST] = None
    """The storage class; a value this version does not know stays text."""


class WriteDisposition(StrEnum):
    """What happens to a BigQuery table that exists. Source: v1 ``…DicomBigQueryDestination.writeDisposition``."""

    WRITE_DISPOSITION_UNSPECIFIED = "WRITE_DISPOSITION_UNSPECIFIED"
    """The same as `WRITE_EMPTY`."""
    WRITE_EMPTY = "WRITE_EMPTY"
    """Export only into an empty table."""
    WRITE_TRUNCATE = "WRITE_TRUNCATE"
    """Erase the table first."""
    WRITE_APPEND = "WRITE_APPEND"
    """Add to the table."""


class SchemaFlattened(Reply):
    """One column a tag. Source: v1 ``SchemaFlattened``."""


class SchemaJson(Reply):
    """All tags in one JSON column. Source: v1 ``SchemaJSON``."""


class ChangeDataCaptureConfig(Reply):
    """BigQuery change data capture.

    Source: v1beta1 ``GoogleCloudHealthcareV1beta1DicomChangeDataCaptureConfig``.
    """


class DicomBigQueryDestination(Reply):
    """A BigQuery table. Source: v1 ``GoogleCloudHealthcareV1DicomBigQueryDestination``."""

    table_uri: str | None = None
    """``bq://project.dataset.table``."""
    write_disposition: Annotated[WriteDisposition | str | None, _KNOWN_FIRST] = None
    """What happens to a table that exists; overrides `force`."""
    force: bool | None = None
    """Overwrite the table; use `write_disposition` instead."""
    include_source_store: bool | None = None
    """Add a column with the store's name."""
    schema_flattened: SchemaFlattened | None = None
    """One column a tag. Excludes `schema_json`."""
    schema_json_: SchemaJson | None = None
    """All tags in one JSON column. Excludes `schema_flattened`."""


class DicomStreamConfig(Reply):
    """Where new instances are streamed. Source: v1 ``GoogleCloudHealthcareV1DicomStreamConfig``."""

    bigquery_destination: DicomBigQueryDestination | None = None
    """The BigQuery table."""


class DicomStore(Reply):
    """A DICOM store. Source: v1 ``DicomStore``."""

    name: str | None = None
    """``projects/*/locations/*/datasets/*/dicomStores/*``."""
    labels: Mapping[str, str] | None = None
    """Labels of the user."""
    notification_config: NotificationConfig | None = None
    """Where changes are announced (the older form)."""
    notification_configs: Items[DicomNotificationConfig] = ()
    """Where changes are announced."""
    stream_configs: Items[DicomStreamConfig] = ()
    """Where new instances are streamed."""


class DicomStoreMetrics(Reply):
    """What a DICOM store holds. Source: v1 ``DicomStoreMetrics``."""

    name: str | None = None
    """Name of the store."""
    study_count: Int64 = 0
    """Studies."""
    series_count: Int64 = 0
    """Series."""
    instance_count: Int64 = 0
    """Instances."""
    structured_storage_size_bytes: Int64 = 0
    """Bytes of structured storage."""
    blob_storage_size_bytes: Int64 = 0
    """Bytes of blob storage."""


class ListDatasetsResponse(Reply):
    """A page of datasets. Source: v1 ``ListDatasetsResponse``."""

    datasets: Items[Dataset] = ()
    """The datasets."""
    next_page_token: str | None = None
    """What asks for the next page."""


class ListDicomStoresResponse(Reply):
    """A page of DICOM stores. Source: v1 ``ListDicomStoresResponse``."""

    dicom_stores: Items[DicomStore] = ()
    """The stores."""
    next_page_token: str | None = None
    """What asks for the next page."""
