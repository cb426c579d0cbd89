"""The trigger that waits for an operation of the service, so that no worker does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from healthcare_deid.client.sync import DeidClient
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_LOST_AFTER = 10
"""Failed looks, one after another, after which the task itself finds out what is wrong."""


class OperationTrigger(BaseTrigger):
    """Fires when an operation has ended. Its event holds the operation's name only.

    Args:
        operation: Full name.
        endpoint: As for `DeidClient`.
        api_version: Of the operation.
        poll: Seconds between two looks.
        cancel: Cancel the operation when a user kills the task.
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
        """Return the class and the arguments that make the trigger again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "operation": self._operation,
            "endpoint": self._endpoint,
            "api_version": self._api_version,
            "poll": self._poll,
            "cancel": self._cancel,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event, when the operation has ended."""
        failed = 0
        while failed < _LOST_AFTER:
            try:
                if await asyncio.to_thread(self._ended):
                    break
                failed = 0
            except DeidError:
                failed += 1
            await asyncio.sleep(self._poll)
        yield TriggerEvent({"operation": self._operation})

    async def on_kill(self) -> None:
        """Cancel the operation: a user has killed the task."""
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
