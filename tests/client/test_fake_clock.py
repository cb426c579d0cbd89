from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from healthcare_deid.testing import FakeClock
from healthcare_deid.testing import clock as module

if TYPE_CHECKING:
    import pytest


def test_a_woken_task_can_wait_again_before_a_later_alarm_fires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHECK_INTERVAL", 0)  # the alarm looks at every turn of the loop
    clock = FakeClock()

    async def work() -> list[float]:
        moments: list[float] = []
        for _ in range(20):
            await asyncio.create_task(clock.sleep_async(1))
            moments.append(clock.monotonic())
        return moments

    async def both() -> list[float]:
        alarm = asyncio.create_task(clock.sleep_async(3600))
        moments = await work()
        alarm.cancel()
        return moments

    assert asyncio.run(both()) == [float(second) for second in range(1, 21)]
