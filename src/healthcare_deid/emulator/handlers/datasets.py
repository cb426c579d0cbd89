"""Location and dataset methods."""

from __future__ import annotations

import re
import zoneinfo
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import invalid, not_found, unimplemented
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.field_masks import merge, update_paths
from healthcare_deid.emulator.http.field_types import Scalar
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import Route
from healthcare_deid.emulator.storage.catalog import ResourceKind, decode_token, encode_token, insert
from healthcare_deid.names import DatasetName

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.field_types import Fields
    from healthcare_deid.emulator.http.routes import RoutedRequest

_LOCATION_QUERY = parameters.PAGED | {"filter", "extraLocationTypes"}
DATASET: Fields = {
    "name": Scalar.STRING,
    "timeZone": Scalar.STRING,
    "encryptionSpec": {"kmsKeyName": Scalar.STRING},
    "satisfiesPzi": Scalar.BOOL,
    "satisfiesPzs": Scalar.BOOL,
}
"""``Dataset`` in the API reference."""
_OUTPUT_ONLY = frozenset({"name", "satisfiesPzi", "satisfiesPzs"})
_LOCATIONS = (
    "asia-northeast1", "asia-south1", "asia-southeast1", "australia-southeast1", "eu", "europe-west2", "europe-west3",
    "europe-west4", "northamerica-northeast1", "southamerica-east1", "us", "us-central1", "us-east4", "us-west2",
)  # fmt: skip
# A form instead of a list, because Google adds regions (fidelity F-41).
_REGION = re.compile(
    r"us|eu|(africa|asia|australia|europe|me|northamerica|southamerica|us)"
    r"-(central|east|north|northeast|northwest|south|southeast|southwest|west)\d{1,2}"
)
_ID = re.compile(r"[\w\-.]{1,256}")
_PATH = "projects/{project}/locations/{location}"
_ONE = f"{_PATH}/datasets/{{dataset}}"
_METHOD = "projects.locations.datasets"


class Datasets:
    """Handlers of location and dataset methods."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "projects/{project}/locations", "projects.locations.list", self.locations, _LOCATION_QUERY),
            Route("GET", _PATH, "projects.locations.get", self.location),
            Route("POST", f"{_PATH}/datasets", f"{_METHOD}.create", self.create, frozenset({"datasetId"})),
            Route("GET", f"{_PATH}/datasets", f"{_METHOD}.list", self.list, parameters.PAGED),
            Route("GET", _ONE, f"{_METHOD}.get", self.get),
            Route("PATCH", _ONE, f"{_METHOD}.patch", self.patch, frozenset({"updateMask"})),
            Route("DELETE", _ONE, f"{_METHOD}.delete", self.delete),
        ]

    def locations(self, call: RoutedRequest) -> Reply:
        """Handle ``locations.list``."""
        if call.request.parameter("filter") or call.request.parameter("extraLocationTypes"):
            raise unimplemented("The emulator does not filter locations (fidelity F-41).")
        after = decode_token(call.request.parameter("pageToken"))
        size = parameters.page_size(call)
        names = [name for name in _LOCATIONS if name > after]
        body: dict[str, Any] = {"locations": [_location(call.ids["project"], name) for name in names[:size]]}
        if len(names) > size:
            body["nextPageToken"] = encode_token(names[size - 1])
        return Reply.json(body)

    def location(self, call: RoutedRequest) -> Reply:
        """Handle ``locations.get``."""
        check_location(call.ids["location"])
        return Reply.json(_location(call.ids["project"], call.ids["location"]))

    def create(self, call: RoutedRequest) -> Reply:
        """Handle ``datasets.create``.

        The operation has already ended.
        """
        check_location(call.ids["location"])
        identifier = call.request.parameter("datasetId") or ""
        if not _ID.fullmatch(identifier):
            raise invalid(r"datasetId must match [\p{L}\p{N}_\-\.]{1,256}.")
        name = DatasetName(call.ids["project"], call.ids["location"], identifier)
        body = {**_checked(parameters.resource(call, DATASET)), "name": str(name)}
        with self._backend.database.write() as connection:
            # One transaction: a dataset never appears without the operation that created it.
            insert(connection, ResourceKind.DATASET, str(name), None, body)
            operation = self._backend.operations.insert(
                connection, name, "dataset.DatasetService.CreateDataset", call.version
            )
            made = {"@type": f"type.googleapis.com/google.cloud.healthcare.{call.version}.dataset.Dataset", **body}
            self._backend.operations.finish(connection, operation, response=made, error=None)
        return Reply.json(self._backend.logs.describe(self._backend.operations.get(operation), call.request))

    def list(self, call: RoutedRequest) -> Reply:
        """Handle ``datasets.list``."""
        page = self._backend.catalog.page(
            ResourceKind.DATASET,
            str(call.location),
            size=parameters.page_size(call),
            token=call.request.parameter("pageToken"),
            labels={},
        )
        return Reply.json(page.to_api("datasets"))

    def get(self, call: RoutedRequest) -> Reply:
        """Handle ``datasets.get``."""
        self._backend.catalog.check_dataset(call.dataset, "healthcare.datasets.get")
        return Reply.json(self._backend.catalog.get(str(call.dataset)))

    def patch(self, call: RoutedRequest) -> Reply:
        """Handle ``datasets.patch``.

        Only the time zone can change.
        """
        self._backend.catalog.check_dataset(call.dataset, "healthcare.datasets.update")
        paths = update_paths(call.request.parameter("updateMask") or "", {"timeZone"})
        changes = _checked(parameters.resource(call, DATASET))
        name = str(call.dataset)
        return Reply.json(
            self._backend.catalog.patch(name, lambda body: {"name": name, **_checked(merge(body, changes, paths))})
        )

    def delete(self, call: RoutedRequest) -> Reply:
        """Handle ``datasets.delete``.

        The dataset and all its stores are deleted at once.
        """
        self._backend.catalog.check_dataset(call.dataset, "healthcare.datasets.delete")
        self._backend.delete(str(call.dataset))
        return Reply.json({})


def check_location(name: str) -> None:
    """Check that *name* has the form of a Google Cloud region.

    Multi-regions are accepted too (fidelity F-41).

    Raises:
        ServiceError: 404: *name* has another form.
    """
    if not _REGION.fullmatch(name):
        raise not_found(f"Location {name} is not found or access is unauthorized.")


def _location(project: str, name: str) -> dict[str, str]:
    return {"name": f"projects/{project}/locations/{name}", "locationId": name}


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    if fields.get("encryptionSpec"):
        raise unimplemented("The emulator does not encrypt with Cloud KMS keys (fidelity F-39).")
    zone = fields.get("timeZone")
    if zone and zone not in zoneinfo.available_timezones():
        raise invalid("timeZone must be an IANA time zone, such as America/New_York.")
    return {name: value for name, value in fields.items() if name not in _OUTPUT_ONLY and value != ""}
