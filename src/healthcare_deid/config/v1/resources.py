"""Datasets and stores as the service describes them.

Unknown fields and values are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from healthcare_deid.config.base.field_types import Int64, Items
from healthcare_deid.config.base.message import ReplyMessage

# An enum member if the value is known, otherwise the text as sent.
_KNOWN_FIRST = Field(union_mode="left_to_right")


class EncryptionSpec(ReplyMessage):
    """A customer-managed key. Source: v1 ``EncryptionSpec``."""

    kms_key_name: str | None = None
    """Name of the Cloud KMS key."""


class Dataset(ReplyMessage):
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


class NotificationConfig(ReplyMessage):
    """Notification of changes, in the older form. Source: v1 ``NotificationConfig``."""

    pubsub_topic: str | None = None
    """``projects/*/topics/*``."""
    send_for_bulk_import: bool | None = None
    """Announce bulk imports too."""


class DicomNotificationConfig(ReplyMessage):
    """Notification of changes in a DICOM store. Source: v1 ``DicomNotificationConfig``."""

    pubsub_topic: str | None = None
    """``projects/*/topics/*``."""


class BlobStorageClass(StrEnum):
    """Storage class of pixel data. Source: v1 ``BlobStorageSettings.blobStorageClass``."""

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


class BlobStorageSettings(ReplyMessage):
    """Storage of pixel data. Source: v1 ``BlobStorageSettings``."""

    blob_storage_class: Annotated[BlobStorageClass | str | None, _KNOWN_FIRST] = None
    """The storage class; a value unknown to this version stays text."""


class WriteDisposition(StrEnum):
    """Handling of an existing BigQuery table. Source: v1 ``…DicomBigQueryDestination.writeDisposition``."""

    WRITE_DISPOSITION_UNSPECIFIED = "WRITE_DISPOSITION_UNSPECIFIED"
    """The same as `WRITE_EMPTY`."""
    WRITE_EMPTY = "WRITE_EMPTY"
    """Export only into an empty table."""
    WRITE_TRUNCATE = "WRITE_TRUNCATE"
    """Erase the table first."""
    WRITE_APPEND = "WRITE_APPEND"
    """Add to the table."""


class SchemaFlattened(ReplyMessage):
    """One column per tag. Source: v1 ``SchemaFlattened``."""


class SchemaJson(ReplyMessage):
    """All tags in one JSON column. Source: v1 ``SchemaJSON``."""


class ChangeDataCaptureConfig(ReplyMessage):
    """BigQuery change data capture.

    Source: v1beta1 ``GoogleCloudHealthcareV1beta1DicomChangeDataCaptureConfig``.
    """


class DicomBigQueryDestination(ReplyMessage):
    """A BigQuery table. Source: v1 ``GoogleCloudHealthcareV1DicomBigQueryDestination``."""

    table_uri: str | None = None
    """``bq://project.dataset.table``."""
    write_disposition: Annotated[WriteDisposition | str | None, _KNOWN_FIRST] = None
    """Handling of an existing table; overrides `force`."""
    force: bool | None = None
    """Overwrite the table; use `write_disposition` instead."""
    include_source_store: bool | None = None
    """Add a column with the store's name."""
    schema_flattened: SchemaFlattened | None = None
    """One column per tag. Excludes `schema_json`."""
    schema_json_: SchemaJson | None = None
    """All tags in one JSON column. Excludes `schema_flattened`."""


class DicomStreamConfig(ReplyMessage):
    """Stream of new instances. Source: v1 ``GoogleCloudHealthcareV1DicomStreamConfig``."""

    bigquery_destination: DicomBigQueryDestination | None = None
    """The BigQuery table."""


class DicomStore(ReplyMessage):
    """A DICOM store. Source: v1 ``DicomStore``."""

    name: str | None = None
    """``projects/*/locations/*/datasets/*/dicomStores/*``."""
    labels: Mapping[str, str] | None = None
    """The user's labels."""
    notification_config: NotificationConfig | None = None
    """Notification of changes, in the older form."""
    notification_configs: Items[DicomNotificationConfig] = ()
    """Notifications of changes."""
    stream_configs: Items[DicomStreamConfig] = ()
    """Streams of new instances."""


class DicomStoreMetrics(ReplyMessage):
    """Contents of a DICOM store in numbers. Source: v1 ``DicomStoreMetrics``."""

    name: str | None = None
    """Name of the store."""
    study_count: Int64 = 0
    """Number of studies."""
    series_count: Int64 = 0
    """Number of series."""
    instance_count: Int64 = 0
    """Number of instances."""
    structured_storage_size_bytes: Int64 = 0
    """Bytes of structured storage."""
    blob_storage_size_bytes: Int64 = 0
    """Bytes of blob storage."""


class ListDatasetsResponse(ReplyMessage):
    """A page of datasets. Source: v1 ``ListDatasetsResponse``."""

    datasets: Items[Dataset] = ()
    """The datasets."""
    next_page_token: str | None = None
    """Token of the next page."""


class ListDicomStoresResponse(ReplyMessage):
    """A page of DICOM stores. Source: v1 ``ListDicomStoresResponse``."""

    dicom_stores: Items[DicomStore] = ()
    """The stores."""
    next_page_token: str | None = None
    """Token of the next page."""
