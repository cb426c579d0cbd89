"""`OperationTrigger`: waits for an operation without a worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from healthcare_deid.client.sync import DeidClient
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Consecutive failed polls after which the trigger fires anyway, so that the task reports the error.
_LOST_AFTER = 10


class OperationTrigger(BaseTrigger):
    """Trigger that fires when an operation has ended.

    Its event contains only the operation's name.

    Args:
        operation: Full name.
        endpoint: As for `DeidClient`.
        api_version: API version of the operation.
        poll: Seconds between polls.
        cancel: Whether to cancel the operation when a user kills the task.
    """

    def __init__(
        self,
        operation: str,
        endpoint: str | None = None,
        api_version: str = "v1",
        poll: float = 30.0,
        cancel: bool = True,
    ) -> None:
        super().__init__()
        self._operation = operation
        self._endpoint = endpoint
        self._api_version = api_version
        self._poll = poll
        self._cancel = cancel

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments to recreate the trigger."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "operation": self._operation,
            "endpoint": self._endpoint,
            "api_version": self._api_version,
            "poll": self._poll,
            "cancel": self._cancel,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event when the operation has ended."""
        failed = 0
        while failed < _LOST_AFTER:
            try:
                # The triggerer runs many triggers in one event loop, which a request must not block.
                if await asyncio.to_thread(self._ended):
                    break
                failed = 0
            except DeidError:
                failed += 1
            await asyncio.sleep(self._poll)
        yield TriggerEvent({"operation": self._operation})

    async def on_kill(self) -> None:
        """Cancel the operation when a user kills the task."""
        if self._cancel:
            await asyncio.to_thread(self._stop)

    def _ended(self) -> bool:
        with DeidClient(endpoint=self._endpoint, api_version=self._api_version) as client:
            operation = client.operation(self._operation)
            operation.refresh()
            return operation.state.ended

    def _stop(self) -> None:
        with DeidClient(endpoint=self._endpoint, api_version=self._api_version) as client:
            client.cancel_operation(self._operation)
