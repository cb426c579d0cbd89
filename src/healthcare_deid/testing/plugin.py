"""Pytest plugin: an emulator, a client and a clock for each test.

Pytest loads it automatically once the package is installed. ::

    def test_nightly_job(deid_client, healthcare_emulator, fake_clock):
        healthcare_emulator.faults.fail("operations.get", times=2, status=503)
        nightly_job(deid_client)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from healthcare_deid.client.sync import DeidClient
    from healthcare_deid.emulator import Emulator
    from healthcare_deid.testing.clock import FakeClock


@pytest.fixture
def fake_clock() -> FakeClock:
    """Clock shared by the other fixtures.

    Waiting takes no real time, and `FakeClock.advance` lets days pass.
    """
    # Imported late: every pytest run loads the plugin, whether it uses it or not.
    from healthcare_deid.testing.clock import FakeClock

    return FakeClock()


@pytest.fixture
def healthcare_emulator(tmp_path: Path, fake_clock: FakeClock) -> Iterator[Emulator]:
    """Empty emulator in a temporary directory.

    ``healthcare_emulator.faults`` injects faults.
    """
    from healthcare_deid.emulator import Emulator

    with Emulator(tmp_path / "healthcare-emulator", clock=fake_clock) as emulator:
        yield emulator


@pytest.fixture
def deid_client(healthcare_emulator: Emulator, fake_clock: FakeClock) -> Iterator[DeidClient]:
    """Client of the emulator.

    The project is ``test-project`` and the location ``us-central1``.
    """
    from healthcare_deid import DeidClient

    # The emulator's own clock: otherwise a wait of the client would not let the emulator's time pass.
    with DeidClient("test-project", "us-central1", http=healthcare_emulator.http(), clock=fake_clock) as client:
        yield client
