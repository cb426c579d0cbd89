"""Invalid arguments are named at the call, before anything is sent."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import AsyncDeidClient, DeidClient, PollPolicy, RetryPolicy, as_completed, errors, presets, wait
from healthcare_deid.client.calls.estimate import PriceTable, Tier
from healthcare_deid.testing import ScriptedOperation, running

if TYPE_CHECKING:
    from collections.abc import Callable

WRONG: Any = object()
"""What no argument is; its type is all a message may say of it."""
CONFIG = presets.remove_metadata_and_all_text()
FHIR = "projects/p/locations/l/datasets/d/fhirStores/s"

NAMES: list[tuple[str, Callable[[Any], Any]]] = [
    ("deidentify_dataset's source", lambda client: client.deidentify_dataset(1, None)),
    ("deidentify_dataset's destination", lambda client: client.deidentify_dataset("d", None, CONFIG)),
    ("deidentify_dicom_store", lambda client: client.deidentify_dicom_store(1, "d/s", CONFIG)),
    ("deidentify_fhir_store", lambda client: client.deidentify_fhir_store(None, FHIR, CONFIG)),
    ("operation", lambda client: client.operation(1)),
    ("list_operations", lambda client: client.list_operations(None)),
    ("cancel_operation", lambda client: client.cancel_operation(b"d/1")),
    ("create_dataset", lambda client: client.create_dataset(b"d")),
    ("get_dataset", lambda client: client.get_dataset(None)),
    ("delete_dataset", lambda client: client.delete_dataset(1)),
    ("get_dicom_store", lambda client: client.get_dicom_store(1)),
    ("list_dicom_stores", lambda client: client.list_dicom_stores(1)),
    ("upload", lambda client: client.upload(1, "folder")),
    ("download", lambda client: client.download(None, "folder")),
    ("dicomweb", lambda client: client.dicomweb(1)),
]

OTHERS: list[tuple[str, Callable[[Any], Any]]] = [
    ("config", lambda client: client.deidentify_dataset("d", "e", WRONG)),
    ("config", lambda client: client.deidentify_dataset("d", "e", {})),
    ("config", lambda client: client.deidentify_dicom_store("d/s", "e/s", presets.remove_metadata_and_all_text)),
    ("config", lambda client: client.preflight("d", "e", {})),
    ("prices", lambda client: client.preflight("d", "e", CONFIG, prices=1)),
    ("gcsConfigUri", lambda client: client.deidentify_dataset("d", "e", gcs_config_uri=1)),
    ("filterConfig", lambda client: client.deidentify_dicom_store("d/s", "e/s", CONFIG, filter_config=1)),
    ("resources", lambda client: client.deidentify_fhir_store(FHIR, FHIR, CONFIG, resource_filter=1)),
    ("timeZone", lambda client: client.create_dataset("d", time_zone=1)),
    ("labels", lambda client: client.create_dicom_store("d/s", labels=1)),
    ("filter", lambda client: client.list_dicom_stores("d", filter=1)),
    ("uri", lambda client: client.import_dicom("d/s", 1)),
    ("gcs_uri", lambda client: client.import_dicom("d/s", None)),
    ("gcs_uri_prefix", lambda client: client.export_dicom("d/s", None)),
    ("paths", lambda client: client.upload("d/s", None)),
    ("paths", lambda client: client.upload("d/s", [1])),
    ("parallel", lambda client: client.upload("d/s", __file__, parallel="8")),
    ("parallel", lambda client: client.upload("d/s", __file__, parallel=21)),
    ("on_progress", lambda client: client.upload("d/s", __file__, on_progress=1)),
    ("folder", lambda client: client.download("d/s", None)),
    ("study", lambda client: client.download("d/s", "folder", study=1)),
    ("timeout", lambda client: client.get_dataset("d", timeout="60")),
    ("timeout", lambda client: client.get_dataset("d", timeout=float("nan"))),
    ("retry", lambda client: client.get_dataset("d", retry=3)),
    ("poll", lambda client: client.with_options(poll=3)),
]


@pytest.mark.parametrize("call", [call for _, call in NAMES], ids=[name for name, _ in NAMES])
def test_an_invalid_name_is_refused_before_anything_is_sent(
    server: Any, client: DeidClient, call: Callable[[Any], object]
) -> None:
    with pytest.raises(errors.ResourceNameError):
        call(client)
    assert server.seen == []


@pytest.mark.parametrize(("argument", "call"), OTHERS, ids=[f"{n} {name}" for n, (name, _) in enumerate(OTHERS)])
def test_an_argument_of_the_wrong_type_is_named_before_anything_is_sent(
    server: Any, client: DeidClient, argument: str, call: Callable[[Any], object], tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.ConfigError, match=argument):
        call(client)
    assert server.seen == []


def test_the_async_client_refuses_the_same(server: Any) -> None:
    async def ask() -> None:
        async with AsyncDeidClient("p", "l", endpoint=server.url) as client:
            for _, call in [*NAMES, *OTHERS]:
                with pytest.raises((errors.ConfigError, errors.ResourceNameError)):
                    await call(client)

    asyncio.run(ask())
    assert server.seen == []


@pytest.mark.parametrize(
    "option", [{"retry": 3}, {"poll": 3}, {"http": 1}, {"clock": 1}, {"endpoint": 1}, {"app_info": 1}]
)
def test_an_option_of_the_wrong_type_is_named(option: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigError, match=next(iter(option))):
        DeidClient("p", "l", **option)


@pytest.mark.parametrize(
    "options",
    [{"tries": "6"}, {"tries": 0}, {"settle": 1}, {"deadline": -1}, {"multiplier": 0.5}, {"maximum": float("nan")}],
)
def test_an_invalid_retry_policy_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigError, match="RetryPolicy"):
        RetryPolicy(**options)


@pytest.mark.parametrize(
    "options",
    [{"initial": 0}, {"maximum": -1}, {"lost_after": 0}, {"jitter": 1}, {"initial": "1"}, {"multiplier": 0.9}],
)
def test_a_poll_policy_without_pauses_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigError, match="PollPolicy"):
        PollPolicy(**options)


@pytest.mark.parametrize(
    "price", [(), (Tier(1, 1.0),), (Tier(0, 1.0), Tier(0, 2.0)), (Tier(0, -1.0),)], ids=["none", "gap", "twice", "gain"]
)
def test_invalid_prices_are_refused(price: Any) -> None:
    with pytest.raises(errors.ConfigError, match="inspect_per_gib"):
        PriceTable(inspect_per_gib=price)


@pytest.mark.parametrize("items", [None, 1, "x", ["x"], [None]], ids=repr)
def test_wait_refuses_anything_but_operations(items: Any) -> None:
    with pytest.raises(TypeError, match=r"^wait\(\) takes .*operations, not (NoneType|int|str)$"):
        wait(items)
    with pytest.raises(TypeError, match=r"^as_completed\(\) takes .*operations, not (NoneType|int|str)$"):
        list(as_completed(items))


def test_wait_with_a_single_operation_names_the_remedy() -> None:
    operation: Any = ScriptedOperation(running())
    with pytest.raises(TypeError, match=r"\.wait\(\)"):
        wait(operation)


def test_wait_with_an_async_operation_names_the_remedy(server: Any) -> None:
    server.on("GET", "", server.answer(200, server.operation("1")))

    async def mix() -> None:
        async with AsyncDeidClient("p", "l", endpoint=server.url) as client:
            operation: Any = await client.operation("d/1")
            with pytest.raises(TypeError, match="await it"):
                wait([operation])

    asyncio.run(mix())


@pytest.mark.parametrize("timeout", ["1", -1, float("nan")])
def test_an_invalid_wait_timeout_is_refused(timeout: Any) -> None:
    operation = ScriptedOperation(running())
    for call in (operation.wait, operation.result, operation.exception, partial(wait, [operation])):
        with pytest.raises(errors.ConfigError, match="timeout"):
            call(timeout)


def test_a_callback_that_is_not_callable_is_refused_at_once() -> None:
    operation, uncallable = ScriptedOperation(running()), WRONG
    with pytest.raises(errors.ConfigError, match="function"):
        operation.add_done_callback(uncallable)
    with pytest.raises(errors.ConfigError, match="on_progress"):
        operation.wait(on_progress=uncallable)


def test_one_resource_may_be_given_without_a_list(server: Any, client: DeidClient) -> None:
    """A str is a sequence of letters, and would have filtered by those."""
    server.on("POST", "", server.answer(200, server.operation("1")))
    client.deidentify_fhir_store(FHIR, FHIR[:-1] + "t", CONFIG, resource_filter="Patient/1")
    assert server.seen[0].body["resourceFilter"] == {"resources": {"resources": ["Patient/1"]}}
