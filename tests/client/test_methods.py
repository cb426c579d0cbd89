"""The method table matches the discovery documents of the installed google-api-python-client."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import googleapiclient
import pytest

from healthcare_deid.client.protocol.methods import METHODS, Method, Safety

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"


def discovered(version: str) -> dict[str, dict[str, Any]]:
    document = json.loads((DOCUMENTS / f"healthcare.{version}.json").read_text())

    def walk(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from resource.get("methods", {}).values()
        for inner in resource.get("resources", {}).values():
            yield from walk(inner)

    return {method["id"]: method for method in walk(document)}


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.id.removeprefix("healthcare.projects."))
def test_every_method_has_the_verb_and_path_of_the_discovery_document(method: Method, version: str) -> None:
    theirs = discovered(version)[method.id]
    assert method.verb == theirs["httpMethod"]
    assert f"{version}/{method.path}" == re.sub(r"\{\+\w+\}", "{name}", theirs["path"])


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.id.removeprefix("healthcare.projects."))
def test_the_safety_of_every_method_fits_its_reply_type(method: Method) -> None:
    theirs = discovered("v1")[method.id]
    starts = theirs["response"]["$ref"] == "Operation" and theirs["httpMethod"] != "GET"
    assert (method.safety is Safety.START) == starts
    assert bool(method.long_running) == starts
    if theirs["httpMethod"] == "GET":
        assert method.safety is Safety.READ


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_every_query_the_client_sends_is_a_parameter_of_the_method(version: str) -> None:
    sent = {
        "datasets.create": {"datasetId"},
        "datasets.list": {"pageSize", "pageToken"},
        "datasets.dicomStores.create": {"dicomStoreId"},
        "datasets.dicomStores.list": {"pageSize", "pageToken", "filter"},
        "datasets.operations.list": {"pageSize", "pageToken"},
    }
    methods = discovered(version)
    for name, queries in sent.items():
        assert queries <= set(methods[f"healthcare.projects.locations.{name}"]["parameters"])


def test_a_path_is_quoted() -> None:
    assert METHODS["healthcare.projects.locations.datasets.get"].path_of("projects/a/ü") == "projects/a/%C3%BC"
