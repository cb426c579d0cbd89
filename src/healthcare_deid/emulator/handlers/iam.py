"""IAM policies of datasets and stores.

They are stored and returned, but not enforced (fidelity F-24).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.field_masks import merge, update_paths
from healthcare_deid.emulator.http.field_types import Choice, ListOf, Scalar
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import ANY_QUERY, Route

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.field_types import Fields
    from healthcare_deid.emulator.http.routes import RoutedRequest

_DATASET = "projects/{project}/locations/{location}/datasets/{dataset}"
_STRINGS = ListOf(Scalar.STRING)
_LOG_TYPES = Choice(frozenset({"LOG_TYPE_UNSPECIFIED", "ADMIN_READ", "DATA_READ", "DATA_WRITE"}))
_CONDITION: Fields = dict.fromkeys(("title", "description", "expression", "location"), Scalar.STRING)
_POLICY: Fields = {
    "version": Scalar.INT32,
    "etag": Scalar.BYTES,
    "bindings": ListOf({"role": Scalar.STRING, "members": _STRINGS, "condition": _CONDITION}),
    "auditConfigs": ListOf(
        {
            "service": Scalar.STRING,
            "auditLogConfigs": ListOf({"logType": _LOG_TYPES, "exemptedMembers": _STRINGS}),
        }
    ),
}
SET_POLICY: Fields = {"policy": _POLICY, "updateMask": Scalar.STRING}
"""``SetIamPolicyRequest`` (https://cloud.google.com/iam/docs/reference/rest/v1/Policy)."""
TEST_PERMISSIONS: Fields = {"permissions": _STRINGS}
"""``TestIamPermissionsRequest``."""
_VERSION_QUERY = frozenset({"options.requestedPolicyVersion"})
_RESOURCES = {
    "datasets": _DATASET,
    "datasets.dicomStores": f"{_DATASET}/dicomStores/{{dicomStore}}",
    "datasets.fhirStores": f"{_DATASET}/fhirStores/{{fhirStore}}",
}


class IamCalls:
    """Handlers of ``getIamPolicy``, ``setIamPolicy`` and ``testIamPermissions``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        routes: list[Route] = []
        for method, path in _RESOURCES.items():
            prefix = f"projects.locations.{method}"
            routes += [
                Route("GET", f"{path}:getIamPolicy", f"{prefix}.getIamPolicy", self.get, _VERSION_QUERY),
                Route("POST", f"{path}:setIamPolicy", f"{prefix}.setIamPolicy", self.set, ANY_QUERY),
                Route("POST", f"{path}:testIamPermissions", f"{prefix}.testIamPermissions", self.test, ANY_QUERY),
            ]
        return routes

    def get(self, call: RoutedRequest) -> Reply:
        """Handle ``getIamPolicy``."""
        return Reply.json(self._backend.catalog.get_policy(self._name(call, "getIamPolicy")))

    def set(self, call: RoutedRequest) -> Reply:
        """Handle ``setIamPolicy``.

        The request is refused if the policy has changed since it was read.
        """
        name = self._name(call, "setIamPolicy")
        body = parameters.bound_request(call, SET_POLICY)
        policy = body.get("policy")
        if policy is None:
            raise invalid("policy is required.")
        if body.get("updateMask"):
            paths = update_paths(body["updateMask"], _POLICY.keys())
            # The caller's etag, else that of the policy that is completed: a change meanwhile is noticed.
            etag = [("etag",)] if policy.get("etag") else []
            policy = merge(self._backend.catalog.get_policy(name), policy, [*paths, *etag])
        return Reply.json(self._backend.catalog.set_policy(name, policy))

    def test(self, call: RoutedRequest) -> Reply:
        """Handle ``testIamPermissions``.

        The caller has every permission.
        """
        self._name(call, "getIamPolicy")
        asked = parameters.bound_request(call, TEST_PERMISSIONS).get("permissions", [])
        # The API does not accept wildcards here.
        if any("*" in permission for permission in asked):
            raise invalid("permissions must be a list of permission names without wildcards.")
        return Reply.json({"permissions": asked} if asked else {})

    def _name(self, call: RoutedRequest, action: str) -> str:
        if "dicomStore" in call.ids:
            self._backend.catalog.check_store(call.dicom_store, f"healthcare.dicomStores.{action}")
            return str(call.dicom_store)
        if "fhirStore" in call.ids:
            self._backend.catalog.check_store(call.fhir_store, f"healthcare.fhirStores.{action}")
            return str(call.fhir_store)
        self._backend.catalog.check_dataset(call.dataset, f"healthcare.datasets.{action}")
        return str(call.dataset)
