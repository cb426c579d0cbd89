"""IAM policies of datasets and stores: kept and given back; nothing is denied because of them (fidelity F-24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import Route
from healthcare_deid.emulator.errors import invalid

if TYPE_CHECKING:
    from healthcare_deid.emulator.http.routes import Call
    from healthcare_deid.emulator.backend import State

_DATASET = "projects/{project}/locations/{location}/datasets/{dataset}"
_RESOURCES = {
    "datasets": _DATASET,
    "datasets.dicomStores": f"{_DATASET}/dicomStores/{{dicomStore}}",
    "datasets.fhirStores": f"{_DATASET}/fhirStores/{{fhirStore}}",
}


class IamCalls:
    """Answers ``getIamPolicy``, ``setIamPolicy`` and ``testIamPermissions``."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes."""
        routes: list[Route] = []
        for method, path in _RESOURCES.items():
            prefix = f"projects.locations.{method}"
            routes += [
                Route("GET", f"{path}:getIamPolicy", f"{prefix}.getIamPolicy", self.get),
                Route("POST", f"{path}:setIamPolicy", f"{prefix}.setIamPolicy", self.set),
                Route("POST", f"{path}:testIamPermissions", f"{prefix}.testIamPermissions", self.test),
            ]
        return routes

    def get(self, call: Call) -> Reply:
        """``getIamPolicy``."""
        return Reply.json(self._state.catalog.get_policy(self._name(call, "getIamPolicy")))

    def set(self, call: Call) -> Reply:
        """``setIamPolicy``: refused when the policy was changed since it was read."""
        name = self._name(call, "setIamPolicy")
        body = parameters.only_fields(parameters.json_object(call), frozenset({"policy", "updateMask"}), "request")
        policy: Any = body.get("policy")
        if not isinstance(policy, dict):
            raise invalid("setIamPolicy needs a policy.")
        allowed = frozenset({"bindings", "etag", "version", "auditConfigs"})
        return Reply.json(self._state.catalog.set_policy(name, parameters.only_fields(policy, allowed, "policy")))

    def test(self, call: Call) -> Reply:
        """``testIamPermissions``: the caller has all it asks for."""
        self._name(call, "getIamPolicy")
        body = parameters.only_fields(parameters.json_object(call), frozenset({"permissions"}), "request")
        asked = body.get("permissions", [])
        if not isinstance(asked, list) or not all(isinstance(item, str) and "*" not in item for item in asked):
            raise invalid("permissions must be a list of permission names without wildcards.")
        return Reply.json({"permissions": asked} if asked else {})

    def _name(self, call: Call, action: str) -> str:
        if "dicomStore" in call.ids:
            self._state.catalog.check_store(call.dicom_store, f"healthcare.dicomStores.{action}")
            return str(call.dicom_store)
        if "fhirStore" in call.ids:
            self._state.catalog.check_store(call.fhir_store, f"healthcare.fhirStores.{action}")
            return str(call.fhir_store)
        self._state.catalog.check_dataset(call.dataset, f"healthcare.datasets.{action}")
        return str(call.dataset)
