"""DICOM stores of v1beta1.

They add BigQuery change data capture to v1's.

Overridden fields have a narrower type. This is sound because messages are frozen; pyright cannot know.
"""

from __future__ import annotations

from healthcare_deid.config.base.field_types import Items  # noqa: TC001 - pydantic reads it
from healthcare_deid.config.v1 import resources as v1


class DicomBigQueryDestination(v1.DicomBigQueryDestination):
    """A BigQuery table. Source: ``GoogleCloudHealthcareV1beta1DicomBigQueryDestination``."""

    change_data_capture_config: v1.ChangeDataCaptureConfig | None = None
    """If set, rows follow changes and deletions."""


class DicomStreamConfig(v1.DicomStreamConfig):
    """Stream of new instances. Source: ``GoogleCloudHealthcareV1beta1DicomStreamConfig``."""

    bigquery_destination: DicomBigQueryDestination | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    """The BigQuery table."""


class DicomStore(v1.DicomStore):
    """A DICOM store. Source: v1beta1 ``DicomStore``."""

    stream_configs: Items[DicomStreamConfig] = ()  # pyright: ignore[reportIncompatibleVariableOverride]
    """Streams of new instances."""


class ListDicomStoresResponse(v1.ListDicomStoresResponse):
    """A page of DICOM stores. Source: v1beta1 ``ListDicomStoresResponse``."""

    dicom_stores: Items[DicomStore] = ()  # pyright: ignore[reportIncompatibleVariableOverride]
    """The stores."""
