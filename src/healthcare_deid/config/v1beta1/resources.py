"""What v1beta1 has beyond v1 in DICOM stores and exports: BigQuery change data capture.

Overridden fields are of a narrower type; messages are frozen, so that is sound, and pyright is told so where it asks.
"""

from __future__ import annotations

from healthcare_deid.config import requests as v1_requests
from healthcare_deid.config import resources as v1
from healthcare_deid.config.fields import Items  # noqa: TC001 - pydantic reads it


class DicomBigQueryDestination(v1.DicomBigQueryDestination):
    """A BigQuery table. Source: ``GoogleCloudHealthcareV1beta1DicomBigQueryDestination``."""

    change_data_capture_config: v1.ChangeDataCaptureConfig | None = None
    """Set: rows of a stream follow changes and deletions."""


class DicomStreamConfig(v1.DicomStreamConfig):
    """Where new instances are streamed. Source: ``GoogleCloudHealthcareV1beta1DicomStreamConfig``."""

    bigquery_destination: DicomBigQueryDestination | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    """The BigQuery table."""


class DicomStore(v1.DicomStore):
    """A DICOM store. Source: v1beta1 ``DicomStore``."""

    stream_configs: Items[DicomStreamConfig] = ()  # pyright: ignore[reportIncompatibleVariableOverride]
    """Where new instances are streamed."""


class ListDicomStoresResponse(v1.ListDicomStoresResponse):
    """A page of DICOM stores. Source: v1beta1 ``ListDicomStoresResponse``."""

    dicom_stores: Items[DicomStore] = ()  # pyright: ignore[reportIncompatibleVariableOverride]
    """The stores."""


class ExportDicomDataRequest(v1_requests.ExportDicomDataRequest):
    """Body of ``dicomStores.export``; one destination. Source: v1beta1 ``ExportDicomDataRequest``."""

    bigquery_destination: DicomBigQueryDestination | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    """BigQuery, metadata only. Excludes `gcs_destination`."""
