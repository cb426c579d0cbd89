"""``deidentify`` methods of datasets and stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config import v1beta1
from healthcare_deid.config.v1 import requests
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.emulator.errors import invalid, unimplemented
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import ANY_QUERY, Route
from healthcare_deid.emulator.jobs.resource_filter import resource_filter
from healthcare_deid.errors import ConfigError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.routes import RoutedRequest

_DATASET = "projects/{project}/locations/{location}/datasets/{dataset}"
_DICOM, _FHIR = f"{_DATASET}/dicomStores/{{dicomStore}}", f"{_DATASET}/fhirStores/{{fhirStore}}"
_METHOD = "projects.locations.datasets"
# Config checks that correspond to a rule in the API reference.
_RULES = frozenset({"image-info-types", "regional-info-types", "regional-pixels", "regex-groups", "regex-invalid"})


class DeidentifyCalls:
    """Handlers of the three ``deidentify`` methods."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("POST", f"{_DATASET}:deidentify", f"{_METHOD}.deidentify", self.dataset, ANY_QUERY),
            Route("POST", f"{_DICOM}:deidentify", f"{_METHOD}.dicomStores.deidentify", self.dicom_store, ANY_QUERY),
            Route("POST", f"{_FHIR}:deidentify", f"{_METHOD}.fhirStores.deidentify", self.fhir_store, ANY_QUERY),
        ]

    def dataset(self, call: RoutedRequest) -> Reply:
        """Handle ``datasets.deidentify``."""
        self._backend.catalog.check_dataset(call.dataset, "healthcare.datasets.deidentify")
        if call.version == "v1":
            body: requests.DatasetRequest = parameters.message(call, requests.DeidentifyDatasetRequest)
        else:
            body = parameters.message(call, v1beta1.DeidentifyDatasetRequest)
        operation = self._backend.deidentification.dataset(
            call.dataset, DatasetName.parse(body.destination_dataset), self._config(call, body), call.version
        )
        return Reply.json({"name": operation})

    def dicom_store(self, call: RoutedRequest) -> Reply:
        """Handle ``dicomStores.deidentify``."""
        self._backend.catalog.check_store(call.dicom_store, "healthcare.dicomStores.deidentify")
        if call.version == "v1":
            body: requests.DicomStoreRequest = parameters.message(call, requests.DeidentifyDicomStoreRequest)
        else:
            body = parameters.message(call, v1beta1.DeidentifyDicomStoreRequest)
        destination = DicomStoreName.parse(body.destination_store)
        operation = self._backend.deidentification.dicom_store(
            call.dicom_store,
            destination,
            self._config(call, body),
            call.version,
            only=resource_filter(self._backend.buckets, body.filter_config),
        )
        return Reply.json({"name": operation})

    def fhir_store(self, call: RoutedRequest) -> Reply:
        """Handle ``fhirStores.deidentify``.

        The request is checked as the service does, then refused (fidelity O-17).
        """
        self._backend.catalog.check_store(call.fhir_store, "healthcare.fhirStores.deidentify")
        if call.version == "v1":
            body: requests.FhirStoreRequest = parameters.message(call, requests.DeidentifyFhirStoreRequest)
        else:
            body = parameters.message(call, v1beta1.DeidentifyFhirStoreRequest)
        # Checked before it is refused, so that a client sees the service's own error for a missing store.
        destination = FhirStoreName.parse(body.destination_store)
        self._backend.catalog.check_store(destination, "healthcare.fhirResources.update")
        raise unimplemented("The emulator does not de-identify FHIR stores. Nothing was copied.")

    def _config(
        self, call: RoutedRequest, body: requests.DeidentifyRequest
    ) -> DeidentifyConfig | v1beta1.DeidentifyConfig:
        """Return the config in the request or in its ``gcsConfigUri``."""
        kind = DeidentifyConfig if call.version == "v1" else v1beta1.DeidentifyConfig
        given = getattr(body, "config", None)
        if given is not None:
            assert isinstance(given, kind)
            config: DeidentifyConfig | v1beta1.DeidentifyConfig = given
        elif body.gcs_config_uri is None:
            config = kind()
        else:
            text = self._backend.buckets.read(body.gcs_config_uri).decode("utf-8", "replace")
            try:
                config = kind.from_json(text)
            except ConfigError as error:
                raise invalid(f"The config in gcsConfigUri is not valid: {error}") from None
        _check_rules(config)
        return config


def _check_rules(config: DeidentifyConfig | v1beta1.DeidentifyConfig) -> None:
    """Check the documented rules for a config.

    Raises:
        ServiceError: 400: the config breaks a rule. 501: it needs a feature that is not emulated.
    """
    for finding in config.checks():
        # The other findings are advice. The service accepts such configs.
        if finding.code in _RULES:
            raise invalid(f"Invalid config at {finding.path}: {finding.message}")
    metadata = getattr(config, "operation_metadata", None)
    if metadata is not None and metadata.fhir_output is not None:
        raise unimplemented("The emulator does not write operationMetadata.fhirOutput (fidelity F-39).")
