"""Request and reply of each API method, as flows for both clients."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.protocol import methods as table
from healthcare_deid.client.protocol.arguments import require_config
from healthcare_deid.config.v1 import requests as v1
from healthcare_deid.config.v1.resources import Dataset, DicomStore, DicomStoreMetrics
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthcare_deid.client.protocol.context import CallContext, StartedOperation
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.config.v1.requests import DicomFilterConfig, FhirFilter
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, LocationName

logger = logging.getLogger("healthcare_deid.client")


# Datasets


def create_dataset(context: CallContext, name: str | DatasetName, time_zone: str | None) -> Flow[StartedOperation]:
    """Start ``datasets.create``."""
    dataset = context.dataset(name)
    body, query = Dataset(time_zone=time_zone).to_api(), {"datasetId": dataset.dataset}
    call = context.call(table.DATASETS_CREATE, dataset.parent, body=body, query=query)
    return context.start(call, dataset, creates=dataset)


def get_dataset(context: CallContext, name: str | DatasetName) -> Flow[Dataset]:
    """Send ``datasets.get``."""
    return context.read(Dataset, context.call(table.DATASETS_GET, context.dataset(name)))


def datasets_page(context: CallContext, location: LocationName, token: str) -> Flow[tuple[list[Dataset], str]]:
    """Fetch one page of ``datasets.list``."""
    return context.page(Dataset, table.DATASETS_LIST, location, "datasets", token)


def delete_dataset(context: CallContext, name: str | DatasetName) -> Flow[None]:
    """Send ``datasets.delete``."""
    return context.delete(table.DATASETS_DELETE, context.dataset(name))


# DICOM stores


def create_dicom_store(
    context: CallContext, name: str | DicomStoreName, labels: Mapping[str, str] | None
) -> Flow[DicomStore]:
    """Send ``dicomStores.create``."""
    store = context.dicom_store(name)
    body, query = DicomStore(labels=labels).to_api(), {"dicomStoreId": store.store}
    return context.read(DicomStore, context.call(table.DICOM_STORES_CREATE, store.parent, body=body, query=query))


def get_dicom_store(context: CallContext, name: str | DicomStoreName) -> Flow[DicomStore]:
    """Send ``dicomStores.get``."""
    return context.read(DicomStore, context.call(table.DICOM_STORES_GET, context.dicom_store(name)))


def dicom_stores_page(
    context: CallContext, dataset: DatasetName, labels: str, token: str
) -> Flow[tuple[list[DicomStore], str]]:
    """Fetch one page of ``dicomStores.list``."""
    query = {"filter": labels} if labels else {}
    return context.page(DicomStore, table.DICOM_STORES_LIST, dataset, "dicomStores", token, query)


def delete_dicom_store(context: CallContext, name: str | DicomStoreName) -> Flow[None]:
    """Send ``dicomStores.delete``."""
    return context.delete(table.DICOM_STORES_DELETE, context.dicom_store(name))


def dicom_store_metrics(context: CallContext, name: str | DicomStoreName) -> Flow[DicomStoreMetrics]:
    """Send ``dicomStores.getDICOMStoreMetrics``."""
    return context.read(DicomStoreMetrics, context.call(table.DICOM_STORES_METRICS, context.dicom_store(name)))


def import_dicom(context: CallContext, name: str | DicomStoreName, gcs_uri: str) -> Flow[StartedOperation]:
    """Start ``dicomStores.import``."""
    store = context.dicom_store(name)
    source = v1.DicomGcsSource(uri=_required("gcs_uri", gcs_uri))
    body = v1.ImportDicomDataRequest(gcs_source=source).to_api()
    return context.start(context.call(table.DICOM_STORES_IMPORT, store, body=body), store.parent)


def export_dicom(
    context: CallContext,
    name: str | DicomStoreName,
    gcs_uri_prefix: str,
    filter_config: DicomFilterConfig | str | None,
) -> Flow[StartedOperation]:
    """Start ``dicomStores.export``."""
    store = context.dicom_store(name)
    destination = v1.DicomGcsDestination(uri_prefix=_required("gcs_uri_prefix", gcs_uri_prefix))
    body = v1.ExportDicomDataRequest(gcs_destination=destination, filter_config=_dicom_filter(filter_config))
    return context.start(context.call(table.DICOM_STORES_EXPORT, store, body=body.to_api()), store.parent)


# De-identification


def deidentify_dataset(
    context: CallContext,
    source: str | DatasetName,
    destination: str | DatasetName,
    config: Any,
    gcs_config_uri: str | None,
) -> Flow[StartedOperation]:
    """Start ``datasets.deidentify``."""
    start, end = context.dataset(source), context.dataset(destination)
    version = _version(context, config, gcs_config_uri)
    body = _messages(version).DeidentifyDatasetRequest(
        destination_dataset=str(end), config=config, gcs_config_uri=gcs_config_uri
    )
    call = context.call(table.DATASETS_DEIDENTIFY, start, body=body.to_api(), version=version)
    return context.start(call, start, creates=end)


def deidentify_dicom_store(
    context: CallContext,
    source: str | DicomStoreName,
    destination: str | DicomStoreName,
    config: Any,
    gcs_config_uri: str | None,
    filter_config: DicomFilterConfig | str | None,
) -> Flow[StartedOperation]:
    """Start ``dicomStores.deidentify``."""
    start, end = context.dicom_store(source), context.dicom_store(destination)
    version = _version(context, config, gcs_config_uri)
    body = _messages(version).DeidentifyDicomStoreRequest(
        destination_store=str(end),
        config=config,
        gcs_config_uri=gcs_config_uri,
        filter_config=_dicom_filter(filter_config),
    )
    call = context.call(table.DICOM_STORES_DEIDENTIFY, start, body=body.to_api(), version=version)
    return context.start(call, start.parent)


def deidentify_fhir_store(
    context: CallContext,
    source: str | FhirStoreName,
    destination: str | FhirStoreName,
    config: Any,
    gcs_config_uri: str | None,
    resource_filter: FhirFilter | Sequence[str] | None,
    skip_modified_resources: bool | None,
) -> Flow[StartedOperation]:
    """Start ``fhirStores.deidentify``."""
    start, end = context.fhir_store(source), context.fhir_store(destination)
    version = _version(context, config, gcs_config_uri)
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
    """Return the API version of a call, from its config if it has one."""
    if config is None:
        # v1 then keeps all tags and v1beta1 applies the Basic Profile; neither may be meant.
        if gcs_config_uri is None:
            logger.warning("no config given: the service's defaults decide what is removed")
        return context.api_version
    version = require_config(config).api_version
    # The reverse is safe: a v1beta1 config makes the call a v1beta1 call. But sent to v1beta1, a v1 config would get
    # v1beta1's defaults, which remove different tags.
    if version == "v1" and context.api_version == "v1beta1":
        raise ConfigError(
            "a v1 config cannot be used by a client with api_version='v1beta1', where the same fields mean something "
            "else. Convert the config, or remove api_version="
        )
    return version


def _messages(version: str) -> Any:
    """Return the module of an API version's request messages."""
    if version == "v1":
        return v1
    # Imported late, because most programs never use v1beta1.
    from healthcare_deid.config import v1beta1

    return v1beta1


def _dicom_filter(value: Any) -> Any:
    """Return a DICOM filter from a message or a ``gs://`` URI."""
    return v1.DicomFilterConfig(resource_paths_gcs_uri=value) if isinstance(value, str) else value


def _fhir_filter(value: Any) -> Any:
    """Return a FHIR filter from a message or resource names."""
    if value is None or isinstance(value, v1.FhirFilter):
        return value
    names = (value,) if isinstance(value, str) else value  # a str is itself a sequence of str
    return v1.FhirFilter(resources=v1.Resources(resources=names))


def _required(argument: str, value: str) -> str:
    """Return a ``gs://`` URI that must not be empty.

    The API's message allows it to be unset.
    """
    if not value:
        raise ConfigError(f"{argument}: must be a URI of the form gs://bucket/path")
    return value
