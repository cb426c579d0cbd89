"""How an operation ends, as an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from healthcare_deid import DeidClient, PollPolicy
from healthcare_deid.testing import (
    ScriptedOperation,
    cancelled,
    expired,
    failed,
    partial,
    running,
    succeeded,
    unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from healthcare_deid.testing.scripted import Step

SECRET = "row for Ana Rivera"


@pytest.fixture
def wait_for(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs ``operations wait`` on an operation that goes as told."""

    def run(*steps: Step, options: tuple[str, ...] = ()) -> Result:
        def scripted(*_: object) -> ScriptedOperation:
            return ScriptedOperation(*steps, poll=PollPolicy(lost_after=60))

        monkeypatch.setattr(DeidClient, "operation", scripted)
        return cli("operations", "wait", "1", "--dataset", "d", "--project", "p", "--location", "l", *options)

    return run


@pytest.mark.parametrize(
    ("last", "state", "code"),
    [
        (succeeded(success=2), "SUCCEEDED", 0),
        (partial(success=1, failure=1), "PARTIAL", 3),
        (failed(13, SECRET), "FAILED", 4),
        (cancelled(), "CANCELLED", 5),
    ],
)
def test_the_exit_code_says_how_it_ended(wait_for: Callable[..., Result], last: Step, state: str, code: int) -> None:
    result = wait_for(running(pending=2), running(success=1, pending=1), last)
    assert result.exit_code == code
    assert yaml.safe_load(result.stdout)["state"] == state
    assert (result.stderr.count("Error: ") == 1) == (code != 0)


@pytest.mark.parametrize("last", [expired(), unreachable()])
def test_an_end_that_cannot_be_told_is_neither_success_nor_failure(wait_for: Callable[..., Result], last: Step) -> None:
    result = wait_for(running(pending=2), last)
    assert result.exit_code == 7
    assert result.stdout == ""


def test_a_timeout_is_not_an_end(wait_for: Callable[..., Result]) -> None:
    result = wait_for(running(pending=2), options=("--timeout", "30"))
    assert result.exit_code == 6
    assert "it still runs" in result.stderr


def test_the_services_words_about_a_failure_are_printed_when_asked_for_only(wait_for: Callable[..., Result]) -> None:
    assert SECRET not in wait_for(failed(13, SECRET)).output
    asked = wait_for(failed(13, SECRET), options=("--server-text",))
    assert yaml.safe_load(asked.stdout)["error"]["message"] == SECRET
    assert f"The service's own words: {SECRET}" in asked.stderr


def test_quiet_prints_the_end_and_nothing_else(wait_for: Callable[..., Result]) -> None:
    result = wait_for(running(pending=2), succeeded(success=2), options=("--quiet",))
    assert result.stderr == ""
    assert yaml.safe_load(result.stdout)["done"] is True
