"""Tracebacks show the user's line and the client's method, not its internals."""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import AsyncDeidClient, DeidClient, DeidentifyConfig, errors

if TYPE_CHECKING:
    from healthcare_deid.testing import FakeClock


def frames(error: BaseException) -> list[str]:
    """Return the functions of this package that the printed error shows."""
    shown = traceback.TracebackException.from_exception(error)
    found: list[str] = []
    while shown is not None:
        found += [frame.name for frame in shown.stack if "healthcare_deid" in frame.filename]
        following = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
        shown = following  # type: ignore[assignment] # the loop ends with none
    return found


@pytest.mark.parametrize("trouble", ["drop", "503", "404", "garbage", "a redirect"])
def test_an_error_of_a_read_shows_four_frames_at_most(server: Any, client: DeidClient, trouble: str) -> None:
    server.on("GET", "", trouble)
    with pytest.raises(errors.DeidError) as caught:
        client.get_dataset("d")
    assert frames(caught.value) == ["get_dataset", "_run", "run", "run"]


@pytest.mark.parametrize("trouble", ["drop", "503", "409", "garbage"])
def test_an_error_of_a_start_shows_five_frames_at_most(
    server: Any, client: DeidClient, config: DeidentifyConfig, trouble: str
) -> None:
    server.on("POST", "", trouble)
    server.on("GET", "", "403")
    with pytest.raises(errors.DeidError) as caught:
        client.deidentify_dataset("d", "e", config)
    assert frames(caught.value) == ["deidentify_dataset", "_start", "_run", "run", "run"]


def test_an_error_of_the_async_client_shows_as_few_frames(server: Any, clock: FakeClock) -> None:
    server.on("GET", "", "503")

    async def ask() -> None:
        async with AsyncDeidClient("p", "l", endpoint=server.url, clock=clock) as client:
            await client.get_dataset("d")

    with pytest.raises(errors.Unavailable) as caught:
        asyncio.run(ask())
    assert frames(caught.value) == ["get_dataset", "_run", "run", "run_async"]


def test_a_cause_is_kept(server: Any, client: DeidClient, tmp_path: Any) -> None:
    server.on("POST", "", "401")
    (tmp_path / "a.dcm").write_bytes(bytes(128) + b"DICM" + bytes(100))
    with pytest.raises(errors.TransferError) as caught:
        client.upload("d/s", tmp_path)
    assert isinstance(caught.value.__cause__, errors.Unauthenticated)
