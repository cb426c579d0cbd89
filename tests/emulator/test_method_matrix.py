"""Every method of the discovery documents is served, or 501 with a fidelity row."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import googleapiclient
import pytest

from healthcare_deid.emulator.fidelity import TABLE
from healthcare_deid.emulator.http.routes import ANY_QUERY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.conftest import Lab

DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
EMULATED = re.compile(r"healthcare\.projects\.locations\.(get|list|datasets\.((operations|dicomStores)\.)?.*)")
OTHERS = ("fhirStores", "consentStores", "hl7V2Stores", "annotationStores", "dataMapperWorkspaces", "nlp")


def methods(version: str) -> dict[str, dict[str, Any]]:
    def walk(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from resource.get("methods", {}).values()
        for inner in resource.get("resources", {}).values():
            yield from walk(inner)

    document = json.loads((DOCUMENTS / f"healthcare.{version}.json").read_bytes())
    return {method["id"].removeprefix("healthcare."): method for method in walk(document)}


def is_ours(method_id: str) -> bool:
    return EMULATED.fullmatch(f"healthcare.{method_id}") is not None and not any(name in method_id for name in OTHERS)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_every_method_of_datasets_dicom_stores_operations_and_locations_is_served(lab: Lab, version: str) -> None:
    served = {route.method_id for route in lab.emulator.routes() if version in route.versions}
    wanted = {method_id for method_id in methods(version) if is_ours(method_id)}
    assert len(wanted) >= 50
    assert wanted - served == set()


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_route_has_the_methods_verb_and_query_parameters(lab: Lab, version: str) -> None:
    known = methods(version)
    for route in lab.emulator.routes():
        if version not in route.versions:
            continue
        method = known[route.method_id]
        assert route.verb == method["httpMethod"], route.method_id
        if route.query is not ANY_QUERY:
            parameters = {name for name, place in method["parameters"].items() if place["location"] == "query"}
            assert set(route.query or ()) == parameters, route.method_id


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_every_other_method_is_served_or_refers_to_the_fidelity_table(lab: Lab, version: str) -> None:
    served = {route.method_id for route in lab.emulator.routes()}
    rows = {row.id for row in TABLE}
    others = [method for method_id, method in methods(version).items() if method_id not in served]
    assert len(others) > 60
    for method in others:
        path = method.get("flatPath", method["path"]).removeprefix(f"{version}/")
        answer = lab.call(method["httpMethod"], re.sub(r"\{[^}]*\}", "x1", path), {}, version=version)
        assert answer.status == 501, method["id"]
        cited = re.findall(r"fidelity ([FO]-\d+)", answer.json["error"]["message"])
        assert cited, method["id"]
        assert set(cited) <= rows
