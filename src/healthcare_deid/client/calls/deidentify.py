"""De-identification of datasets and stores, and what can be known of it before. Source: ``deidentify`` methods."""

# ruff: noqa: ASYNC109 - a timeout is one HTTP try's, as in the sync client; asyncio.timeout() bounds whole calls

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.calls.base import AsyncMethodGroup, MethodGroup
from healthcare_deid.client.calls.dicom_stores import dicom_filter
from healthcare_deid.client.protocol import methods as table
from healthcare_deid.config import requests as v1
from healthcare_deid.config.operations import (
    DeidentifyDicomStoreSummary,
    DeidentifyFhirStoreSummary,
    DeidentifySummary,
)
from healthcare_deid.config.root import RootConfig
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.client.calls.preflight import PriceTable
    from healthcare_deid.client.operation.async_operation import AsyncOperation
    from healthcare_deid.client.operation.operation import Operation
    from healthcare_deid.client.protocol.context import CallContext, Started
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.config.deidentify import DeidentifyConfig
    from healthcare_deid.config.findings import Finding
    from healthcare_deid.config.requests import DicomFilterConfig, FhirFilter
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

logger = logging.getLogger("healthcare_deid.client")

_BETA = "v1beta1"


def _dataset(
    context: CallContext, source: Any, destination: Any, config: Any, gcs_config_uri: str | None
) -> Flow[Started]:
    start, end, version = (
        context.dataset(source),
        context.dataset(destination),
        _version(context, config, gcs_config_uri),
    )
    body = _messages(version).DeidentifyDatasetRequest(
        destination_dataset=str(end), config=config, gcs_config_uri=gcs_config_uri
    )
    call = context.call(table.DATASETS_DEIDENTIFY, start, body=body.to_api(), version=version)
    return context.start(call, start)


def _dicom_store(
    context: CallContext, source: Any, destination: Any, config: Any, gcs_config_uri: str | None, filter_config: Any
) -> Flow[Started]:
    start, end, version = (
        context.dicom_store(source),
        context.dicom_store(destination),
        _version(context, config, gcs_config_uri),
    )
    body = _messages(version).DeidentifyDicomStoreRequest(
        destination_store=str(end),
        config=config,
        gcs_config_uri=gcs_config_uri,
        filter_config=dicom_filter(filter_config),
    )
    call = context.call(table.DICOM_STORES_DEIDENTIFY, start, body=body.to_api(), version=version)
    return context.start(call, start.parent)


def _fhir_store(
    context: CallContext,
    source: Any,
    destination: Any,
    config: Any,
    gcs_config_uri: str | None,
    resource_filter: Any,
    skip_modified_resources: bool | None,
) -> Flow[Started]:
    start, end, version = (
        context.fhir_store(source),
        context.fhir_store(destination),
        _version(context, config, gcs_config_uri),
    )
    body = _messages(version).DeidentifyFhirStoreRequest(
        destination_store=str(end),
        config=config,
        gcs_config_uri=gcs_config_uri,
        resource_filter=_fhir_filter(resource_filter),
        skip_modified_resources=skip_modified_resources,
    )
    call = context.call(table.FHIR_STORES_DEIDENTIFY, start, body=body.to_api(), version=version)
    return context.start(call, start.parent)


def _version(context: CallContext, config: Any, gcs_config_uri: str | None) -> str:
    """Return the API version of a call: its config's own."""
    if config is None:
        if gcs_config_uri is None:
            logger.warning("de-identifying without a config: the service's defaults decide what is removed")
        return context.api_version
    checked = checked_config(config)
    theirs = _BETA if type(checked).__module__.startswith(f"healthcare_deid.config.{_BETA}") else "v1"
    if theirs == "v1" and context.api_version == _BETA:
        raise ConfigError(
            "a v1 config with api_version='v1beta1': the same words mean something else there; convert the config"
        )
    return theirs


def checked_config(config: Any) -> RootConfig:
    """Return the config that was given, if it is one.

    Raises:
        ConfigError: It is something else: which version a mapping is meant for, nobody can tell.
    """
    if isinstance(config, RootConfig):
        return config
    hint = ": DeidentifyConfig.from_api(...) reads one" if isinstance(config, Mapping) else ""
    raise ConfigError(f"config: a DeidentifyConfig is needed, not {type(config).__name__}{hint}")


def _messages(version: str) -> Any:
    if version == "v1":
        return v1
    from healthcare_deid.config import v1beta1

    return v1beta1


def _fhir_filter(value: Any) -> Any:
    """Take a filter as the message, or as the names of the resources."""
    if value is None or isinstance(value, v1.FhirFilter):
        return value
    names = (value,) if isinstance(value, str) else value  # a str is a sequence too, of letters
    return v1.FhirFilter(resources=v1.Resources(resources=names))


class DeidentifyMethods(MethodGroup):
    """The methods that de-identify."""

    def deidentify_dataset(
        self,
        source: str | DatasetName,
        destination: str | DatasetName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Operation[DeidentifySummary]:
        """De-identify all stores of a dataset into a new dataset. Source: ``datasets.deidentify``.

        Args:
            source: The dataset to read.
            destination: The dataset to make: it must not exist, and lies in the same location.
            config: What to remove; v1's, or v1beta1's, which then is the API version of the call.
            gcs_config_uri: A ``gs://`` object with the config as JSON, instead of ``config``.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.

        Raises:
            AlreadyExists: The destination exists.
            AmbiguousSubmit: It may have started, and it cannot be told which operation it is.
            DeidError: It did not start.
        """
        flow = _dataset(self._context.tuned(timeout, retry), source, destination, config, gcs_config_uri)
        return self._start(flow, DeidentifySummary)

    def deidentify_dicom_store(
        self,
        source: str | DicomStoreName,
        destination: str | DicomStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        filter_config: DicomFilterConfig | str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Operation[DeidentifyDicomStoreSummary]:
        """De-identify a DICOM store into another one. Source: ``dicomStores.deidentify``.

        Args:
            source: The store to read.
            destination: The store to write to: it must exist, in the same location.
            config: What to remove; v1's, or v1beta1's, which then is the API version of the call.
            gcs_config_uri: A ``gs://`` object with the config as JSON, instead of ``config``.
            filter_config: Which instances: the message, or the ``gs://`` URI of the file that lists them.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.

        Raises:
            AmbiguousSubmit: It may have started, and it cannot be told which operation it is.
            DeidError: It did not start.
        """
        context = self._context.tuned(timeout, retry)
        flow = _dicom_store(context, source, destination, config, gcs_config_uri, filter_config)
        return self._start(flow, DeidentifyDicomStoreSummary)

    def deidentify_fhir_store(
        self,
        source: str | FhirStoreName,
        destination: str | FhirStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        resource_filter: FhirFilter | Sequence[str] | None = None,
        skip_modified_resources: bool | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Operation[DeidentifyFhirStoreSummary]:
        """De-identify a FHIR store into another one. Source: ``fhirStores.deidentify``.

        Args:
            source: The store to read.
            destination: The store to write to: it must exist, in the same location.
            config: What to remove; v1's, or v1beta1's, which then is the API version of the call.
            gcs_config_uri: A ``gs://`` object with the config as JSON, instead of ``config``.
            resource_filter: Which resources: the message, or names such as ``"Patient/1234"``.
            skip_modified_resources: Skip resources that change after the operation began.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.

        Raises:
            AmbiguousSubmit: It may have started, and it cannot be told which operation it is.
            DeidError: It did not start.
        """
        context = self._context.tuned(timeout, retry)
        flow = _fhir_store(
            context, source, destination, config, gcs_config_uri, resource_filter, skip_modified_resources
        )
        return self._start(flow, DeidentifyFhirStoreSummary)

    def preflight(
        self,
        source: str | DatasetName | DicomStoreName | FhirStoreName,
        destination: str | DatasetName | DicomStoreName | FhirStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        prices: PriceTable | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> list[Finding]:
        """Find what would go wrong with a de-identification, and what it would touch. Reads only.

        Names and location, whether source and destination exist as the method wants, permissions, the config's own
        checks, the limits of pixel redaction, and how much there is to do.

        Args:
            source: A dataset, or a store (``"dataset/store"`` is a DICOM store; a FHIR store goes by its full name).
            destination: Of the same kind.
            config: What to remove.
            prices: For an estimate of the cost.
            timeout: Seconds one HTTP try may take.
            retry: How a call is tried again.

        Returns:
            The findings, the worst first. What could not be checked is a finding too.
        """
        from healthcare_deid.client.calls.preflight import preflight

        return self._run(preflight(self._context.tuned(timeout, retry), source, destination, config, prices))


class AsyncDeidentifyMethods(AsyncMethodGroup):
    """The methods that de-identify, to be awaited."""

    async def deidentify_dataset(
        self,
        source: str | DatasetName,
        destination: str | DatasetName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifySummary]:
        """De-identify all stores of a dataset into a new dataset. Source: ``datasets.deidentify``.

        Arguments, result and errors are those of `DeidClient.deidentify_dataset`.
        """
        flow = _dataset(self._context.tuned(timeout, retry), source, destination, config, gcs_config_uri)
        return await self._start(flow, DeidentifySummary)

    async def deidentify_dicom_store(
        self,
        source: str | DicomStoreName,
        destination: str | DicomStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        filter_config: DicomFilterConfig | str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifyDicomStoreSummary]:
        """De-identify a DICOM store into another one. Source: ``dicomStores.deidentify``.

        Arguments, result and errors are those of `DeidClient.deidentify_dicom_store`.
        """
        context = self._context.tuned(timeout, retry)
        flow = _dicom_store(context, source, destination, config, gcs_config_uri, filter_config)
        return await self._start(flow, DeidentifyDicomStoreSummary)

    async def deidentify_fhir_store(
        self,
        source: str | FhirStoreName,
        destination: str | FhirStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        resource_filter: FhirFilter | Sequence[str] | None = None,
        skip_modified_resources: bool | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifyFhirStoreSummary]:
        """De-identify a FHIR store into another one. Source: ``fhirStores.deidentify``.

        Arguments, result and errors are those of `DeidClient.deidentify_fhir_store`.
        """
        context = self._context.tuned(timeout, retry)
        flow = _fhir_store(
            context, source, destination, config, gcs_config_uri, resource_filter, skip_modified_resources
        )
        return await self._start(flow, DeidentifyFhirStoreSummary)

    async def preflight(
        self,
        source: str | DatasetName | DicomStoreName | FhirStoreName,
        destination: str | DatasetName | DicomStoreName | FhirStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        prices: PriceTable | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> list[Finding]:
        """Find what would go wrong with a de-identification, and what it would touch. Reads only.

        Arguments, result and errors are those of `DeidClient.preflight`.
        """
        from healthcare_deid.client.calls.preflight import preflight

        return await self._run(preflight(self._context.tuned(timeout, retry), source, destination, config, prices))
