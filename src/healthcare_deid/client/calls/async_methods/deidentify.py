"""De-identification methods and preflight.

Source: the API's ``deidentify`` methods.
"""

# ruff: noqa: ASYNC109 - timeout= limits one HTTP attempt, as in the other client; asyncio.timeout() limits a whole call

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.client.calls import requests
from healthcare_deid.client.calls.async_base import AsyncMethodGroup
from healthcare_deid.config.v1.operations import (
    DeidentifyDicomStoreSummary,
    DeidentifyFhirStoreSummary,
    DeidentifySummary,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.client.calls.estimate import PriceTable
    from healthcare_deid.client.operation.async_operation import AsyncOperation
    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.config import v1beta1
    from healthcare_deid.config.checks.findings import Finding
    from healthcare_deid.config.v1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1.requests import DicomFilterConfig, FhirFilter
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName


class AsyncDeidentifyMethods(AsyncMethodGroup):
    """De-identification methods."""

    async def deidentify_dataset(
        self,
        source: str | DatasetName,
        destination: str | DatasetName,
        config: DeidentifyConfig | v1beta1.DeidentifyConfig | None = None,
        *,
        gcs_config_uri: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifySummary]:
        """De-identify all stores of a dataset into a new dataset.

        Source: ``datasets.deidentify``.

        Args:
            source: Dataset to read.
            destination: Dataset to create in the same location. It must not exist.
            config: Rules to apply. A v1beta1 config makes this a v1beta1 call.
            gcs_config_uri: ``gs://`` URI of the config as JSON, instead of *config*.
            timeout: Seconds allowed for one HTTP attempt.
            retry: Retry policy for this call.

        Raises:
            AlreadyExists: The destination exists.
            AmbiguousSubmit: The reply was lost, and the operation may be running.
            DeidError: The operation was not started.
        """
        context = self._context.for_call(timeout, retry)
        flow = requests.deidentify_dataset(context, source, destination, config, gcs_config_uri)
        return await self._start(flow, DeidentifySummary)

    async def deidentify_dicom_store(
        self,
        source: str | DicomStoreName,
        destination: str | DicomStoreName,
        config: DeidentifyConfig | v1beta1.DeidentifyConfig | None = None,
        *,
        gcs_config_uri: str | None = None,
        filter_config: DicomFilterConfig | str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifyDicomStoreSummary]:
        """De-identify a DICOM store into another DICOM store.

        Source: ``dicomStores.deidentify``.

        Args:
            source: Store to read.
            destination: Existing store in the same location.
            config: Rules to apply. A v1beta1 config makes this a v1beta1 call.
            gcs_config_uri: ``gs://`` URI of the config as JSON, instead of *config*.
            filter_config: Instances to read, as a message or as the ``gs://`` URI of a file that lists them.
            timeout: Seconds allowed for one HTTP attempt.
            retry: Retry policy for this call.

        Raises:
            AmbiguousSubmit: The reply was lost, and the operation may be running.
            DeidError: The operation was not started.
        """
        context = self._context.for_call(timeout, retry)
        flow = requests.deidentify_dicom_store(context, source, destination, config, gcs_config_uri, filter_config)
        return await self._start(flow, DeidentifyDicomStoreSummary)

    async def deidentify_fhir_store(
        self,
        source: str | FhirStoreName,
        destination: str | FhirStoreName,
        config: DeidentifyConfig | v1beta1.DeidentifyConfig | None = None,
        *,
        gcs_config_uri: str | None = None,
        resource_filter: FhirFilter | Sequence[str] | None = None,
        skip_modified_resources: bool | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifyFhirStoreSummary]:
        """De-identify a FHIR store into another FHIR store.

        Source: ``fhirStores.deidentify``.

        Args:
            source: Store to read.
            destination: Existing store in the same location.
            config: Rules to apply. A v1beta1 config makes this a v1beta1 call.
            gcs_config_uri: ``gs://`` URI of the config as JSON, instead of *config*.
            resource_filter: Resources to read, as a message or as names such as ``"Patient/1234"``.
            skip_modified_resources: Whether to skip resources that change after the operation starts.
            timeout: Seconds allowed for one HTTP attempt.
            retry: Retry policy for this call.

        Raises:
            AmbiguousSubmit: The reply was lost, and the operation may be running.
            DeidError: The operation was not started.
        """
        context = self._context.for_call(timeout, retry)
        flow = requests.deidentify_fhir_store(
            context, source, destination, config, gcs_config_uri, resource_filter, skip_modified_resources
        )
        return await self._start(flow, DeidentifyFhirStoreSummary)

    async def preflight(
        self,
        source: str | DatasetName | DicomStoreName | FhirStoreName,
        destination: str | DatasetName | DicomStoreName | FhirStoreName,
        config: DeidentifyConfig | v1beta1.DeidentifyConfig | None = None,
        *,
        prices: PriceTable | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> list[Finding]:
        """Check a planned de-identification and estimate its size and cost.

        Checks names, locations, the existence of source and destination, permissions, the config, and the size limit of
        pixel redaction. Writes nothing.

        Args:
            source: Dataset or store. ``"dataset/store"`` is a DICOM store; a FHIR store needs its full name.
            destination: Dataset or store of the same kind.
            config: Rules to apply.
            prices: Price list for the cost estimate.
            timeout: Seconds allowed for one HTTP attempt.
            retry: Retry policy for each call.

        Returns:
            Findings, worst first. A check that could not be made is also a finding.
        """
        # Imported late, because most programs never call it and the import would delay their first request.
        from healthcare_deid.client.calls.preflight import preflight

        context = self._context.for_call(timeout, retry)
        return await self._run(preflight(context, source, destination, config, prices))
