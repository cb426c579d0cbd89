"""Request bodies of v1beta1 that differ from v1's."""

from __future__ import annotations

from healthcare_deid.config.v1 import requests as v1
from healthcare_deid.config.v1beta1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1beta1.resources import DicomBigQueryDestination  # noqa: TC001 - pydantic reads it


class DeidentifyDatasetRequest(v1.DatasetRequest):
    """Body of ``datasets.deidentify``. Source: v1beta1 ``DeidentifyDatasetRequest``."""

    config: DeidentifyConfig | None = None
    """The config. Excludes `gcs_config_uri`."""


class DeidentifyDicomStoreRequest(v1.DicomStoreRequest):
    """Body of ``dicomStores.deidentify``. Source: v1beta1 ``DeidentifyDicomStoreRequest``."""

    config: DeidentifyConfig | None = None
    """The config. Excludes `gcs_config_uri`."""


class DeidentifyFhirStoreRequest(v1.FhirStoreRequest):
    """Body of ``fhirStores.deidentify``. Source: v1beta1 ``DeidentifyFhirStoreRequest``."""

    config: DeidentifyConfig | None = None
    """The config. Excludes `gcs_config_uri`."""


class ExportDicomDataRequest(v1.ExportDicomDataRequest):
    """Body of ``dicomStores.export``; one destination. Source: v1beta1 ``ExportDicomDataRequest``."""

    bigquery_destination: DicomBigQueryDestination | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    """BigQuery, metadata only. Excludes `gcs_destination`."""
