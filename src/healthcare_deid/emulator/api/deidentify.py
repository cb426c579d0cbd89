"""``deidentify`` on datasets and stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config import v1beta1
from healthcare_deid.config.v1 import requests
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.emulator.api import reading
from healthcare_deid.emulator.filtering import resource_filter
from healthcare_deid.emulator.messages import Reply
from healthcare_deid.emulator.routing import Route
from healthcare_deid.emulator.status import invalid, unimplemented
from healthcare_deid.errors import ConfigError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from healthcare_deid.emulator.routing import Call
    from healthcare_deid.emulator.state import State

_DATASET = "projects/{project}/locations/{location}/datasets/{dataset}"
_METHOD = "projects.locations.datasets"


class DeidentifyCalls:
    """Answers the three ``deidentify`` methods."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("POST", f"{_DATASET}:deidentify", f"{_METHOD}.deidentify", self.dataset),
            Route(
                "POST",
                f"{_DATASET}/dicomStores/{{dicomStore}}:deidentify",
                f"{_METHOD}.dicomStores.deidentify",
                self.dicom_store,
            ),
            Route(
                "POST",
                f"{_DATASET}/fhirStores/{{fhirStore}}:deidentify",
                f"{_METHOD}.fhirStores.deidentify",
                self.fhir_store,
            ),
        ]

    def dataset(self, call: Call) -> Reply:
        """``datasets.deidentify``."""
        self._state.catalog.check_dataset(call.dataset, "healthcare.datasets.deidentify")
        if call.version == "v1":
            body: requests.DatasetRequest = reading.message(call, requests.DeidentifyDatasetRequest)
        else:
            body = reading.message(call, v1beta1.DeidentifyDatasetRequest)
        operation = self._state.deidentification.dataset(
            call.dataset, DatasetName.parse(body.destination_dataset), self._config(call, body), call.version
        )
        return Reply.json({"name": operation})

    def dicom_store(self, call: Call) -> Reply:
        """``dicomStores.deidentify``."""
        self._state.catalog.check_store(call.dicom_store, "healthcare.dicomStores.deidentify")
        if call.version == "v1":
            body: requests.DicomStoreRequest = reading.message(call, requests.DeidentifyDicomStoreRequest)
        else:
            body = reading.message(call, v1beta1.DeidentifyDicomStoreRequest)
        destination = DicomStoreName.parse(body.destination_store)
        operation = self._state.deidentification.dicom_store(
            call.dicom_store,
            destination,
            self._config(call, body),
            call.version,
            only=resource_filter(self._state.buckets, body.filter_config),
        )
        return Reply.json({"name": operation})

    def fhir_store(self, call: Call) -> Reply:
        """``fhirStores.deidentify``: checked as the service would, then refused (fidelity O-17)."""
        self._state.catalog.check_store(call.fhir_store, "healthcare.fhirStores.deidentify")
        if call.version == "v1":
            body: requests.FhirStoreRequest = reading.message(call, requests.DeidentifyFhirStoreRequest)
        else:
            body = reading.message(call, v1beta1.DeidentifyFhirStoreRequest)
        destination = FhirStoreName.parse(body.destination_store)
        self._state.catalog.check_store(destination, "healthcare.fhirResources.update")
        raise unimplemented("The emulator does not de-identify FHIR stores; nothing was copied.")

    def _config(self, call: Call, body: requests.DeidentifyRequest) -> DeidentifyConfig | v1beta1.DeidentifyConfig:
        """Return the config of a request, from the request itself or the file it names."""
        kind = DeidentifyConfig if call.version == "v1" else v1beta1.DeidentifyConfig
        given = getattr(body, "config", None)
        if given is not None:
            assert isinstance(given, kind)
            return given
        if body.gcs_config_uri is None:
            return kind()
        text = self._state.buckets.read(body.gcs_config_uri).decode("utf-8", "replace")
        try:
            return kind.from_json(text)
        except ConfigError as error:
            raise invalid(f"The config in gcsConfigUri is not valid: {error}") from None
