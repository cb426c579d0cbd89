"""A preflight only reads, and finds problems before they cost anything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidClient, DeidentifyConfig
from healthcare_deid.client.calls.estimate import PRICE_LIST, PriceTable, Tier
from healthcare_deid.client.calls.preflight import CODES
from healthcare_deid.names import DatasetName

if TYPE_CHECKING:
    from healthcare_deid.config.checks.findings import Finding

GIB = 2**30


@pytest.fixture
def place(server: Any) -> Any:
    """Return a server with a dataset ``d`` of one store, an empty destination, and every permission."""
    store = f"{server.DATASET}/dicomStores/s"
    metrics = {"instanceCount": "10", "blobStorageSizeBytes": str(5 * GIB), "structuredStorageSizeBytes": "0"}
    server.on("GET", r"datasets/d\?", server.answer(200, {"name": server.DATASET}))
    server.on("GET", r"datasets/d/dicomStores\?", server.answer(200, {"dicomStores": [{"name": store}]}))
    server.on("GET", r"datasets/d/fhirStores\?", server.answer(200, {}))
    server.on("GET", r"dicomStores/s\?", server.answer(200, {"name": store}))
    server.on("GET", r"/s:getDICOMStoreMetrics", server.answer(200, metrics))
    server.on("GET", r"datasets/new\?", "403")

    def all_of_them(request: Any) -> Any:
        return server.answer(200, request.body)

    server.on("POST", "testIamPermissions", all_of_them)
    return server


def codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings if finding.code in CODES}


def test_a_valid_plan_reports_only_its_volume(place: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    found = client.preflight("d", "new", config)
    assert codes(found) == {"estimate", "instance-maybe-too-large"}
    assert "10 instances, 5.00 GiB" in str(found[-1]) + str(found[-2])


def test_nothing_is_written(place: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    client.preflight("d", "new", config)
    assert {item.method for item in place.seen if "testIamPermissions" not in item.path} == {"GET"}


def test_the_cost_is_estimated_by_the_users_own_prices(
    place: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    prices = PriceTable(inspect_per_gib=2.0, transform_per_gib=1.0, currency="EUR", as_of=dt.date(2026, 11, 1))
    remedy = next(
        item.remedy for item in client.preflight("d", "new", config, prices=prices) if item.code == "estimate"
    )
    assert "15.00 EUR" in remedy
    assert "2026-11-01" in remedy


def test_without_prices_the_price_list_is_named(place: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    found = client.preflight("d", "new", config)
    assert any(PRICE_LIST in finding.remedy for finding in found)


TIERS = (Tier(0, 0.0), Tier(1, 2.0), Tier(10, 1.0))


@pytest.mark.parametrize(
    ("gib", "already", "cost"), [(0, 0, 0), (1, 0, 0), (3, 0, 4), (20, 0, 28), (1, 5, 2), (5, 9, 6), (7, 100, 7)]
)
def test_tiers_are_charged_by_the_amount_of_the_month(gib: float, already: float, cost: float) -> None:
    assert PriceTable(inspect_per_gib=TIERS, already_gib=already).cost(gib) == pytest.approx(cost)


def test_fhir_stores_are_measured_too(place: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    store = f"{place.DATASET}/fhirStores/f"
    rows = [{"count": "7", "structuredStorageSizeBytes": str(GIB)}, {"count": "2", "structuredStorageSizeBytes": "0"}]
    place.on("GET", r"datasets/d/fhirStores\?", place.answer(200, {"fhirStores": [{"name": store}]}))
    place.on("GET", r"fhirStores/f:getFHIRStoreMetrics", place.answer(200, {"metrics": rows}))
    found = client.preflight("d", "new", config)
    assert any("10 instances and 9 FHIR resources, 6.00 GiB" in finding.message for finding in found)


def test_a_failed_measurement_is_a_finding_and_the_others_are_reported(
    place: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    place.on("GET", r"datasets/d/fhirStores\?", "501")
    found = client.preflight("d", "new", config)
    assert any("its amount of FHIR data (HTTP 501)" in finding.message for finding in found)
    assert any("10 instances, 5.00 GiB" in finding.message for finding in found)


@pytest.mark.parametrize(
    ("plan", "source", "destination", "code"),
    [
        ({}, "d/x/y", "new", "name"),
        ({}, "d", "new/s", "kinds-differ"),
        ({}, "d", "d", "same-place"),
        ({}, "d", DatasetName("p", "elsewhere", "new"), "location-differs"),
        ({r"datasets/d\?": "404"}, "d", "new", "source-missing"),
        ({r"datasets/d\?": "403"}, "d", "new", "source-hidden"),
        ({r"datasets/d\?": "500"}, "d", "new", "not-checked"),
        ({r"datasets/new\?": {"name": "x"}}, "d", "new", "destination-exists"),
        ({}, "d/s", "new/t", "destination-missing"),
        ({r"/t\?": "403"}, "d/s", "new/t", "destination-hidden"),
        ({r"/t\?": {}, r"/t:getDICOM": {"instanceCount": "3"}}, "d/s", "new/t", "destination-not-empty"),
        ({r"/s:getDICOM": {}}, "d", "new", "source-empty"),
        (
            {r"/s:getDICOM": {"instanceCount": "2", "blobStorageSizeBytes": str(3 * GIB)}},
            "d",
            "new",
            "instance-too-large",
        ),
    ],
)
def test_problems_are_found(
    place: Any,
    client: DeidClient,
    config: DeidentifyConfig,
    plan: dict[str, Any],
    source: Any,
    destination: Any,
    code: str,
) -> None:
    for path, reply in plan.items():
        place.on("GET", path, reply if isinstance(reply, str) else place.answer(200, reply))
    found = client.preflight(source, destination, config)
    assert code in codes(found)
    assert [finding.severity.rank for finding in found] == sorted(finding.severity.rank for finding in found)


def test_a_missing_permission_is_named(place: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    place.on("POST", "testIamPermissions", place.answer(200, {}))
    found = client.preflight("d", "new", config)
    assert "healthcare.datasets.deidentify" in next(str(item) for item in found if item.code == "permission-missing")


def test_a_missing_config_is_a_finding(place: Any, client: DeidClient) -> None:
    assert "config-missing" in codes(client.preflight("d", "new"))


def test_the_findings_include_those_of_the_config(place: Any, client: DeidClient) -> None:
    assert any(finding.code == "config-empty" for finding in client.preflight("d", "new", DeidentifyConfig()))


def test_every_code_is_in_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
    missing = [code for code, (severity, _, _) in CODES.items() if f"| `{code}` | {severity} |" not in guide]
    assert missing == []
